import { expect } from 'chai'
import { join } from 'node:path'
import { openSqlite } from '../../src/store/sqlite/file/database.ts'
import { LAW_OF_MOVING } from '../../src/store/sqlite/table/conservation.ts'
import * as sample from '../support/store/samples.ts'
import { NOON } from '../support/store/samples.ts'
import { temporaryStore, type TemporaryStore } from './temporary-store.ts'

describe('The law of conservation in the embedded store', () => {
  let opened: TemporaryStore
  beforeEach(async () => {
    opened = await temporaryStore()
  })
  afterEach(() => opened.end())

  const inFile = <T>(work: (db: ReturnType<typeof openSqlite>) => T): T => {
    const db = openSqlite({ file: join(opened.path, 'carillon.db'), readOnly: false })
    try {
      return work(db)
    } finally {
      db.close()
    }
  }
  const send = (id: string, channel: 'email' | 'realtime' = 'email') =>
    opened.store.accept(
      sample.acceptance({ deliveries: [sample.toSend(sample.delivery(id, 1, { channel }), NOON)] }),
    )

  it('is looked at every minute without reading what has ended (P4)', () => {
    const plans = inFile((db) =>
      LAW_OF_MOVING.flatMap((sql) => db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all()).map(([, , , line]) =>
        String(line),
      ),
    )
    const reads = plans.filter((line) => /^SCAN (d|delivery|a|alert|g|digest)\b/.test(line))
    expect(reads).to.not.deep.equal([])
    for (const line of reads)
      expect(line).to.match(/COVERING INDEX delivery_moving|INDEX alert_open|INDEX digest_open/)
  })

  const DAMAGES: readonly (readonly [what: string, sql: string])[] = [
    ['an accepted message that went nowhere', 'UPDATE meta SET accepted = accepted + 1'],
    ['a dead letter that is gone', 'UPDATE meta SET dead_lettered = 1, accepted = accepted + 1'],
    ['a delivery that nothing will move', 'DELETE FROM work'],
    ['a delivery that is being sent by nobody', `UPDATE delivery SET state = 'sending'`],
    ['a delivery that is gone', 'DELETE FROM delivery'],
    ['a delivery that ended while its work goes on', `UPDATE delivery SET state = 'dead'`],
    [
      'a digest that nothing will close',
      `INSERT INTO digest (id, tenant, key, channel, user_id, opened_at, count) VALUES ('g-1', 't', 'k', 'sms', 'anna', 0, 0)`,
    ],
    ['work of another delivery', 'UPDATE work SET ordinal = 7'],
    [
      'more ends than there were deliveries',
      `UPDATE delivery_count SET count = count - 9 WHERE state = 'pending'`,
    ],
  ]
  for (const [what, sql] of DAMAGES) {
    it(`is broken by ${what} (P4)`, async () => {
      await send('n-1')
      expect((await opened.store.conservation('moving')).broken).to.equal(0)
      inFile((db) => db.exec(sql))
      expect((await opened.store.conservation('moving')).broken).to.be.greaterThan(0)
    })
  }

  it('lets deliveries wait for a person to connect, and no others (P4)', async () => {
    await opened.store.accept(
      sample.acceptance({
        deliveries: [sample.toSend(sample.delivery('n-1', 1, { channel: 'realtime' }), null)],
      }),
    )
    expect(await opened.store.conservation('moving')).to.deep.include({ broken: 0 })
    inFile((db) => db.exec(`UPDATE delivery SET channel = 'email'`))
    expect((await opened.store.conservation('moving')).broken).to.equal(1)
  })

  it('counts the deliveries of each state as they are, also when an operation of a commit was undone (P4)', async () => {
    await Promise.all(['n-1', 'n-2', 'n-1', 'n-3'].map((id) => send(id).catch(() => null)))
    const item = sample.only((await opened.store.claim({ ...sample.claimOf('email', NOON), limit: 1 })).items)
    const counted = await opened.store.conservation('moving')
    expect(counted).to.deep.include({ broken: 0 })
    expect(counted.deliveries).to.include({ pending: 2, sending: 1 })
    await opened.store.settle(sample.sent(item))
    const { broken, deliveries } = await opened.store.conservation('all')
    expect([broken, deliveries.pending, deliveries.sending, deliveries.sent]).to.deep.equal([0, 2, 0, 1])
  })

  it('counts anew what an older build has written in between (P28)', async () => {
    await send('n-1')
    await opened.store.close()
    inFile((db) => db.exec(`UPDATE delivery SET state = 'dead', work_id = NULL; DELETE FROM work;`))
    inFile((db) => db.exec('UPDATE meta SET commits = commits + 1'))
    const again = await opened.reopen()
    const { broken, deliveries } = await again.conservation('all')
    expect([broken, deliveries.pending, deliveries.dead]).to.deep.equal([0, 0, 1])
  })
  it('is broken by an inbox that has not what was counted, and counts anew after an older build (P4, P28)', async () => {
    await opened.store.accept(sample.acceptance({ notifications: [sample.notification('n-1')] }))
    expect((await opened.store.conservation('all')).broken).to.equal(0)
    inFile((db) => db.exec('UPDATE inbox_count SET unread = unread + 1'))
    expect((await opened.store.conservation('all')).broken).to.equal(1)
    await opened.store.close()
    // Builds before the count of inboxes keep that of deliveries.
    inFile((db) => db.exec('UPDATE meta SET commits = commits + 1, counted = counted + 1'))
    const again = await opened.reopen()
    expect((await again.conservation('all')).broken).to.equal(0)
    const { total, unread } = await again.inboxSummary(sample.reader())
    expect([total, unread]).to.deep.equal([1, 1])
  })
})
