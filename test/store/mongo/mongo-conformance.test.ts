import { mongoServer, type MongoServer } from '../../support/mongo-server.ts'
import { storeConformance } from '../../support/store-conformance.ts'
import { openMongoStore } from './temporary-mongo-store.ts'

describe('The store on MongoDB', () => {
  let server: MongoServer
  before(async function () {
    this.timeout(60_000)
    server = await mongoServer(this)
  })

  storeConformance('MongoDB', async () => {
    const url = server.freshUrl()
    let { store } = await openMongoStore(url)
    return {
      store,
      async reopen() {
        await store.close()
        store = (await openMongoStore(url)).store
        return store
      },
      end: () => store.close(),
    }
  })
})
