import { IANAZone } from 'luxon'
import { isDate } from '../../directory/local-time.ts'
import { readCalendar } from '../../oncall/calendar/read-calendar.ts'
import type { Finding } from '../fault.ts'
import type { Config } from '../schema/schema.ts'
import { schedules, targetFault, type Schedule } from './teams.ts'

const TIME = '([01][0-9]|2[0-3]):[0-5][0-9]'
const DAILY_HANDOFF = new RegExp(`^${TIME}$`)
const WEEKLY_HANDOFF = new RegExp(`^(Mon|Tue|Wed|Thu|Fri|Sat|Sun) ${TIME}$`)

const MONTHLY_HANDOFF = new RegExp(`^([1-9]|[12][0-9]|3[01]) ${TIME}$`)

/** The form of a hand-off follows from the length of a turn; start dates are dates of the calendar. */
export function checkRotations(config: Config): Finding[] {
  return schedules(config).flatMap(({ path, schedule }) =>
    schedule.layers.flatMap((layer, index) => {
      const findings: Finding[] = []
      const { pattern, form } = handoffForm(layer)
      if (layer.handoff !== undefined && !pattern.test(layer.handoff)) {
        findings.push({
          path: [...path, 'layers', index, 'handoff'],
          message: `${layer.turns ? 'turns' : `every: ${layer.every}`} needs ${form}, found "${layer.handoff}"`,
        })
      }
      const { name } = layer
      if (name !== undefined && schedule.layers.findIndex((other) => other.name === name) < index) {
        findings.push({ path: [...path, 'layers', index, 'name'], message: `"${name}" names two layers` })
      }
      if (layer.start !== undefined && !isDate(layer.start)) {
        findings.push({ path: [...path, 'layers', index, 'start'], message: `${layer.start} is no date` })
      }
      return findings
    }),
  )
}

function handoffForm({ every, turns }: Schedule['layers'][number]): {
  readonly pattern: RegExp
  readonly form: string
} {
  if (turns !== undefined || every.endsWith('w'))
    return { pattern: WEEKLY_HANDOFF, form: 'a weekday and time such as "Mon 09:00"' }
  if (every.endsWith('mo')) return { pattern: MONTHLY_HANDOFF, form: 'a day and time such as "1 09:00"' }
  return { pattern: DAILY_HANDOFF, form: 'a time such as "09:00"' }
}

const LOCAL_TIME = /^([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$/

/** Overrides begin and end at local times, in this order. */
export function checkOverrides(config: Config): Finding[] {
  return schedules(config).flatMap(({ path, schedule }) =>
    schedule.overrides.flatMap((override, index) => {
      const at = [...path, 'overrides', index]
      const wrong = (['from', 'to'] as const).filter((key) => !isLocalTime(override[key]))
      if (wrong.length > 0) {
        return wrong.map((key) => ({
          path: [...at, key],
          message: `expected a local time such as 2027-01-01T09:00, found "${override[key]}"`,
        }))
      }
      const ordered = override.from.replace(' ', 'T') < override.to.replace(' ', 'T')
      return ordered ? [] : [{ path: [...at, 'to'], message: 'must come after from' }]
    }),
  )
}

function isLocalTime(text: string): boolean {
  const match = LOCAL_TIME.exec(text)
  return match !== null && isDate(match[1] ?? '')
}

/** The calendar of a schedule can be read, and names users. */
export function checkCalendars(config: Config): Finding[] {
  return schedules(config).flatMap(({ path, team, schedule }) => {
    if (schedule.ical === undefined) return []
    const people = Object.entries(config.users).flatMap(([id, { tenant, name, email }]) =>
      tenant === team.tenant ? [{ id, name: name ?? id, ...(email !== undefined && { email }) }] : [],
    )
    // An unknown zone is told by its own check.
    if (!IANAZone.isValidZone(schedule.timezone)) return []
    const read = readCalendar(schedule.ical, schedule.timezone, people)
    return read.ok
      ? []
      : read.faults.map(({ line, message }) => ({
          path: [...path, 'ical'],
          message: `line ${line} of the calendar: ${message}`,
        }))
  })
}

/** A notice goes to people. */
export function checkAnnouncements(config: Config): Finding[] {
  return schedules(config).flatMap(({ path, team, schedule }) =>
    (schedule.announce?.to ?? []).flatMap((target, index) => {
      const at = [...path, 'announce', 'to', index]
      if (target === 'admins') return []
      if (/^(webhook|mqtt):/.test(target))
        return [{ path: at, message: `a notice goes to people; state/oncall/… tells everything else` }]
      return targetFault(config, team, target, at)
    }),
  )
}
