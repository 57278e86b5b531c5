import type { Principal, TenantId } from '../access/principal.ts'
import { DEFAULT_RATE_LIMIT } from '../access/principal.ts'
import { sameDigest, tokenDigest } from '../access/tokens.ts'
import { fault } from '../errors.ts'
import { randomLetters } from '../ids.ts'
import { recordKind, type Registry } from '../registry/registry.ts'

/** Who sends over the NotiPy API, as the credentials proved it (checklist N04). */
export interface Service {
  /** What `X-Service-Id` says. */
  readonly id: string
  /** Under which its events and notifications are kept; never given to another service, as an id may be. */
  readonly owner: string
  readonly principal: Principal
  /** A client of the configuration file, which the API does not change. */
  readonly configured: boolean
}

export interface ServiceCredentials {
  readonly id: string
  /** Known to nobody but the caller from now on: what is kept of it is its digest (security row 3). */
  readonly token: string
}

/** Services that registered themselves. A crash leaves each as its last commit had it. */
export interface Services {
  /** Throws `notipy.registration_closed` when there are as many as may be. */
  register(owner: string): Promise<ServiceCredentials>
  /** Null for an unknown id and for a wrong token; takes the same time for every token. */
  find(id: string, token: string): Service | null
  /** Another token, from the commit on the only one (checklist N13). */
  rotate(service: Service): Promise<ServiceCredentials>
  /** The end of its credentials (checklist N13). */
  revoke(service: Service): Promise<void>
}

/** The digest of a token, in hexadecimal, and the owner of what the service makes. */
const SERVICE = recordKind<{ readonly digest: string; readonly owner: string }>('notipy_service')

/** Registered services belong to the default tenant: whoever may register names no tenant. */
const TENANT = 'default' as TenantId
const ID_LETTERS = 5
const TOKEN_LETTERS = 26
const MOST_SERVICES = 10_000
/** Ids are few enough that one may be taken; ten in a row are not. */
const TRIES = 10

/** What a service may do: send to addresses. It sees no topic, no inbox and no alert. */
const GRANTS = ['notifications/email/send', 'notifications/sms/send', 'notifications/push/send']

export function createServices(registry: Registry): Services {
  const place = (key: string) => ({ tenant: TENANT, owner: '', key })
  return {
    async register(owner) {
      if (registry.list(SERVICE, TENANT, '').length >= MOST_SERVICES)
        throw fault('notipy.registration_closed')
      for (let attempt = 0; attempt < TRIES; attempt++) {
        const id = randomLetters(ID_LETTERS)
        if (registry.get(SERVICE, place(id))) continue
        const token = randomLetters(TOKEN_LETTERS)
        await registry.put(SERVICE, place(id), { digest: hex(token), owner }, 0)
        return { id, token }
      }
      throw fault('store.busy', 'No free service id was found')
    },
    find(id, token) {
      const known = registry.get(SERVICE, place(id))
      const given = tokenDigest(token)
      if (!known || !sameDigest(Buffer.from(known.doc.digest, 'hex'), given)) return null
      return { id, owner: known.doc.owner, principal: principalOf(id), configured: false }
    },
    async rotate({ id, owner }) {
      const token = randomLetters(TOKEN_LETTERS)
      const known = registry.get(SERVICE, place(id))
      if (known?.doc.owner !== owner) throw fault('notipy.unknown_service')
      await registry.put(SERVICE, place(id), { digest: hex(token), owner }, known.version)
      return { id, token }
    },
    async revoke({ id }) {
      await registry.remove(SERVICE, place(id))
    },
  }
}

function hex(token: string): string {
  return Buffer.from(tokenDigest(token)).toString('hex')
}

/** The prefix keeps it apart from the ids of the configuration: a service called `alice` is not the user of that name. */
function principalOf(id: string): Principal {
  return {
    kind: 'client',
    id: `service:${id}`,
    tenant: TENANT,
    roles: ['service'],
    publish: GRANTS,
    subscribe: [],
    rateLimit: DEFAULT_RATE_LIMIT,
  }
}
