import type { CalendarEvent } from './calendar/event.ts'

/** When and how the duty passes on; wall-clock times in `timezone` (contract section 2). */
export interface Schedule {
  /** IANA zone. */
  readonly timezone: string
  /** Later layers win where they have somebody. */
  readonly layers: readonly Layer[]
  /** In turn, each on top of the ones before it. */
  readonly overrides: readonly Override[]
  /** Events of a calendar: stronger than the layers where there are any. Absent for none. */
  readonly calendar?: readonly CalendarEvent[]
  /** In its window each stands for layers and calendar (behaviour E24); a later one wins. Absent for none. */
  readonly temporary?: readonly TemporarySchedule[]
  /** Absent: nobody is told. */
  readonly announce?: Announcements
}

/** Who is told about the duty, and when (behaviour E25). */
export interface Announcements {
  /** Whoever comes on and goes off is told, and `to`. */
  readonly onChange: boolean
  /** Minutes after midnight at which `to` is told every day. */
  readonly dailyAt: number | null
  /** Targets that are people. */
  readonly to: readonly string[]
}

export interface Layer {
  /** Tells it from the others wherever it stands; absent: its place does. */
  readonly name?: string
  /** User ids, in turn. */
  readonly rotate: readonly string[]
  readonly every: { readonly count: number; readonly unit: 'hour' | 'day' | 'week' | 'month' }
  /** Lengths of turns in milliseconds on the wall clock, over and over; `every` then does not count. */
  readonly turns?: readonly number[]
  /**
   * `{minute}` for hours; a daily hand-off `HH:MM`; a weekly one, and one of `turns`, with an ISO weekday (1 = Monday);
   * a monthly one with a `day`, the last of the month where it has fewer.
   */
  readonly handoff: {
    readonly weekday: number
    readonly hour: number
    readonly minute: number
    readonly day?: number
  }
  /** `YYYY-MM-DD`: the first in `rotate` is on from the hand-off on or before it; null counts from Monday 1970-01-05. */
  readonly start: string | null
  /** Added to the number of a turn: who was on call when somebody came or left stays on; absent for 0. */
  readonly shift?: number
  /** The layer has somebody only in these hours; absent for always. */
  readonly only?: readonly Hours[]
}

/** Hours of some weekdays; over midnight when `to` is not after `from`, counted to the day on which they begin. */
export interface Hours {
  /** ISO weekdays (1 = Monday). */
  readonly weekdays: readonly number[]
  /** Minutes after midnight. */
  readonly from: number
  readonly to: number
}

/**
 * A change for a limited time (behaviour E23): `replace` puts `user` in the place of whoever is on, or of `replaces`
 * alone; `add` puts `user` beside them; `remove` takes `user` out, and nobody moves up: the next weaker layer has the
 * duty, or nobody.
 */
export interface Override {
  readonly id: string
  readonly user: string
  /** Instants; `from` inclusive, `to` exclusive. */
  readonly from: number
  readonly to: number
  /** `replace` when absent. */
  readonly kind?: OverrideKind
  readonly replaces?: string
}

export const OVERRIDE_KINDS = ['replace', 'add', 'remove'] as const
export type OverrideKind = (typeof OVERRIDE_KINDS)[number]

/** A schedule for a while; where no shift of its own lies, nobody is on call. */
export interface TemporarySchedule {
  readonly id: string
  readonly from: number
  readonly to: number
  readonly shifts: readonly Shift[]
}

/** One person's duty; instants, `from` inclusive, `to` exclusive. */
export interface Shift {
  readonly user: string
  readonly from: number
  readonly to: number
}
