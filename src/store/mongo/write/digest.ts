import type { DigestClosing } from '../../store.ts'
import type { MongoContext } from '../context.ts'
import { closedKeyOf } from '../document/alert.ts'
import { deliveryDocument } from '../document/delivery.ts'
import { keyOf } from '../document/key.ts'
import { placeOf } from '../document/work.ts'
import type { Slot } from './batch.ts'
import { pendingPart } from './effects.ts'
import { resolveHoldings } from './hold.ts'

/** A delivery that was on its way into a digest for so long has arrived or never will. */
const ON_ITS_WAY_MS = 5000

/** The write behind `Store.closeDigest`. */
export async function closeDigest(
  context: MongoContext,
  closing: DigestClosing,
  slot: Slot,
): Promise<'done' | 'stale' | 'fenced'> {
  const { digests } = context.collections
  const { tenant, digestId, workId, token, at, expectCount, summary } = closing
  const _id = keyOf(tenant, digestId)
  const place = placeOf(workId)
  if (place?.letter !== 'g' || place._id !== _id) return 'fenced'
  const { order, node } = context
  const deliveries = summary ? [deliveryDocument(summary, { order: order(), node, alertVersion: 0 })] : []
  const part = summary ? pendingPart(slot, { deliveries }) : null
  const close = () =>
    digests.updateOne(
      { _id, token, 'work.leased': true, count: expectCount, holding: { $size: 0 }, closedAt: null },
      {
        $set: { closedAt: at, openKey: closedKeyOf(_id) },
        $unset: { work: '' },
        ...(part && { $push: { pending: part } }),
      },
    )
  let closed = (await close()).modifiedCount > 0
  if (!closed) {
    await resolveHoldings(context, context.clock.now() - ON_ITS_WAY_MS)
    closed = (await close()).modifiedCount > 0
  }
  if (closed) {
    slot.batch.wrote = true
    if (part) slot.batch.outgoing.push({ from: 'digests', _id, part, effects: { deliveries } })
    return 'done'
  }
  const current = await digests.findOne({ _id, token, 'work.leased': true }, { projection: { _id: 1 } })
  return current ? 'stale' : 'fenced'
}
