import { createHash } from 'node:crypto'
import { DEFAULT_RATE_LIMIT, DEFAULT_TENANT } from '../access/principal.ts'
import { channelsOf } from './channels-of.ts'
import { deviceId, type Device, type PushTarget } from '../devices/device.ts'
import { durationMs } from '../duration.ts'
import { policyOf } from './policy-of.ts'
import { fitsPattern, specificity } from './alert-type.ts'
import { scheduleOf } from './schedule-of.ts'
import type { Principal, TenantId } from '../access/principal.ts'
import type { Config } from '../config/schema/schema.ts'
import type { ContactRule, ContactRules, Directory, Machine, Person, QuietHours, Team } from './directory.ts'

type UserSettings = Config['users'][string]
type DeviceSettings = UserSettings['devices'][number]
type ContactRuleSettings = NonNullable<UserSettings['contact_rules']['critical']>[number]
type ClientSettings = Config['clients'][string]
type TeamSettings = Config['teams'][string]

/**
 * Everybody and everything of a checked configuration, ready for look-ups. Immutable: a reload builds a new one.
 * The configuration must have come from `loadConfig`; references are not checked again.
 */
export function buildDirectory(config: Config): Directory {
  const people = new Map(Object.entries(config.users).map(([id, user]) => [id, personOf(id, user)]))
  const machines = new Map(Object.entries(config.clients).map(([id, client]) => [id, machineOf(id, client)]))
  const principals = new Map<string, Principal>([
    ...[...people.values()].map((person) => [person.id, principalOfPerson(person)] as const),
    ...[...machines.values()].map((machine) => [machine.id, principalOfMachine(machine)] as const),
  ])
  const teams = Object.entries(config.teams).map(([name, team]) =>
    teamOf(name, team, () => [...people.values()].filter((person) => person.tenant === team.tenant)),
  )
  // Asserted where the brand is given: tenants enter the program by this file only.
  const tenantIds = [...new Set([DEFAULT_TENANT, ...Object.keys(config.tenants)])] as TenantId[]
  const worlds = new Map(
    tenantIds.map((id) => [id, worldOf(id, people, teams, config.tenants[id]?.admins ?? [])] as const),
  )
  return {
    user: (id) => people.get(id),
    users: (tenant) => worlds.get(tenant)?.users ?? [],
    client: (id) => machines.get(id),
    group: (tenant, name) => worlds.get(tenant)?.groups.get(name),
    admins: (tenant) => worlds.get(tenant)?.admins ?? [],
    team: (tenant, name) => worlds.get(tenant)?.teams.find((team) => team.name === name),
    teams: (tenant) => worlds.get(tenant)?.teams ?? [],
    owner: (tenant, alertType) =>
      worlds.get(tenant)?.owners.find(({ pattern }) => fitsPattern(alertType, pattern))?.team,
    principal: (id) => principals.get(id),
    tenants: () => tenantIds,
  }
}

interface World {
  readonly users: readonly Person[]
  readonly groups: ReadonlyMap<string, readonly Person[]>
  readonly admins: readonly Person[]
  readonly teams: readonly Team[]
  /** In the order in which they are tried. */
  readonly owners: readonly { readonly pattern: string; readonly team: Team }[]
}

function worldOf(
  tenant: TenantId,
  people: ReadonlyMap<string, Person>,
  allTeams: readonly Team[],
  listedAdmins: readonly string[],
): World {
  const everybody = [...people.values()]
  const users = everybody.filter((person) => person.tenant === tenant)
  const groups = new Map<string, Person[]>()
  for (const person of users) {
    for (const name of new Set(person.groups)) {
      const members = groups.get(name)
      if (members) members.push(person)
      else groups.set(name, [person])
    }
  }
  const admins = everybody.filter(
    (person) =>
      listedAdmins.includes(person.id) || (person.tenant === tenant && person.roles.includes('admin')),
  )
  const teams = allTeams.filter((team) => team.tenant === tenant)
  // The sort is stable: among equals the first of the file stays first.
  const owners = teams
    .flatMap((team) => team.alertTypes.map((pattern) => ({ pattern, team })))
    .toSorted((a, b) => compare(specificity(b.pattern), specificity(a.pattern)))
  return { users, groups, admins, teams, owners }
}

