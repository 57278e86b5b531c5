import { UnstorableError } from '../../unstorable-error.ts'
import type { MongoContext } from '../context.ts'
import type { Acceptance, AcceptResult } from '../../store.ts'
import type { JournalDocument, PendingPart } from '../collections.ts'
import type { Slot } from '../pipeline/batch.ts'
import type { Effects } from '../effect/effects.ts'
import type { Outcome } from '../pipeline/pipeline.ts'

/** What is made once under its id. */
const NAMES = ['notifications', 'deliveries', 'dispatches'] as const

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
 * Ends acceptances that would make a notification, delivery or dispatch anew which is there already: writing out would leave that as it
 * is, and what is new would be lost. Those that are only repeated go on, their key says so.
 */
export async function refuseKnown(
  { collections }: MongoContext,
  all: readonly Pick<Accepting, 'effects' | 'entry' | 'acceptance' | 'outcome'>[],
): Promise<void> {
  const known = await Promise.all(
    NAMES.map(async (name) => {
      const ids = all.flatMap(({ effects }) => (effects[name] ?? []).map(({ _id }) => _id))
      if (ids.length === 0) return []
      const found = await collections[name as 'dispatches']
        .find({ _id: { $in: ids } }, { projection: { _id: 1 } })
        .toArray()
      return found.map(({ _id }) => `${name} ${_id}`)
    }),
  )
  // By whom: null what was there before, else the key of one that comes earlier in this batch.
  const taken = new Map<string, string | null>(known.flat().map((id) => [id, null]))
  for (const each of all) {
    const ids = NAMES.flatMap((name) => (each.effects[name] ?? []).map(({ _id }) => `${name} ${_id}`))
    const holders = ids.flatMap((id) => taken.get(id) ?? (taken.has(id) ? [null] : []))
    const own = each.entry?._id ?? null
    const clash = holders.some((holder) => holder === null || holder !== own)
    if (clash && !(await isRepeated(collections, each)))
      each.outcome = {
        error: new UnstorableError('There is a notification, delivery or dispatch of this id'),
      }
    else for (const id of ids) if (!taken.has(id)) taken.set(id, own ?? id)
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
