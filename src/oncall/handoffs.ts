import type { Layer } from './schedule.ts'
import { firstInstantShowing, readingAt, readingOfDate } from './wall-clock.ts'

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS
const PERIOD_MS = { hour: 60 * MINUTE_MS, day: DAY_MS, week: 7 * DAY_MS } as const

/** Turns are counted from here when a layer has no `start` (contract section 2): a Monday. */
const COUNTED_FROM = '1970-01-05'

/** The hand-offs of a layer, numbered from its start; negative numbers lie before it. */
export interface Handoffs {
  /** When turn `n` begins. */
  at(turn: number): number
  /** When the first turn begins; before everything for a layer without a start. */
  readonly firstAt: number
  /** The turn that is going on. */
  turnAt(instant: number): number
}

/**
 * Hand-offs lie at times of the wall clock, not at elapsed ones: a turn begins when the clocks of the zone first show
 * its beginning or a later time. A turn whose whole wall-clock time is skipped is empty (promise P19, behaviour E22).
 */
export function handoffsOf(layer: Layer, timezone: string): Handoffs {
  const turns = turnsOf(layer)
  const at = (turn: number) => firstInstantShowing(timezone, turns.beginning(turn))
  return {
    at,
    firstAt: layer.start === null ? -Infinity : at(0),
    turnAt(instant) {
      let turn = turns.turnShowing(readingAt(timezone, instant))
      // Clocks that were set back show a time again whose hand-off is already over.
      while (at(turn + 1) <= instant) turn++
      return turn
    },
  }
}

/** Turns as readings of a clock that is never changed. */
interface Turns {
  beginning(turn: number): number
  turnShowing(reading: number): number
}

function turnsOf(layer: Layer): Turns {
  const { every, turns } = layer
  if (turns !== undefined && turns.length > 0) return unevenTurns(firstReading(layer), turns)
  if (every.unit === 'month') return monthlyTurns(layer, every.count)
  const first = firstReading(layer)
  const period = every.count * PERIOD_MS[every.unit]
  return {
    beginning: (turn) => first + turn * period,
    turnShowing: (reading) => Math.floor((reading - first) / period),
  }
}

/** The first hand-off: on the day of the start, or on the weekday on or before it. */
function firstReading({ start, every, turns, handoff: { weekday, hour, minute } }: Layer): number {
  const date = readingOfDate(start ?? COUNTED_FROM)
  // 1970-01-01 was a Thursday, ISO weekday 4.
  const isoWeekday = ((((date / DAY_MS + 3) % 7) + 7) % 7) + 1
  const daysBack = every.unit === 'week' || turns !== undefined ? (isoWeekday - weekday + 7) % 7 : 0
  return date - daysBack * DAY_MS + (hour * 60 + minute) * MINUTE_MS
}

function unevenTurns(first: number, lengths: readonly number[]): Turns {
  const ends = lengths.map((_, index) => lengths.slice(0, index + 1).reduce((sum, length) => sum + length, 0))
  const cycle = ends.at(-1) ?? 0
  const count = lengths.length
  return {
    beginning(turn) {
      const round = Math.floor(turn / count)
      return first + round * cycle + (ends[turn - round * count - 1] ?? 0)
    },
    turnShowing(reading) {
      const round = Math.floor((reading - first) / cycle)
      const within = reading - first - round * cycle
      return round * count + ends.findIndex((end) => within < end)
    },
  }
}

function monthlyTurns({ start, handoff }: Layer, count: number): Turns {
  const { day = 1, hour, minute } = handoff
  const beginningOf = (month: number) => {
    // Day 0 of the following month is the last of this one.
    const lastDay = new Date(Date.UTC(1970, month + 1, 0)).getUTCDate()
    return Date.UTC(1970, month, Math.min(day, lastDay)) + (hour * 60 + minute) * MINUTE_MS
  }
  /** The month, counted from January 1970, whose hand-off was the last before or at a reading. */
  const monthShowing = (reading: number) => {
    const date = new Date(reading)
    const month = (date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth()
    return beginningOf(month) <= reading ? month : month - 1
  }
  // On or before the start's day, at whatever hour: as weekly hand-offs are.
  const first = start === null ? 0 : monthShowing(readingOfDate(start) + DAY_MS - 1)
  return {
    beginning: (turn) => beginningOf(first + turn * count),
    turnShowing: (reading) => Math.floor((monthShowing(reading) - first) / count),
  }
}
