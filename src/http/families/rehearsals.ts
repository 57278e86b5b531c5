import Type from 'typebox'
import { isOperator, type Principal } from '../../access/principal.ts'
import { ALERT_LEVELS } from '../../alert/alert.ts'
import { CHANNEL_NAMES } from '../../delivery/delivery.ts'
import { parseDuration } from '../../duration.ts'
import type { Engine } from '../../engine.ts'
import { fault } from '../../errors.ts'
import { LEFT_OUT, type SimulatedEvent } from '../../explain/simulate.ts'
import { rfc3339 } from '../../wire/instant.ts'
import { DurationText, FAILURES, type App } from '../app.ts'
import { caller } from '../guard.ts'
import { InstantText, parseInstant } from '../instant-query.ts'
import { LinkSchema, renderLink } from './why.ts'

const LONGEST_MS = 14 * 86_400_000

const nullable = () => Type.Union([Type.String(), Type.Null()])
const Timeline = Type.Array(
  Type.Object({
    at: Type.String({ format: 'date-time' }),
    kind: Type.String(),
    user: nullable(),
    channel: nullable(),
    step: Type.Union([Type.Integer(), Type.Null()]),
    reason: nullable(),
  }),
)
const LeftOut = Type.Array(Type.Enum([...LEFT_OUT]), {
  description: 'What the timeline says nothing about',
})
const instant = (description: string) => Type.Optional(InstantText(description))
const durationText = (description: string) => DurationText(description)

/** `/v1/explain` and `/v1/simulate` (contract section 7), for operators: what would happen. Nothing is stored or sent. */
export function rehearsals(app: App, engine: Engine): void {
  const config = { access: 'operator' } as const

  app.post(
    '/explain',
    {
      config: { ...config, errors: ['request.not_found'] },
      schema: {
        summary: 'What would become of a publish',
        tags: ['operations'],
        body: Type.Object(
          {
            topic: Type.String({ minLength: 1, maxLength: 1024 }),
            payload: Type.Optional(Type.Unknown()),
            as: Type.Optional(
              Type.String({ maxLength: 200, description: 'User or client id; you unless set' }),
            ),
            at: instant('RFC 3339; now unless set'),
          },
          {
            examples: [
              { topic: 'alerts/critical/disk_full', payload: { message: 'Full' }, as: 'db-monitor' },
            ],
          },
        ),
        response: {
          200: Type.Object(
            { chain: Type.Array(LinkSchema), timeline: Timeline, left_out: LeftOut },
            { description: 'Step by step' },
          ),
          ...FAILURES,
        },
      },
    },
    async (request) => {
      const { topic, payload, as, at } = request.body
      const answer = await engine.explain({
        topic,
        payload: Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload ?? {})),
        principal: principalOf(engine, caller(request), as),
        at: parseInstant('at', at) ?? engine.clock.now(),
      })
      return {
        chain: answer.chain.map(renderLink),
        timeline: answer.timeline.map(renderEvent),
        left_out: LEFT_OUT,
      }
    },
  )

  app.post(
    '/simulate',
    {
      config,
      schema: {
        summary: 'Who would be told of an alert, when and how, if this and that went wrong',
        tags: ['operations'],
        body: Type.Object(
          {
            alert: Type.Object({
              type: Type.String({ minLength: 1, maxLength: 200 }),
              severity: Type.Optional(Type.Enum([...ALERT_LEVELS])),
            }),
            at: instant('RFC 3339; now unless set'),
            for: Type.Optional(durationText('How long it is looked at; 1h unless set')),
            outages: Type.Optional(Type.Array(Type.Enum([...CHANNEL_NAMES]), { maxItems: 20 })),
            silent: Type.Optional(Type.Array(Type.String({ maxLength: 200 }), { maxItems: 1000 })),
            acks: Type.Optional(
              Type.Array(
                Type.Object({
                  user: Type.String({ maxLength: 200 }),
                  after: durationText('Counted from the first message that reaches them'),
                }),
                { maxItems: 1000 },
              ),
            ),
          },
          {
            examples: [
              { alert: { type: 'disk_full' }, outages: ['sms'], acks: [{ user: 'bob', after: '3m' }] },
            ],
          },
        ),
        response: {
          200: Type.Object(
            { timeline: Timeline, left_out: LeftOut },
            { description: 'In the order in which it would happen' },
          ),
          ...FAILURES,
        },
      },
    },
    async (request) => {
      const { alert, at, for: forText = '1h', outages = [], silent = [], acks = [] } = request.body
      const timeline = await engine.simulate(caller(request), {
        alert: { type: alert.type, severity: alert.severity ?? 'critical' },
        at: parseInstant('at', at) ?? engine.clock.now(),
        forMs: Math.min(durationOf('for', forText), LONGEST_MS),
        outages,
        silent,
        acks: acks.map(({ user, after }) => ({ user, afterMs: durationOf('acks', after) })),
      })
      return { timeline: timeline.map(renderEvent), left_out: LEFT_OUT }
    },
  )
}

function principalOf(engine: Engine, by: Principal, as: string | undefined): Principal {
  if (as === undefined) return by
  const principal = engine.directory.principal(as)
  if (principal?.tenant !== by.tenant || !isOperator(by))
    throw fault('request.not_found', 'There is no such principal')
  return principal
}

function durationOf(name: string, text: string): number {
  const ms = parseDuration(text)
  if (ms === null)
    throw fault('request.invalid', `body/${name} must be a duration such as 30m`, { field: name, in: 'body' })
  return ms
}

function renderEvent({ at, ...event }: SimulatedEvent) {
  return { at: rfc3339(at), ...event }
}
