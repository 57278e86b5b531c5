import Type from 'typebox'
import type { Delivery } from '../delivery/delivery.ts'
import type { ServiceEvent } from '../notipy/events.ts'
import { SERVICE_CHANNELS } from '../notipy/plan-send.ts'
import { SERVICE_STATUSES, statusOf } from '../notipy/status.ts'
import type { SentDispatch } from '../store/store.ts'
import { renderDelivery } from './delivery.ts'
import { rfc3339 } from './instant.ts'

const EmailChannel = Type.Object({
  subject: Type.String({ description: 'A template in Liquid, such as `Order {{ id }}`' }),
  is_html: Type.Boolean(),
  content: Type.String({ description: 'The same; values are escaped where it is HTML' }),
  no_of_attachments: Type.Integer(),
})

/** What {@link renderServiceEvent} makes (checklist N05). */
export const ServiceEventSchema = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    description: Type.String(),
    channels: Type.Object({
      email: Type.Optional(EmailChannel),
      sms: Type.Optional(Type.Object({ content: Type.String() })),
      push: Type.Optional(Type.Object({ title: Type.String(), content: Type.String() })),
    }),
    version: Type.Integer({ description: 'Grows with every change' }),
    created_at: Type.String({ format: 'date-time' }),
    updated_at: Type.String({ format: 'date-time' }),
  },
  {
    $id: 'ServiceEvent',
    examples: [
      {
        id: '019b8e5c-7a00-7001-8000-5f3c2d1e0f10',
        name: 'order shipped',
        description: 'Tells the customer',
        channels: {
          email: {
            subject: 'Order {{ number }}',
            is_html: false,
            content: 'Dear {{ name }}, it is on its way.',
            no_of_attachments: 0,
          },
        },
        version: 1,
        created_at: '2026-01-05T12:00:00.000Z',
        updated_at: '2026-01-05T12:00:00.000Z',
      },
    ],
  },
)

/** What {@link renderServiceNotification} makes (checklist N11). */
export const ServiceNotificationSchema = Type.Object(
  {
    id: Type.String(),
    event_id: Type.String(),
    event_version: Type.Integer(),
    channel_type: Type.Enum([...SERVICE_CHANNELS]),
    dynamic_data: Type.Record(Type.String(), Type.Unknown(), { description: 'What was asked to be sent' }),
    status: Type.Enum([...SERVICE_STATUSES]),
    created_at: Type.String({ format: 'date-time' }),
    deliveries: Type.Optional(
      Type.Array(Type.Ref('Delivery#'), {
        description:
          'One per address, and one more for each time it was sent again; only of a single notification',
      }),
    ),
  },
  {
    $id: 'ServiceNotification',
    examples: [
      {
        id: '019b8e5c-7a00-7001-8000-5f3c2d1e0f11',
        event_id: '019b8e5c-7a00-7001-8000-5f3c2d1e0f10',
        event_version: 1,
        channel_type: 'email',
        dynamic_data: { to_email: ['anna@example.org'], metadata: { number: 7, name: 'Anna' } },
        status: 'success',
        created_at: '2026-01-05T12:00:00.000Z',
      },
    ],
  },
)

/** An event with the names of the NotiPy API. */
export function renderServiceEvent(event: ServiceEvent) {
  const { id, name, description, channels, version, createdAt, updatedAt } = event
  return {
    id,
    name,
    description,
    channels,
    version,
    created_at: rfc3339(createdAt),
    updated_at: rfc3339(updatedAt),
  }
}

/** A notification with the names of the NotiPy API. */
export function renderServiceNotification(sent: SentDispatch, deliveries?: readonly Delivery[]) {
  const { id, topic, doc, createdAt, states } = sent
  return {
    id,
    event_id: topic,
    event_version: doc['event_version'],
    channel_type: doc['channel_type'],
    dynamic_data: doc['dynamic_data'],
    status: statusOf(states),
    created_at: rfc3339(createdAt),
    ...(deliveries && { deliveries: deliveries.map(renderDelivery) }),
  }
}
