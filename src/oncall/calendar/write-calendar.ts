import { createHash } from 'node:crypto'
import type { Shift } from '../schedule.ts'
import { textLine } from './content-line.ts'

export interface CalendarParts {
  readonly tenant: string
  readonly team: string
  readonly shifts: readonly Shift[]
  readonly nameOf: (user: string) => string
  /** When it is written. */
  readonly now: number
}

/**
 * Shifts as an iCalendar object (RFC 5545): one event each, in UTC, so that no definition of a time zone can be wrong. A
 * shift keeps its UID as long as it begins at the same instant. The summary is the person's name alone, which is also
 * what an imported calendar is read by.
 */
export function writeCalendar({ tenant, team, shifts, nameOf, now }: CalendarParts): string {
  const title = `On call: ${team}`
  const events = shifts.flatMap(({ user, from, to }) => [
    'BEGIN:VEVENT',
    `UID:${uidOf([tenant, team, user, from])}`,
    `DTSTAMP:${utc(now)}`,
    `DTSTART:${utc(from)}`,
    `DTEND:${utc(to)}`,
    textLine('SUMMARY', nameOf(user)),
    textLine('DESCRIPTION', `On call for ${team}`),
    'TRANSP:TRANSPARENT',
    'END:VEVENT',
  ])
  return [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//Carillon//On call//EN',
    'CALSCALE:GREGORIAN',
    textLine('NAME', title),
    textLine('X-WR-CALNAME', title),
    'REFRESH-INTERVAL;VALUE=DURATION:PT1H',
    ...events,
    'END:VCALENDAR',
    '',
  ].join('\r\n')
}

function uidOf(identity: readonly (string | number)[]): string {
  return `${createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 32)}@carillon`
}

/** Whole seconds: a calendar knows no shorter ones. */
function utc(at: number): string {
  return new Date(at).toISOString().replace(/[-:]|\.\d+/g, '')
}
