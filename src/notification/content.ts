import type { ChannelName } from '../delivery/delivery.ts'
import type { Draft } from './decision.ts'
import type { NotificationContent } from './notification.ts'
import { effectivePriority } from './priority.ts'

/** Fills in the defaults of R17; absent fields stay absent. */
export function contentOf(draft: Draft, now: number, channels: readonly ChannelName[]): NotificationContent {
  return {
    title: draft.title ?? 'Notification',
    message: draft.message,
    type: draft.type ?? 'info',
    priority: effectivePriority(draft.priority, draft.severity),
    data: draft.data ?? {},
    channels,
    ...(draft.category !== undefined && { category: draft.category }),
    ...(draft.severity !== undefined && { severity: draft.severity }),
    ...(draft.icon !== undefined && { icon: draft.icon }),
    ...(draft.actionUrl !== undefined && { actionUrl: draft.actionUrl }),
    ...(draft.entityType !== undefined && { entityType: draft.entityType }),
    ...(draft.entityId !== undefined && { entityId: draft.entityId }),
    ...(draft.customerId !== undefined && { customerId: draft.customerId }),
    ...(draft.event !== undefined && { event: draft.event }),
    ...(draft.ttlMs !== undefined && { expiresAt: now + draft.ttlMs }),
  }
}
