import type { FastifyReply } from 'fastify'
import { fault } from '../errors.ts'
import type { Outcome } from '../router/publish.ts'

/**
 * Answers with what became of a publish (contract section 4): 202 `{id, result}` when it was accepted. What became a
 * dead letter answers the status of its code, because over HTTP the sender is still there to be told.
 * `id` names a message that the engine gave no id. Throws the fault of a refusal.
 */
export function sendOutcome(reply: FastifyReply, outcome: Outcome, id: string): FastifyReply {
  switch (outcome.kind) {
    case 'stored':
      if (outcome.duplicate) void reply.header('idempotency-replayed', 'true')
      return reply.code(202).send({ id: outcome.id, result: outcome.result })
    case 'plain':
      return reply
        .code(202)
        .send({ id, result: { status: 'forwarded', ...(outcome.rules && { rules: outcome.rules }) } })
    case 'discarded':
      return reply
        .code(202)
        .send({ id, result: { status: 'discarded', ...(outcome.code !== null && { code: outcome.code }) } })
    case 'dead':
      throw fault(outcome.code, outcome.message, { dead_letter_id: outcome.id })
    case 'refused':
      throw fault(outcome.code, outcome.message, {
        ...outcome.details,
        ...(outcome.retryAfterMs !== undefined && { retry_after_ms: outcome.retryAfterMs }),
      })
  }
}
