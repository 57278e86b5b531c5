import type { Core } from '../../core.ts'
import { startDeliveries } from '../../delivery/worker/start.ts'
import type { Lease } from '../../store/store.ts'
import type { Alert, TimelineEntry } from '../alert.ts'
import { CARILLON, reachedNobody } from '../escalation/start.ts'
import type { Paging } from '../paging/paging.ts'

/**
 * What follows a committed change of an alert. All of it may be lost in a crash: the timer and the deliveries are
 * rows, the board is rebuilt at the start, people who connect are told again what still fires.
 */
export function afterAlertCommit(
  core: Core,
  paging: Paging,
  timeline: readonly TimelineEntry[],
  leases: readonly Lease[],
): void {
  const { alert } = paging
  const at = core.clock.now()
  // First of all: from here on a confirmed acknowledgement holds back what is already claimed (promise P15).
  if (alert.status === 'firing') core.fence.lower(alert.id, alert.pagesFrom, at)
  else core.fence.raise(alert.id, at)
  for (const { kind, by } of timeline)
    if (kind === 'partly_acknowledged') core.fence.raiseFor(alert.id, by, at)

  for (const { delivery, dueAt } of paging.deliveries) {
    const live = delivery.channel === 'realtime' && delivery.subjectKind === 'alert' && dueAt === null
    if (live && delivery.userId !== null) core.live.page(alert, delivery.userId)
  }
  const { outcome } = paging
  if (outcome) {
    for (const userId of outcome.watching)
      core.live.outcome(alert, { kind: outcome.kind, by: outcome.by }, userId)
  }
  startDeliveries(core.worker, paging.deliveries, leases, { notification: null, alert })
  core.openAlerts.changed(alert)
  core.board.alertChanged(alert)
  // What keeps it quiet may have ended while this was committed.
  if (alert.status === 'suppressed') void core.reconsider([alert])
  void core.reconsider(core.noise.followersOf(alert))
  for (const entry of timeline) follow(core, alert, entry)
  watchReach(core, alert, timeline)
  // Last, because what goes out leaves this process when everything above is done.
  const earliest = core.holdOff.told(alert, timeline, core.clock.now())
  if (earliest !== null) core.worker.wake('escalate', earliest)
}

/** The operators hear of a policy that reaches nobody, until a step of the team reaches somebody again (promise P20). */
function watchReach(core: Core, { origin, team, type }: Alert, timeline: readonly TimelineEntry[]): void {
  // What befalls the alarm's own pages is no reason for another one.
  if (origin.principal === CARILLON) return
  const cause = `nobody_reachable:${team ?? type}`
  if (reachedNobody(timeline)) {
    core.operatorAlarm(cause, `No step of the policy of ${team ?? type} reaches anybody`)
  } else if (timeline.some(({ kind }) => kind === 'step')) core.operatorAlarm.over(cause)
}

const WARNINGS: Readonly<Partial<Record<TimelineEntry['kind'], string>>> = {
  finished: 'the escalation of an alert is at its end; nobody has acknowledged it',
  skipped: 'an escalation step was passed over',
  stale: 'a timer of an alert is too late to page anybody',
}

function follow(core: Core, alert: Alert, entry: TimelineEntry): void {
  const { at, by, via } = entry
  if (entry.kind === 'step') core.metrics.steps.inc()
  if (entry.kind === 'acknowledged' || entry.kind === 'resolved') {
    core.receipts.moved(alert.origin, { status: entry.kind, at, by, ...(via !== undefined && { via }) })
  }
  const warning = WARNINGS[entry.kind]
  if (warning !== undefined) {
    const { step, text: reason } = entry
    core.log.warn({ alert: alert.id, alert_type: alert.type, step, reason }, warning)
  }
}
