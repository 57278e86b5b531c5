import type { QuietHours } from '../directory/directory.ts'
import { firstInstantShowing, readingAt } from '../oncall/wall-clock.ts'

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS

/**
 * Until when a message that is due at `at` is held back by a person's quiet hours; null when it may go now.
 *
 * Quiet hours last from one wall-clock time to the next occurrence of the other, over midnight if need be, and follow
 * the zone's summer time by the rule of promise P19. A level or priority named in `except` is never held. Equal times
 * are no quiet hours.
 */
export function heldUntil(
  quietHours: QuietHours | null,
  timezone: string,
  at: number,
  level: string,
): number | null {
  if (quietHours === null || quietHours.except.includes(level) || quietHours.from === quietHours.to) {
    return null
  }
  const today = Math.floor(readingAt(timezone, at) / DAY_MS)
  const nights = quietHours.from < quietHours.to ? 0 : 1
  // Yesterday's may still last; tomorrow's has begun when the clocks are set back over midnight.
  for (const day of [today - 1, today, today + 1]) {
    const from = firstInstantShowing(timezone, day * DAY_MS + quietHours.from * MINUTE_MS)
    const to = firstInstantShowing(timezone, (day + nights) * DAY_MS + quietHours.to * MINUTE_MS)
    if (from <= at && at < to) return to
  }
  return null
}
