import Type from 'typebox'
import { PRIORITIES, SEVERITIES, type Notification } from '../notification/notification.ts'
import { epochSeconds, rfc3339 } from './instant.ts'

const literals = <T extends string>(values: readonly T[]) =>
  Type.Union(values.map((value) => Type.Literal(value)))

const fields = {
  id: Type.String(),
  user_id: Type.Union([Type.String(), Type.Null()], {
    description: 'Whose inbox it is in; null where nobody reads it',
  }),
  title: Type.String(),
  message: Type.String(),
  type: Type.String(),
  priority: literals(PRIORITIES),
  data: Type.Record(Type.String(), Type.Unknown()),
  timestamp: Type.Number({ description: 'Epoch seconds' }),
  read: Type.Boolean(),
  channels: Type.Array(Type.String()),
  category: Type.Optional(Type.String()),
  severity: Type.Optional(literals(SEVERITIES)),
  icon: Type.Optional(Type.String()),
  action_url: Type.Optional(Type.String()),
  entity_type: Type.Optional(Type.String()),
  entity_id: Type.Optional(Type.String()),
  customer_id: Type.Optional(Type.String()),
  event: Type.Optional(Type.String()),
  seq: Type.Optional(
    Type.Integer({ description: 'Its place in the inbox, which only rises; where it comes live' }),
  ),
  broadcast_id: Type.Optional(Type.String({ description: 'Set on a broadcast' })),
  created_at: Type.String({ format: 'date-time' }),
  read_at: Type.Union([Type.String({ format: 'date-time' }), Type.Null()]),
}

const EXAMPLE = {
  id: '019b8e5c-7a00-7001-8000-5f3c2d1e0f10',
  user_id: 'anna',
  title: 'New Message',
  message: 'You have a new message from John',
  type: 'message',
  priority: 'normal',
  data: { message_id: 'msg456', sender: 'John' },
  timestamp: 1767614400.5,
  read: false,
  channels: ['realtime', 'push'],
  created_at: '2026-01-05T12:00:00.500Z',
  read_at: null,
}

/** What {@link renderNotification} makes. */
export const NotificationSchema = Type.Object(fields, { $id: 'Notification', examples: [EXAMPLE] })

/** What {@link renderCoreBanqNotification} makes. */
export const CoreBanqNotificationSchema = Type.Object(
  {
    ...fields,
    content: Type.String({ description: 'The same as `message`' }),
    link_url: Type.Optional(Type.String({ description: 'The same as `action_url`' })),
    link_text: Type.Optional(Type.String()),
    rec_type: Type.Optional(Type.String({ description: 'The same as `entity_type`' })),
    rec_id: Type.Optional(Type.String({ description: 'The same as `entity_id`' })),
  },
  { $id: 'CoreBanqNotification', examples: [{ ...EXAMPLE, content: EXAMPLE.message }] },
)

/** What {@link renderXynapNotification} makes. */
export const XynapNotificationSchema = Type.Object(
  {
    ...fields,
    uuid: Type.String({ description: 'The same as `id`' }),
    tenant_id: Type.String(),
    channel: Type.Literal('app', { description: 'What is in an inbox; other channels are deliveries' }),
    body: Type.String({ description: 'The same as `message`' }),
  },
  {
    $id: 'XynapNotification',
    examples: [{ ...EXAMPLE, uuid: EXAMPLE.id, tenant_id: 'default', channel: 'app', body: EXAMPLE.message }],
  },
)

/**
 * A notification on the wire, over MQTT and HTTP alike: the RouteMQ shape (R17) and the fields of contract section
 * 4. `reader` is the person whose inbox it is read from, which a broadcast does not know by itself.
 */
export function renderNotification(notification: Notification, reader: string | null = null) {
  const { content } = notification
  return {
    id: notification.id,
    user_id: notification.userId ?? reader,
    title: content.title,
    message: content.message,
    type: content.type,
    priority: content.priority,
    data: content.data,
    timestamp: epochSeconds(notification.createdAt),
    read: notification.readAt !== null,
    channels: content.channels,
    ...present('category', content.category),
    ...present('severity', content.severity),
    ...present('icon', content.icon),
    ...present('action_url', content.actionUrl),
    ...present('entity_type', content.entityType),
    ...present('entity_id', content.entityId),
    ...present('customer_id', content.customerId),
    ...present('event', content.event),
    ...(notification.userId === null && { broadcast_id: notification.id }),
    created_at: rfc3339(notification.createdAt),
    read_at: rfc3339(notification.readAt),
  }
}

/** The same as it comes live, with its place in the inbox: what a device has up to one place, it has seen. */
export function renderLiveNotification(notification: Notification) {
  return { ...renderNotification(notification), seq: notification.seq }
}

/** The same with the names of the xynap document beside it (X33). */
export function renderXynapNotification(notification: Notification, reader: string) {
  return {
    ...renderNotification(notification, reader),
    uuid: notification.id,
    tenant_id: notification.tenant,
    channel: 'app' as const,
    body: notification.content.message,
  }
}

/** The same with the names of the CoreBanq document beside it (C09, C11). */
export function renderCoreBanqNotification(notification: Notification, reader: string) {
  const linkText = notification.content.data['link_text']
  return {
    ...renderNotification(notification, reader),
    content: notification.content.message,
    ...present('link_url', notification.content.actionUrl),
    ...(typeof linkText === 'string' && { link_text: linkText }),
    ...present('rec_type', notification.content.entityType),
    ...present('rec_id', notification.content.entityId),
  }
}

function present<K extends string, V>(key: K, value: V | undefined) {
  return value === undefined ? {} : ({ [key]: value } as Record<K, V>)
}
