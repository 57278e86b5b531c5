import type { CounterDocument } from '../collections.ts'
import type { MongoContext } from '../context.ts'
import type { Batch } from './batch.ts'
import { isDuplicate } from '../connection/store-error.ts'

type Target = Pick<MongoContext, 'collections'>

/** The name under which a batch's numbers are in flight. */
function nameOf({ node, number }: Pick<Batch, 'node' | 'number'>): string {
  return `${node}_${number}`
}

/**
 * The first of `count` numbers of a tenant that nobody else gets. They are in flight until {@link land}: whoever reads
 * upwards stops before them, so that none of them is passed over.
 */
export async function takeNumbers(
  { collections: { counters } }: Target,
  batch: Batch,
  { tenant, count }: { readonly tenant: string; readonly count: number },
): Promise<number> {
  for (;;) {
    const known = await counters.findOne({ _id: tenant }, { projection: { next: 1 } })
    const from = known?.next ?? 1
    const flight = { [`inflight.${nameOf(batch)}`]: { from, since: batch.since } }
    try {
      const { matchedCount, upsertedCount } = await counters.updateOne(
        { _id: tenant, next: from },
        { $set: { next: from + count, ...flight } },
        { upsert: known === null },
      )
      if (matchedCount + upsertedCount > 0) return from
    } catch (error) {
      // Somebody else was the tenant's first.
      if (!isDuplicate(error)) throw error
    }
  }
}

/**
 * Everything that has these numbers is visible. False when somebody took this batch for lost: readers may have passed its
 * numbers by then.
 */
export async function land(
  { collections: { counters } }: Target,
  batch: Pick<Batch, 'node' | 'number'>,
  tenant: string,
): Promise<boolean> {
  const name = `inflight.${nameOf(batch)}`
  const { modifiedCount } = await counters.updateOne(
    { _id: tenant, [name]: { $exists: true } },
    { $unset: { [name]: '' } },
    { writeConcern: { w: 1 } },
  )
  return modifiedCount > 0
}

/** The batches of a counter whose numbers are in flight since before an instant. */
export function inFlightBefore(
  { inflight }: CounterDocument,
  before: number,
): readonly { readonly node: string; readonly number: number }[] {
  return Object.entries(inflight ?? {}).flatMap(([name, { since }]) => {
    const [node, number] = name.split('_')
    return since < before && node !== undefined ? [{ node, number: Number(number) }] : []
  })
}
