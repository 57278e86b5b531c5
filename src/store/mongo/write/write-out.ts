import mongoose, { type mongo } from 'mongoose'
import type { MongoContext } from '../context.ts'
import { keyOf } from '../document/key.ts'
import type { DeliveryDocument, JournalDocument } from '../collections.ts'
import type { Effects, Outgoing } from './effects.ts'
import { insertMissing } from './server-error.ts'

type Target = Pick<MongoContext, 'collections' | 'appendAudit'>

/**
 * Writes effects out under ids of their own: what is there already stays as it is, so this may be repeated, also by
 * several at once. What a delivery is about is there before it, and old pages end before new ones begin.
 */
export async function writeOut(target: Target, outgoing: readonly Outgoing[]): Promise<void> {
  if (outgoing.length === 0) return
  const { collections } = target
  const all = outgoing.map(({ effects }) => effects)
  await Promise.all([
    insertAll(
      collections.notifications,
      all.flatMap(({ notifications = [] }) => notifications),
    ),
    insertAll(
      collections.timeline,
      all.flatMap(({ timeline = [] }) => timeline),
    ),
    insertAll(
      collections.dispatches,
      all.flatMap(({ dispatches = [] }) => dispatches),
    ),
    insertAll(
      collections.outbox,
      all.flatMap(({ outbox = [] }) => outbox),
    ),
    putAll(collections.states, all.flatMap(stateWrites)),
    putAll(collections.dead_letters, all.flatMap(deadLetterWrites)),
    putAll(collections.journal, all.flatMap(keepWrites)),
    cancelPages(target, all),
    appendAudits(target, outgoing),
  ])
  const deliveries = all.flatMap(({ deliveries = [] }) => deliveries)
  await Promise.all([
    insertAll(collections.deliveries, deliveries),
    insertAll(
      collections.releases,
      all.flatMap(({ releases = [] }) => releases),
    ),
  ])
  for (const delivery of deliveries) if (delivery.resendOf !== null) await nameResend(target, delivery)
}

/** Takes off what is written out. Need not outlive a crash: what is written out again changes nothing. */
export async function clear(
  { collections }: Pick<Target, 'collections'>,
  outgoing: readonly Outgoing[],
): Promise<void> {
  const options = { writeConcern: { w: 1 }, ordered: false } as const
  const journal = outgoing.filter(({ from }) => from === 'journal')
  const work: Promise<unknown>[] = []
  if (journal.length > 0) {
    const ids = journal.map(({ _id }) => _id)
    const by = journal.map(({ part }) => part.id)
    // A document under a key stays until its time is over, any other has served.
    const which = { _id: { $in: ids }, by: { $in: by } }
    const operations: mongo.AnyBulkWriteOperation<JournalDocument>[] = [
      { deleteMany: { filter: { ...which, expiresAt: { $exists: false } } } },
      { updateMany: { filter: which, update: { $set: { pending: [] } } } },
    ]
    work.push(collections.journal.bulkWrite(operations, { ...options, ordered: true }))
  }
  for (const from of ['alerts', 'deliveries', 'digests'] as const) {
    const parts = outgoing.filter((each) => each.from === from)
    if (parts.length === 0) continue
    const operations = parts.map(({ _id, part }) => ({
      updateOne: { filter: { _id }, update: { $pull: { pending: { id: part.id } } } },
    }))
    work.push(collections[from as 'alerts'].bulkWrite(operations as never, options))
  }
  await Promise.all(work)
}

async function insertAll<T extends { readonly _id: string }>(
  collection: mongo.Collection<T>,
  documents: readonly T[],
): Promise<void> {
  if (documents.length === 0) return
  // The driver's types ask for documents that it may add an id to; these have one.
  await insertMissing(collection.insertMany(documents as never, { ordered: false }))
}

async function putAll<T extends mongo.Document>(
  collection: mongo.Collection<T>,
  operations: readonly mongo.AnyBulkWriteOperation<T>[],
): Promise<void> {
  if (operations.length === 0) return
  // What is newer there already shows as a duplicate.
  await insertMissing(collection.bulkWrite(operations, { ordered: false }))
}

function stateWrites({ states = [] }: Effects) {
  return states.map(({ _id, order, ...rest }) => ({
    updateOne: { filter: { _id, order: { $lt: order } }, update: { $set: { ...rest, order } }, upsert: true },
  }))
}

/** A letter that fails again on replay stays in its place, with its new reason. */
function deadLetterWrites({ deadLetter }: Effects) {
  if (!deadLetter) return []
  const { _id, code, reason, replays, changed, payload, ...first } = deadLetter
  const bytes = new mongoose.mongo.Binary(Buffer.from(payload, 'base64'))
  return [
    {
      updateOne: {
        filter: { _id, changed: { $lt: changed } },
        update: { $set: { code, reason, replays, changed }, $setOnInsert: { ...first, payload: bytes } },
        upsert: true,
      },
    },
  ]
}

function keepWrites({ keep }: Effects): mongo.AnyBulkWriteOperation<JournalDocument>[] {
  if (!keep) return []
  const { _id, by, result, at, expiresAt, prepared } = keep
  if (prepared)
    return [
      {
        updateOne: {
          filter: { _id, by, state: 'prepared' },
          update: { $set: { state: 'kept' }, $unset: { preparedAt: '' as const, alert: '' as const } },
        },
      },
    ]
  const kept = { state: 'kept' as const, by, result, at, expiresAt }
  return [
    {
      updateOne: {
        filter: { _id, at: { $lte: at }, state: 'kept' },
        update: { $set: kept, $setOnInsert: { pending: [] } },
        upsert: true,
      },
    },
  ]
}

async function cancelPages({ collections }: Target, all: readonly Effects[]): Promise<void> {
  const operations = all.flatMap(({ cancel }) => {
    if (!cancel) return []
    const { tenant, alertId, version, reason, userId } = cancel
    const whose = userId === undefined ? {} : { userId }
    const waiting = { purpose: 'page', state: 'pending', alertVersion: { $lt: version } }
    return [
      {
        updateMany: {
          filter: { subjectId: alertId, tenant, ...waiting, ...whose },
          update: {
            $set: { state: 'cancelled', reason, nextAttemptAt: null },
            $unset: { work: '' as const },
          },
        },
      },
    ]
  })
  if (operations.length > 0) await collections.deliveries.bulkWrite(operations, { ordered: false })
}

async function appendAudits({ appendAudit }: Target, outgoing: readonly Outgoing[]): Promise<void> {
  for (const { effects, part } of outgoing)
    if (effects.audit !== undefined && effects.audit.length > 0) await appendAudit(effects.audit, part.id)
}

/** Names a delivery as the newest that sends others again: the one it says, and with it everything that that one sent again. */
async function nameResend({ collections }: Target, delivery: DeliveryDocument): Promise<void> {
  const { tenant, ordinal } = delivery
  const chain: string[] = []
  for (let next = delivery.resendOf; next !== null;) {
    const _id = keyOf(tenant, next)
    if (chain.includes(_id)) break
    chain.push(_id)
    const found = await collections.deliveries.findOne({ _id }, { projection: { resendOf: 1 } })
    next = found?.resendOf ?? null
  }
  await collections.deliveries.updateMany({ _id: { $in: chain } }, { $max: { resentAs: ordinal } })
}