const compare = (a: number, b: number) => (a === b ? 0 : a < b ? -1 : 1)

function personOf(id: string, user: UserSettings): Person {
  return {
    id,
    name: user.name ?? id,
    ...(user.email !== undefined && { email: user.email }),
    ...(user.phone !== undefined && { phone: user.phone }),
    ...(user.telegram_chat_id !== undefined && { telegramChatId: user.telegram_chat_id }),
    locale: user.locale,
    timezone: user.timezone,
    tenant: user.tenant as TenantId,
    roles: user.roles,
    groups: user.groups,
    customers: user.customers,
    password: user.password,
    preferences: user.preferences,
    contactRules: contactRulesOf(user.contact_rules),
    quietHours: quietHoursOf(user.quiet_hours),
    ...(user.devices.length > 0 && { devices: user.devices.flatMap((device) => deviceOf(id, device)) }),
  }
}

function deviceOf(
  userId: string,
  { platform, name, token, subscription }: DeviceSettings,
): readonly Device[] {
  const target: PushTarget | null =
    token !== undefined
      ? { channel: 'push', token }
      : subscription === undefined
        ? null
        : { channel: 'web_push', subscription }
  // A checked configuration gives every device one of the two.
  if (target === null) return []
  return [{ id: deviceId(userId, target), userId, platform, name: name ?? null, target, registered: null }]
}

function contactRulesOf({
  critical,
  warning,
  info,
  default: other,
}: UserSettings['contact_rules']): ContactRules {
  return {
    ...(critical && { critical: critical.map(contactRuleOf) }),
    ...(warning && { warning: warning.map(contactRuleOf) }),
    ...(info && { info: info.map(contactRuleOf) }),
    ...(other && { default: other.map(contactRuleOf) }),
  }
}

function contactRuleOf({ after, via }: ContactRuleSettings): ContactRule {
  return { afterMs: durationMs(after), via: channelsOf(via) }
}

function quietHoursOf(settings: UserSettings['quiet_hours']): QuietHours | null {
  if (!settings) return null
  const minutes = (clock: string) => Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3))
  return { from: minutes(settings.from), to: minutes(settings.to), except: settings.except }
}

function machineOf(id: string, client: ClientSettings): Machine {
  const limit = client.rate_limit
  return {
    id,
    tenant: client.tenant as TenantId,
    tokenDigest: client.token === undefined ? undefined : createHash('sha256').update(client.token).digest(),
    roles: client.roles,
    publish: client.publish,
    subscribe: client.subscribe,
    rateLimit: limit
      ? { maxRequests: limit.max_requests, windowMs: limit.window_seconds * 1000 }
      : DEFAULT_RATE_LIMIT,
  }
}

function principalOfPerson({ id, tenant, roles }: Person): Principal {
  return { kind: 'user', id, tenant, roles, publish: [], subscribe: [], rateLimit: DEFAULT_RATE_LIMIT }
}

function principalOfMachine({ id, tenant, roles, publish, subscribe, rateLimit }: Machine): Principal {
  return { kind: 'client', id, tenant, roles, publish, subscribe, rateLimit }
}

function teamOf(name: string, team: TeamSettings, people: () => readonly Person[]): Team {
  const schedule = team.schedule ? scheduleOf(name, team.schedule, people) : null
  const policy = policyOf(team)
  const members = new Set([
    ...(schedule?.layers.flatMap((layer) => layer.rotate) ?? []),
    ...(schedule?.overrides.map((override) => override.user) ?? []),
    ...(schedule?.calendar?.map((event) => event.user) ?? []),
    ...policy.steps.flatMap((step) =>
      step.notify.flatMap((target) => (target.startsWith('user:') ? [target.slice(5)] : [])),
    ),
  ])
  return {
    name,
    tenant: team.tenant as TenantId,
    alertTypes: team.alert_types,
    schedule,
    policy,
    members: [...members],
  }
}
