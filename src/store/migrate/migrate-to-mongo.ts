import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { mongo } from 'mongoose'
import type { Log } from '../../log.ts'
import { connectMongo } from '../mongo/connection/connect.ts'
import { openSqlite, type Database } from '../sqlite/file/database.ts'
import { lockFolder } from '../sqlite/file/folder-lock.ts'
import { migrate } from '../sqlite/table/migrations.ts'
import { DATA_FILE, MOVED_FILE, readMoved, writeMoved } from '../sqlite/file/folder.ts'
import { alertsOf, deliveriesOf, digestsOf, releasesOf, timelinesOf, type OrderAt } from './alerting.ts'
import {
  auditHeadOf,
  auditOf,
  countersOf,
  countsOf,
  deadLettersOf,
  dispatchesOf,
  keysOf,
  notificationsOf,
  outboxOf,
  readingsOf,
  recordHeadOf,
  recordsOf,
  secretsOf,
  statesOf,
} from './keeping.ts'
import { workOf } from './work.ts'

const BATCH = 500

export interface Migration {
  /** The data folder; nobody else may use it meanwhile. */
  readonly folder: string
  /** Of a database that is empty, or that an earlier try has begun to fill. */
  readonly url: string
  readonly now: number
  readonly log: Log
  /** Told after every collection. */
  readonly onMoved: (collection: string, documents: number) => void
}

/** An earlier or present move into a database, `_id` always the same. */
interface MoveDocument {
  readonly _id: 'move'
  /** Which folder's data, by a name that the folder keeps. */
  readonly from: string
  readonly done: boolean
}

/**
 * Copies everything that a data folder holds into MongoDB: open alerts with their timers, deliveries with their leases,
 * inboxes, keys, records, the audit log with its chain. The state of MQTT sessions is not part of it. A crash leaves the
 * folder as it was, and a database that only the same move goes on with, from the start; nothing is doubled by that. At
 * the end the folder says that it was moved, and is not opened any more. Rejects when the folder is in use or was moved
 * before, and when the database holds anything else.
 */
export async function migrateToMongo(migration: Migration): Promise<void> {
  const { folder, url, log } = migration
  if (!existsSync(join(folder, DATA_FILE)))
    throw new Error(`There is no data in ${folder}: name the folder with --data`)
  const lock = lockFolder(folder)
  try {
    const moved = readMoved(folder)
    const from = moved?.from ?? randomBytes(8).toString('hex')
    const connection = await connectMongo({ url, log, onJump() {}, unfinished: true })
    const target = connection.db
    try {
      if (moved?.done) return await finish(target, folder, from)
      await claimTarget(target, from)
      writeMoved(folder, { from, done: false })
      const source = openSqlite({ file: join(folder, DATA_FILE), readOnly: false })
      try {
        migrate(source)
        await copy(source, target, migration)
      } finally {
        source.close()
      }
      // The folder first: two installations that page the same people would be worse than none.
      writeMoved(folder, { from, done: true })
      await finish(target, folder, from)
    } finally {
      await connection.close()
    }
  } finally {
    lock.release()
  }
}

interface Stored {
  readonly _id: string | number
}

const moves = (db: mongo.Db) =>
  db.collection<MoveDocument>('meta', { writeConcern: { w: 'majority', journal: true } })

async function claimTarget(db: mongo.Db, from: string): Promise<void> {
  const known = await moves(db).findOne({ _id: 'move' })
  if (known?.from === from && !known.done) return
  const used = await Promise.all(
    ['nodes', 'journal', 'alerts', 'notifications', 'records'].map((name) => db.collection(name).findOne({})),
  )
  if (known !== null || used.some((document) => document !== null))
    throw new Error('The database has data already: name an empty one in --url')
  await moves(db).insertOne({ _id: 'move', from, done: false })
}

/** The nodes may start. */
async function finish(db: mongo.Db, folder: string, from: string): Promise<void> {
  const { modifiedCount } = await moves(db).updateOne(
    { _id: 'move', from, done: false },
    { $set: { done: true } },
  )
  if (modifiedCount === 0) throw new Error(`${folder} was moved before, as ${MOVED_FILE} in it says`)
}

async function copy(source: Database, target: mongo.Db, { now, onMoved }: Migration): Promise<void> {
  const work = workOf(source, now)
  const collections: readonly (readonly [name: string, documents: Iterable<Stored>])[] = [
    ['secrets', secretsOf(source)],
    ['records', recordsOf(source)],
    ['record_head', recordHeadOf(source)],
    ['audit', auditOf(source)],
    ['audit_head', auditHeadOf(source)],
    ['notifications', notificationsOf(source)],
    ['reading', readingsOf(source)],
    ['counters', countersOf(source)],
    ['alerts', alertsOf(source, work, growing())],
    ['timeline', timelinesOf(source, growing())],
    ['deliveries', deliveriesOf(source, work)],
    ['digests', digestsOf(source, work)],
    ['releases', releasesOf(source, work)],
    ['dispatches', dispatchesOf(source, growing())],
    ['outbox', outboxOf(source, growing())],
    ['dead_letters', deadLettersOf(source, growing())],
    ['states', statesOf(source)],
    ['journal', keysOf(source)],
    ['nodes', countsOf(source)],
  ]
  for (const [name, documents] of collections) onMoved(name, await fill(target, name, documents))
}

function growing(): OrderAt {
  let last = 0
  return (at) => (last = Math.max(last + 1, at * 1000))
}

async function fill(target: mongo.Db, name: string, documents: Iterable<Stored>): Promise<number> {
  const writeConcern = { w: 'majority', journal: true } as const
  const collection = target.collection<Stored>(name, { writeConcern })
  // What an earlier try has left may not be in the folder any more.
  await collection.deleteMany({})
  let count = 0
  let batch: mongo.AnyBulkWriteOperation<Stored>[] = []
  const flush = async () => {
    if (batch.length > 0) await collection.bulkWrite(batch, { ordered: true })
    count += batch.length
    batch = []
  }
  for (const document of documents) {
    batch.push({ replaceOne: { filter: { _id: document._id }, replacement: document, upsert: true } })
    if (batch.length === BATCH) await flush()
  }
  await flush()
  return count
}
