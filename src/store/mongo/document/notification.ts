import type { TenantId } from '../../../access/principal.ts'
import type { Notification, NotificationContent } from '../../../notification/notification.ts'
import type { NewNotification } from '../../store.ts'
import type { NotificationDocument, ReadingDocument } from '../collections.ts'
import { keyOf } from './key.ts'

/** A new entry, unread, at its place in the tenant's order. */
export function notificationDocument(notification: NewNotification, seq: number): NotificationDocument {
  const { tenant, id, userId, audience, origin, content, createdAt } = notification
  return {
    _id: keyOf(tenant, id),
    tenant,
    id,
    seq,
    userId,
    audience,
    principal: origin.principal,
    messageId: origin.messageId,
    topic: origin.topic,
    category: content.category ?? null,
    customerId: content.customerId ?? null,
    createdAt,
    content: JSON.stringify(content),
    state: 0,
    readAt: null,
  }
}

/** Where the document is that says what a person did with a broadcast. */
export function readingIdOf(tenant: string, userId: string, notificationId: string): string {
  return keyOf(tenant, userId, notificationId)
}

/** The entry as a person sees it, who did `reading` with it where it is a broadcast. */
export function readNotification(
  document: NotificationDocument,
  reading: Pick<ReadingDocument, 'readAt'> | null = null,
): Notification {
  const { principal, messageId, topic } = document
  return {
    seq: document.seq,
    id: document.id,
    tenant: document.tenant as TenantId,
    userId: document.userId,
    audience: document.audience,
    origin: { principal, messageId, topic },
    content: JSON.parse(document.content) as NotificationContent,
    createdAt: document.createdAt,
    readAt: document.userId === null ? (reading?.readAt ?? null) : document.readAt,
  }
}
