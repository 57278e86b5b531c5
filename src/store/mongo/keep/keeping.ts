import type { mongo } from 'mongoose'
import { auditRow } from '../../../audit/entry.ts'
import type { ComponentState, Store } from '../../store.ts'
import { storeError } from '../connection/store-error.ts'
import type { MongoContext } from '../context.ts'
import { keyOf } from '../document/key.ts'
import { plain } from '../document/plain.ts'
import type { KeepingMethods } from '../mongo-store.ts'
import { inTime } from '../pipeline/in-time.ts'
import type { createAuditLog } from '../ledger/audit-log.ts'
import type { KeepCollections } from './collections.ts'
import { conservation } from './conservation.ts'
import { createDeadLetters } from './dead-letters.ts'
import { createDispatches } from './dispatches.ts'
import { createInbox } from '../inbox/inbox.ts'
import { createMarks } from '../inbox/marks.ts'
import { reword } from '../inbox/reword.ts'
import { createOutbox } from './outbox.ts'
import { pruned } from './prune.ts'
import { createRecords } from '../ledger/records.ts'
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
  readonly run: () => Promise<Reply>
}

/** How this half asks and writes. */
interface Ways {
  readonly read: <Reply>(ask: () => Promise<Reply>) => Promise<Reply>
  readonly write: <Reply>(own: Own<Reply>) => Promise<Reply>
}

/** What is kept beside alerts and deliveries, and inboxes, on MongoDB. */
export function keepingOf(context: MongoContext, parts: KeepingParts): KeepingMethods {
  const { pipeline, clock } = context
  const ways: Ways = {
    read: (ask) => pipeline.read(ask),
    write: ({ at = 0, bytes = 500, touches, run }) =>
      pipeline.write({ at, bytes, urgent: true, touches, run: () => translated(run) }),
  }
  const marks = createMarks(
    { ...context.collections, ...parts.own },
    () => clock.now(),
    () => keyOf(context.node, String(context.order())),
  )
  const records = createRecords(parts.own)
  return {
    sessions: parts.sessions,
    ...inboxMethods(context, marks, ways),
    ...heapMethods(context, ways),
    ...ledgerMethods(parts, records, ways),
    ...countingMethods(context, parts, ways),
    prune: (before) =>
      ways.write({
        at: before.now,
        touches: [['everything', 'prune']],
        async run() {
          await marks.finishLeftBehind()
          return pruneAll(context.collections, records, before)
        },
      }),
    ping: () =>
      inTime(clock, SLOW_WRITE_MS, ways.write({ touches: [], run: () => touch(parts.db, context.node) })),
  }
}

function inboxMethods(
  { collections, clock }: MongoContext,
  marks: ReturnType<typeof createMarks>,
  { read, write }: Ways,
): Pick<KeepingMethods, 'mark' | 'reword' | 'inbox' | 'inboxSummary' | 'notification' | 'anyNotification'> {
  const inbox = createInbox(collections, clock)
  return {
    mark: (mark) =>
      write({
        at: mark.at,
        touches: [
          [`inbox ${mark.tenant}`, 'mark'],
          [`inbox ${mark.tenant} ${mark.userId}`, 'alone'],
        ],
        run: () => marks.mark(plain(mark)),
      }),
    reword: (rewording) =>
      write({
        at: rewording.at,
        bytes: JSON.stringify(rewording.content).length + 500,
        touches: [
          [`inbox ${rewording.tenant}`, 'mark'],
          [`inbox ${rewording.tenant} ${rewording.userId}`, 'alone'],
        ],
        run: () => reword(collections, rewording),
      }),
    inbox: (query) => read(async () => inbox.list(plain(query))),
    inboxSummary: (reader) => read(async () => inbox.summary(plain(reader))),
    notification: (reader, id) => read(async () => inbox.one(plain(reader), id)),
    anyNotification: (tenant, id, userId) => read(() => inbox.any(tenant, id, userId)),
  }
}

/** What lies side by side: dead letters, captured messages, states, what was sent for whom. */
function heapMethods(
  { collections }: MongoContext,
  { read, write }: Ways,
): Pick<
  KeepingMethods,
  | 'removeDeadLetter'
  | 'deadLetters'
  | 'deadLetter'
  | 'clearOutbox'
  | 'outbox'
  | 'outboxItem'
  | 'states'
  | 'dispatches'
  | 'batch'
> {
  const letters = createDeadLetters(collections)
  const outbox = createOutbox(collections)
  const dispatches = createDispatches(collections)
  return {
    removeDeadLetter: (tenant, id) =>
      write({ touches: [['dead letters', 'remove']], run: () => letters.remove(tenant, id) }),
    deadLetters: (tenant, page) => read(async () => letters.list(plain({ tenant }).tenant, page)),
    deadLetter: (tenant, id) => read(() => letters.one(tenant, id)),
    clearOutbox: (tenant) =>
      write({ touches: [['outbox', 'clear']], run: async () => outbox.clear(plain({ tenant }).tenant) }),
    outbox: (query) => read(async () => outbox.list(plain(query))),
    outboxItem: (tenant, id) => read(() => outbox.one(tenant, id)),
    states: () => read(() => statesOf(collections.states)),
    dispatches: (query) => read(async () => dispatches.list(plain(query))),
    batch: (tenant, id) => read(async () => dispatches.batch(tenant, plain({ id }).id)),
  }
}

/** What has one order over all nodes, and what is made once. */
function ledgerMethods(
  { own, auditLog }: KeepingParts,
  records: ReturnType<typeof createRecords>,
  { read, write }: Ways,
): Pick<
  KeepingMethods,
  'putRecord' | 'records' | 'audit' | 'auditLog' | 'auditChain' | 'auditHead' | 'secret'
> {
  const secret = createSecrets(own)
  return {
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
    auditLog: (query) => read(async () => auditLog.list(plain(query))),
    auditChain: (after, limit) => read(() => auditLog.chain(after, limit)),
    auditHead: () => read(() => auditLog.head()),
    secret: (name) => write({ touches: [[`secret ${name}`, 'alone']], run: () => secret(name) }),
  }
}

function countingMethods(
  { collections }: MongoContext,
  { db }: KeepingParts,
  { read }: Ways,
): Pick<KeepingMethods, 'deliveryStatistics' | 'conservation'> {
  return {
    deliveryStatistics: (query) => read(async () => deliveryStatistics(collections, plain(query))),
    conservation: (of = 'moving') => read(() => conservation(db, collections, of)),
  }
}

/** At most `limit` rows of each kind; answers with how many it were. */
async function pruneAll(
  collections: MongoContext['collections'],
  records: ReturnType<typeof createRecords>,
  before: Parameters<Store['prune']>[0],
): Promise<number> {
  const { now, limit } = before
  const counts = await Promise.all([
    createDeadLetters(collections).prune(before.deadLetters, limit),
    createOutbox(collections).prune(before.outbox, limit),
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
