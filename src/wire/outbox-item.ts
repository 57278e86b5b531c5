import Type from 'typebox'
import { CHANNEL_NAMES, type OutboxItem } from '../delivery/delivery.ts'
import { rfc3339 } from './instant.ts'
import { maskAddress } from './mask.ts'

const nullableString = () => Type.Union([Type.String(), Type.Null()])

/** What {@link renderOutboxItem} makes (contract section 7). */
export const OutboxItemSchema = Type.Object(
  {
    id: Type.String(),
    channel: Type.Union(CHANNEL_NAMES.map((name) => Type.Literal(name))),
    user_id: nullableString(),
    address: nullableString(),
    subject: Type.Optional(Type.String()),
    text: Type.String(),
    html: Type.Optional(Type.String()),
    actions: Type.Array(
      Type.Object({ id: Type.String(), label: Type.String(), url: Type.Optional(Type.String()) }),
    ),
    segments: Type.Optional(Type.Integer({ description: 'Of an SMS' })),
    attachments: Type.Optional(
      Type.Array(Type.Object({ name: Type.String(), url: Type.String() }), {
        description: 'Of an e-mail: the files that go with it',
      }),
    ),
    delivery_id: Type.String(),
    alert_id: Type.Optional(Type.String()),
    notification_id: Type.Optional(Type.String()),
    created_at: Type.String({ format: 'date-time' }),
  },
  {
    $id: 'OutboxItem',
    examples: [
      {
        id: '019b8e5c-7a00-7001-8000-5f3c2d1e0f12',
        channel: 'sms',
        user_id: 'anna',
        address: '+4915112345678',
        text: 'CRITICAL: system_failure - Database connection failed',
        actions: [{ id: 'ack', label: 'Acknowledge' }],
        segments: 1,
        delivery_id: '019b8e5c-7a00-7001-8000-5f3c2d1e0f11.2',
        alert_id: '019b8e5c-7a00-7001-8000-5f3c2d1e0f11',
        created_at: '2026-01-05T12:00:00.150Z',
      },
    ],
  },
)

/** A captured message on the wire, with its full address, because only operators read these, but for a webhook's. */
export function renderOutboxItem(item: OutboxItem) {
  return {
    id: item.id,
    channel: item.channel,
    user_id: item.userId,
    // The path of an endpoint's URL is often its only secret.
    address: item.channel === 'webhook' && item.address !== null ? maskAddress(item.address) : item.address,
    ...(item.subject !== undefined && { subject: item.subject }),
    text: item.text,
    ...(item.html !== undefined && { html: item.html }),
    actions: item.actions,
    ...(item.segments !== undefined && { segments: item.segments }),
    ...(item.attachments !== undefined && { attachments: item.attachments }),
    delivery_id: item.deliveryId,
    ...(item.alertId !== undefined && { alert_id: item.alertId }),
    ...(item.notificationId !== undefined && { notification_id: item.notificationId }),
    created_at: rfc3339(item.createdAt),
  }
}
