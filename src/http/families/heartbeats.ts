import Type from 'typebox'
import { mayPublish } from '../../access/grants.ts'
import type { Engine } from '../../engine.ts'
import { fault } from '../../errors.ts'
import type { ExpectedTopic } from '../../rules/expectations.ts'
import { heartbeatTopic } from '../../rules/rules.ts'
import { rfc3339 } from '../../wire/instant.ts'
import { FAILURES, type App } from '../app.ts'
import { caller } from '../guard.ts'

const NullableInstant = Type.Union([Type.String({ format: 'date-time' }), Type.Null()])

const Expected = Type.Object({
  rule: Type.String({ description: 'Id of the rule, or `heartbeat:{name}`' }),
  topic: Type.String(),
  last_seen_at: NullableInstant,
  due_at: NullableInstant,
  silent: Type.Boolean(),
})

/** `/v1/heartbeats`: jobs that report over HTTP, and everything else whose silence is an alarm. */
export function heartbeats(app: App, engine: Engine): void {
  app.post(
    '/heartbeats/:name',
    {
      config: { errors: ['publish.forbidden', 'rate_limit_exceeded'] },
      schema: {
        summary: 'Report that a job is alive',
        description: 'The same as a publish to `heartbeats/{name}`, for which the client needs a grant.',
        tags: ['heartbeats'],
        params: Type.Object({ name: Type.String({ minLength: 1, maxLength: 64 }) }),
        response: {
          202: Type.Object({ name: Type.String(), due_at: NullableInstant }, { description: 'Heard' }),
          ...FAILURES,
        },
      },
    },
    async (request, reply) => {
      const principal = caller(request)
      const { name } = request.params
      const topic = heartbeatTopic(name)
      const known = Object.hasOwn(engine.config.heartbeats, name) ? engine.config.heartbeats[name] : undefined
      if (known?.tenant !== principal.tenant)
        throw fault('request.not_found', `There is no heartbeat ${JSON.stringify(name)} in the configuration`)
      if (!mayPublish(principal, topic)) throw fault('publish.forbidden')
      const outcome = await engine.receive({
        principal,
        topic,
        payload: new Uint8Array(),
        qos: 1,
        via: 'http',
        fingerprint: null,
        dup: false,
        correlationId: request.id,
      })
      if (outcome.kind === 'refused') throw fault(outcome.code, outcome.message, outcome.details)
      const own = engine.expected(principal.tenant).find((expected) => expected.topic === topic)
      return reply.code(202).send({ name, due_at: rfc3339(own?.dueAt ?? null) })
    },
  )

  app.get(
    '/heartbeats',
    {
      config: { access: 'operator' },
      schema: {
        summary: 'What is expected, and what is silent',
        tags: ['heartbeats'],
        querystring: Type.Object({
          silent: Type.Optional(Type.Boolean({ description: 'Only what is silent, or only what is not' })),
          limit: Type.Integer({ minimum: 1, maximum: 10_000, default: 500 }),
        }),
        response: {
          200: Type.Object(
            { items: Type.Array(Expected), total: Type.Integer() },
            { description: 'By rule; `total` counts those beyond the limit too' },
          ),
          ...FAILURES,
        },
      },
    },
    async (request) => {
      const { silent, limit } = request.query
      const all = engine
        .expected(caller(request).tenant)
        .filter((expected) => silent === undefined || expected.silent === silent)
      return { items: all.slice(0, limit).map(render), total: all.length }
    },
  )
}

function render({ rule, topic, lastSeenAt, dueAt, silent }: ExpectedTopic) {
  return { rule, topic, last_seen_at: rfc3339(lastSeenAt), due_at: rfc3339(dueAt), silent }
}
