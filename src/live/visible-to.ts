import type { Notification } from '../notification/notification.ts'
import type { InboxReader } from '../store/store.ts'

/**
 * Whether a notification goes to this person's live connections. A personal one does when the plan chose `realtime`
 * (R19); a broadcast does when the person is in one of its groups, or it has none (R21). Never across tenants.
 */
export function visibleTo(notification: Notification, reader: InboxReader): boolean {
  if (notification.tenant !== reader.tenant) return false
  if (notification.userId !== null)
    return notification.userId === reader.userId && notification.content.channels.includes('realtime')
  return (
    notification.audience.length === 0 || notification.audience.some((group) => reader.groups.includes(group))
  )
}
