import type { AppOptions } from '../../src/app.ts'
import { systemClock } from '../../src/clock.ts'
import type { Config } from '../../src/config/schema/schema.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { silentLog } from './silent-log.ts'

/** Where the programs of one test keep everything. */
export interface HarnessStore {
  /** The configuration with this place in it. */
  over(config: Config): Config
  /** Before each start. */
  open(): Promise<Pick<AppOptions, 'sessions'>>
  /** After each stop. */
  close(): Promise<void>
  /** Removes what was kept outside of the folder. */
  remove(): Promise<void>
}

const nothing = () => Promise.resolve()

/** SQLite in the folder, or a database of its own on MongoDB when `CARILLON_TEST_STORE` is `mongo`. */
export async function harnessStore(folder: string): Promise<HarnessStore> {
  if (process.env['CARILLON_TEST_STORE'] === 'mongo') return mongoStore(folder)
  return { over: (config) => config, open: () => Promise.resolve({}), close: nothing, remove: nothing }
}

async function mongoStore(folder: string): Promise<HarnessStore> {
  const { demandedMongoServer } = await import('./mongo-server.ts')
  const address = (await demandedMongoServer()).freshUrl()
  // One connection answers in the order of the questions, which is how a test knows that nothing is under way.
  const url = `${address}${address.includes('?') ? '&' : '?'}maxPoolSize=1`
  let close = nothing
  return {
    over: (config) => ({
      ...config,
      storage: { ...config.storage, driver: 'mongo', url, redis_url: 'redis://127.0.0.1' },
    }),
    async open() {
      // Sessions are Redis' part; here a file stands in for it.
      const store = await openSqliteStore({
        path: folder,
        clock: systemClock(),
        metrics: undefined,
        ballastBytes: 0,
        log: silentLog().log,
        limits: { operations: 10_000, bytes: 64 * 1024 * 1024 },
        onFatal(error) {
          throw error
        },
      })
      close = () => store.close()
      return { sessions: store.sessions }
    },
    close: () => close(),
    async remove() {
      const { mongo } = await import('mongoose')
      const client = await mongo.MongoClient.connect(address)
      await client.db().dropDatabase()
      await client.close()
    },
  }
}
