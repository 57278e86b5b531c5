import { mongoServer } from '../../support/mongo-server.ts'
import { expect } from 'chai'
import type { mongo } from 'mongoose'
import { createChainCheck } from '../../../src/audit/verify.ts'
import { connectMongo, type MongoConnection } from '../../../src/store/mongo/connection/connect.ts'
import { createAuditLog } from '../../../src/store/mongo/keep/audit-log.ts'
import { keepCollectionsOf } from '../../../src/store/mongo/keep/collections.ts'
import { createRecords } from '../../../src/store/mongo/keep/records.ts'
import type { RecordChange } from '../../../src/store/store.ts'
import { eventually } from '../../support/eventually.ts'
import { silentLog } from '../../support/silent-log.ts'
import { DEFAULT, NOON } from '../../support/store/samples.ts'

const change = (key: string, given: Partial<RecordChange> = {}): RecordChange => ({
  ...{ tenant: DEFAULT, kind: 'device', owner: 'anna', key, doc: { key }, changedAt: NOON },
  ...given,
})

describe('what has one order over all nodes on MongoDB', () => {
  let url: string
  const open: MongoConnection[] = []
  const connect = async (): Promise<mongo.Db> => {
    const connection = await connectMongo({ url, log: silentLog().log, onJump: () => {} })
    open.push(connection)
    return connection.db
  }
  before(async function () {
    url = (await mongoServer(this)).freshUrl()
  })
  afterEach(async () => {
    await open[0]?.db.dropDatabase()
    await Promise.all(open.splice(0).map((connection) => connection.close()))
  })

  it('is read by followers without ever skipping a record, while several nodes write', async () => {
    const db = await connect()
    const nodes = await Promise.all(
      [0, 1, 2].map(async () => createRecords(keepCollectionsOf(await connect()))),
    )
    const follower = createRecords(keepCollectionsOf(db))
    let writing = true
    const seen = new Map<string, number>()
    const followed = (async () => {
      let cursor: string | undefined
      for (let last = false; !last;) {
        last = !writing
        const page = await follower.list(7, cursor)
        for (const { key, version } of page.items) seen.set(key, version)
        last &&= page.items.length === 0
        cursor = page.nextCursor ?? undefined
      }
    })()
    await Promise.all(
      nodes.map(async (node, index) => {
        for (let round = 0; round < 15; round++)
          await Promise.all([0, 1, 2].map((each) => node.put(change(`${index}-${each}-${round % 5}`))))
      }),
    )
    writing = false
    await followed
    const all = await follower.list(1000)
    expect(all.items).to.have.length(45)
    for (const { key, version } of all.items) expect([key, seen.get(key)]).to.deep.equal([key, version])
    expect(new Set(all.items.map(({ version }) => version))).to.deep.equal(new Set([3]))
  })

  it('lets exactly one of many nodes change a record at a version', async () => {
    const nodes = await Promise.all(
      [0, 1, 2, 3].map(async () => createRecords(keepCollectionsOf(await connect()))),
    )
    const results = await Promise.all(nodes.map((node) => node.put(change('a', { expectVersion: 0 }))))
    expect(results.filter((result) => result !== 'stale')).to.have.length(1)
  })

  it('is finished by others when a process died between the commit and writing it out', async () => {
    const db = await connect()
    const collections = keepCollectionsOf(db)
    const records = createRecords(collections)
    await records.put(change('a'))
    const [row] = await collections.records.find({}).toArray()
    const later = { ...row!, version: 2, doc: '{"key":"later"}', seq: 2 }
    await collections.record_head.updateOne({ _id: 'records' }, { $set: { version: 2, pending: [later] } })
    expect((await records.list(9)).items).to.deep.include({
      ...change('a', { doc: { key: 'later' } }),
      version: 2,
    })
    expect(await records.put(change('a', { expectVersion: 2 }))).to.include({ version: 3 })
    expect((await collections.record_head.findOne({ _id: 'records' }))?.pending).to.deep.equal([])
  })

  it('is not harmed by a node that was stopped after its commit and goes on much later', async () => {
    const collections = keepCollectionsOf(await connect())
    let goOn = () => {}
    const stopped = new Promise<void>((resolve) => (goOn = resolve))
    // The first of its writes behind a head waits; everything else is the real collection.
    const slow = Object.create(collections.records) as typeof collections.records
    slow.bulkWrite = async (...given) => {
      await stopped
      return collections.records.bulkWrite(...given)
    }
    const late = createRecords({ ...collections, records: slow }).put(change('a'))
    const others = createRecords(collections)
    await eventually('the commit', async () => ((await others.list(1)).items.length > 0 ? true : undefined))
    await others.put(change('a', { doc: { key: 'newer' } }))
    goOn()
    expect(await late).to.include({ version: 1 })
    expect((await others.list(9)).items).to.deep.equal([
      { ...change('a', { doc: { key: 'newer' } }), version: 2 },
    ])
  })

  it('chains the audit log over all nodes, and adds what comes under one source once (security row 30)', async () => {
    const logs = await Promise.all(
      [0, 1, 2].map(async () => createAuditLog(keepCollectionsOf(await connect()))),
    )
    const row = (name: string) => [DEFAULT, NOON, 'anna', 'http', name, null, '{}'] as const
    await Promise.all(
      logs.flatMap((log, node) =>
        Array.from({ length: 10 }, async (_, index) => {
          await log.append({ rows: [row(`own ${node} ${index}`)], source: null })
          await log.append({ rows: [row(`shared ${index}`), row('second')], source: `change-${index}` })
        }),
      ),
    )
    const check = createChainCheck()
    check.add(await logs[0]!.chain(0, 1000))
    expect(check.verdict(await logs[1]!.head())).to.deep.include({ ok: true, entries: 30 + 20 })
  })
})
