import type { IncomingHttpHeaders } from 'node:http'
import type { MqttCredentials } from '../broker/broker.ts'
import type { Clock } from '../clock.ts'
import type { Config } from '../config/schema/schema.ts'
import type { Directory } from '../directory/directory.ts'
import { Fault, fault } from '../errors.ts'
import type { Log } from '../log.ts'
import { parseDuration } from '../duration.ts'
import { addressKey } from './address-key.ts'
import { createBackoff } from './backoff.ts'
import { bearerOf, cookieValue, looksLikeJwt, single } from './credentials.ts'
import { createJwt } from './jwt.ts'
import { machineIndex } from './machine-index.ts'
import { verifyPassword } from './password.ts'
import type { Principal } from './principal.ts'
import type { Others } from '../nodes/bus.ts'
import { createTickets } from './tickets.ts'
import { sameDigest, tokenDigest } from './tokens.ts'

/** Finds out who somebody is (contract section 3). What they may is decided by grants.ts. */
export interface Authenticator {
  /** Null for wrong or missing credentials, and while guessing is slowed down. Never rejects. */
  mqtt(credentials: MqttCredentials): Promise<Principal | null>
  /** Null when there are no credentials; throws an `auth.…` fault for wrong ones. */
  http(request: HttpCredentials): Promise<Identity | null>
  /** Throws `auth.invalid` or `auth.too_many_attempts`. */
  login(user: string, password: string, ip: string): Promise<Session>
  /** Ends a session before its time. Kept in memory: a restart forgets it, the token's own end does not. */
  logout(request: HttpCredentials): Promise<void>
  /** A one-use ticket for `?ticket=`, good for a minute. */
  ticket(principal: Principal): { readonly ticket: string; readonly expiresAt: number }
  /** A one-use token for `/login#t=…`, good for ten minutes. Throws a RangeError for an unknown user. */
  loginLink(userId: string): { readonly token: string; readonly expiresAt: number }
  /** Throws `auth.invalid` when it was used, has expired or never was. */
  redeemLoginLink(token: string): Promise<Session>
  /** Name of the session cookie, and whether it is for TLS only. */
  readonly cookie: { readonly name: string; readonly secure: boolean }
}

export interface HttpCredentials {
  readonly headers: IncomingHttpHeaders
  /** Of the query string. */
  readonly ticket?: string | undefined
}

export interface Identity {
  readonly principal: Principal
  /** A browser sends a `cookie` by itself, also for a foreign page; nobody needs to send anything to be `anonymous`. */
  readonly via: 'header' | 'ticket' | 'cookie' | 'anonymous'
}

export interface Session {
  readonly token: string
  readonly expiresAt: number
  readonly principal: Principal
}

export interface AuthenticatorOptions {
  /** Asked every time, so that a reload takes effect at once. */
  readonly directory: () => Directory
  /** `auth.jwt` and `public_url` are read once, the rest every time. */
  readonly config: () => Pick<Config, 'auth' | 'clients' | 'server'>
  readonly clock: Clock
  /** At least 32 bytes. */
  readonly jwtSecret: Uint8Array
  readonly log: Log
  readonly others?: Others | null
}

const TICKET_MS = 60_000
const LINK_MS = 10 * 60_000
const HOUR_MS = 3_600_000
const MOST_REVOKED = 100_000
/** Longer than any token of ours; hashing is not free. */
const LONGEST_TOKEN = 8 * 1024

