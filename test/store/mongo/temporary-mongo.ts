// First, because it says how old a server the driver is to speak to.
import '../../support/mongo-server.ts'
import type { Persistence } from '../../../src/broker/session/persistence.ts'
import { openMongoStore, type MongoOptions } from '../../../src/store/mongo/open-mongo.ts'
import type { Collections } from '../../../src/store/mongo/collections.ts'
import type { Store } from '../../../src/store/store.ts'
import { silentLog } from '../../support/silent-log.ts'
import type { OpenedStore } from '../../support/store-conformance.ts'

/** A node's store at this address. MQTT sessions are kept elsewhere, and nobody here asks for them. */
export function openNode(url: string, wrap?: MongoOptions['wrap']): Promise<Store> {
  return openMongoStore({
    url,
    log: silentLog().log,
    metrics: undefined,
    limits: { operations: 10_000, bytes: 64 * 1024 * 1024 },
    sessions: {} as Persistence,
    ...(wrap && { wrap }),
  })
}

/** A node's store, and its collections as they are, for looks and damages. */
export interface OpenedNode {
  readonly store: Store
  readonly collections: Collections
}

export async function openNodeWithin(url: string, wrap?: MongoOptions['wrap']): Promise<OpenedNode> {
  let found: Collections | undefined
  const store = await openNode(url, (collections) => {
    found = collections
    return wrap ? wrap(collections) : collections
  })
  if (!found) throw new Error('The store was opened without its collections')
  return { store, collections: found }
}

/** Removes the database, which nobody may have open. */
export async function dropDatabase(url: string): Promise<void> {
  const { mongo } = await import('mongoose')
  const client = await mongo.MongoClient.connect(url)
  await client.db().dropDatabase()
  await client.close()
}

/** A store in a database of its own. */
export async function temporaryMongo(url: string): Promise<OpenedStore> {
  let current = await openNode(url)
  return {
    store: current,
    async reopen() {
      await current.close()
      current = await openNode(url)
      return current
    },
    async end() {
      await current.close()
      await dropDatabase(url)
    },
  }
}
