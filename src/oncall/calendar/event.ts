import { ALWAYS, segmentAt, type Stretch } from '../stretch.ts'
import { firstInstantShowing, readingAt } from '../wall-clock.ts'

const DAY_MS = 24 * 60 * 60_000

/**
 * Somebody's duty as a calendar has it. Beginning and end are times of the wall clock, also where an event repeats: a
 * duty from nine to nine stays one when the clocks change, which is what leaves no gap to the next (promise P19).
 */
export interface CalendarEvent {
  readonly user: string
  /** IANA zone. */
  readonly timezone: string
  /** What the clocks of the zone show at the first beginning. */
  readonly begins: number
  readonly lengthMs: number
  /** Null for an event that happens once. */
  readonly repeats: Repetition | null
  /** Beginnings that do not take place. */
  readonly except: readonly number[]
}

/** Repetitions do not overlap: the reader of calendars refuses those that would. */
export interface Repetition {
  /** After how many days it all begins again. */
  readonly everyDays: number
  /** Days of one round on which it begins, ascending; the first round begins with day 0. */
  readonly days: readonly number[]
  /** How many of `days` lie before the first beginning. */
  readonly skip: number
  readonly count: number | null
  /** No beginning after this instant. */
  readonly until: number | null
}

/** Whether an event goes on at an instant, and over which stretch that is so. */
export function eventAt(event: CalendarEvent, at: number): Stretch & { readonly inside: boolean } {
  const { timezone, begins, lengthMs, repeats, except } = event
  if (repeats === null) {
    if (except.includes(begins)) return { ...ALWAYS, inside: false }
    return segmentAt(windowAt(event, begins), at)
  }
  const last = lastOf(event, repeats)
  let index = Math.min(indexShowing(event, repeats, readingAt(timezone, at)), last)
  while (index < last && windowAt(event, beginning(event, repeats, index + 1)).from <= at) index++
  const to = index < last ? windowAt(event, beginning(event, repeats, index + 1)).from : Infinity
  if (index < 0) return { from: -Infinity, to, inside: false }
  const reading = beginning(event, repeats, index)
  const window = windowAt(event, reading)
  if (except.includes(reading) || lengthMs <= 0) return { from: window.from, to, inside: false }
  return at < window.to ? { ...window, inside: true } : { from: window.to, to, inside: false }
}

function windowAt({ timezone, lengthMs }: CalendarEvent, reading: number): Stretch {
  return {
    from: firstInstantShowing(timezone, reading),
    to: firstInstantShowing(timezone, reading + lengthMs),
  }
}

/** The reading at which repetition `index` begins, counted from 0. */
function beginning({ begins }: CalendarEvent, { everyDays, days, skip }: Repetition, index: number): number {
  const turn = index + skip
  const round = Math.floor(turn / days.length)
  const day = (days[turn - round * days.length] ?? 0) - (days[skip] ?? 0)
  return begins + (round * everyDays + day) * DAY_MS
}

/** The repetition that began last when the clock shows a reading; below 0 before the first. */
function indexShowing(event: CalendarEvent, repeats: Repetition, reading: number): number {
  const { everyDays, days, skip } = repeats
  const roundBegins = event.begins - (days[skip] ?? 0) * DAY_MS
  const round = Math.floor((reading - roundBegins) / (everyDays * DAY_MS))
  let index = round * days.length - skip + days.length - 1
  while (index >= 0 && beginning(event, repeats, index) > reading) index--
  return index < 0 ? -1 : index
}

function lastOf(event: CalendarEvent, repeats: Repetition): number {
  const { count, until } = repeats
  const byUntil = until === null ? Infinity : indexShowing(event, repeats, readingAt(event.timezone, until))
  return Math.min(byUntil, count === null ? Infinity : count - 1)
}
