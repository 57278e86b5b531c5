import type { mongo } from 'mongoose'
import { auditRow } from '../../../audit/entry.ts'
import type { Clock } from '../../../clock.ts'
import { fault } from '../../../errors.ts'
import type { ComponentState, Store } from '../../store.ts'
import { storeError } from '../connection/store-error.ts'
import type { MongoContext } from '../context.ts'
import { keyOf } from '../document/key.ts'
import type { KeepingMethods } from '../mongo-store.ts'
import type { createAuditLog } from './audit-log.ts'
import type { KeepCollections } from './collections.ts'
import { conservation } from './conservation.ts'
import { createDeadLetters } from './dead-letters.ts'
import { createDispatches } from './dispatches.ts'
import { createInbox } from './inbox.ts'
import { createMarks } from './marks.ts'
import { createOutbox } from './outbox.ts'
import { pruned } from './prune.ts'
import { createRecords } from './records.ts'
import { createSecrets } from './secrets.ts'
import { deliveryStatistics } from './statistics.ts'

/** A write that takes longer makes the store unready (promise P2). */
const SLOW_WRITE_MS = 5000

export interface KeepingParts {
  readonly db: mongo.Db
  readonly own: KeepCollections
  readonly auditLog: ReturnType<typeof createAuditLog>
  readonly sessions: Store['sessions']
}

/** A write of this half: what it touches, and what it weighs. */
interface Own<Reply> {
  readonly at?: number
  readonly bytes?: number
  /** Those that touch the same happen together, as far as they do so in the same way. */
  readonly touches: readonly (readonly [what: string, how: string])[]
  run(): Promise<Reply>
}

/** What is kept beside alerts and deliveries, and inboxes, on MongoDB. */
export function keepingOf(context: MongoContext, parts: KeepingParts): KeepingMethods {
  const { collections, pipeline, clock } = context
  const { db, own, auditLog } = parts
  const records = createRecords(own)
  const secret = createSecrets(own)
  const letters = createDeadLetters(collections)
  const outbox = createOutbox(collections)
  const dispatches = createDispatches(collections)
  const inbox = createInbox(collections, clock)
  const marks = createMarks({ ...collections, ...own }, clock.now, () =>
    keyOf(context.node, String(context.order())),
  )

  const read = <Reply>(ask: () => Promise<Reply>) => pipeline.read(ask)
  const write = <Reply>({ at = 0, bytes = 500, touches, run }: Own<Reply>): Promise<Reply> =>
    pipeline.write({ at, bytes, urgent: true, touches, run: () => translated(run) })

  return {
    sessions: parts.sessions,
    mark: (mark) =>
      write({
        at: mark.at,
        touches: [
          [`inbox ${mark.tenant}`, 'mark'],
          [`inbox ${mark.tenant} ${mark.userId}`, 'alone'],
        ],
        run: () => marks.mark(mark),
      }),
    inbox: (query) => read(() => inbox.list(query)),
    inboxSummary: (reader) => read(() => inbox.summary(reader)),
    notification: (reader, id) => read(() => inbox.one(reader, id)),
    anyNotification: (tenant, id, userId) => read(() => inbox.any(tenant, id, userId)),

    removeDeadLetter: (tenant, id) =>
      write({ touches: [['dead letters', 'remove']], run: () => letters.remove(tenant, id) }),
    deadLetters: (tenant, page) => read(() => letters.list(tenant, page)),
    deadLetter: (tenant, id) => read(() => letters.one(tenant, id)),

    clearOutbox: (tenant) => write({ touches: [['outbox', 'clear']], run: () => outbox.clear(tenant) }),
    outbox: (query) => read(() => outbox.list(query)),
    outboxItem: (tenant, id) => read(() => outbox.one(tenant, id)),

    putRecord: (change) =>
      write({
        at: change.changedAt,
        bytes: change.doc ? JSON.stringify(change.doc).length + 500 : 500,
        touches: [['records', 'put']],
        run: () => records.put(change),
      }),
    records: (limit, cursor) => read(() => records.list(limit, cursor)),

    audit: (entries) =>
      write({
        at: entries.reduce((latest, entry) => Math.max(latest, entry.at), 0),
        bytes: entries.length * 500,
        touches: [['audit', 'add']],
        run: () => auditLog.append({ rows: entries.map(auditRow), source: null }),
      }),
    auditLog: (query) => read(() => auditLog.list(query)),
    auditChain: (after, limit) => read(() => auditLog.chain(after, limit)),
    auditHead: () => read(() => auditLog.head()),

    secret: (name) => write({ touches: [[`secret ${name}`, 'alone']], run: () => secret(name) }),
    states: () => read(() => statesOf(collections.states)),
    dispatches: (query) => read(() => dispatches.list(query)),
    batch: (tenant, id) => read(() => dispatches.batch(tenant, id)),
    deliveryStatistics: (query) => read(() => deliveryStatistics(collections, query)),
    conservation: (of = 'moving') => read(() => conservation(db, collections, of)),

    prune: (before) =>
      write({
        at: before.now,
        touches: [['everything', 'prune']],
        async run() {
          const { now, limit } = before
          await marks.finishLeftBehind()
          const counts = await Promise.all([
            letters.prune(before.deadLetters, limit),
            outbox.prune(before.outbox, limit),
            records.prune(before.records, limit),
            // What is not written out yet is looked for by its key.
            pruned(
              collections.journal,
              { expiresAt: { $lte: now }, pending: { $size: 0 } },
              { sort: { expiresAt: 1 }, limit },
            ),
            pruned(
              collections.digests,
              { closedAt: { $lt: before.deadLetters, $gte: 0 } },
              { sort: { closedAt: 1 }, limit },
            ),
          ])
          return counts.reduce((sum, count) => sum + count, 0)
        },
      }),
    ping: () => inTime(clock, write({ touches: [], run: () => touch(db, context.node) })),
  }
}

async function translated<Reply>(run: () => Promise<Reply>): Promise<Reply> {
  try {
    return await run()
  } catch (error) {
    throw storeError(error)
  }
}

async function statesOf(states: MongoContext['collections']['states']) {
  const found = await states.find({}).sort({ _id: 1 }).toArray()
  return found.map(({ tenant, name, state }) => ({
    // What was stored is what the port gave.
    tenant: tenant as Awaited<ReturnType<Store['states']>>[number]['tenant'],
    name,
    state: JSON.parse(state) as ComponentState['state'],
  }))
}

/** One write that a majority has in its journal. */
async function touch(db: mongo.Db, node: string): Promise<void> {
  const writeConcern = { w: 'majority', journal: true } as const
  await db
    .collection<{ readonly _id: string; readonly count: number }>('meta', { writeConcern })
    .updateOne({ _id: 'ping' }, { $inc: { count: 1 }, $set: { node } }, { upsert: true })
}

async function inTime(clock: Clock, written: Promise<void>): Promise<void> {
  let cancel = () => {}
  const late = new Promise<never>((_, reject) => {
    cancel = clock.at(clock.now() + SLOW_WRITE_MS, () =>
      reject(fault('store.unavailable', `MongoDB takes longer than ${SLOW_WRITE_MS / 1000} s for a write`)),
    )
  })
  try {
    await Promise.race([written, late])
  } finally {
    cancel()
  }
}
