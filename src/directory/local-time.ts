import { IANAZone } from 'luxon'

/** Longer than the widest jump any zone ever made (a whole day, Apia 2011), shorter than the time between two. */
const PROBE_MS = 36 * 3_600_000

/**
 * The instant of a wall-clock time such as `2027-01-01T09:00` in an IANA zone. A time that does not exist is the
 * first valid instant after it, one that exists twice is its first occurrence (promise P19).
 */
export function localInstant(local: string, timezone: string): number {
  const zone = IANAZone.create(timezone)
  const wall = Date.parse(`${local.replace(' ', 'T')}Z`)
  const offsetMs = (at: number) => zone.offset(at) * 60_000
  const offsets = [offsetMs(wall - PROBE_MS), offsetMs(wall), offsetMs(wall + PROBE_MS)]
  const matching = offsets.map((offset) => wall - offset).filter((at) => at + offsetMs(at) === wall)
  if (matching.length > 0) return Math.min(...matching)
  // In a gap: the clock jumps somewhere between the readings with the greatest and the least offset.
  let before = wall - Math.max(...offsets)
  let after = wall - Math.min(...offsets)
  const offsetBefore = offsetMs(before)
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2)
    if (offsetMs(middle) === offsetBefore) before = middle
    else after = middle
  }
  return after
}
