import Type, { type Static } from 'typebox'
import type { Context, Decision, Draft } from '#engine'
import { Data, MessageId, Priority, SendAt, sendAtMs, Severity, Span, spanMs, Text } from './fields.ts'

export const NotificationBody = Type.Object(
  {
    message: Text,
    title: Type.Optional(Type.String({ maxLength: 255, default: 'Notification' })),
    type: Type.Optional(Type.String({ maxLength: 50, default: 'info' })),
    priority: Priority,
    data: Data,
    id: MessageId,
    category: Type.Optional(Type.String({ maxLength: 30 })),
    severity: Severity,
    icon: Type.Optional(Type.String({ maxLength: 50 })),
    action_url: Type.Optional(Type.String({ maxLength: 500 })),
    entity_type: Type.Optional(Type.String({ maxLength: 30 })),
    entity_id: Type.Optional(Type.String({ maxLength: 36 })),
    customer_id: Type.Optional(Type.String({ maxLength: 64 })),
    event: Type.Optional(Type.String({ maxLength: 100 })),
    ttl: Span,
    send_at: SendAt,
  },
  {
    examples: [
      {
        message: 'You have a new message from John',
        title: 'New Message',
        type: 'message',
        priority: 'normal',
        data: { message_id: 'msg456' },
      },
    ],
  },
)
type NotificationBody = Static<typeof NotificationBody>

export const BroadcastBody = Type.Object(
  {
    message: Text,
    title: Type.Optional(Type.String({ maxLength: 255, default: 'System Notification' })),
    type: Type.Optional(Type.String({ maxLength: 50, default: 'system' })),
    target_groups: Type.Optional(Type.Array(Type.String(), { description: 'Empty or absent: everybody' })),
    data: Data,
    id: MessageId,
    category: Type.Optional(Type.String({ maxLength: 30 })),
    severity: Severity,
    icon: Type.Optional(Type.String({ maxLength: 50 })),
    action_url: Type.Optional(Type.String({ maxLength: 500 })),
  },
  {
    examples: [
      {
        message: 'The system will be down from 22:00 to 23:00',
        title: 'Maintenance',
        target_groups: ['ops'],
      },
    ],
  },
)
type BroadcastBody = Static<typeof BroadcastBody>

function draftOf({ body, now }: { readonly body: NotificationBody; readonly now: number }): Draft {
  return {
    message: body.message,
    title: body.title,
    type: body.type,
    priority: body.priority,
    data: body.data,
    category: body.category,
    severity: body.severity,
    icon: body.icon,
    actionUrl: body.action_url,
    entityType: body.entity_type,
    entityId: body.entity_id,
    customerId: body.customer_id,
    event: body.event,
    sendAt: sendAtMs(body.send_at, now),
    ttlMs: spanMs('ttl', body.ttl),
  }
}

/** R17-R20: answers `{status: "sent", notification_id, channels}`. */
export function sendUserNotification(context: Context<{ userId: string }, NotificationBody>): Decision {
  return { kind: 'notify', to: { user: context.params.userId }, draft: draftOf(context) }
}

/** R31: every member at the time of sending, each with their own preferences; `{status: "group_sent", group_id, sent_count}`. */
export function sendGroupNotification(context: Context<{ groupId: string }, NotificationBody>): Decision {
  return { kind: 'notify', to: { group: context.params.groupId }, draft: draftOf(context) }
}

/** R21: stored once for everybody; `{status: "broadcast_sent", broadcast_id, sent_count}`. */
export function broadcastNotification(context: Context<object, BroadcastBody>): Decision {
  const { body } = context
  return {
    kind: 'notify',
    to: { broadcast: body.target_groups ?? [] },
    draft: {
      message: body.message,
      title: body.title ?? 'System Notification',
      type: body.type ?? 'system',
      data: body.data,
      category: body.category,
      severity: body.severity,
      icon: body.icon,
      actionUrl: body.action_url,
    },
  }
}
