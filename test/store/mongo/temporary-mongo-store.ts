import type { Persistence } from '../../../src/broker/session/persistence.ts'
import type { Collections } from '../../../src/store/mongo/collections.ts'
import type { Store } from '../../../src/store/store.ts'
import { silentLog } from '../../support/silent-log.ts'

export interface MongoStoreOfTest {
  readonly store: Store
  /** The collections as they are, for looks and damages. */
  readonly collections: Collections
}

/** Opens the store of a database; `wrap` may put something between the store and its collections. */
export async function openMongoStore(
  url: string,
  wrap: (collections: Collections) => Collections = (collections) => collections,
): Promise<MongoStoreOfTest> {
  const { log } = silentLog()
  const connection = await connectMongo({ url, log, onJump: () => {} })
  const collections = collectionsOf(connection.db)
  const own = keepCollectionsOf(connection.db)
  const auditLog = createAuditLog(own)
  try {
    const store = await createMongoStore({
      collections: wrap(collections),
      clock: connection.clock,
      log,
      metrics: undefined,
      limits: { operations: 10_000, bytes: 64 * 1024 * 1024 },
      bootCount: connection.bootCount,
      appendAudit: (rows, source) => auditLog.append({ rows, source }),
      keeping: (context) =>
        keepingOf(context, { db: connection.db, own, auditLog, sessions: null as unknown as Persistence }),
      onClosed: () => connection.close(),
    })
    return { store, collections }
  } catch (error) {
    await connection.close()
    throw error
  }
}
