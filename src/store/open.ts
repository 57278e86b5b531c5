import { systemClock, type Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { openSqliteStore } from './sqlite/sqlite-store.ts'
import type { Store } from './store.ts'

const BALLAST_BYTES = 64 * 1024 * 1024

interface Shared {
  readonly metrics?: Metrics
  readonly log: Log
  /** How much may wait for its commit (promise P25). */
  readonly limits: { readonly operations: number; readonly bytes: number }
}

export interface OpenSqliteOptions extends Shared {
  readonly driver?: 'sqlite'
  /** The folder that holds everything; made when it is missing. */
  readonly path: string
  readonly clock?: Clock
  /** Of the file that is given up when the disk is full, 64 MiB by default (promise P25). */
  readonly ballastBytes?: number
  /**
   * The store cannot go on and nobody knows what is on the disk. By default the process ends with code 1, as
   * promise P25 demands; a replacement must do the same in the end.
   */
  readonly onFatal?: (error: Error) => void
}

export interface OpenMongoOptions extends Shared {
  readonly driver: 'mongo'
  /** With credentials; its path names the database. */
  readonly url: string
  /** Where MQTT sessions are kept: not in MongoDB. */
  readonly sessions: Store['sessions']
}

export type OpenStoreOptions = OpenSqliteOptions | OpenMongoOptions

/**
 * Opens the store, lifts its schema, and counts the start. Rejects with an explanation when the folder or the server
 * cannot be used, belongs to another process or was written by a newer build; nothing is changed then.
 */
export async function openStore(options: OpenStoreOptions): Promise<Store> {
  const store = options.driver === 'mongo' ? await openMongo(options) : await openSqlite(options)
  options.log.debug({ driver: options.driver ?? 'sqlite', bootCount: store.bootCount }, 'store opened')
  return store
}

async function openMongo({ metrics, ...options }: OpenMongoOptions): Promise<Store> {
  // Whoever keeps everything in a folder does without the driver.
  const { openMongoStore } = await import('./mongo/open-mongo.ts')
  return openMongoStore({ ...options, metrics })
}

function openSqlite(options: OpenSqliteOptions): Promise<Store> {
  const { path, clock = systemClock(), metrics, log, limits } = options
  const end = options.onFatal ?? (() => process.exit(1))
  return openSqliteStore({
    path,
    clock,
    metrics,
    limits,
    ballastBytes: options.ballastBytes ?? BALLAST_BYTES,
    log,
    onFatal(error) {
      log.fatal({ err: error }, 'the store failed')
      end(error)
    },
  })
}
