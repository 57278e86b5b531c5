import type { Alert } from '../alert.ts'
import { changed, entryOf, type Act, type Change } from '../change/changed.ts'
import { CARILLON } from './start.ts'

/**
 * Asks those who acknowledged whether they still have it (behaviour O9). The alert stays acknowledged; without an
 * answer its timer starts it again after the policy's `ackTimeoutMs`. Reminded once until somebody answers.
 */
export function remind(alert: Alert, now: number): Change {
  const people = [...new Set([...(alert.acks ?? []).map(({ by }) => by), alert.acknowledgedBy])]
  const users = people.filter((id) => id !== null)
  const { ackTimeoutMs } = alert.policy
  return changed(alert, {
    alert: { ...alert, remindedAt: now, nextStepAt: ackTimeoutMs === null ? null : now + ackTimeoutMs },
    timeline: [{ at: now, kind: 'reminded', by: CARILLON, users }],
    page: {
      level: alert.severity,
      step: null,
      repeat: alert.repeat,
      users,
      because: 'reminder',
      admins: [],
      webhooks: [],
      topics: [],
    },
  })
}

/** Somebody answers the reminder: they still have it, and are asked again after as long. Pages nobody. */
export function confirm(alert: Alert, act: Act): Change {
  const { ackReminderMs = 0 } = alert.policy
  const confirmed: Alert = { ...alert, remindedAt: null, nextStepAt: act.now + ackReminderMs }
  return changed(alert, { alert: confirmed, timeline: [entryOf('acknowledged', act, 'Still in hand')] })
}
