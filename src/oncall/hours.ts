import type { Hours } from './schedule.ts'
import { ALWAYS, type Stretch } from './stretch.ts'
import { firstInstantShowing, readingAt } from './wall-clock.ts'

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS
/** A week and what a clock change or a skipped day may add. */
const FAR_DAYS = 10

/**
 * Whether an instant lies within the hours, and a stretch over which that stays so (behaviour E24). Hours begin and end
 * when the clocks of the zone first show their times or later ones; those that are skipped whole are empty.
 */
export function hoursAt(
  hours: readonly Hours[],
  timezone: string,
  at: number,
): Stretch & { readonly inside: boolean } {
  const today = Math.floor(readingAt(timezone, at) / DAY_MS)
  // Hours over midnight began yesterday; clocks that were set back over midnight show a day again.
  for (let day = today - 1; day <= today + 1; day++) {
    const around = windowsOf(hours, timezone, day).find(({ from, to }) => from <= at && at < to)
    if (around !== undefined) return { ...around, inside: true }
  }
  return { ...betweenWindows(hours, timezone, { today, at }), inside: false }
}

function betweenWindows(
  hours: readonly Hours[],
  timezone: string,
  { today, at }: { readonly today: number; readonly at: number },
): Stretch {
  let { from, to } = ALWAYS
  for (let far = -1; far <= FAR_DAYS && to === Infinity; far++)
    for (const window of windowsOf(hours, timezone, today + far))
      if (window.from > at) to = Math.min(to, window.from)
  // One day further than the first that is found: hours over midnight may end after those of the next day.
  let left = Infinity
  for (let far = -1; far <= FAR_DAYS && left > 0; far++, left--)
    for (const window of windowsOf(hours, timezone, today - far)) {
      if (window.to > at) continue
      from = Math.max(from, window.to)
      left = Math.min(left, 2)
    }
  return { from, to }
}

/** The hours that begin on a day, which is counted from 1970-01-01 on the zone's own calendar. */
function windowsOf(hours: readonly Hours[], timezone: string, day: number): readonly Stretch[] {
  // 1970-01-01 was a Thursday, ISO weekday 4.
  const weekday = ((((day + 3) % 7) + 7) % 7) + 1
  return hours.flatMap(({ weekdays, from, to }) => {
    if (!weekdays.includes(weekday)) return []
    const midnight = day * DAY_MS
    const window = {
      from: firstInstantShowing(timezone, midnight + from * MINUTE_MS),
      to: firstInstantShowing(timezone, midnight + to * MINUTE_MS + (to <= from ? DAY_MS : 0)),
    }
    return window.from < window.to ? [window] : []
  })
}
