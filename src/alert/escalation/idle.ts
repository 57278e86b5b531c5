import type { Alert } from '../alert.ts'

/**
 * The alert with a timer that closes it when nothing is heard of it for as long as its policy says (behaviour E26),
 * where no other timer waits; counted from now, because something just happened, unless it counts already. Without the
 * setting nothing changes.
 */
export function withIdleTimer(alert: Alert, now: number): Alert {
  const { autoResolveMs } = alert.policy
  if (autoResolveMs === undefined) return alert
  if (alert.status === 'resolved' || (alert.nextStepAt !== null && !isIdleTimer(alert)))
    return { ...alert, idleAt: null }
  if (alert.nextStepAt !== null && alert.nextStepAt > now) return alert
  const idleAt = Math.max(alert.lastAt, now) + autoResolveMs
  return { ...alert, nextStepAt: idleAt, idleAt }
}

/** Whether all that the alert's timer does is to close it. */
export function isIdleTimer({ nextStepAt, idleAt = null }: Pick<Alert, 'nextStepAt' | 'idleAt'>): boolean {
  return idleAt !== null && nextStepAt === idleAt
}
