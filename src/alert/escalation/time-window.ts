import { firstInstantShowing, readingAt } from '../../oncall/wall-clock.ts'
import type { TimeWindow } from '../alert.ts'

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS
/** A window that opens once a week, and whose day clocks may have skipped, opens within these. */
const DAYS_AHEAD = 15

/**
 * When a window opens next; null when it is open at `at` (behaviour O4). It follows the zone's summer time by the rule
 * of promise P19; one that the clocks skip does not open on that day, and one that never opens counts as open, because
 * a step must not wait for ever.
 */
export function opensAt(window: TimeWindow, timezone: string, at: number): number | null {
  const today = Math.floor(readingAt(timezone, at) / DAY_MS)
  const nights = window.from < window.to ? 0 : 1
  // Yesterday's may still be open.
  for (let day = today - 1; day <= today + DAYS_AHEAD; day++) {
    if (!window.weekdays.includes(isoWeekday(day))) continue
    const from = firstInstantShowing(timezone, day * DAY_MS + window.from * MINUTE_MS)
    const to = firstInstantShowing(timezone, (day + nights) * DAY_MS + window.to * MINUTE_MS)
    if (from >= to || to <= at) continue
    return from <= at ? null : from
  }
  return null
}

/** Of a day counted from 1970-01-01, which was a Thursday. */
function isoWeekday(day: number): number {
  return ((((day + 3) % 7) + 7) % 7) + 1
}
