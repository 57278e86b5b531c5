import type { FastifyRequest } from 'fastify'
import type { Authenticator } from '../../../access/authenticate.ts'
import type { Principal } from '../../../access/principal.ts'
import type { Config } from '../../../config/schema/schema.ts'
import type { Engine } from '../../../engine.ts'
import { fault } from '../../../errors.ts'
import { deliverHook, type HookResult } from '../../../hooks/deliver-hook.ts'
import type { HookAlert, HookWishes } from '../../../hooks/hook-alert.ts'
import { MESSAGE_ID } from '../../../router/arrival.ts'
import { isForeignPage } from '../../origin.ts'

const NO_TOKEN =
  'Send the token of a client as Authorization: Bearer, X-API-Key or the password of Basic; never in the URL'

/**
 * Finds out which client sends (contract section 3): by `Authorization: Bearer`, `X-API-Key`, the password of Basic, or
 * what senders write of their own accord, `GenieKey` and `X-Gotify-Key`. A token in the URL is not looked at: it would
 * stand in the logs of every proxy. Sets `request.identity`, or leaves it null where nothing was sent.
 */
export function senderGuard(authenticator: Authenticator, config: () => Pick<Config, 'server'>) {
  return async (request: FastifyRequest): Promise<void> => {
    const { headers } = request
    const token = ownToken(headers.authorization, headers['x-gotify-key'])
    const given = token === undefined ? headers : { ...headers, authorization: `Bearer ${token}` }
    const identity = await authenticator.http({ headers: given })
    // A browser sends a cookie for any page; programs have no use for one.
    if (identity?.via === 'cookie') throw fault('auth.missing', NO_TOKEN)
    const { public_url: publicUrl, allowed_origins: allowed } = config().server
    if (identity?.via === 'anonymous' && isForeignPage(headers, identity.via, { publicUrl, allowed }))
      throw fault('auth.forbidden', 'This request came from a page of another origin')
    request.identity = identity
  }
}

/** The caller, known by a header or else by this token of the body. Throws `auth.missing` or `auth.invalid`. */
export async function senderOf(
  request: FastifyRequest,
  authenticator: Authenticator,
  inBody?: string,
): Promise<Principal> {
  const { identity } = request
  if (inBody !== undefined && (identity === null || identity.via === 'anonymous')) {
    const known = await authenticator.http({ headers: { authorization: `Bearer ${inBody}` } })
    if (known !== null) return known.principal
  }
  if (identity === null) throw fault('auth.missing', NO_TOKEN)
  return identity.principal
}

/** The same for senders whose answer has room for one alert only: throws the fault that made it a dead letter. */
export async function deliverOne(
  engine: Engine,
  request: FastifyRequest,
  by: Principal,
  alert: HookAlert,
): Promise<void> {
  const [result] = await deliver(engine, request, by, [alert])
  if (result?.error) throw fault(result.error.code, result.error.message)
}

/** Takes what a request says through the door, in the name of its sender. */
export async function deliver(
  engine: Engine,
  request: FastifyRequest,
  by: Principal,
  alerts: readonly HookAlert[],
): Promise<readonly HookResult[]> {
  const key = request.headers['idempotency-key']
  if (key !== undefined && (typeof key !== 'string' || !MESSAGE_ID.test(key) || key.length > 120))
    throw fault('request.invalid', 'Idempotency-Key takes 1 to 120 of A-Z a-z 0-9 . _ : -')
  return deliverHook(engine, alerts, {
    by,
    // Every hook has this query; see WISHES in family.ts.
    wishes: request.query as HookWishes,
    correlationId: request.id,
    idempotencyKey: key,
    traceparent: request.traceparent,
  })
}

function ownToken(
  authorization: string | undefined,
  gotify: string | string[] | undefined,
): string | undefined {
  if (authorization === undefined) return typeof gotify === 'string' ? gotify : undefined
  const genie = /^GenieKey +(\S+) *$/i.exec(authorization)?.[1]
  if (genie !== undefined) return genie
  const basic = /^Basic +([A-Za-z0-9+/=_-]+) *$/i.exec(authorization)?.[1]
  if (basic === undefined) return undefined
  const pair = Buffer.from(basic, 'base64').toString()
  return pair.slice(pair.indexOf(':') + 1)
}
