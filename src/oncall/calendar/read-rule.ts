import { IANAZone } from 'luxon'
import type { ContentLine } from './content-line.ts'
import type { Repetition } from './event.ts'
import { firstInstantShowing } from '../wall-clock.ts'

const DAY_MS = 24 * 60 * 60_000
const WEEKDAYS = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU']
const PARTS = new Set(['FREQ', 'INTERVAL', 'COUNT', 'UNTIL', 'BYDAY', 'WKST'])

/** What is wrong with a calendar, and in which line. */
export class CalendarFault extends Error {
  readonly line: number

  constructor(line: number, message: string) {
    super(message)
    this.name = 'CalendarFault'
    this.line = line
  }
}

/** A date or date-time of iCalendar, as what the clock of its zone shows; `utc` where it ends in `Z`. */
export interface CalendarTime {
  readonly reading: number
  readonly timezone: string
  readonly allDay: boolean
}

/** Reads a date or date-time (RFC 5545, sections 3.3.4 and 3.3.5); times without a zone are the schedule's. */
export function readTime(line: ContentLine, value: string, timezone: string): CalendarTime {
  const [, year, month, day, hour, minute, second, z] =
    /^(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2})(Z)?)?$/.exec(value) ?? []
  const reading = Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour ?? 0),
    Number(minute ?? 0),
    Number(second ?? 0),
  )
  const date = new Date(Number.isNaN(reading) ? 0 : reading)
  if (Number.isNaN(reading) || date.getUTCDate() !== Number(day) || Number(hour ?? 0) > 23)
    throw new CalendarFault(line.line, `${line.name}: "${value}" is no date or time`)
  const zone = z !== undefined ? 'UTC' : (line.params.get('TZID') ?? timezone)
  if (!IANAZone.isValidZone(zone))
    throw new CalendarFault(line.line, `${line.name}: unknown time zone "${zone}"; give one of the IANA list`)
  return { reading, timezone: zone, allDay: hour === undefined }
}

/** Milliseconds of a duration such as `PT8H` or `P1W` (RFC 5545, section 3.3.6). */
export function readLength(line: ContentLine): number {
  const [all, weeks, days, hours, minutes, seconds] =
    /^\+?P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/.exec(line.value) ?? []
  const total =
    Number(weeks ?? 0) * 7 * DAY_MS +
    Number(days ?? 0) * DAY_MS +
    Number(hours ?? 0) * 3_600_000 +
    Number(minutes ?? 0) * 60_000 +
    Number(seconds ?? 0) * 1000
  if (all === undefined || total <= 0)
    throw new CalendarFault(line.line, `DURATION: "${line.value}" is no length such as PT8H`)
  return total
}

/**
 * Reads a daily or weekly repetition (RFC 5545, section 3.3.10). What this cannot do is refused, because a calendar
 * that is understood in part pages the wrong people.
 */
export function readRule(line: ContentLine, begins: CalendarTime): Repetition {
  const parts = new Map(
    line.value.split(';').map((part) => {
      const [name = '', value = ''] = part.split('=', 2)
      return [name.toUpperCase(), value.toUpperCase()]
    }),
  )
  const refuse = (what: string) => new CalendarFault(line.line, `RRULE: ${what}`)
  const unknown = [...parts.keys()].find((name) => !PARTS.has(name))
  if (unknown !== undefined) throw refuse(`${unknown} is not supported; only ${[...PARTS].join(', ')} are`)
  const freq = parts.get('FREQ')
  if (freq !== 'DAILY' && freq !== 'WEEKLY')
    throw refuse(`FREQ=${freq ?? ''} is not supported; only DAILY and WEEKLY are`)
  const interval = wholeNumber(parts.get('INTERVAL') ?? '1')
  const count = parts.has('COUNT') ? wholeNumber(parts.get('COUNT') ?? '') : null
  if (interval === null || (parts.has('COUNT') && count === null))
    throw refuse('INTERVAL and COUNT are whole numbers above 0')
  const until = parts.get('UNTIL')
  const ends = { count, until: until === undefined ? null : untilOf(line, until, begins) }
  if (freq === 'DAILY') {
    if (parts.has('BYDAY')) throw refuse('BYDAY goes with FREQ=WEEKLY only')
    return { everyDays: interval, days: [0], skip: 0, ...ends }
  }
  const week = WEEKDAYS.indexOf(parts.get('WKST') ?? 'MO')
  if (week < 0) throw refuse('WKST is one of MO to SU')
  const first = (Math.floor(begins.reading / DAY_MS) + 3 - week) % 7
  const byDay = parts
    .get('BYDAY')
    ?.split(',')
    .map((name) => WEEKDAYS.indexOf(name))
  if (byDay?.includes(-1)) throw refuse('BYDAY is a list of MO to SU')
  const fromWeek = ((first % 7) + 7) % 7
  const days = [...new Set(byDay?.map((day) => (day - week + 7) % 7) ?? [fromWeek])].toSorted((a, b) => a - b)
  const skip = days.indexOf(fromWeek)
  if (skip < 0) throw refuse('the event begins on a day that BYDAY does not name')
  return { everyDays: 7 * interval, days, skip, ...ends }
}

/** Milliseconds between the two repetitions that are nearest to each other. */
export function shortestRound({ everyDays, days }: Repetition): number {
  const next = days.map((day, index) => (days[index + 1] ?? (days[0] ?? 0) + everyDays) - day)
  return Math.min(...next) * DAY_MS
}

function untilOf(line: ContentLine, value: string, begins: CalendarTime): number {
  const { reading, timezone, allDay } = readTime({ ...line, params: new Map() }, value, begins.timezone)
  // A date includes its whole day.
  return firstInstantShowing(timezone, allDay ? reading + DAY_MS - 1000 : reading)
}

function wholeNumber(text: string): number | null {
  return /^[1-9][0-9]{0,4}$/.test(text) ? Number(text) : null
}
