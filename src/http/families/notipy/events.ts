import Type from 'typebox'
import type { NotiPy } from '../../../notipy/notipy.ts'
import { LONGEST_TEMPLATE } from '../../../template/liquid-engines.ts'
import { renderServiceEvent } from '../../../wire/service-notification.ts'
import { FAILURES, type App } from '../../app.ts'
import { ownerOf } from './calling-service.ts'

export const EventParams = Type.Object({ event_id: Type.String({ minLength: 1, maxLength: 200 }) })

const source = () => Type.String({ maxLength: LONGEST_TEMPLATE })
const fields = {
  name: Type.String({ minLength: 1, maxLength: 200 }),
  description: Type.String({ maxLength: 2000, default: '' }),
  channels: Type.Object(
    {
      email: Type.Optional(
        Type.Object(
          {
            subject: Type.String({ maxLength: 2000 }),
            is_html: Type.Boolean({ default: false }),
            content: source(),
            no_of_attachments: Type.Integer({ minimum: 0, maximum: 10, default: 0 }),
          },
          { additionalProperties: false },
        ),
      ),
      sms: Type.Optional(Type.Object({ content: source() }, { additionalProperties: false })),
      push: Type.Optional(
        Type.Object(
          { title: Type.String({ maxLength: 2000, default: '' }), content: source() },
          { additionalProperties: false },
        ),
      ),
    },
    { additionalProperties: false, description: 'Without any, nothing can be sent yet' },
  ),
}
const EXAMPLE = {
  name: 'order shipped',
  description: 'Tells the customer',
  channels: {
    email: {
      subject: 'Order {{ number }}',
      is_html: false,
      content: 'Dear {{ name }}',
      no_of_attachments: 0,
    },
    sms: { content: 'Order {{ number }} is on its way' },
    push: { title: 'Order {{ number }}', content: 'It is on its way' },
  },
}

const Changed = Type.Object(
  { event: Type.Ref('ServiceEvent#'), message: Type.String() },
  { description: 'The event as it is now' },
)

/** `/api/v1/events` (checklist N05 to N07). */
export function events(app: App, notiPy: NotiPy): void {
  const { events: store } = notiPy

  app.post(
    '/events',
    {
      config: { errors: ['notipy.invalid'] },
      schema: {
        summary: 'Make an event',
        tags: ['notipy'],
        body: Type.Object({ ...fields, channels: Type.Optional(fields.channels) }, { examples: [EXAMPLE] }),
        response: { 200: Changed, ...FAILURES },
      },
    },
    async (request) => {
      const owner = ownerOf(request)
      const { channels = {}, ...words } = request.body
      notiPy.checkTemplates(channels)
      const event = await store.create(owner, notiPy.nextId(), { ...words, channels }, notiPy.now())
      return { event: renderServiceEvent(event), message: 'event created successfully' }
    },
  )

  app.get(
    '/events',
    {
      schema: {
        summary: 'The events of the service',
        tags: ['notipy'],
        querystring: Type.Object({
          limit: Type.Integer({ minimum: 1, maximum: 100, default: 20 }),
          offset: Type.Integer({ minimum: 0, maximum: 1_000_000, default: 0 }),
          query: Type.String({
            maxLength: 200,
            default: '',
            description:
              'In name or description, whatever the case; `^`, `$`, `.*` and `|` as in regular expressions',
          }),
        }),
        response: {
          200: Type.Object(
            { total_count: Type.Integer(), events: Type.Array(Type.Ref('ServiceEvent#')) },
            { description: 'One page, and how many there are in all' },
          ),
          ...FAILURES,
        },
      },
    },
    async (request) => {
      const { limit, offset, query } = request.query
      const found = store.list(ownerOf(request), query)
      return {
        total_count: found.length,
        events: found.slice(offset, offset + limit).map(renderServiceEvent),
      }
    },
  )

  app.get(
    '/events/:event_id',
    {
      config: { errors: ['notipy.event_not_found'] },
      schema: {
        summary: 'One event',
        tags: ['notipy'],
        params: EventParams,
        response: {
          200: Type.Object({ event: Type.Ref('ServiceEvent#') }, { description: 'The event' }),
          ...FAILURES,
        },
      },
    },
    async (request) => ({ event: renderServiceEvent(store.get(ownerOf(request), request.params.event_id)) }),
  )

  app.put(
    '/events/:event_id',
    {
      config: { errors: ['notipy.event_not_found', 'notipy.invalid', 'record.stale'] },
      schema: {
        summary: 'Change an event; what is left out stays',
        tags: ['notipy'],
        params: EventParams,
        body: Type.Object(
          {
            name: Type.Optional(fields.name),
            description: Type.Optional(Type.String({ maxLength: 2000 })),
            channels: Type.Optional(fields.channels),
          },
          { examples: [EXAMPLE] },
        ),
        response: { 200: Changed, ...FAILURES },
      },
    },
    async (request) => {
      const owner = ownerOf(request)
      const { name, description, channels } = request.body
      if (channels) notiPy.checkTemplates(channels)
      const event = await store.change(owner, request.params.event_id, {
        ...(name !== undefined && { name }),
        ...(description !== undefined && { description }),
        ...(channels !== undefined && { channels }),
      })
      return { event: renderServiceEvent(event), message: 'event updated successfully' }
    },
  )

  app.delete(
    '/events/:event_id',
    {
      config: { errors: ['notipy.event_not_found', 'record.stale'] },
      schema: {
        summary: 'Delete an event; its notifications stay',
        tags: ['notipy'],
        params: EventParams,
        response: { 200: Type.Object({ message: Type.String() }, { description: 'Deleted' }), ...FAILURES },
      },
    },
    async (request) => {
      await store.remove(ownerOf(request), request.params.event_id, notiPy.now())
      return { message: 'event deleted successfully' }
    },
  )
}
