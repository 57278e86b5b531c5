import { mongoServer, type MongoServer } from '../../support/mongo-server.ts'
import { storeConformance } from '../../support/store-conformance.ts'
import { temporaryMongo } from './temporary-mongo.ts'

describe('With a genuine MongoDB,', () => {
  let server: MongoServer
  before(async function () {
    server = await mongoServer(this)
  })

  storeConformance('MongoDB', () => temporaryMongo(server.freshUrl()))
})
