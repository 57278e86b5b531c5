import type { Clock } from '../../clock.ts'
import type { Log } from '../../log.ts'
import type { Metrics } from '../../metrics.ts'
import { randomLetters } from '../../ids.ts'
import type { QueueLimits } from '../commit-queue.ts'
import type * as port from '../store.ts'
import type { Collections } from './collections.ts'
import type { MongoContext } from './context.ts'
import { alertReads } from './read/alerts.ts'
import { deliveryReads } from './read/deliveries.ts'
import { dueReads } from './read/due.ts'
import { Keeper } from './write/keeper.ts'
import { MongoPipeline } from './write/mongo-pipeline.ts'
import { highWaterOf } from './write/recovery.ts'
import { writes } from './write/writes.ts'

/** The methods about what is kept beside notifications, alerts and deliveries, and about inboxes. */
export type KeepingMethods = Pick<
  port.Store,
  | 'sessions'
  | 'mark'
  | 'inbox'
  | 'inboxSummary'
  | 'notification'
  | 'anyNotification'
  | 'removeDeadLetter'
  | 'deadLetters'
  | 'deadLetter'
  | 'clearOutbox'
  | 'outbox'
  | 'outboxItem'
  | 'prune'
  | 'putRecord'
  | 'records'
  | 'audit'
  | 'auditLog'
  | 'auditChain'
  | 'auditHead'
  | 'secret'
  | 'states'
  | 'dispatches'
  | 'batch'
  | 'deliveryStatistics'
  | 'conservation'
  | 'ping'
>

export interface MongoStoreOptions {
  readonly collections: Collections
  /** The server's (promise P18). */
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics | undefined
  readonly limits: QueueLimits
  readonly bootCount: number
  readonly appendAudit: MongoContext['appendAudit']
  readonly keeping: (context: MongoContext) => KeepingMethods
  /** Called when everything has ended: the connection may be closed. */
  readonly onClosed: () => Promise<void>
}

/**
 * The store on collections that are there with their indexes. Finishes what crashes have left behind, now and from time
 * to time, and says that this node lives.
 */
export async function createMongoStore(options: MongoStoreOptions): Promise<port.Store> {
  const { collections, clock, log, bootCount, appendAudit, onClosed } = options
  const node = randomLetters(16)
  const highWaterAt = await highWaterOf(collections)
  const pipeline = new MongoPipeline({ ...options, node })
  const context: MongoContext = {
    collections,
    clock,
    log,
    node,
    pipeline,
    order: orderOf(clock),
    appendAudit,
  }
  const keeper = new Keeper(context)
  await keeper.start()
  let closed: Promise<void> | null = null
  return {
    ...writes(context),
    ...alertReads(context),
    ...deliveryReads(context),
    ...dueReads(context),
    ...options.keeping(context),
    bootCount,
    highWaterAt,
    close() {
      closed ??= (async () => {
        await pipeline.finish()
        await keeper.stop()
        await onClosed()
      })()
      return closed
    },
  }
}

/** Microseconds of the clock, counted on within one millisecond. */
function orderOf(clock: Clock): () => number {
  let last = 0
  return () => (last = Math.max(last + 1, clock.now() * 1000))
}
