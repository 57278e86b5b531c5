import type { Hold } from '../../store.ts'
import type { DigestDocument } from '../collections.ts'
import type { MongoContext } from '../context.ts'
import { openKeyOf } from '../document/alert.ts'
import { keyOf } from '../document/key.ts'
import { newWork } from '../document/work.ts'
import type { Slot } from './batch.ts'
import { isDuplicate } from '../connection/store-error.ts'

/** A delivery on its way into a digest. */
export interface Holding {
  readonly tenant: string
  readonly hold: Hold
  readonly at: number
  /** `_id` of the delivery and the token that it is held with. */
  readonly delivery: string
  readonly token: number
}

/**
 * Counts a delivery onto the open digest of the key, opened with its work when there is none; the digest's `_id` and id.
 * Null and nothing written when its summary comes too late for the message. Until {@link held} or {@link letGo} says what
 * became of the delivery, the digest cannot be closed.
 */
export async function hold(
  { collections: { digests }, order }: MongoContext,
  { tenant, hold: { key, open, expiresAt = Infinity }, at, delivery, token }: Holding,
  slot: Slot,
): Promise<Pick<DigestDocument, '_id' | 'id'> | null> {
  const openKey = openKeyOf(tenant, key)
  const entry = { mark: slot.id, delivery, token, since: slot.batch.since }
  for (;;) {
    const known = await digests.findOne({ openKey }, { projection: { _id: 1, id: 1, dueAt: 1 } })
    if ((known?.dueAt ?? open.dueAt) >= expiresAt) return null
    if (known) {
      const { matchedCount } = await digests.updateOne(
        { _id: known._id, openKey },
        { $inc: { count: 1 }, $push: { holding: entry } },
      )
      if (matchedCount > 0) return known
      continue
    }
    const { id, channel, userId, address, dueAt } = open
    const _id = keyOf(tenant, id)
    const work = newWork(_id, { lane: 'digest', dueAt, order: order() })
    const own = { _id, tenant, id, openKey, channel, userId, address, openedAt: at, dueAt, closedAt: null }
    try {
      await digests.insertOne({ ...own, count: 1, holding: [entry], token: 0, work, marks: [], pending: [] })
      return own
    } catch (error) {
      if (!isDuplicate(error)) throw error
      // The key was free a moment ago; a digest of this id that is none of this key's would never let it in.
      if (!(await digests.findOne({ openKey }, { projection: { _id: 1 } }))) throw error
    }
  }
}

/** The delivery is in the digest. */
export async function held({ collections }: MongoContext, digest: string, mark: string): Promise<void> {
  await collections.digests.updateOne({ _id: digest }, { $pull: { holding: { mark } } })
}

/** The delivery is somebody else's: it does not count, and a digest that was opened for it alone is none. */
export async function letGo(
  { collections: { digests } }: MongoContext,
  digest: string,
  mark: string,
): Promise<void> {
  await digests.updateOne(
    { _id: digest, 'holding.mark': mark },
    { $inc: { count: -1 }, $pull: { holding: { mark } } },
  )
  await digests.deleteOne({ _id: digest, count: 0, holding: { $size: 0 }, closedAt: null })
}

/** Finds out what became of deliveries that were on their way into digests before an instant. */
export async function resolveHoldings(context: MongoContext, before: number): Promise<void> {
  const { digests, deliveries } = context.collections
  for await (const digest of digests.find({ 'holding.since': { $lt: before } }))
    for (const { mark, delivery, token, since } of digest.holding) {
      if (since >= before) continue
      const found = await deliveries.findOne(
        { _id: delivery },
        { projection: { digestId: 1, token: 1, work: 1 } },
      )
      if (found?.digestId === digest.id) await held(context, digest._id, mark)
      // Whoever holds it under this token may still put it in.
      else if (found?.token !== token || found.work?.leased !== true) await letGo(context, digest._id, mark)
    }
}
