import type { FastifyRequest } from 'fastify'
import { mayPublish } from '../access/grants.ts'
import type { Engine } from '../engine.ts'
import { fault } from '../errors.ts'
import type { Outcome } from '../router/publish.ts'
import { caller } from './guard.ts'

/** What a route publishes for whoever calls it. */
export interface Said {
  readonly topic: string
  readonly body: unknown
  /** Makes a repeat harmless for 24 hours (promise P3). */
  readonly key?: string | undefined
}

/**
 * One publish in the caller's name, through the door of all publishes. Resolves after the commit; throws what kept it
 * from being stored, `publish.forbidden` without a grant.
 */
export async function publishAsCaller(
  engine: Engine,
  request: FastifyRequest,
  { topic, body, key }: Said,
): Promise<Extract<Outcome, { readonly kind: 'stored' }>> {
  const principal = caller(request)
  if (!mayPublish(principal, topic)) throw fault('publish.forbidden')
  const outcome = await engine.receive({
    principal,
    topic,
    payload: Buffer.from(JSON.stringify(body)),
    qos: 1,
    via: 'http',
    fingerprint: null,
    dup: false,
    correlationId: request.id,
    ...(key !== undefined && { idempotencyKey: key }),
    ...(request.traceparent !== null && { traceparent: request.traceparent }),
  })
  if (outcome.kind === 'stored') return outcome
  if (outcome.kind === 'dead') throw fault(outcome.code, outcome.message, { dead_letter_id: outcome.id })
  if (outcome.kind === 'refused')
    throw fault(outcome.code, outcome.message, outcome.details, outcome.retryAfterMs)
  throw fault('publish.no_route')
}