/** Makes the one authenticator of the process. */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { directory, config, clock, log } = options
  const settings = config().auth.jwt
  const sessionMs = parseDuration(settings.lifetime) ?? HOUR_MS
  const jwt = createJwt({
    secret: options.jwtSecret,
    issuer: settings.issuer,
    audience: settings.audience,
    longestMs: Math.max(sessionMs, HOUR_MS),
  })
  const secure = config().server.public_url?.startsWith('https:') ?? false
  const cookie = { name: secure ? '__Host-carillon' : 'carillon', secure }
  const backoff = createBackoff()
  const shared = (name: string) => (options.others ? { others: options.others, name } : undefined)
  const tickets = createTickets<Proof>({ capacity: 10_000, lifetimeMs: TICKET_MS, shared: shared('ticket') })
  const links = createTickets<string>({ capacity: 100, lifetimeMs: LINK_MS, shared: shared('link') })
  const revoked = new Map<string, number>()
  options.others?.hear('revoked', ({ id, until }) => void revoked.set(String(id), Number(until)))
  const machines = machineIndex(() => directory(), config)

  const admit = ({ id, expiresAt }: Proof): Principal => {
    const principal = directory().principal(id)
    if (!principal) throw fault('auth.invalid')
    return expiresAt === undefined ? principal : { ...principal, expiresAt }
  }

  const byJwt = async (token: string): Promise<Principal> => {
    const claims = await jwt.verify(token, clock.now())
    if (revoked.has(claims.id)) throw fault('auth.expired')
    return admit({ id: claims.subject, expiresAt: claims.expiresAt })
  }

  const byToken = async (token: string): Promise<Principal> => {
    if (token.length > LONGEST_TOKEN) throw fault('auth.invalid')
    const machine = machines(tokenDigest(token))
    if (machine !== undefined) return admit({ id: machine })
    return byJwt(token)
  }

  const byService = (id: string, token: string): Principal => {
    const digest = directory().client(id)?.tokenDigest
    if (digest === undefined || !sameDigest(digest, tokenDigest(token))) throw fault('auth.invalid')
    return admit({ id })
  }

  const byTicket = (ticket: string): Principal => {
    const proof = tickets.redeem(ticket, clock.now())
    if (proof === null || (proof.expiresAt ?? Infinity) <= clock.now()) throw fault('auth.invalid')
    return admit(proof)
  }

  const anonymous = (): Principal | null => {
    const id = config().auth.anonymous
    return id === null ? null : (directory().principal(id) ?? null)
  }

  /** A person's password, or over MQTT a machine's token under its id. */
  const byPassword = async (id: string, password: string, ip: string, machinesToo: boolean) => {
    const key = `${addressKey(ip)} ${id}`
    if (backoff.waitMs(key, clock.now()) > 0) throw fault('auth.too_many_attempts')
    const machine = machinesToo ? directory().client(id)?.tokenDigest : undefined
    const right =
      (machine !== undefined && sameDigest(machine, tokenDigest(password))) ||
      (await verifyPassword(directory().user(id)?.password, password))
    if (!right) {
      backoff.failed(key, clock.now())
      throw fault('auth.invalid')
    }
    backoff.succeeded(key)
    return admit({ id })
  }

  const session = async (principal: Principal): Promise<Session> => ({
    ...(await jwt.issue(principal.id, clock.now(), sessionMs)),
    principal,
  })

  const mqtt = async (given: MqttCredentials): Promise<Principal | null> => {
    if (given.username === null && given.password === null) {
      if (given.ticket !== null) return byTicket(given.ticket)
      const held = cookieValue(given.cookie ?? undefined, cookie.name)
      return held === undefined ? anonymous() : byJwt(held)
    }
    if (given.username === null || given.password === null) return null
    if (looksLikeJwt(given.password)) {
      const principal = await byJwt(given.password).catch(() => null)
      if (principal) return principal
    }
    return byPassword(given.username, given.password, given.remoteAddress, true)
  }

  return {
    cookie,
    async mqtt(given) {
      try {
        return await mqtt(given)
      } catch (error) {
        if (!(error instanceof Fault)) log.error({ err: error }, 'authentication failed unexpectedly')
        return null
      }
    },
    async http({ headers, ticket }) {
      const bearer = bearerOf(headers)
      if (bearer !== undefined) return { principal: await byToken(bearer), via: 'header' }
      const apiKey = single(headers['x-api-key'])
      if (apiKey !== undefined) return { principal: await byToken(apiKey), via: 'header' }
      const serviceId = single(headers['x-service-id'])
      const serviceToken = single(headers['x-service-token'])
      if (serviceId !== undefined || serviceToken !== undefined) {
        return { principal: byService(serviceId ?? '', serviceToken ?? ''), via: 'header' }
      }
      if (ticket !== undefined) return { principal: byTicket(ticket), via: 'ticket' }
      const held = cookieValue(headers.cookie, cookie.name)
      if (held !== undefined) return { principal: await byJwt(held), via: 'cookie' }
      const nobody = anonymous()
      return nobody && { principal: nobody, via: 'anonymous' }
    },
    async login(user, password, ip) {
      return session(await byPassword(user, password, ip, false))
    },
    async logout({ headers }) {
      const token = bearerOf(headers) ?? cookieValue(headers.cookie, cookie.name)
      if (token === undefined) return
      const now = clock.now()
      const claims = await jwt.verify(token, now).catch(() => null)
      if (claims === null || claims.id === '') return
      for (const [id, expiresAt] of revoked) {
        if (expiresAt > now && revoked.size < MOST_REVOKED) break
        revoked.delete(id)
      }
      revoked.set(claims.id, claims.expiresAt + HOUR_MS)
      options.others?.tell('revoked', { id: claims.id, until: claims.expiresAt + HOUR_MS })
    },
    ticket(principal) {
      const { id, expiresAt } = principal
      return tickets.issue(expiresAt === undefined ? { id } : { id, expiresAt }, clock.now())
    },
    loginLink(userId) {
      if (!directory().user(userId)) throw new RangeError(`There is no user ${userId}`)
      const { ticket, expiresAt } = links.issue(userId, clock.now())
      return { token: ticket, expiresAt }
    },
    async redeemLoginLink(token) {
      const id = links.redeem(token, clock.now())
      if (id === null) throw fault('auth.invalid', 'The log-in link was used already or has expired')
      return session(admit({ id }))
    },
  }
}

interface Proof {
  readonly id: string
  readonly expiresAt?: number
}
