import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../src/clock.ts'
import type { Metrics } from '../../src/metrics.ts'
import { openSqliteStore, type SqliteStoreOptions } from '../../src/store/sqlite/sqlite-store.ts'
import { silentLog } from '../support/silent-log.ts'
import type { OpenedStore } from '../support/store-conformance.ts'

export interface TemporaryStore extends OpenedStore {
  readonly path: string
}

/** A store in a folder of its own; what the disk did to it ends the test. */
export async function temporaryStore(options: Partial<SqliteStoreOptions> = {}): Promise<TemporaryStore> {
  const path = options.path ?? (await mkdtemp(join(tmpdir(), 'carillon-store-')))
  const open = () =>
    openSqliteStore({
      path,
      clock: systemClock(),
      metrics: undefined as Metrics | undefined,
      ballastBytes: 0,
      log: silentLog().log,
      limits: { operations: 10_000, bytes: 64 * 1024 * 1024 },
      onFatal(error) {
        throw error
      },
      ...options,
    })
  let current = await open()
  return {
    path,
    store: current,
    async reopen() {
      await current.close()
      current = await open()
      return current
    },
    async end() {
      await current.close()
      await rm(path, { recursive: true })
    },
  }
}
