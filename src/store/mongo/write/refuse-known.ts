import { UnstorableError } from '../../unstorable-error.ts'
import type { MongoContext } from '../context.ts'
import type { Acceptance, AcceptResult } from '../../store.ts'
import type { JournalDocument, PendingPart } from '../collections.ts'
import type { Slot } from './batch.ts'
import type { Effects } from './effects.ts'
import type { Outcome } from './pipeline.ts'

/** An acceptance on its way. */
export interface Accepting {
  readonly acceptance: Acceptance
  readonly slot: Slot
  readonly effects: Effects
  readonly part: PendingPart
  /** What goes to the journal; null for a change of an alert without a key. */
  readonly entry: JournalDocument | null
  outcome: Outcome<AcceptResult> | null
}

/**
 * Ends acceptances that would make a delivery or dispatch anew which is there already: writing out would leave that as it
 * is, and what is new would be lost. Those that are only repeated go on, their key says so.
 */
export async function refuseKnown(
  { collections }: MongoContext,
  all: readonly Pick<Accepting, 'effects' | 'entry' | 'acceptance' | 'outcome'>[],
): Promise<void> {
  const known = await Promise.all(
    (['deliveries', 'dispatches'] as const).map(async (name) => {
      const ids = all.flatMap(({ effects }) => (effects[name] ?? []).map(({ _id }) => _id))
      if (ids.length === 0) return []
      const found = await collections[name as 'dispatches']
        .find({ _id: { $in: ids } }, { projection: { _id: 1 } })
        .toArray()
      return found.map(({ _id }) => `${name} ${_id}`)
    }),
  )
  const taken = new Set(known.flat())
  if (taken.size === 0) return
  for (const each of all) {
    const { deliveries = [], dispatches = [] } = each.effects
    const clash =
      deliveries.some(({ _id }) => taken.has(`deliveries ${_id}`)) ||
      dispatches.some(({ _id }) => taken.has(`dispatches ${_id}`))
    if (!clash || (await isRepeated(collections, each))) continue
    each.outcome = { error: new UnstorableError('There is a delivery or dispatch of this id') }
  }
}

async function isRepeated(
  { journal }: MongoContext['collections'],
  { entry, acceptance }: Pick<Accepting, 'entry' | 'acceptance'>,
): Promise<boolean> {
  if (entry?.expiresAt === undefined) return false
  const key = { _id: entry._id, expiresAt: { $gt: acceptance.at } }
  return (await journal.findOne(key, { projection: { _id: 1 } })) !== null
}
