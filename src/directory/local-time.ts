import { firstInstantShowing } from '../oncall/wall-clock.ts'

const OFFSET = /(Z|[+-][0-9]{2}:[0-9]{2})$/i
const LOCAL_TIME =
  /^([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,3})?)?$/

/**
 * The instant of a wall-clock time such as `2027-01-01T09:00` in an IANA zone, by the rule of promise P19: a time
 * that does not exist is the first valid instant after it, one that exists twice is its first occurrence.
 */
export function localInstant(local: string, timezone: string): number {
  return firstInstantShowing(timezone, Date.parse(`${local.replace(' ', 'T')}Z`))
}

/** The instant of a local time, or of one with an offset such as `2027-01-01T09:00+01:00`; null for what is neither. */
export function scheduleInstant(text: string, timezone: string): number | null {
  const [offset = ''] = OFFSET.exec(text) ?? []
  const plain = text.slice(0, text.length - offset.length).trimEnd()
  const date = LOCAL_TIME.exec(plain)?.[1]
  if (date === undefined || !isDate(date)) return null
  if (offset === '') return localInstant(plain, timezone)
  const at = Date.parse(`${plain.replace(' ', 'T')}${offset.toUpperCase()}`)
  return Number.isNaN(at) ? null : at
}

/** Whether a text such as `2027-02-29` is a day of the calendar. */
export function isDate(text: string): boolean {
  const parsed = new Date(`${text}T00:00:00Z`)
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(text)
}
