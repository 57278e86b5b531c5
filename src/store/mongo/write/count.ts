import type { MongoContext } from '../context.ts'
import type { Outgoing } from './effects.ts'

/**
 * Counts the batch of a node from what it sends out; nothing when it is counted already. What is sent out is taken off
 * only after this, so a batch that is not counted yet is found whole.
 */
export async function countBatch(
  { collections }: Pick<MongoContext, 'collections'>,
  {
    node,
    number,
    highWaterAt,
  }: { readonly node: string; readonly number: number; readonly highWaterAt: number },
  outgoing: readonly Outgoing[],
): Promise<void> {
  const accepted = outgoing.filter(({ part }) => part.accepted === 1)
  const deadLettered = accepted.filter(({ effects }) => effects.deadLetter !== undefined).length
  await collections.nodes.updateOne(
    { _id: node, batch: { $lt: number } },
    {
      $set: { batch: number },
      $inc: { commits: 1, accepted: accepted.length, deadLettered },
      $max: { highWaterAt },
    },
  )
}
