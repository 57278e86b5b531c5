import Type from 'typebox'
import { fault } from '../../../errors.ts'
import type { NotiPy } from '../../../notipy/notipy.ts'
import { SERVICE_STATUSES } from '../../../notipy/status.ts'
import { MESSAGE_ID } from '../../../router/arrival.ts'
import { renderServiceNotification } from '../../../wire/service-notification.ts'
import { FAILURES, type App } from '../../app.ts'
import { ownerOf, serviceCalling } from './calling-service.ts'
import { EventParams } from './events.ts'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const Params = Type.Object({ notification_id: Type.String({ maxLength: 200, description: 'UUID' }) })

const addresses = Type.Union([
  Type.Array(Type.String({ maxLength: 500 }), { maxItems: 1000 }),
  Type.String({ maxLength: 500 }),
])
const tokens = Type.Union([
  Type.Array(Type.String({ maxLength: 4096 }), { maxItems: 1000 }),
  Type.String({ maxLength: 4096 }),
])
const metadata = Type.Optional(
  Type.Record(Type.String(), Type.Unknown(), { description: 'What the templates of the event show' }),
)
const SendBody = Type.Object(
  {
    email: Type.Optional(
      Type.Object({
        to_email: Type.Optional(addresses),
        metadata,
        attachments: Type.Optional(Type.Array(Type.String({ maxLength: 2048 }), { maxItems: 100 })),
      }),
    ),
    sms: Type.Optional(Type.Object({ to_phone_number: Type.Optional(addresses), metadata })),
    push: Type.Optional(
      Type.Object({
        to_token: Type.Optional(tokens),
        metadata,
        data: Type.Optional(Type.Record(Type.String(), Type.Unknown(), { description: 'For the app' })),
      }),
    ),
  },
  {
    additionalProperties: false,
    description: 'Per channel of the event',
    examples: [{ email: { to_email: ['anna@example.org'], metadata: { number: 7, name: 'Anna' } } }],
  },
)

const Queued = Type.Object(
  { message: Type.String(), notification_ids: Type.Array(Type.String()) },
  { description: 'Stored' },
)
const QUEUED = 'notification has been queued successfully for delivery'

/** What services send, and what became of it (checklist N08 to N11, N13). */
export function notifications(app: App, { events, sending }: NotiPy): void {
  app.post(
    '/events/:event_id/send_notifications',
    {
      config: {
        errors: [
          'notipy.event_not_found',
          'notipy.invalid',
          'publish.forbidden',
          'publish.premium_number',
          'rate_limit_exceeded',
        ],
      },
      schema: {
        summary: 'Send notifications about an event, one per channel',
        description: '`Idempotency-Key` makes a repeat harmless for 24 hours.',
        tags: ['notipy'],
        params: EventParams,
        headers: Type.Object({ 'idempotency-key': Type.Optional(Type.String()) }),
        body: SendBody,
        response: { 200: Queued, ...FAILURES },
      },
    },
    async (request) => {
      const event = events.get(ownerOf(request), request.params.event_id)
      const key = request.headers['idempotency-key'] ?? null
      if (key !== null && !MESSAGE_ID.test(key)) {
        throw fault('request.invalid', 'Idempotency-Key takes 1 to 128 of A-Z a-z 0-9 . _ : -', {
          field: 'idempotency-key',
          in: 'header',
        })
      }
      const ids = await sending.send(serviceCalling(request), event, request.body, key)
      return { message: QUEUED, notification_ids: [...ids] }
    },
  )

  app.get(
    '/events/:event_id/get_notifications',
    {
      config: { errors: ['notipy.event_not_found'] },
      schema: {
        summary: 'What was sent about an event, newest first',
        tags: ['notipy'],
        params: EventParams,
        querystring: Type.Object({
          limit: Type.Integer({ minimum: 1, maximum: 100, default: 20 }),
          offset: Type.Integer({ minimum: 0, maximum: 1_000_000, default: 0 }),
          status: Type.Optional(Type.Enum([...SERVICE_STATUSES])),
        }),
        response: {
          200: Type.Object(
            { total: Type.Integer(), notifications: Type.Array(Type.Ref('ServiceNotification#')) },
            { description: 'One page, and how many there are in all' },
          ),
          ...FAILURES,
        },
      },
    },
    async (request) => {
      const { id: eventId } = events.get(ownerOf(request), request.params.event_id)
      const { limit, offset, status = null } = request.query
      const { total, items } = await sending.list(serviceCalling(request), { eventId, status, limit, offset })
      return { total, notifications: items.map((sent) => renderServiceNotification(sent)) }
    },
  )

  app.get(
    '/notifications/:notification_id',
    {
      config: { errors: ['notipy.invalid_id', 'notipy.notification_not_found'] },
      schema: {
        summary: 'One notification of the service, with its deliveries',
        tags: ['notipy'],
        params: Params,
        response: {
          200: Type.Ref('ServiceNotification#', { description: 'The notification' }),
          ...FAILURES,
        },
      },
    },
    async (request) => {
      const { sent, deliveries } = await sending.get(serviceCalling(request), idOf(request.params))
      return renderServiceNotification(sent, deliveries)
    },
  )

  app.post(
    '/notifications/:notification_id/resend',
    {
      config: {
        errors: [
          'notipy.invalid_id',
          'notipy.notification_not_found',
          'notipy.not_failed',
          'publish.forbidden',
        ],
      },
      schema: {
        summary: 'Send again what failed of a notification',
        tags: ['notipy'],
        params: Params,
        querystring: Type.Object({
          force: Type.Boolean({ default: false, description: 'All of it, although nothing failed' }),
        }),
        response: { 200: Queued, ...FAILURES },
      },
    },
    async (request) => {
      const id = idOf(request.params)
      await sending.resend(serviceCalling(request), id, request.query.force)
      return { message: QUEUED, notification_ids: [id] }
    },
  )
}

function idOf({ notification_id: id }: { readonly notification_id: string }): string {
  if (!UUID.test(id)) throw fault('notipy.invalid_id')
  return id.toLowerCase()
}
