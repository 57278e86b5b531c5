import type { Alert } from '../alert/alert.ts'
import { WARNING_PATIENCE_MS } from '../alert/escalation/start.ts'
import { opensAt } from '../alert/escalation/time-window.ts'
import type { Overdue } from '../store/store.ts'

/** What is wrong with the escalations; null when they are on time. */
export interface Lateness {
  /** A sentence for operators. */
  readonly message: string
  /** Alerts that would wait for ever: their timers are to be set again. */
  readonly lost: readonly Alert[]
}

/**
 * Judges what the store has found (promise P21): no step may be due for more than five seconds, every open alert that
 * waits for an instant has a timer for it, that instant is no further away than its policy allows, and a critical alert
 * that fires waits for a step unless its policy is at its end or was missed for too long.
 */
export function judge({ steps, timerless, distant }: Overdue, now: number): Lateness | null {
  const lost = [...timerless, ...distant.filter((alert) => isTooFar(alert, now))]
  const parts = [
    ...(steps > 0 ? [`${counted(steps, 'escalation step is', 'escalation steps are')} overdue`] : []),
    ...(lost.length > 0
      ? [`${counted(lost.length, 'open alert has', 'open alerts have')} lost the timer of the next step`]
      : []),
  ]
  return parts.length === 0 ? null : { message: parts.join(', and '), lost }
}

/** Whether a firing alert waits longer than anything in its policy makes it wait: its steps, their windows, its idling. */
function isTooFar({ status, nextStepAt, policy }: Alert, now: number): boolean {
  if (status !== 'firing' || nextStepAt === null) return false
  const { steps, timezone = 'UTC', autoResolveMs = 0 } = policy
  const waits = [WARNING_PATIENCE_MS, autoResolveMs, ...steps.map(({ waitMs }) => waitMs)]
  const openings = steps.flatMap(({ window }) => (window && opensAt(window, timezone, now)) ?? [])
  return nextStepAt > Math.max(now + Math.max(...waits), ...openings)
}

/** The alert with a timer that is due at the next opportunity; a change like any other. */
export function retimed(alert: Alert, now: number): Alert {
  const promised = alert.nextStepAt ?? now
  return {
    ...alert,
    version: alert.version + 1,
    nextStepAt: isTooFar(alert, now) ? now : Math.max(promised, now),
  }
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`
}
