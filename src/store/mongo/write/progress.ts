import type { DeliveryProgress, ProviderReport, Store } from '../../store.ts'
import type { mongo } from 'mongoose'
import type { DeliveryDocument } from '../collections.ts'
import type { MongoContext } from '../context.ts'
import { keyOf } from '../document/key.ts'
import type { Touch } from './pipeline.ts'

type Step = DeliveryProgress | ProviderReport

/** The write behind `Store.progress`: each step moves what is before it, so it may be repeated. */
export async function progress(
  { collections: { deliveries } }: MongoContext,
  steps: readonly Step[],
): Promise<number> {
  if (steps.length === 0) return 0
  const { modifiedCount } = await deliveries.bulkWrite(steps.flatMap(movesOf))
  return modifiedCount
}

function movesOf(step: Step): mongo.AnyBulkWriteOperation<DeliveryDocument>[] {
  if ('deliveryId' in step) {
    const { tenant, deliveryId, state, reason, at } = step
    const $set = { state, reason, deliveredAt: state === 'delivered' ? at : null }
    return [{ updateOne: { filter: { _id: keyOf(tenant, deliveryId), state: 'sent' }, update: { $set } } }]
  }
  const { subjectId, userId, state, at } = step
  const before = state === 'sent' ? ['pending'] : ['pending', 'sent']
  const filter = { subjectId, userId, channel: 'realtime', state: { $in: before } }
  const moved = { state, deliveredAt: state === 'delivered' ? at : null, nextAttemptAt: null }
  const $unset = { work: '' as const }
  // When it was sent stays what it is.
  return [
    {
      updateMany: { filter: { ...filter, sentAt: null }, update: { $set: { ...moved, sentAt: at }, $unset } },
    },
    { updateMany: { filter: { ...filter, sentAt: { $ne: null } }, update: { $set: moved, $unset } } },
  ]
}

/** What steps touch. */
export function progressTouches(steps: readonly Step[]): readonly Touch[] {
  return [
    ['work', 'end'],
    ...steps.map((step): Touch =>
      'deliveryId' in step
        ? [`delivery ${keyOf(step.tenant, step.deliveryId)}`, 'alone']
        : [`subject ${step.subjectId}`, 'alone'],
    ),
  ]
}

/** The write behind `Store.cancelDelivery`. */
export async function cancelDelivery(
  { collections: { deliveries } }: MongoContext,
  { tenant, id, reason }: Parameters<Store['cancelDelivery']>[0],
): Promise<boolean> {
  const { modifiedCount } = await deliveries.updateOne(
    { _id: keyOf(tenant, id), state: 'pending' },
    { $set: { state: 'cancelled', reason, nextAttemptAt: null }, $unset: { work: '' } },
  )
  return modifiedCount > 0
}
