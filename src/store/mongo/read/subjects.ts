import type { Alert } from '../../../alert/alert.ts'
import type { Notification } from '../../../notification/notification.ts'
import type { DeliveryDocument } from '../collections.ts'
import type { MongoContext } from '../context.ts'
import { readAlert } from '../document/alert.ts'
import { keyOf } from '../document/key.ts'
import { readingIdOf, readNotification } from '../document/notification.ts'

/** What deliveries are about. */
export interface Subjects {
  /** As its recipient sees it, deleted or not. */
  notification(of: DeliveryDocument): Notification | null
  alert(of: DeliveryDocument): Alert | null
}

/** Reads what these deliveries are about, all at once. */
export async function subjectsOf(
  { collections }: Pick<MongoContext, 'collections'>,
  deliveries: readonly DeliveryDocument[],
): Promise<Subjects> {
  const ofKind = (kind: string) => [
    ...new Set(
      deliveries.flatMap(({ subjectKind, tenant, subjectId }) =>
        subjectKind === kind ? [keyOf(tenant, subjectId)] : [],
      ),
    ),
  ]
  const [notificationIds, alertIds] = [ofKind('notification'), ofKind('alert')]
  const readingIds = deliveries.flatMap(({ subjectKind, tenant, subjectId, userId }) =>
    subjectKind === 'notification' && userId !== null ? [readingIdOf(tenant, userId, subjectId)] : [],
  )
  const [notifications, alerts] = await Promise.all([
    notificationIds.length === 0
      ? []
      : collections.notifications.find({ _id: { $in: notificationIds } }).toArray(),
    alertIds.length === 0 ? [] : collections.alerts.find({ _id: { $in: alertIds } }).toArray(),
  ])
  const shared = notifications.some(({ userId }) => userId === null)
  const readings = shared ? await collections.reading.find({ _id: { $in: readingIds } }).toArray() : []
  const noted = new Map(notifications.map((row) => [row._id, row]))
  const alerted = new Map(alerts.map((row) => [row._id, row]))
  const read = new Map(readings.map((row) => [row._id, row]))
  return {
    notification({ subjectKind, tenant, subjectId, userId }) {
      const row = subjectKind === 'notification' ? noted.get(keyOf(tenant, subjectId)) : undefined
      if (!row) return null
      return readNotification(
        row,
        userId === null ? null : (read.get(readingIdOf(tenant, userId, subjectId)) ?? null),
      )
    },
    alert({ subjectKind, tenant, subjectId }) {
      const row = subjectKind === 'alert' ? alerted.get(keyOf(tenant, subjectId)) : undefined
      return row ? readAlert(row) : null
    },
  }
}
