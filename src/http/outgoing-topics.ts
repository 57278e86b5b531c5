import Type, { type TSchema } from 'typebox'
import type { Router } from '../router/router.ts'
import { AlertSchema } from '../wire/alert.ts'
import { DeadLetterSchema } from '../wire/dead-letter.ts'
import { NotificationSchema } from '../wire/notification.ts'
import { ProblemSchema } from '../wire/problem.ts'
import type { TopicEntry } from './asyncapi.ts'

const instant = () => Type.String({ format: 'date-time' })
const nullable = (schema: TSchema) => Type.Union([schema, Type.Null()])
const text = () => Type.String()

/** The first example that a schema has. */
export function exampleOf(schema: TSchema): unknown {
  const { examples } = schema as { readonly examples?: readonly unknown[] }
  return examples?.[0]
}

/** `users/{id}/alerts` (R23). */
export const AlertFrame = Type.Union([
  Type.Object({
    type: Type.Enum(['critical_alert', 'warning_alert', 'info_alert']),
    alert: AlertSchema,
    requires_acknowledgment: Type.Boolean(),
  }),
  Type.Object({
    type: Type.Literal('alert_outcome'),
    outcome: Type.String({ description: 'Such as acknowledged or resolved' }),
    by: text(),
    alert: AlertSchema,
  }),
])

/** `users/{id}/unread`. */
export const UnreadSchema = Type.Object({
  total: Type.Integer(),
  unread: Type.Integer(),
  version: Type.Integer(),
})

const EventSchema = Type.Object({
  type: text(),
  data: Type.Record(Type.String(), Type.Unknown()),
  source: nullable(text()),
  timestamp: Type.Number({ description: 'Epoch seconds' }),
})

const OnCallSchema = Type.Object({
  team: text(),
  user: nullable(text()),
  name: nullable(text()),
  users: Type.Array(Type.Object({ user: text(), name: text() })),
  until: nullable(instant()),
  next: nullable(Type.Object({ user: text(), name: text(), from: instant() })),
})

const ComponentSchema = Type.Object(
  { updated_at: Type.Optional(instant()) },
  { additionalProperties: true, description: 'As the publisher of its state gave it' },
)

const ReceiptSchema = Type.Union([
  Type.Object({
    id: text(),
    topic: text(),
    status: Type.Enum(['accepted', 'rejected']),
    result: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    code: Type.Optional(Type.String({ description: 'Of `rejected`' })),
    error: Type.Optional(text()),
  }),
  Type.Object({
    id: text(),
    status: Type.Enum(['sent', 'delivered', 'seen', 'acknowledged', 'resolved', 'dead']),
    at: instant(),
    channel: Type.Optional(text()),
    user: Type.Optional(text()),
    by: Type.Optional(text()),
    code: Type.Optional(Type.String({ description: 'Why, of `dead`' })),
    delivery_id: Type.Optional(text()),
  }),
  Type.Object(
    {
      error: Type.Literal('rate_limit_exceeded'),
      message: text(),
      rate_limit: Type.Record(Type.String(), Type.Unknown()),
    },
    { description: 'Under the id `rate-limit`' },
  ),
  Type.Object(
    { id: text(), status: Type.Literal('batch_done') },
    { additionalProperties: true, description: 'Nothing of a batch is queued any more' },
  ),
])

const NOTIFICATION = exampleOf(NotificationSchema) as Readonly<Record<string, unknown>>
const ALERT = exampleOf(AlertSchema) as Readonly<Record<string, unknown>>

/** What goes out over MQTT (contract section 5), each with the schema of what renders it. */
export const OUTGOING_TOPICS: readonly TopicEntry[] = [
  {
    pattern: 'users/{userId}/notifications',
    direction: 'subscribe',
    summary: 'Notifications of a person: unread ones after each connection, then what comes',
    qos: 1,
    payload: NotificationSchema,
    example: NOTIFICATION,
  },
  {
    pattern: 'users/{userId}/alerts',
    direction: 'subscribe',
    summary: 'Pages of a person, and what became of them',
    qos: 1,
    payload: AlertFrame,
    example: { type: 'critical_alert', alert: ALERT, requires_acknowledgment: true },
  },
  {
    pattern: 'users/{userId}/events/{type...}',
    direction: 'subscribe',
    summary: 'Domain events that concern a person',
    qos: 1,
    payload: EventSchema,
    example: { type: 'order.completed', data: { order_id: 'o-1' }, source: 'shop', timestamp: 1767614400.5 },
  },
  {
    pattern: 'users/{userId}/unread',
    direction: 'subscribe',
    summary: 'How many notifications a person has, and how many of them are unread',
    qos: 1,
    retained: true,
    payload: UnreadSchema,
    example: { total: 42, unread: 3, version: 7 },
  },
  {
    pattern: 'state/alerts/{alertId}',
    direction: 'subscribe',
    summary: 'An open alert; empty once it is resolved',
    qos: 1,
    retained: true,
    payload: AlertSchema,
    example: ALERT,
  },
  {
    pattern: 'state/oncall/{team}',
    direction: 'subscribe',
    summary: 'Who is on call now, until when, and who follows',
    qos: 1,
    retained: true,
    payload: OnCallSchema,
    example: {
      team: 'platform',
      user: 'anna',
      name: 'Anna K.',
      users: [{ user: 'anna', name: 'Anna K.' }],
      until: '2026-01-12T08:00:00.000Z',
      next: { user: 'bob', name: 'Bob', from: '2026-01-12T08:00:00.000Z' },
    },
  },
  {
    pattern: 'state/system/{component}',
    direction: 'subscribe',
    summary: 'The last state of a component, or its maintenance',
    qos: 1,
    retained: true,
    payload: ComponentSchema,
    example: { component: 'database', status: 'degraded', updated_at: '2026-01-05T12:00:00.000Z' },
  },
  {
    pattern: 'state/preflight',
    direction: 'subscribe',
    summary: 'What would keep pages of the next days from arriving; for roles admin and ops',
    qos: 1,
    retained: true,
    payload: Type.Object({ problems: Type.Array(ProblemSchema), count: Type.Integer() }),
    example: { problems: [exampleOf(ProblemSchema)], count: 1 },
  },
  {
    pattern: 'receipts/{principal}/{messageId}',
    direction: 'subscribe',
    summary: 'What became of a message of yours: first the answer, then each transition',
    qos: 1,
    payload: ReceiptSchema,
    example: {
      id: '019b8e5c-7a00-7001-8000-5f3c2d1e0f10',
      topic: 'notifications/realtime/user/anna',
      status: 'accepted',
      result: { status: 'sent', channels: ['realtime'] },
    },
  },
  {
    pattern: 'dlq/{code}',
    direction: 'subscribe',
    summary: 'Dead letters by their reason; for roles admin and ops',
    qos: 1,
    payload: DeadLetterSchema,
    example: exampleOf(DeadLetterSchema) as Readonly<Record<string, unknown>>,
  },
]

/** What may be published, as the routes say it. */
export function topicEntries({ routes }: Pick<Router, 'routes'>): TopicEntry[] {
  return routes.map(({ pattern, qos, summary, body }) => ({
    pattern,
    direction: 'publish',
    qos,
    summary: summary ?? '',
    ...(body !== null && { payload: body, example: exampleOf(body) }),
  }))
}
