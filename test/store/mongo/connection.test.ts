import { ownMongoServer, type OwnMongoServer } from '../../support/mongo-server.ts'
import { expect } from 'chai'
import type { mongo } from 'mongoose'
import { SCHEMA } from '../../../src/store/mongo/connection/boot.ts'
import type { Store } from '../../../src/store/store.ts'
import { eventually } from '../../support/eventually.ts'
import * as sample from '../../support/store/samples.ts'
import { DEFAULT } from '../../support/store/samples.ts'
import { openNode } from './temporary-mongo.ts'

const codeOf = (answer: Promise<unknown>) =>
  answer.then(
    () => null,
    (error: { readonly code?: string; readonly message: string }) => error.code ?? error.message,
  )
const accept = (store: Store, id: string) =>
  store.accept(sample.acceptance({ notifications: [sample.notification(id)] }))

describe('A store whose MongoDB', () => {
  let server: OwnMongoServer
  let url: string
  let store: Store
  before(async function () {
    server = await ownMongoServer(this)
  })
  beforeEach(() => {
    url = server.freshUrl()
  })
  after(() => server?.end())

  /** The metadata of the database, as somebody else sees it. */
  const withMeta = async (act: (meta: mongo.Collection<Record<string, unknown>>) => Promise<unknown>) => {
    const { default: mongoose } = await import('mongoose')
    const client = await mongoose.mongo.MongoClient.connect(url)
    await act(client.db().collection('meta'))
    await client.close()
  }

  it('is empty may be opened by many nodes at once, and counts each of them', async () => {
    const stores = await Promise.all(Array.from({ length: 8 }, () => openNode(url)))
    store = await openNode(url)
    expect(store.bootCount).to.equal(9)
    await Promise.all([...stores, store].map((each) => each.close()))
  })

  it('goes away refuses calls as not stored, does not end, and works again by itself (P2)', async () => {
    store = await openNode(url)
    await accept(store, 'n-1')
    await server.kill()
    const codes = await Promise.all(
      [accept(store, 'n-2'), store.ping(), store.inboxSummary(sample.reader())].map(codeOf),
    )
    expect(codes).to.deep.equal(['store.unavailable', 'store.unavailable', 'store.unavailable'])
    await server.restart()
    await eventually('the server', async () => ((await codeOf(store.ping())) === null ? true : undefined))
    await accept(store, 'n-3')
    expect(await sample.idsOf(sample.wholeInbox(store, sample.reader()))).to.include.members(['n-3', 'n-1'])
    expect((await store.conservation('all')).broken).to.equal(0)
    await store.close()
  })

  it('stops answering is not ready within seconds (P2)', async () => {
    store = await openNode(url)
    server.pause()
    try {
      expect(await codeOf(store.ping())).to.equal('store.unavailable')
    } finally {
      server.resume()
    }
    await eventually('the server', async () => ((await codeOf(store.ping())) === null ? true : undefined))
    await store.close()
  })

  it('is killed at any moment has everything that was answered (P1)', async () => {
    store = await openNode(url)
    const answered: string[] = []
    let running = true
    const publishing = [0, 1, 2, 3].map(async (each) => {
      for (let index = 0; running; index++) {
        const id = `n-${each}-${index}`
        if ((await codeOf(accept(store, id))) === null) answered.push(id)
      }
    })
    await eventually('some publishes', () => (answered.length > 50 ? true : undefined))
    await server.kill()
    running = false
    await Promise.all(publishing)
    await server.restart()
    await eventually('the server', async () => ((await codeOf(store.ping())) === null ? true : undefined))
    await store.close()
    store = await openNode(url)
    expect(await sample.idsOf(sample.wholeInbox(store, sample.reader()))).to.include.members(answered)
    expect((await store.conservation('all')).broken).to.equal(0)
    await store.close()
  })

  it('holds what a newer major schema wrote is refused with what to do, and left alone (P28)', async () => {
    await (await openNode(url)).close()
    await withMeta((meta) =>
      meta.updateOne({ _id: 'schema' as never }, { $set: { major: SCHEMA.major + 1 } }),
    )
    expect(await codeOf(openNode(url))).to.match(/schema version 2\.0.+start the newer build again/)
    await withMeta(async (meta) => {
      expect(await meta.findOne({ _id: 'boots' as never })).to.include({ count: 1 })
    })
  })

  it('holds what a newer minor schema wrote is used as it is, and keeps that version (P28)', async () => {
    await (await openNode(url)).close()
    await withMeta((meta) =>
      meta.updateOne({ _id: 'schema' as never }, { $set: { minor: SCHEMA.minor + 3 } }),
    )
    store = await openNode(url)
    expect((await accept(store, 'n-1')).kind).to.equal('accepted')
    expect((await store.notification(sample.reader(), 'n-1'))?.tenant).to.equal(DEFAULT)
    await store.close()
    await withMeta(async (meta) => {
      expect(await meta.findOne({ _id: 'schema' as never })).to.include({ minor: SCHEMA.minor + 3 })
    })
  })

  it('cannot be reached at all is not opened, and the reason says no password', async () => {
    const away = 'mongodb://app:geheim@127.0.0.1:9/db'
    const reason = await codeOf(openNode(away))
    expect(reason).to.match(/^MongoDB \(storage.url\) cannot be used: .*127\.0\.0\.1:9/)
    expect(reason).not.to.contain('geheim')
  })
})
