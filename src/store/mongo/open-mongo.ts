import type { Log } from '../../log.ts'
import type { Metrics } from '../../metrics.ts'
import type { QueueLimits } from '../commit-queue.ts'
import type { Store } from '../store.ts'
import { collectionsOf, type Collections } from './collections.ts'
import { connectMongo } from './connection/connect.ts'
import { createAuditLog } from './keep/audit-log.ts'
import { keepCollectionsOf } from './keep/collections.ts'
import { keepingOf } from './keep/keeping.ts'
import { createMongoStore } from './mongo-store.ts'

export interface MongoOptions {
  /** With credentials; its path names the database. */
  readonly url: string
  readonly log: Log
  readonly metrics: Metrics | undefined
  readonly limits: QueueLimits
  /** Where MQTT sessions are kept. */
  readonly sessions: Store['sessions']
  /** Test only: puts something between the store and its collections. */
  readonly wrap?: (collections: Collections) => Collections
}

/**
 * Opens the store of many nodes. Rejects with what to do when the server cannot be reached, refuses the credentials, or
 * holds what a newer build wrote; nothing is changed then. Once it is open, a server that goes away makes calls fail with
 * `store.unavailable` until it is back, and never ends the process.
 */
export async function openMongoStore(options: MongoOptions): Promise<Store> {
  const { url, log, metrics, limits, sessions, wrap = (collections) => collections } = options
  const connection = await connectMongo({
    url,
    log,
    onJump(jumpMs) {
      metrics?.clockJumps.inc()
      metrics?.clockJumpSeconds.set(jumpMs / 1000)
      log.warn({ jump_ms: jumpMs }, 'the clock of MongoDB was moved; timers follow it only forwards')
    },
  })
  const { db, clock, bootCount, close } = connection
  try {
    const own = keepCollectionsOf(db)
    const auditLog = createAuditLog(own)
    const store = await createMongoStore({
      collections: wrap(collectionsOf(db)),
      clock,
      log,
      metrics,
      limits,
      bootCount,
      appendAudit: (rows, source) => auditLog.append({ rows, source }),
      keeping: (context) => keepingOf(context, { db, own, auditLog, sessions }),
      onClosed: close,
    })
    return { ...store, clock }
  } catch (error) {
    await close()
    throw error
  }
}
