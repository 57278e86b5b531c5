import type { Alert } from '../../alert/alert.ts'
import { changed, type Act, type Change } from '../../alert/change/changed.ts'

/** How an alert is acknowledged with the one that paged for it. */
const VIA = 'group'
const GROUPED = 'group:'

/** How `suppressed_by` names the alert whose pages stand for this one. */
export function groupedBy(leaderId: string): string {
  return GROUPED + leaderId
}

/** Whether another alert pages for this one. */
export function isGroupedBy({ suppressedBy }: Pick<Alert, 'suppressedBy'>): boolean {
  return suppressedBy?.startsWith(GROUPED) ?? false
}

/** The alert that this one goes along with, quietly or acknowledged with it; null for none. */
export function followedBy(
  alert: Pick<Alert, 'status' | 'suppressedBy' | 'acknowledgedVia' | 'follows'>,
): string | null {
  if (alert.status === 'suppressed' && isGroupedBy(alert)) return alert.suppressedBy!.slice(GROUPED.length)
  return alert.status === 'acknowledged' && alert.acknowledgedVia === VIA ? (alert.follows ?? null) : null
}

/**
 * What the way of a group's leader means for an alert that goes along with it (behaviour E12: one answer stands for
 * all): acknowledged with it, if its pages had told of this one; back in line when nobody has the leader in hand any
 * more; on its own, still acknowledged, when the leader is over. Null: the leader's way means nothing new.
 */
export function followLeader(alert: Alert, leader: Alert | undefined, act: Act): Change | null {
  if (followedBy(alert) === null) return null
  if (alert.status === 'suppressed') {
    const told = leader?.group?.alerts.some(({ id }) => id === alert.id) ?? false
    return leader?.status === 'acknowledged' && told ? acknowledgedWith(alert, leader, act) : null
  }
  if (leader?.status === 'acknowledged') return null
  if (leader === undefined) return onItsOwn(alert, act)
  const back: Alert = {
    ...alert,
    status: 'suppressed',
    acknowledgedBy: null,
    acknowledgedAt: null,
    acknowledgedVia: null,
    suppressedBy: groupedBy(leader.id),
    nextStepAt: null,
  }
  const text = `Like ${leader.type}, which pages for it`
  const entry = {
    at: act.now,
    kind: 'unacknowledged',
    by: act.by,
    via: VIA,
    text,
    ref: groupedBy(leader.id),
  } as const
  return changed(alert, { alert: back, timeline: [entry] })
}

function acknowledgedWith(alert: Alert, leader: Alert, { now }: Act): Change {
  const by = leader.acknowledgedBy ?? leader.origin.principal
  const acknowledged: Alert = {
    ...alert,
    status: 'acknowledged',
    acknowledgedBy: by,
    acknowledgedAt: now,
    acknowledgedVia: VIA,
    follows: leader.id,
    remindedAt: null,
    suppressedBy: null,
    // The leader's timeout is that of all.
    nextStepAt: null,
  }
  const entry = { at: now, kind: 'acknowledged', by, via: VIA, ref: groupedBy(leader.id) } as const
  return changed(alert, { alert: acknowledged, timeline: [entry] }, 'acknowledged')
}

/** Its own ack timeout runs from now on. */
function onItsOwn(alert: Alert, { now }: Act): Change {
  const { follows: _, ...own } = alert
  const timeout = alert.severity === 'critical' ? alert.policy.ackTimeoutMs : null
  return changed(alert, {
    alert: { ...own, nextStepAt: timeout === null ? null : now + timeout },
  })
}
