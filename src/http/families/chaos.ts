import Type, { type Static } from 'typebox'
import { suggest } from '../../config/suggest.ts'
import type { Chaos, Trouble, Troubles } from '../../delivery/chaos.ts'
import type { ChannelName } from '../../delivery/delivery.ts'
import type { Engine } from '../../engine.ts'
import { fault } from '../../errors.ts'
import { FAILURES, type App } from '../app.ts'
import { caller } from '../guard.ts'

const TroubleSchema = Type.Object(
  {
    fail_rate: Type.Optional(
      Type.Number({ minimum: 0, maximum: 1, description: 'Part of the attempts that fails; 0 unless given' }),
    ),
    delay_ms: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 60_000,
        description: 'Time to each answer; beyond 10 s the attempt is a time-out; 0 unless given',
      }),
    ),
    status: Type.Optional(
      Type.Integer({
        minimum: 400,
        maximum: 599,
        description: 'HTTP status of the failures, which decides about retry and breaker; 503 unless given',
      }),
    ),
  },
  { additionalProperties: false },
)

const ChaosSchema = Type.Record(Type.String(), Type.Union([TroubleSchema, Type.Null()]), {
  description: 'By channel; `{}` or null for well',
  examples: [{ sms: { fail_rate: 0.3, delay_ms: 5000, status: 503 } }],
})

/** `/v1/outbox/chaos`: how the providers of captured channels misbehave (contract section 7), for operators. */
export function chaos(app: App, engine: Engine): void {
  const config = { access: 'operator' } as const
  const response = { 200: { ...ChaosSchema, description: 'What is in force for the tenant' }, ...FAILURES }

  app.get(
    '/outbox/chaos',
    { config, schema: { summary: 'Trouble of captured channels', tags: ['outbox'], response } },
    async (request) => rendered(engine.chaos.all(caller(request).tenant)),
  )

  app.put(
    '/outbox/chaos',
    {
      config,
      schema: {
        summary:
          'Let captured channels fail and be slow, in place of what was set before; until the next start',
        tags: ['outbox'],
        body: ChaosSchema,
        response,
      },
    },
    async (request) => {
      const { tenant } = caller(request)
      engine.chaos.set(tenant, troublesOf(request.body, engine.chaos))
      return rendered(engine.chaos.all(tenant))
    },
  )
}

/** Fault: `request.invalid` for what is no channel, or sends for real. */
function troublesOf(body: Static<typeof ChaosSchema>, { channels }: Chaos): Troubles {
  const troubles = new Map<ChannelName, Trouble>()
  for (const [name, given] of Object.entries(body)) {
    const channel = [...channels].find((captured) => captured === name)
    if (channel === undefined) {
      const near = suggest(name, channels)
      const hint = near === undefined ? '' : ` (did you mean ${near}?)`
      const message = `${name} is no captured channel${hint}; these are: ${[...channels].join(', ')}`
      throw fault('request.invalid', message, { field: name, in: 'body' })
    }
    const { fail_rate: failRate = 0, delay_ms: delayMs = 0, status = 503 } = given ?? {}
    if (failRate > 0 || delayMs > 0) troubles.set(channel, { failRate, delayMs, status })
  }
  return troubles
}

function rendered(troubles: Troubles) {
  return Object.fromEntries(
    [...troubles].map(([channel, { failRate, delayMs, status }]) => [
      channel,
      { fail_rate: failRate, delay_ms: delayMs, status },
    ]),
  )
}
