import { localInstant } from './local-time.ts'
import type { Config } from '../config/schema.ts'
import type { Layer, Schedule } from '../oncall/schedule.ts'

type ScheduleSettings = NonNullable<Config['teams'][string]['schedule']>

const UNITS = { h: 'hour', d: 'day', w: 'week' } as const
const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']

/** The schedule as the on-call rules read it: parsed hand-offs, overrides as instants. Ids of overrides are stable. */
export function scheduleOf(team: string, settings: ScheduleSettings): Schedule {
  const { timezone } = settings
  return {
    timezone,
    layers: settings.layers.map(layerOf),
    overrides: settings.overrides.map(({ user, from, to }, index) => ({
      id: `file:${team}:${index + 1}`,
      user,
      from: localInstant(from, timezone),
      to: localInstant(to, timezone),
    })),
  }
}

function layerOf({ rotate, every, handoff, start }: ScheduleSettings['layers'][number]): Layer {
  const [, count = '1', unit = 'w'] = /^([0-9]+)([hdw])$/.exec(every) ?? []
  const [, weekday, hour = '0', minute = '0'] =
    /^(?:(\w{3}) )?([0-9]{2}):([0-9]{2})$/.exec(handoff ?? '') ?? []
  return {
    rotate,
    every: { count: Number(count), unit: UNITS[unit as keyof typeof UNITS] },
    handoff: {
      weekday: weekday === undefined ? 1 : WEEKDAYS.indexOf(weekday) + 1,
      hour: Number(hour),
      minute: Number(minute),
    },
    start: start ?? null,
  }
}
