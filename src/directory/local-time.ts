import { firstInstantShowing } from '../oncall/wall-clock.ts'

/**
 * The instant of a wall-clock time such as `2027-01-01T09:00` in an IANA zone, by the rule of promise P19: a time
 * that does not exist is the first valid instant after it, one that exists twice is its first occurrence.
 */
export function localInstant(local: string, timezone: string): number {
  return firstInstantShowing(timezone, Date.parse(`${local.replace(' ', 'T')}Z`))
}
