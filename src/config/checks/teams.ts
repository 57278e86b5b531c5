import { IANAZone } from 'luxon'
import { suggest } from '../suggest.ts'
import type { Finding, Path } from '../fault.ts'
import type { Config } from '../schema/schema.ts'

type Team = Config['teams'][string]
export type Schedule = NonNullable<Team['schedule']>

const TARGETS = ['oncall', 'oncall.next', 'oncall.round_robin', 'team', 'admins', 'catch_all']
const PREFIXES = ['user:', 'group:', 'round_robin:', 'webhook:', 'mqtt:'] as const

/** Everybody in rotations and overrides exists and may see the team's alerts. */
export function checkScheduledUsers(config: Config): Finding[] {
  return schedules(config).flatMap(({ path, team, schedule }) => [
    ...schedule.layers.flatMap((layer, index) =>
      layer.rotate.flatMap((id, turn) =>
        userFault(config, team, id, [...path, 'layers', index, 'rotate', turn]),
      ),
    ),
    ...schedule.overrides.flatMap(({ user }, index) =>
      userFault(config, team, user, [...path, 'overrides', index, 'user']),
    ),
  ])
}

function userFault(config: Config, team: Team, id: string, path: Path): Finding[] {
  const user = Object.hasOwn(config.users, id) ? config.users[id] : undefined
  if (!user) {
    return [{ path, message: `unknown user "${id}"`, suggestion: suggest(id, Object.keys(config.users)) }]
  }
  // An alert shows what happens inside a tenant; only its people and its administrators may see that.
  const mayKnow = user.tenant === team.tenant || config.tenants[team.tenant]?.admins.includes(id)
  return mayKnow ? [] : [{ path, message: `user "${id}" does not belong to tenant "${team.tenant}"` }]
}

/** Every escalation target is one, and exists. */
export function checkTargets(config: Config): Finding[] {
  return Object.entries(config.teams).flatMap(([name, team]) => {
    const { steps, fallback = [] } = team.escalation
    const path: Path = ['teams', name, 'escalation']
    const lists = [
      ...steps.map(({ notify }, index) => ({ targets: notify, at: [...path, 'steps', index, 'notify'] })),
      { targets: fallback, at: [...path, 'fallback'] },
    ]
    return lists.flatMap(({ targets, at }) =>
      targets.flatMap((target, position) => targetFault(config, team, target, [...at, position])),
    )
  })
}

/** What is wrong with a target: it is none, or there is nobody and nothing of that name. */
export function targetFault(config: Config, team: Team, target: string, path: Path): Finding[] {
  if (TARGETS.includes(target)) return []
  const prefix = PREFIXES.find((candidate) => target.startsWith(candidate))
  if (!prefix) {
    // A bare name is most often a user's.
    const bare = Object.hasOwn(config.users, target) ? `user:${target}` : undefined
    const message = `unknown target "${target}"; expected ${[...TARGETS, ...PREFIXES.map((p) => `${p}…`)].join(', ')}`
    return [{ path, message, suggestion: bare ?? suggest(target, TARGETS) }]
  }
  const name = target.slice(prefix.length)
  if (prefix === 'user:') return userFault(config, team, name, path)
  const { webhook, mqtt } = config.channels
  const known = {
    'group:': () => groupsOf(config, team.tenant),
    'round_robin:': () => [...groupsOf(config, team.tenant), ...teamsOf(config, team.tenant)],
    'webhook:': () => Object.keys(webhook.endpoints),
    'mqtt:': () => Object.keys(mqtt.topics),
  }[prefix]()
  if (known.includes(name)) return []
  const kind = prefix === 'round_robin:' ? 'group or team' : prefix.slice(0, -1)
  return [{ path, message: `unknown ${kind} "${name}"`, suggestion: suggest(name, known) }]
}

function teamsOf(config: Config, tenant: string): string[] {
  return Object.entries(config.teams).flatMap(([name, team]) => (team.tenant === tenant ? [name] : []))
}

function groupsOf(config: Config, tenant: string): string[] {
  const people = Object.values(config.users).filter((user) => user.tenant === tenant)
  return [...new Set(people.flatMap((user) => user.groups))]
}

/** Zones of users and schedules are in the IANA list of this machine. */
export function checkTimeZones(config: Config): Finding[] {
  const zones = [
    ...Object.entries(config.users).map(([id, user]) => ({
      path: ['users', id, 'timezone'],
      zone: user.timezone,
    })),
    ...schedules(config).map(({ path, schedule }) => ({
      path: [...path, 'timezone'],
      zone: schedule.timezone,
    })),
  ]
  // Asking for one zone takes 0.1 ms; thousands of users share a few.
  const unknown = new Set(
    [...new Set(zones.map(({ zone }) => zone))].filter((zone) => !IANAZone.isValidZone(zone)),
  )
  return zones
    .filter(({ zone }) => unknown.has(zone))
    .map(({ path, zone }) => ({
      path,
      message: `unknown time zone "${zone}"`,
      suggestion: suggest(zone, ['UTC', ...Intl.supportedValuesOf('timeZone')]),
    }))
}

/** Every schedule, with the team that has it and where it stands. */
export function schedules(config: Config): { path: Path; team: Team; schedule: Schedule }[] {
  return Object.entries(config.teams).flatMap(([name, team]) =>
    team.schedule ? [{ path: ['teams', name, 'schedule'], team, schedule: team.schedule }] : [],
  )
}
