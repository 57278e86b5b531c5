import type { Config } from '../../src/config/schema/schema.ts'
import { startRedis } from './redis-server.ts'

/** Where the programs of one test keep everything. */
export interface HarnessStore {
  /** The configuration with this place in it. */
  over(config: Config): Config
  /** Removes what was kept outside of the folder. */
  remove(): Promise<void>
}

/** SQLite in the program's folder, or a database of its own on MongoDB when `CARILLON_TEST_STORE` is `mongo`. */
export async function harnessStore(): Promise<HarnessStore> {
  if (process.env['CARILLON_TEST_STORE'] === 'mongo') return mongoStore()
  return { over: (config) => config, remove: () => Promise.resolve() }
}

async function mongoStore(): Promise<HarnessStore> {
  const { demandedMongoServer } = await import('./mongo-server.ts')
  const address = (await demandedMongoServer()).freshUrl()
  // One connection answers in the order of the questions, which is how a test knows that nothing is under way.
  const url = `${address}${address.includes('?') ? '&' : '?'}maxPoolSize=1`
  const redis = await startRedis()
  return {
    over: (config) => ({
      ...config,
      storage: { ...config.storage, driver: 'mongo', url, redis_url: redis.url },
    }),
    async remove() {
      const { mongo } = await import('mongoose')
      const client = await mongo.MongoClient.connect(address)
      await client.db().dropDatabase()
      await client.close()
      await redis.stop()
    },
  }
}
