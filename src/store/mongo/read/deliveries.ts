import type { mongo } from 'mongoose'
import { decodeCursor, pageOf } from '../../cursor.ts'
import type { DeliveryQuery, DigestContents, Store } from '../../store.ts'
import type { DeliveryDocument } from '../collections.ts'
import type { MongoContext } from '../context.ts'
import { readAlert } from '../document/alert.ts'
import { readAttempts, readDelivery } from '../document/delivery.ts'
import { keyOf } from '../document/key.ts'
import { readNotification } from '../document/notification.ts'
import { beyond } from './alerts.ts'

/** The reads about deliveries and what digests hold of them. */
export function deliveryReads(
  context: MongoContext,
): Pick<Store, 'deliveries' | 'delivery' | 'digestContents'> {
  const { pipeline, collections } = context
  const { deliveries } = collections
  return {
    deliveries: (query) =>
      pipeline.read(async () => {
        const { limit, subjectId } = query
        const rows = await deliveries
          .find(filterOf(query))
          .sort(subjectId === undefined ? { createdAt: -1, subjectId: -1, ordinal: -1 } : { ordinal: 1 })
          .limit(limit + 1)
          .toArray()
        const position = (row: DeliveryDocument) =>
          subjectId === undefined ? [row.createdAt, row.subjectId, row.ordinal] : [row.ordinal]
        return pageOf(rows, limit, { item: readDelivery, position })
      }),
    delivery: (tenant, id) =>
      pipeline.read(async () => {
        const row = await deliveries.findOne({ _id: keyOf(tenant, id) })
        return row && { delivery: readDelivery(row), attempts: readAttempts(row) }
      }),
    digestContents: (tenant, digestId, limit) =>
      pipeline.read(() => contentsOf(context, { tenant, digestId, limit })),
  }
}

function filterOf(query: DeliveryQuery): mongo.Filter<DeliveryDocument> {
  const { tenant, subjectId, userId, channel, state, since, digestId, cursor } = query
  const own = {
    tenant,
    ...(subjectId !== undefined && { subjectId }),
    ...(userId !== undefined && { userId }),
    ...(channel !== undefined && { channel }),
    ...(state !== undefined && { state }),
    ...(digestId !== undefined && { digestId }),
  }
  const from = since === undefined ? [] : [{ createdAt: { $gte: since } }]
  if (subjectId !== undefined) {
    const after = decodeCursor(cursor, [0])
    return { ...own, $and: [{}, ...from, ...(after ? [{ ordinal: { $gt: after[0] } }] : [])] } as typeof own
  }
  const after = decodeCursor(cursor, [0, '', 0])
  const rest = after ? [beyond('$lt', { createdAt: after[0], subjectId: after[1], ordinal: after[2] })] : []
  return { ...own, $and: [{}, ...from, ...rest] } as typeof own
}

async function contentsOf(
  { collections }: MongoContext,
  { tenant, digestId, limit }: { readonly tenant: string; readonly digestId: string; readonly limit: number },
): Promise<DigestContents> {
  const rows = await collections.deliveries
    .find({ digestId, tenant }, { projection: { subjectId: 1, subjectKind: 1 } })
    .toArray()
  const idsOf = (kind: string) => [
    ...new Set(rows.flatMap((row) => (row.subjectKind === kind ? [keyOf(tenant, row.subjectId)] : []))),
  ]
  const [notified, alerted] = [idsOf('notification'), idsOf('alert')]
  const [notifications, alerts] = await Promise.all([
    collections.notifications
      .find({ _id: { $in: notified } })
      .sort({ seq: -1 })
      .limit(limit)
      .toArray(),
    collections.alerts
      .find({ _id: { $in: alerted } })
      .sort({ order: -1, _id: -1 })
      .toArray(),
  ])
  const firing = alerts.toSorted((a, b) => Number(a.status !== 'firing') - Number(b.status !== 'firing'))
  return {
    count: rows.length,
    notificationCount: rows.filter(({ subjectKind }) => subjectKind === 'notification').length,
    notifications: notifications.map((row) => readNotification(row)),
    alertCount: alerted.length,
    alerts: firing.slice(0, limit).map(readAlert),
  }
}
