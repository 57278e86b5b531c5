import { fault } from '../../../errors.ts'
import type { JournalDocument } from '../collections.ts'
import type { MongoContext } from '../context.ts'
import { refusalOf } from './alert.ts'
import { outgoingOf } from './effects.ts'
import { writeOut } from './write-out.ts'

/** Who holds a key for an alert's write and has not made that for so long is lost. */
export const PREPARED_MS = 5000
/** Looks at a key that another is about to keep; each takes as long as the server needs to answer. */
const LOOKS = 500

/** What came of trying to keep a key that somebody has. */
export type Taken = { readonly kind: 'ours' } | { readonly kind: 'duplicate'; readonly result: string }

/**
 * Takes the place of a key whose time is over or whose acceptance was lost on its way, or answers with what was accepted
 * under it.
 */
export async function takeKey(context: MongoContext, wanted: JournalDocument): Promise<Taken> {
  const { journal } = context.collections
  const { _id, at } = wanted
  for (let look = 0; look < LOOKS; look++) {
    const known = await journal.findOne({ _id })
    if (known?.by === wanted.by) return { kind: 'ours' }
    if (!known) {
      const { upsertedCount } = await journal.updateOne({ _id }, { $setOnInsert: wanted }, { upsert: true })
      if (upsertedCount > 0) return { kind: 'ours' }
    } else if (known.state === 'kept') {
      // What follows from it may have been lost with who accepted it.
      if (known.pending.some(({ node }) => node !== context.node))
        await writeOut(context, outgoingOf('journal', known))
      if ((known.expiresAt ?? 0) > at) return { kind: 'duplicate', result: known.result }
      const { modifiedCount } = await journal.replaceOne({ _id, by: known.by, pending: [] }, wanted)
      if (modifiedCount > 0) return { kind: 'ours' }
    } else if (await isCommitted(context, known)) return { kind: 'duplicate', result: known.result }
    else if ((known.preparedAt ?? 0) < context.clock.now() - PREPARED_MS && (await refuse(context, known))) {
      const { modifiedCount } = await journal.replaceOne({ _id, by: known.by, state: 'prepared' }, wanted)
      if (modifiedCount > 0) return { kind: 'ours' }
    }
  }
  throw fault('store.busy', 'Another node is storing the same message')
}

/** Whether the alert's write happened that a key was prepared for; once that is written out the key is `kept`. */
export async function isCommitted(
  { collections }: MongoContext,
  { by, alert }: JournalDocument,
): Promise<boolean> {
  if (!alert) return false
  return (
    (await collections.alerts.findOne({ _id: alert._id, 'pending.id': by }, { projection: { _id: 1 } })) !==
    null
  )
}

/**
 * Sees to it that the alert's write which a key was prepared for does not happen any more; false when it has. An alert that
 * was to be opened is refused by the dedup key that the next one takes.
 */
export async function refuse(
  { collections }: MongoContext,
  { by, alert }: JournalDocument,
): Promise<boolean> {
  if (!alert || alert.kind === 'open') return true
  const mark = refusalOf(by)
  const { matchedCount } = await collections.alerts.updateOne(
    { _id: alert._id, 'pending.id': { $ne: by } },
    { $push: { marks: { $each: [mark], $slice: -50 } } },
  )
  return (
    matchedCount > 0 ||
    (await collections.alerts.findOne({ _id: alert._id }, { projection: { _id: 1 } })) === null
  )
}
