import { WEEKDAYS } from '../config/schema/duty.ts'
import type { Config } from '../config/schema/schema.ts'
import { readCalendar, type Nameable } from '../oncall/calendar/read-calendar.ts'
import type { Announcements, Layer, Schedule } from '../oncall/schedule.ts'
import { localInstant } from './local-time.ts'

type ScheduleSettings = NonNullable<Config['teams'][string]['schedule']>

const UNITS = { h: 'hour', d: 'day', w: 'week', mo: 'month' } as const
const HOUR_MS = 60 * 60_000
const LENGTH_MS = { h: HOUR_MS, d: 24 * HOUR_MS, w: 7 * 24 * HOUR_MS } as const

/** The schedule as the on-call rules read it: parsed hand-offs, overrides as instants. Ids of overrides are stable. */
export function scheduleOf(
  team: string,
  settings: ScheduleSettings,
  people: () => readonly Nameable[],
): Schedule {
  const { timezone, ical, announce } = settings
  const calendar = ical === undefined ? null : readCalendar(ical, timezone, people())
  return {
    timezone,
    layers: settings.layers.map(layerOf),
    overrides: settings.overrides.map(({ user, from, to }, index) => ({
      id: `file:${team}:${index + 1}`,
      user,
      from: localInstant(from, timezone),
      to: localInstant(to, timezone),
    })),
    // A checked configuration has a calendar that can be read.
    ...(calendar?.ok === true && { calendar: calendar.events }),
    ...(announce && { announce: announcementsOf(announce) }),
  }
}

function announcementsOf({ on_change, at, to }: NonNullable<ScheduleSettings['announce']>): Announcements {
  return { onChange: on_change, dailyAt: at === undefined ? null : minutesOf(at), to }
}

function layerOf(settings: ScheduleSettings['layers'][number]): Layer {
  const { name, rotate, every, turns, handoff, start, only } = settings
  const [, count = '1', unit = 'w'] = /^([0-9]+)(h|d|w|mo)$/.exec(every) ?? []
  const [, weekday, day, hour = '0', minute = '0'] =
    /^(?:([A-Z]\w{2}) |([0-9]{1,2}) )?([0-9]{2}):([0-9]{2})$/.exec(handoff ?? '') ?? []
  return {
    ...(name !== undefined && { name }),
    rotate,
    every: { count: Number(count), unit: UNITS[unit as keyof typeof UNITS] },
    ...(turns && { turns: turns.map(lengthOf) }),
    handoff: {
      weekday: weekday === undefined ? 1 : isoWeekday(weekday),
      hour: Number(hour),
      minute: Number(minute),
      ...(day !== undefined && { day: Number(day) }),
    },
    start: start ?? null,
    ...(only && {
      only: only.map(({ days, from, to }) => ({
        weekdays: days.map(isoWeekday),
        from: minutesOf(from),
        to: minutesOf(to),
      })),
    }),
  }
}

function isoWeekday(name: string): number {
  return WEEKDAYS.findIndex((weekday) => weekday === name.toLowerCase()) + 1
}

function minutesOf(clock: string): number {
  return Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3))
}

function lengthOf(text: string): number {
  return Number(text.slice(0, -1)) * LENGTH_MS[text.slice(-1) as keyof typeof LENGTH_MS]
}
