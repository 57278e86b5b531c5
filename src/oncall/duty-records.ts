import type { CalendarEvent } from './calendar/event.ts'
import { recordKind } from '../registry/registry.ts'
import type { Override, TemporarySchedule } from './schedule.ts'

/** What is changed over the API while the program runs; of all kinds but the last, the owner is the team. */

/** An override under its id. */
export interface OverrideRecord extends Omit<Override, 'id'> {
  /** Who made it. */
  readonly by: string
}
export const OVERRIDE = recordKind<OverrideRecord>('oncall_override')

/** A temporary schedule under its id. */
export interface TemporaryRecord extends Omit<TemporarySchedule, 'id'> {
  readonly by: string
}
export const TEMPORARY = recordKind<TemporaryRecord>('oncall_temporary')

/** The calendar that was imported last, under one key: it stands for that of the configuration. */
export interface CalendarRecord {
  readonly events: readonly CalendarEvent[]
  readonly by: string
  /** Of a calendar that was fetched: the hexadecimal SHA-256 of its URL, and its entity tag (RFC 9110). */
  readonly followed?: { readonly digest: string; readonly etag: string | null }
}
export const CALENDAR = recordKind<CalendarRecord>('oncall_calendar')

/** A secret URL under which a calendar program reads a team's shifts; owned by a person, under the team's name. */
export interface FeedRecord {
  /** Hexadecimal SHA-256 of the secret. */
  readonly digest: string
}
export const FEED = recordKind<FeedRecord>('oncall_feed')

/** Who was told last to be on call, under `change`; the last daily notice, under `daily`. */
export interface AnnouncedRecord {
  readonly users: readonly string[]
  readonly at: number
}
export const ANNOUNCED = recordKind<AnnouncedRecord>('oncall_announced')
