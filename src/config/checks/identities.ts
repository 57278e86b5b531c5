import { suggest } from '../suggest.ts'
import type { Finding } from '../fault.ts'
import type { Config } from '../schema/schema.ts'

/** The name under which the program itself acts, in timelines and receipts. */
const OWN_NAME = 'carillon'

/** Ids stand in topics, so they hold none of MQTT's signs (security row 6). */
export function checkIds(config: Config): Finding[] {
  const keys = (['tenants', 'users', 'clients', 'teams'] as const).flatMap((section) =>
    Object.keys(config[section]).map((id) => ({ path: [section, id], id, atKey: true })),
  )
  const groups = Object.entries(config.users).flatMap(([user, { groups }]) =>
    groups.map((id, index) => ({ path: ['users', user, 'groups', index], id, atKey: false })),
  )
  return [...keys, ...groups].flatMap(({ path, id, atKey }) => {
    const wrong = idFault(id)
    return wrong === null ? [] : [{ path, message: wrong, atKey }]
  })
}

function idFault(id: string): string | null {
  if (id === '') return 'the id is empty'
  if (/[+#/$]/.test(id)) return 'an id must not hold + # / or $'
  if (/[\s\p{Cc}]/u.test(id)) return 'an id must not hold white space or control characters'
  if (id.length > 128) return 'an id has at most 128 characters'
  return id === OWN_NAME ? `${OWN_NAME} is the name of the program itself` : null
}

/** People and machines share one space of ids (contract section 2). */
export function checkUniqueIds(config: Config): Finding[] {
  return Object.keys(config.clients)
    .filter((id) => Object.hasOwn(config.users, id))
    .map((id) => ({ path: ['clients', id], message: 'a user has the same id', atKey: true }))
}

/** Over HTTP a token alone says who comes. */
export function checkUniqueTokens({ clients }: Config): Finding[] {
  const owners = new Map<string, string>()
  return Object.entries(clients).flatMap(([id, { token }]) => {
    if (token === undefined) return []
    const owner = owners.get(token)
    owners.set(token, owner ?? id)
    if (owner === undefined) return []
    return [{ path: ['clients', id, 'token'], message: `client "${owner}" has the same token` }]
  })
}

export function checkTenants(config: Config): Finding[] {
  const known = ['default', ...Object.keys(config.tenants)]
  return (['users', 'clients', 'teams'] as const).flatMap((section) =>
    Object.entries(config[section]).flatMap(([id, { tenant }]) =>
      known.includes(tenant)
        ? []
        : [
            {
              path: [section, id, 'tenant'],
              message: `unknown tenant "${tenant}"`,
              suggestion: suggest(tenant, known),
            },
          ],
    ),
  )
}

export function checkTenantAdmins(config: Config): Finding[] {
  return Object.entries(config.tenants).flatMap(([tenant, { admins }]) =>
    admins.flatMap((id, index) =>
      Object.hasOwn(config.users, id)
        ? []
        : [
            {
              path: ['tenants', tenant, 'admins', index],
              message: `unknown user "${id}"`,
              suggestion: suggest(id, Object.keys(config.users)),
            },
          ],
    ),
  )
}

export function checkAnonymous({ auth, clients }: Config): Finding[] {
  if (auth.anonymous === null || Object.hasOwn(clients, auth.anonymous)) return []
  const suggestion = suggest(auth.anonymous, Object.keys(clients))
  return [{ path: ['auth', 'anonymous'], message: `unknown client "${auth.anonymous}"`, suggestion }]
}
