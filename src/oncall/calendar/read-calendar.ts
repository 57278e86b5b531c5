import { readLines, unescapeText, type ContentLine } from './content-line.ts'
import type { CalendarEvent } from './event.ts'
import { firstInstantShowing } from '../wall-clock.ts'
import { CalendarFault, readLength, readRule, readTime, shortestRound } from './read-rule.ts'

const DAY_MS = 24 * 60 * 60_000
const MOST_EVENTS = 2000
/** Properties that change when an event happens; without them it would be another. */
const UNSUPPORTED = new Set(['RDATE', 'RECURRENCE-ID', 'EXRULE'])

/** Somebody whom an event may name. */
export interface Nameable {
  readonly id: string
  readonly name: string
  readonly email?: string
}

export type ReadCalendar =
  | { readonly ok: true; readonly events: readonly CalendarEvent[] }
  | { readonly ok: false; readonly faults: readonly { readonly line: number; readonly message: string }[] }

/**
 * Reads the events of an iCalendar object (RFC 5545) as duties. An event belongs to the people whom its ATTENDEEs name
 * by e-mail address, else to those whom its SUMMARY names by id or name, separated by commas. Daily and weekly
 * repetitions are understood; every event that is not is a fault with its line, and then nothing is taken. Cancelled
 * events are passed over.
 */
export function readCalendar(text: string, timezone: string, people: readonly Nameable[]): ReadCalendar {
  const faults: { line: number; message: string }[] = []
  const events: CalendarEvent[] = []
  const lines = readLines(text).flatMap((line) => {
    if (!('broken' in line)) return [line]
    faults.push({ line: line.broken, message: 'no property such as SUMMARY:anna' })
    return []
  })
  if (lines[0]?.name !== 'BEGIN' || lines[0].value.toUpperCase() !== 'VCALENDAR')
    return { ok: false, faults: [{ line: 1, message: 'no calendar: BEGIN:VCALENDAR is missing' }] }
  for (const properties of componentsOf(lines, 'VEVENT')) {
    try {
      events.push(...eventsOf(properties, timezone, people))
      if (events.length > MOST_EVENTS)
        throw new CalendarFault(properties[0]?.line ?? 1, `more than ${MOST_EVENTS} events`)
    } catch (error) {
      if (!(error instanceof CalendarFault)) throw error
      faults.push({ line: error.line, message: error.message })
      if (events.length > MOST_EVENTS) break
    }
  }
  return faults.length > 0 ? { ok: false, faults } : { ok: true, events }
}

/** The properties of each component of a kind, its `BEGIN` first, without those of components within it. */
function componentsOf(lines: readonly ContentLine[], kind: string): readonly (readonly ContentLine[])[] {
  const found: ContentLine[][] = []
  const path: string[] = []
  for (const line of lines) {
    if (line.name === 'BEGIN') {
      path.push(line.value.toUpperCase())
      if (path.at(-1) === kind) found.push([line])
    } else if (line.name === 'END') path.pop()
    else if (path.at(-1) === kind) found.at(-1)?.push(line)
  }
  return found
}

function eventsOf(
  properties: readonly ContentLine[],
  timezone: string,
  people: readonly Nameable[],
): readonly CalendarEvent[] {
  const first = (name: string) => properties.find((line) => line.name === name)
  if (first('STATUS')?.value.toUpperCase() === 'CANCELLED') return []
  const odd = properties.find(({ name }) => UNSUPPORTED.has(name))
  if (odd !== undefined)
    throw new CalendarFault(odd.line, `${odd.name} is not supported; make it an event of its own`)
  const start = first('DTSTART')
  if (start === undefined) throw new CalendarFault(properties[0]?.line ?? 1, 'the event has no DTSTART')
  const begins = readTime(start, start.value, timezone)
  const rules = properties.filter(({ name }) => name === 'RRULE')
  if (rules[1] !== undefined) throw new CalendarFault(rules[1].line, 'RRULE: an event has one at most')
  const repeats = rules[0] === undefined ? null : readRule(rules[0], begins)
  const lengthMs = lengthOf(begins, { start, end: first('DTEND'), length: first('DURATION') })
  if (repeats !== null && lengthMs > shortestRound(repeats))
    throw new CalendarFault(rules[0]?.line ?? 1, 'RRULE: the event begins again before it has ended')
  const except = properties
    .filter(({ name }) => name === 'EXDATE')
    .flatMap((line) => line.value.split(',').map((value) => exceptionOf(line, value, begins)))
  const event = { timezone: begins.timezone, begins: begins.reading, lengthMs, repeats, except }
  return usersOf(properties, people).map((user) => ({ user, ...event }))
}

function lengthOf(
  begins: ReturnType<typeof readTime>,
  lines: {
    readonly start: ContentLine
    readonly end: ContentLine | undefined
    readonly length: ContentLine | undefined
  },
): number {
  if (lines.end === undefined) {
    if (lines.length !== undefined) return readLength(lines.length)
    if (begins.allDay) return DAY_MS
    throw new CalendarFault(lines.start.line, 'the event has neither DTEND nor DURATION')
  }
  const ends = readTime(lines.end, lines.end.value, begins.timezone)
  // A beginning and an end in different zones are apart by what lies between their instants.
  const lengthMs =
    ends.timezone === begins.timezone
      ? ends.reading - begins.reading
      : firstInstantShowing(ends.timezone, ends.reading) -
        firstInstantShowing(begins.timezone, begins.reading)
  if (lengthMs <= 0) throw new CalendarFault(lines.end.line, 'DTEND must come after DTSTART')
  return lengthMs
}

function exceptionOf(line: ContentLine, value: string, begins: ReturnType<typeof readTime>): number {
  const { reading, timezone, allDay } = readTime(line, value, begins.timezone)
  if (allDay) return reading + (((begins.reading % DAY_MS) + DAY_MS) % DAY_MS)
  if (timezone === begins.timezone) return reading
  throw new CalendarFault(line.line, `EXDATE: give it in the zone of DTSTART, ${begins.timezone}`)
}

function usersOf(properties: readonly ContentLine[], people: readonly Nameable[]): readonly string[] {
  const attending = properties.flatMap((line) => {
    const email = line.name === 'ATTENDEE' ? /^mailto:(.+)$/i.exec(line.value)?.[1]?.toLowerCase() : undefined
    return people.filter((person) => email !== undefined && person.email?.toLowerCase() === email)
  })
  if (attending.length > 0) return [...new Set(attending.map(({ id }) => id))]
  const summary = properties.find(({ name }) => name === 'SUMMARY')
  if (summary === undefined)
    throw new CalendarFault(properties[0]?.line ?? 1, 'neither ATTENDEE nor SUMMARY names a user')
  const said = unescapeText(summary.value).trim()
  const whole = named(said, people)
  const names = whole === undefined ? said.split(',').map((name) => name.trim()) : [said]
  return [
    ...new Set(
      names.map((name) => {
        const person = named(name, people)
        if (person === undefined)
          throw new CalendarFault(summary.line, `SUMMARY: "${name.slice(0, 100)}" is no user's id or name`)
        return person.id
      }),
    ),
  ]
}

/** By id, else by a name that only one person has. */
function named(text: string, people: readonly Nameable[]): Nameable | undefined {
  const byId = people.find(({ id }) => id === text)
  if (byId !== undefined) return byId
  const byName = people.filter(({ name }) => name.toLowerCase() === text.toLowerCase())
  return byName.length === 1 ? byName[0] : undefined
}
