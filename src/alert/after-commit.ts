import type { Core } from '../core.ts'
import { startDeliveries } from '../delivery/start.ts'
import type { Lease } from '../store/store.ts'
import type { Alert, TimelineEntry } from './alert.ts'
import type { Paging } from './paging.ts'

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
  for (const entry of timeline) follow(core, alert, entry)
  // Last, because what goes out leaves this process when everything above is done.
  const earliest = core.holdOff.told(alert, timeline, core.clock.now())
  if (earliest !== null) core.worker.wake('escalate', earliest)
}

function follow(core: Core, alert: Alert, entry: TimelineEntry): void {
  const { at, by, via } = entry
  if (entry.kind === 'step') core.metrics.steps.inc()
  if (entry.kind === 'acknowledged' || entry.kind === 'resolved') {
    core.receipts.moved(alert.origin, { status: entry.kind, at, by, ...(via !== undefined && { via }) })
  }
  if (entry.kind === 'finished') {
    core.log.warn(
      { alert: alert.id, alert_type: alert.type },
      'the escalation of an alert is at its end; nobody has acknowledged it',
    )
  }
  if (entry.kind === 'skipped') {
    core.log.warn(
      { alert: alert.id, step: entry.step, reason: entry.text },
      'an escalation step reached nobody and was skipped',
    )
  }
}
