import Type from 'typebox'
import { CHANNEL_NAMES, DELIVERY_STATES, type Delivery } from '../delivery/delivery.ts'
import { rfc3339 } from './instant.ts'
import { maskAddress } from './mask.ts'

const nullable = (schema: ReturnType<typeof Type.String>) => Type.Union([schema, Type.Null()])
const instant = () => nullable(Type.String({ format: 'date-time' }))

/** What {@link renderDelivery} makes (contract section 7). */
export const DeliverySchema = Type.Object(
  {
    id: Type.String(),
    notification_id: Type.Optional(Type.String()),
    alert_id: Type.Optional(Type.String()),
    message_id: Type.Optional(Type.String({ description: 'Of a direct e-mail or SMS' })),
    summary_id: Type.Optional(Type.String({ description: 'Delivery of the summary that stands for it' })),
    batch_id: Type.Optional(Type.String({ description: 'Of an e-mail of a batch' })),
    user_id: nullable(Type.String()),
    channel: Type.Union(CHANNEL_NAMES.map((name) => Type.Literal(name))),
    address: nullable(Type.String({ description: 'Masked, but for topics' })),
    purpose: Type.String({
      description: 'message, page, outcome, reminder, summary, code, test or canary',
    }),
    step: Type.Union([Type.Integer(), Type.Null()]),
    state: Type.Union(DELIVERY_STATES.map((state) => Type.Literal(state))),
    reason: nullable(Type.String()),
    attempts: Type.Integer(),
    max_attempts: Type.Integer(),
    next_attempt_at: instant(),
    provider_id: nullable(Type.String()),
    error: nullable(Type.String()),
    created_at: Type.String({ format: 'date-time' }),
    sent_at: instant(),
    delivered_at: instant(),
  },
  {
    $id: 'Delivery',
    examples: [
      {
        id: '019b8e5c-7a00-7001-8000-5f3c2d1e0f11.2',
        alert_id: '019b8e5c-7a00-7001-8000-5f3c2d1e0f11',
        user_id: 'anna',
        channel: 'sms',
        address: '+49…67',
        purpose: 'page',
        step: 1,
        state: 'sent',
        reason: null,
        attempts: 1,
        max_attempts: 5,
        next_attempt_at: null,
        provider_id: 'SM123',
        error: null,
        created_at: '2026-01-05T12:00:00.000Z',
        sent_at: '2026-01-05T12:00:00.150Z',
        delivered_at: null,
      },
    ],
  },
)

const SUBJECT_FIELD = {
  notification: 'notification_id',
  alert: 'alert_id',
  direct: 'message_id',
  batch: 'batch_id',
} as const

/** A topic says nothing that would help a stranger. */
function isTopic({ channel }: Delivery): boolean {
  return channel === 'mqtt' || channel === 'speech'
}

/** A delivery on the wire; its address is masked, because these lists are read by many. */
export function renderDelivery(delivery: Delivery) {
  return {
    id: delivery.id,
    [SUBJECT_FIELD[delivery.subjectKind]]: delivery.subjectId,
    ...(delivery.digestId !== null && { summary_id: `${delivery.digestId}.0` }),
    user_id: delivery.userId,
    channel: delivery.channel,
    address:
      delivery.address === null || isTopic(delivery) ? delivery.address : maskAddress(delivery.address),
    purpose: delivery.purpose,
    step: delivery.step,
    state: delivery.state,
    reason: delivery.reason,
    attempts: delivery.attempts,
    max_attempts: delivery.maxAttempts,
    next_attempt_at: rfc3339(delivery.nextAttemptAt),
    provider_id: delivery.providerId,
    error: delivery.error,
    created_at: rfc3339(delivery.createdAt),
    sent_at: rfc3339(delivery.sentAt),
    delivered_at: rfc3339(delivery.deliveredAt),
  }
}
