import { IANAZone } from 'luxon'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/**
 * What the clocks of a zone show at an instant: milliseconds since 1970-01-01T00:00 on that clock, so that local days
 * and hours can be computed with, without a calendar. Throws on a zone that does not exist.
 */
export function readingAt(timezone: string, at: number): number {
  return at + offsetAt(timezone, at)
}

/**
 * The first instant at which the clocks of a zone show this reading or a later one (promise P19). So a local time that
 * does not exist becomes the first valid instant after it, and one that comes twice is its first occurrence; a later
 * reading never gives an earlier instant, which is what keeps shifts free of gaps and overlaps.
 */
export function firstInstantShowing(timezone: string, reading: number): number {
  // No zone is further than 14 hours from UTC: the answer lies between the two probes.
  const low = reading - 15 * HOUR_MS
  const high = reading + 15 * HOUR_MS
  const before = offsetAt(timezone, low)
  const after = offsetAt(timezone, high)
  const unchanged = reading - before
  if (before === after || offsetAt(timezone, unchanged) === before) return unchanged
  return Math.max(reading - after, changeBetween(timezone, low, high))
}

/** The reading of a clock at midnight of a `YYYY-MM-DD`. */
export function readingOfDate(date: string): number {
  return Date.parse(`${date}T00:00:00Z`)
}

/** The instant in `(low, high]` from which the offset is no longer that of `low`. */
function changeBetween(timezone: string, low: number, high: number): number {
  const before = offsetAt(timezone, low)
  let unchangedAt = low
  let changedAt = high
  while (changedAt - unchangedAt > 1) {
    const middle = Math.floor((unchangedAt + changedAt) / 2)
    if (offsetAt(timezone, middle) === before) unchangedAt = middle
    else changedAt = middle
  }
  return changedAt
}

function offsetAt(timezone: string, at: number): number {
  const minutes = IANAZone.create(timezone).offset(at)
  if (Number.isNaN(minutes)) throw new RangeError(`No such time zone or instant: ${timezone}, ${at}`)
  return Math.round(minutes * MINUTE_MS)
}
