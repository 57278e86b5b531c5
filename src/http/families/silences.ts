import Type from 'typebox'
import type { Engine } from '../../engine.ts'
import { fault } from '../../errors.ts'
import type { AlertMatch } from '../../noise/silence.ts'
import { renderAlert } from '../../wire/alert.ts'
import { MatchSchema, renderSilence, SilenceSchema } from '../../wire/silence.ts'
import { FAILURES, IdParams, shared, type App } from '../app.ts'
import { caller } from '../guard.ts'
import { InstantText, parseInstant } from '../instant-query.ts'
import { reader } from './alerts.ts'

const SilenceWish = Type.Object(
  {
    match: MatchSchema,
    reason: Type.String({ minLength: 1, maxLength: 1024, pattern: '\\S' }),
    until: Type.Union(
      [
        InstantText('RFC 3339; at most 24 h ahead unless `severity` is warning or info'),
        Type.Number({ minimum: 0, maximum: 1e14, description: 'Seconds since 1970' }),
      ],
      { description: 'When it ends' },
    ),
    preview: Type.Optional(
      Type.Boolean({ default: false, description: 'Only tell which open alerts it would be about' }),
    ),
  },
  {
    additionalProperties: false,
    examples: [
      { match: { type: 'disk_*' }, reason: 'New disks are being built in', until: '2026-01-05T14:00:00Z' },
    ],
  },
)

/** `/v1/silences` (contract section 6). Everybody sees those of their tenant; who may make one is the engine's to say. */
export function silences(app: App, engine: Engine): void {
  app.addSchema(SilenceSchema)

  app.get(
    '/silences',
    {
      schema: {
        summary: 'Silences in force, and those that ended in the last 7 days',
        tags: ['silences'],
        response: {
          200: Type.Object({ items: Type.Array(Type.Ref('Silence#')) }, { description: 'Oldest first' }),
          ...FAILURES,
        },
      },
    },
    async (request) => ({
      items: (await engine.silences.list(reader(caller(request)).tenant)).map(renderSilence),
    }),
  )

  app.post(
    '/silences',
    {
      schema: {
        summary: 'Keep alerts quiet for a while, or see which it would be',
        tags: ['silences'],
        body: SilenceWish,
        response: {
          200: Type.Object(
            { count: Type.Integer(), items: Type.Array(Type.Ref('Alert#')) },
            { description: 'With `preview`: the open alerts that it would be about' },
          ),
          201: shared('Silence', 'In force'),
          ...FAILURES,
        },
      },
    },
    async (request, reply) => {
      const { match, reason, until, preview } = request.body
      const by = reader(caller(request))
      const at = parseInstant('until', String(until))
      if (at === null) throw fault('request.invalid', 'body/until is empty', { field: 'until', in: 'body' })
      const wish = { match: match as AlertMatch, reason: reason.trim(), until: at }
      if (preview === true) {
        const found = engine.silences.preview(by, wish)
        return { count: found.length, items: found.map(renderAlert) }
      }
      return reply.code(201).send(renderSilence(await engine.silences.create(by, wish)))
    },
  )

  app.delete(
    '/silences/:id',
    {
      schema: {
        summary: 'End a silence now; what it hid and is still open pages',
        tags: ['silences'],
        params: IdParams,
        response: { 204: Type.Null({ description: 'Ended' }), ...FAILURES },
      },
    },
    async (request, reply) => {
      const ended = await engine.silences.end(reader(caller(request)), request.params.id)
      if (!ended) throw fault('request.not_found', 'There is no such silence in force')
      return reply.code(204).send(null)
    },
  )
}
