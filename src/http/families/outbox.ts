import Type from 'typebox'
import { CHANNEL_NAMES } from '../../delivery/delivery.ts'
import type { Engine } from '../../engine.ts'
import { fault } from '../../errors.ts'
import { renderOutboxItem } from '../../wire/outbox-item.ts'
import { FAILURES, IdParams, type App } from '../app.ts'
import { caller } from '../guard.ts'
import { InstantText, parseInstant } from '../instant-query.ts'

/** `/v1/outbox`: captured messages (contract section 7), for operators. */
export function outbox(app: App, engine: Engine): void {
  const { store } = engine
  const config = { access: 'operator' } as const

  app.get(
    '/outbox',
    {
      config,
      schema: {
        summary: 'Captured messages, oldest first, all of them',
        tags: ['outbox'],
        querystring: Type.Object({
          channel: Type.Optional(Type.Enum([...CHANNEL_NAMES])),
          user: Type.Optional(Type.String({ maxLength: 200 })),
          since: Type.Optional(InstantText('RFC 3339, or epoch seconds')),
        }),
        response: {
          200: Type.Object({ items: Type.Array(Type.Ref('OutboxItem#')) }, { description: 'All of them' }),
          ...FAILURES,
        },
      },
    },
    async (request) => {
      const { channel, user } = request.query
      const since = parseInstant('since', request.query.since)
      const items = await store.outbox({
        tenant: caller(request).tenant,
        ...(channel !== undefined && { channel }),
        ...(user !== undefined && { userId: user }),
        ...(since !== null && { since }),
      })
      return { items: items.map(renderOutboxItem) }
    },
  )

  app.delete(
    '/outbox',
    {
      config,
      schema: {
        summary: 'Empty the outbox',
        tags: ['outbox'],
        response: { 204: Type.Null({ description: 'Empty' }), ...FAILURES },
      },
    },
    async (request, reply) => {
      await store.clearOutbox(caller(request).tenant)
      return reply.code(204).send(null)
    },
  )

  app.post(
    '/outbox/:id/reply',
    {
      config: { ...config, errors: ['publish.unknown_user'] },
      schema: {
        summary: 'Answer a captured message as the person who got it',
        tags: ['outbox'],
        params: IdParams,
        body: Type.Object(
          {
            text: Type.Optional(Type.String({ maxLength: 1600 })),
            action: Type.Optional(Type.String({ maxLength: 64 })),
          },
          {
            anyOf: [{ required: ['text'] }, { required: ['action'] }],
            examples: [{ text: 'ack' }, { action: 'ack' }],
          },
        ),
        response: {
          200: Type.Object({ reply: Type.String() }, { description: 'What the person gets back' }),
          ...FAILURES,
        },
      },
    },
    async (request) => {
      const by = caller(request)
      const { text, action } = request.body
      if (text === undefined && action === undefined) {
        throw fault('request.invalid', 'The body needs `text` or `action`', { field: 'text', in: 'body' })
      }
      const { id } = request.params
      if (!(await store.outboxItem(by.tenant, id))) throw fault('request.not_found')
      const answer = {
        ...(text !== undefined && { text }),
        ...(action !== undefined && { action }),
      }
      return { reply: await engine.replyToOutbox(by, id, answer) }
    },
  )
}
