import Type, { type TSchema } from 'typebox'
import { AlertSchema } from '../wire/alert.ts'
import { CoreBanqNotificationSchema, NotificationSchema } from '../wire/notification.ts'
import { AlertFrame, exampleOf, UnreadSchema } from './outgoing-topics.ts'

const text = () => Type.String()
const NOTIFICATION = exampleOf(NotificationSchema) as Readonly<Record<string, unknown>>
const ALERT = exampleOf(AlertSchema)

const frame = (type: TSchema, data: TSchema) =>
  Type.Object({
    type,
    id: Type.String({ description: 'Resumes: `since`, or `Last-Event-ID`' }),
    data,
    source: Type.Optional(Type.String({ description: 'Of a domain event' })),
    timestamp: Type.Optional(Type.Number({ description: 'Of a domain event, in epoch seconds' })),
  })
const ID = '17.k3v0x1a9q2wz.4'
const Xynap = Type.Object({ ...NotificationSchema.properties, uuid: text(), body: text() })

/** Frames of `/ws`; an event stream has the same as `event`, `id` and `data`, long polling as `items`. */
export const FRAMES: readonly FrameEntry[] = [
  {
    name: 'connected',
    summary: 'First of all; not `complete` when domain events were forgotten meanwhile',
    payload: frame(
      Type.Literal('connected'),
      Type.Object({
        status: Type.Literal('connected'),
        session_id: Type.Optional(text()),
        complete: Type.Boolean(),
      }),
    ),
    example: { type: 'connected', id: ID, data: { status: 'connected', session_id: 's-1', complete: true } },
  },
  {
    name: 'notification',
    summary: 'A notification',
    payload: frame(Type.Literal('notification.created'), Xynap),
    example: {
      type: 'notification.created',
      id: ID,
      data: { ...NOTIFICATION, uuid: NOTIFICATION['id'], body: NOTIFICATION['message'] },
    },
  },
  {
    name: 'alert',
    summary: 'A page, or what became of one; `type` is that of `data`',
    payload: frame(text(), AlertFrame),
    example: {
      type: 'critical_alert',
      id: ID,
      data: { type: 'critical_alert', alert: ALERT, requires_acknowledgment: true },
    },
  },
  {
    name: 'unread',
    summary: 'The counts of the inbox',
    payload: frame(Type.Literal('unread'), UnreadSchema),
    example: { type: 'unread', id: ID, data: { total: 42, unread: 3, version: 7 } },
  },
  {
    name: 'event',
    summary: 'A domain event, under its own type',
    payload: frame(text(), Type.Record(Type.String(), Type.Unknown())),
    example: {
      type: 'order.completed',
      id: ID,
      source: 'shop',
      timestamp: 1767614400.5,
      data: { order_id: 'o-1' },
    },
  },
  {
    name: 'heartbeat',
    summary: 'Of `/ws` only: the answer to a heartbeat (R38)',
    payload: Type.Object({
      type: Type.Literal('heartbeat'),
      data: Type.Object({ status: Type.Literal('alive'), session_id: text(), expires_in: Type.Integer() }),
    }),
    example: { type: 'heartbeat', data: { status: 'alive', session_id: 's-1', expires_in: 3600 } },
  },
]

/** One kind of frame. */
export interface FrameEntry {
  readonly name: string
  readonly summary: string
  readonly payload: TSchema
  readonly example: Readonly<Record<string, unknown>>
}

/** What `/ws` takes: a session lives on (R38). */
export const HEARTBEAT_FRAME: FrameEntry = {
  name: 'heartbeat',
  summary: 'The session lives on (R38)',
  payload: Type.Object({ type: Type.Literal('heartbeat') }),
  example: { type: 'heartbeat' },
}

/** What `data` of `/v1/notifications/sse` is (C09). */
export const COREBANQ_FRAME: FrameEntry = {
  name: 'notification',
  summary: 'A notification',
  payload: CoreBanqNotificationSchema,
  example: exampleOf(CoreBanqNotificationSchema) as Readonly<Record<string, unknown>>,
}
