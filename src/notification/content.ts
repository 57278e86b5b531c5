import type { ChannelName } from '../delivery/delivery.ts'
import type { Draft } from './decision.ts'
import type { NotificationContent } from './notification.ts'
import { effectivePriority } from './priority.ts'

/** Fills in the defaults of R17; absent fields stay absent. */
export function contentOf(draft: Draft, now: number, channels: readonly ChannelName[]): NotificationContent {
  const content: { -readonly [Field in keyof NotificationContent]: NotificationContent[Field] } = {
    title: draft.title ?? 'Notification',
    message: draft.message,
    type: draft.type ?? 'info',
    priority: effectivePriority(draft.priority, draft.severity),
    data: draft.data ?? {},
    channels,
  }
  // One by one: nine conditional spreads cost more than the rest of the notification.
  if (draft.category !== undefined) content.category = draft.category
  if (draft.severity !== undefined) content.severity = draft.severity
  if (draft.icon !== undefined) content.icon = draft.icon
  if (draft.actionUrl !== undefined) content.actionUrl = draft.actionUrl
  if (draft.entityType !== undefined) content.entityType = draft.entityType
  if (draft.entityId !== undefined) content.entityId = draft.entityId
  if (draft.customerId !== undefined) content.customerId = draft.customerId
  if (draft.event !== undefined) content.event = draft.event
  if (draft.ttlMs !== undefined) content.expiresAt = now + draft.ttlMs
  return content
}
