import type { Alert } from './alert.ts'
import { promote, resolve, startOver } from './change/change.ts'
import { changed, type Act, type Change } from './change/changed.ts'
import { remind } from './escalation/reminder.ts'
import { isIdleTimer } from './escalation/idle.ts'
import { closesAtEnd, nextStep } from './escalation/policy.ts'
import { CARILLON, fire } from './escalation/start.ts'
import type { WhoIs } from './paging/resolve-targets.ts'

/**
 * What the timer of an alert means, by its status: a firing alert escalates, or as a warning becomes critical (R32); of
 * an acknowledged one those who took it are asked again, or it was not resolved in time and starts again (behaviour O9);
 * a snooze or suppression is over; an idle alert is closed (E26). Nothing happens before the timer is due (promise P12),
 * and nobody is paged by one that is overdue for longer than the policy allows. After a change the timer lies ahead or
 * is gone.
 */
export function onTimer(alert: Alert, now: number, whoIs: WhoIs): Change {
  if (alert.nextStepAt === null || now < alert.nextStepAt) return { kind: 'same', alert }
  const time: Act = { by: CARILLON, via: 'timer', now, whoIs }
  if (isIdleTimer(alert)) return onIdle(alert, time)
  const staleAfterMs = alert.policy.staleAfterMs ?? STALE_AFTER_MS
  if (alert.status !== 'resolved' && now - alert.nextStepAt > staleAfterMs) return flagStale(alert, now)
  switch (alert.status) {
    case 'firing':
      return onFiringTimer(alert, time)
    case 'acknowledged':
      return isReminderDue(alert)
        ? remind(alert, now)
        : startOver(
            alert,
            'unacknowledged',
            time,
            alert.remindedAt ? 'Not confirmed in time' : 'Not resolved in time',
          )
    case 'snoozed':
    case 'suppressed':
      return startOver(alert, 'returned', time)
    case 'resolved':
      return withoutTimer(alert)
  }
}

/**
 * Makes the next step due now, because nobody of the last one can be reached any more (promises P7, P20); its end
 * no longer closes it. Nothing changes when no step waits, or when it is due already.
 */
export function hasten(alert: Alert, now: number): Change {
  const waits = alert.status === 'firing' && alert.severity === 'critical'
  if (!waits || alert.nextStepAt === null || isIdleTimer(alert) || alert.nextStepAt <= now)
    return { kind: 'same', alert }
  // What arrived nowhere must not be closed as if somebody had let it pass.
  const { resolveAtEnd: _, ...policy } = alert.policy
  return changed(alert, { alert: { ...alert, policy, nextStepAt: now } })
}

/** After how long a due timer that nothing came of is looked at again. */
const LOOK_AGAIN_MS = 30_000

/**
 * When a claimed timer that changed nothing is to be claimed again; null when the alert has none. Never at once: what
 * is due and decided nothing would decide nothing again, without end.
 */
export function lookAgainAt({ nextStepAt }: Pick<Alert, 'nextStepAt'>, now: number): number | null {
  if (nextStepAt === null || nextStepAt > now) return nextStepAt
  return now + LOOK_AGAIN_MS
}

/** A timer that was missed for longer belongs to another day: paging for it would wake people about the past. */
const STALE_AFTER_MS = 24 * 60 * 60_000

function flagStale(alert: Alert, now: number): Change {
  const text = `Due since ${new Date(alert.nextStepAt ?? now).toISOString()}: too late to page anybody`
  return changed(alert, {
    alert: { ...alert, nextStepAt: null },
    timeline: [{ at: now, kind: 'stale', by: CARILLON, text }],
  })
}

/** Repeats are counted without moving the timer, so it may come too early. */
function onIdle(alert: Alert, time: Act): Change {
  const idleAt = alert.lastAt + (alert.policy.autoResolveMs ?? 0)
  if (time.now < idleAt) return changed(alert, { alert: { ...alert, nextStepAt: idleAt, idleAt } })
  return resolve(alert, { ...time, note: 'Nothing was heard of it for too long' })
}

function isReminderDue({ severity, policy, remindedAt }: Alert): boolean {
  return severity === 'critical' && policy.ackReminderMs !== undefined && !remindedAt
}

function onFiringTimer(alert: Alert, time: Act): Change {
  switch (alert.severity) {
    case 'critical': {
      const next = nextStep(alert, time.now, time.whoIs)
      if (next.kind === 'none') return { kind: 'same', alert }
      const fired = fire(alert, next, time.now, time.whoIs)
      if (next.kind !== 'finished' || !closesAtEnd(alert.policy, next)) return changed(alert, fired)
      const closed = resolve(fired.alert, { ...time, note: 'Nobody took it to the end of its policy' })
      return { ...closed, ...('timeline' in closed && { timeline: [...fired.timeline, ...closed.timeline] }) }
    }
    case 'warning':
      return promote(alert, 'critical', time)
    case 'info':
      return withoutTimer(alert)
  }
}

/** A timer that means nothing is cleared, or it would be due for ever. */
function withoutTimer(alert: Alert): Change {
  return changed(alert, { alert: { ...alert, nextStepAt: null } })
}
