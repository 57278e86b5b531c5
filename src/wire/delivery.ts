import Type from 'typebox'
import { ATTEMPT_OUTCOMES, type Attempt } from '../delivery/attempt/attempt.ts'
import { CHANNEL_NAMES, DELIVERY_STATES, type Delivery } from '../delivery/delivery.ts'
import type { DeliveryRecord } from '../store/store.ts'
import { rfc3339 } from './instant.ts'
import { maskAddress } from './mask.ts'

const nullable = (schema: ReturnType<typeof Type.String>) => Type.Union([schema, Type.Null()])
const instant = () => nullable(Type.String({ format: 'date-time' }))

const FIELDS = {
  id: Type.String(),
  notification_id: Type.Optional(Type.String()),
  alert_id: Type.Optional(Type.String()),
  message_id: Type.Optional(Type.String({ description: 'Of a direct e-mail or SMS' })),
  summary_id: Type.Optional(Type.String({ description: 'Delivery of the summary that stands for it' })),
  batch_id: Type.Optional(Type.String({ description: 'Of an e-mail of a batch' })),
  resend_of: Type.Optional(Type.String({ description: 'Delivery that it sends again' })),
  resent_as: Type.Optional(Type.String({ description: 'Newest delivery that sends it again' })),
  user_id: nullable(Type.String()),
  channel: Type.Union(CHANNEL_NAMES.map((name) => Type.Literal(name))),
  address: nullable(Type.String({ description: 'Masked, but for topics' })),
  purpose: Type.String({ description: 'message, page, outcome, reminder, summary, code, test or canary' }),
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
}

const EXAMPLE = {
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
}

/** What {@link renderDelivery} makes (contract section 7). */
export const DeliverySchema = Type.Object(FIELDS, { $id: 'Delivery', examples: [EXAMPLE] })

const AttemptSchema = Type.Object({
  number: Type.Integer({
    description: 'As `attempts` counts them; one that went on to another provider has the same number',
  }),
  started_at: Type.String({
    format: 'date-time',
    description: 'Of one that was lost with its process: when that took the delivery',
  }),
  ended_at: instant(),
  provider: nullable(Type.String()),
  outcome: Type.Union(
    ATTEMPT_OUTCOMES.map((outcome) => Type.Literal(outcome)),
    {
      description:
        '`sent`: the provider took it; `failed`: it is tried again; `refused`: it is not; `unknown`: it may have been taken',
    },
  ),
  status: Type.Union([Type.Integer(), Type.Null()], { description: 'HTTP status or SMTP reply code' }),
  code: nullable(Type.String()),
  error: nullable(Type.String()),
  provider_id: nullable(Type.String()),
  counted: Type.Boolean({ description: 'Whether it is one of `attempts`' }),
})

/** What {@link renderDeliveryRecord} makes (checklist C19, contract section 7). */
export const DeliveryRecordSchema = Type.Object(
  {
    ...FIELDS,
    history: Type.Array(AttemptSchema, { description: 'Every attempt, oldest first; the newest 50' }),
  },
  {
    $id: 'DeliveryRecord',
    examples: [
      {
        ...EXAMPLE,
        history: [
          {
            number: 1,
            started_at: '2026-01-05T12:00:00.010Z',
            ended_at: '2026-01-05T12:00:00.150Z',
            provider: 'twilio',
            outcome: 'sent',
            status: 201,
            code: null,
            error: null,
            provider_id: 'SM123',
            counted: true,
          },
        ],
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
    ...(delivery.resendOf !== null && { resend_of: delivery.resendOf }),
    ...(delivery.resentAs !== null && { resent_as: delivery.resentAs }),
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

/** A delivery with every attempt at it. */
export function renderDeliveryRecord({ delivery, attempts }: DeliveryRecord) {
  return { ...renderDelivery(delivery), history: attempts.map(renderAttempt) }
}

function renderAttempt(attempt: Attempt) {
  return {
    number: attempt.number,
    started_at: rfc3339(attempt.startedAt),
    ended_at: rfc3339(attempt.endedAt ?? null),
    provider: attempt.provider ?? null,
    outcome: attempt.outcome,
    status: attempt.status ?? null,
    code: attempt.code ?? null,
    error: attempt.error ?? null,
    provider_id: attempt.providerId ?? null,
    counted: attempt.uncounted !== true,
  }
}
