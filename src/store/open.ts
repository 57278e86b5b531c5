import { systemClock, type Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { openSqliteStore } from './sqlite/sqlite-store.ts'
import type { Store } from './store.ts'

const BALLAST_BYTES = 64 * 1024 * 1024

export interface OpenStoreOptions {
  /** The folder that holds everything; made when it is missing. */
  readonly path: string
  readonly clock?: Clock
  readonly metrics?: Metrics
  readonly log: Log
  /** How much may wait for the disk (promise P25). */
  readonly limits: { readonly operations: number; readonly bytes: number }
  /** Of the file that is given up when the disk is full, 64 MiB by default (promise P25). */
  readonly ballastBytes?: number
  /**
   * The store cannot go on and nobody knows what is on the disk. By default the process ends with code 1, as
   * promise P25 demands; a replacement must do the same in the end.
   */
  readonly onFatal?: (error: Error) => void
}

/**
 * Opens the store, lifts its schema, and counts the start. Rejects with an explanation when the folder cannot be
 * used, belongs to another process or was written by a newer build; nothing is changed then.
 */
export async function openStore(options: OpenStoreOptions): Promise<Store> {
  const { path, clock = systemClock(), metrics, log, limits } = options
  const end = options.onFatal ?? (() => process.exit(1))
  const store = await openSqliteStore({
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
  log.debug({ path, bootCount: store.bootCount }, 'store opened')
  return store
}
