import type { Principal, Role, TenantId } from '../../src/access/principal.ts'
import { DEFAULT_RATE_LIMIT } from '../../src/access/principal.ts'
import { tokenDigest } from '../../src/access/tokens.ts'
import type { Directory, Machine, Person, Team } from '../../src/directory/directory.ts'

export const DEFAULT_TENANT = 'default' as TenantId
export const OTHER_TENANT = 'acme' as TenantId

/** A person with everything on its default but what is given. */
export function person(id: string, given: Partial<Person> = {}): Person {
  return {
    id,
    name: id,
    locale: 'en',
    timezone: 'UTC',
    tenant: DEFAULT_TENANT,
    roles: ['user'],
    groups: [],
    customers: [],
    password: undefined,
    preferences: { realtime: true, email: true, sms: false, push: true },
    contactRules: {},
    quietHours: null,
    ...given,
  }
}

/** A machine whose token is `{id}-token` unless it is given another. */
export function machine(id: string, given: Partial<Machine> & { token?: string } = {}): Machine {
  const { token = `${id}-token`, ...rest } = given
  return {
    id,
    tenant: DEFAULT_TENANT,
    tokenDigest: tokenDigest(token),
    roles: ['service'],
    publish: [],
    subscribe: [],
    rateLimit: DEFAULT_RATE_LIMIT,
    ...rest,
  }
}

/** A principal as the directory would give it. */
export function principal(
  kind: 'user' | 'client',
  id: string,
  given: {
    roles?: readonly Role[]
    publish?: readonly string[]
    subscribe?: readonly string[]
    tenant?: TenantId
  } = {},
): Principal {
  return {
    kind,
    id,
    tenant: given.tenant ?? DEFAULT_TENANT,
    roles: given.roles ?? [kind === 'user' ? 'user' : 'service'],
    publish: given.publish ?? [],
    subscribe: given.subscribe ?? [],
    rateLimit: DEFAULT_RATE_LIMIT,
  }
}

/** A directory over plain lists. */
export function fakeDirectory(
  people: readonly Person[],
  machines: readonly Machine[] = [],
  teams: readonly Team[] = [],
): Directory {
  const user = (id: string) => people.find((entry) => entry.id === id)
  const client = (id: string) => machines.find((entry) => entry.id === id)
  return {
    user,
    users: (tenant) => people.filter((entry) => entry.tenant === tenant),
    client,
    group: (tenant, name) => people.filter((entry) => entry.tenant === tenant && entry.groups.includes(name)),
    admins: (tenant) => people.filter((entry) => entry.tenant === tenant && entry.roles.includes('admin')),
    team: (tenant, name) => teams.find((entry) => entry.tenant === tenant && entry.name === name),
    teams: (tenant) => teams.filter((entry) => entry.tenant === tenant),
    owner: () => undefined,
    principal(id) {
      const found = user(id)
      if (found) return principal('user', id, { roles: found.roles, tenant: found.tenant })
      const known = client(id)
      return known && principal('client', id, known)
    },
    tenants: () => [DEFAULT_TENANT, OTHER_TENANT],
  }
}
