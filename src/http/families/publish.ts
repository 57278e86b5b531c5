import Type from 'typebox'
import { mayPublish } from '../../access/grants.ts'
import type { Engine } from '../../engine.ts'
import { ERRORS, fault, type ErrorCode } from '../../errors.ts'
import { MESSAGE_ID } from '../../router/arrival.ts'
import type { Publish } from '../../router/publish.ts'
import { FAILURES, type App } from '../app.ts'
import { caller } from '../guard.ts'
import { sendOutcome } from '../outcome-reply.ts'

/** What may become of a publish, whatever its topic. */
export const PUBLISH_ERRORS = (Object.keys(ERRORS) as ErrorCode[]).filter(
  (code) => /^(publish|alert)\./.test(code) || code === 'rate_limit_exceeded',
)

export const Accepted = Type.Object(
  { id: Type.String(), result: Type.Record(Type.String(), Type.Unknown()) },
  {
    description: 'Stored',
    examples: [
      {
        id: '019b8e5c-7a00-7001-8000-5f3c2d1e0f10',
        result: {
          status: 'sent',
          notification_id: '019b8e5c-7a00-7001-8000-5f3c2d1e0f10',
          channels: ['realtime', 'push'],
        },
      },
    ],
  },
)

/**
 * `POST /v1/publish/{topic}`: the same door as MQTT (contract section 4). The body goes in as the bytes it is;
 * whether it is JSON is decided behind the door, so that a bad message is kept as a dead letter here too.
 * `forward` passes a plain topic on to MQTT subscribers, and says whether it is kept for those that are away.
 */
export function publishing(app: App, engine: Engine, forward: (publish: Publish) => Promise<boolean>): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))

  app.post(
    '/publish/*',
    {
      config: { errors: PUBLISH_ERRORS },
      schema: {
        summary: 'Publish to a topic',
        description: 'The body is the payload. `Idempotency-Key` makes a repeat harmless for 24 hours.',
        tags: ['publish'],
        params: Type.Object({ '*': Type.String({ description: 'The topic, slashes included' }) }),
        headers: Type.Object({ 'idempotency-key': Type.Optional(Type.String()) }),
        response: { 202: Accepted, ...FAILURES },
      },
    },
    async (request, reply) => {
      const principal = caller(request)
      const topic = request.params['*']
      if (!mayPublish(principal, topic)) throw fault('publish.forbidden')
      const key = request.headers['idempotency-key']
      if (key !== undefined && !MESSAGE_ID.test(key)) {
        throw fault('request.invalid', 'Idempotency-Key takes 1 to 128 of A-Z a-z 0-9 . _ : -', {
          field: 'idempotency-key',
          in: 'header',
        })
      }
      const publish: Publish = {
        principal,
        topic,
        payload: Buffer.isBuffer(request.body) ? request.body : new Uint8Array(),
        qos: 1,
        via: 'http',
        fingerprint: null,
        dup: false,
        correlationId: request.id,
        ...(key !== undefined && { idempotencyKey: key }),
        ...(request.traceparent !== null && { traceparent: request.traceparent }),
      }
      const outcome = await engine.receive(publish)
      if (outcome.kind === 'plain' && !(await forward(publish)))
        throw fault('store.unavailable', 'The message could not be kept for subscribers that are away')
      return sendOutcome(reply, outcome, key ?? engine.ids.next(engine.clock.now()))
    },
  )
}
