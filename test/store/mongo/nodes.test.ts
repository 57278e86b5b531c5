import { expect } from 'chai'
import type { Claimed, Store } from '../../../src/store/store.ts'
import { eventually } from '../../support/eventually.ts'
import { mongoServer, type MongoServer } from '../../support/mongo-server.ts'
import * as sample from '../../support/store/samples.ts'
import { DEFAULT, NOON } from '../../support/store/samples.ts'
import { dropDatabase, openNodeWithin, type OpenedNode } from './temporary-mongo.ts'

const idOf = (item: Claimed) => (item.kind === 'deliver' ? item.delivery.id : String(item.workId))

describe('Two nodes on one MongoDB', () => {
  let server: MongoServer
  let nodes: OpenedNode[] = []
  let url: string
  before(async function () {
    this.timeout(60_000)
    server = await mongoServer(this)
  })
  beforeEach(async () => {
    url = server.freshUrl()
    nodes = [await openNodeWithin(url), await openNodeWithin(url)]
  })
  afterEach(async () => {
    await Promise.all(nodes.splice(0).map(({ store }) => store.close()))
    await dropDatabase(url)
  })

  const stores = () => nodes.map(({ store }) => store) as [Store, Store]
  const either = (index: number) => stores()[index % 2]!
  const send = (store: Store, ids: readonly string[]) =>
    store.accept(
      sample.acceptance({
        notifications: ids.map((id) => sample.notification(id)),
        deliveries: ids.map((id) => sample.toSend(sample.delivery(id, 1))),
      }),
    )
  const ids = (count: number, prefix = 'n') =>
    Array.from({ length: count }, (_, index) => `${prefix}-${index}`)

  it('never get the same piece of work from fifty claims at once, and get all of it (P13)', async () => {
    const all = ids(300)
    await send(either(0), all)
    const taken: string[] = []
    for (let round = 0; taken.length < all.length && round < 20; round++) {
      const claims = Array.from({ length: 50 }, (_, index) =>
        either(index).claim({ ...sample.claimOf('email', NOON), limit: 7 }),
      )
      for (const { items } of await Promise.all(claims)) taken.push(...items.map(idOf))
    }
    expect(new Set(taken).size).to.equal(taken.length)
    expect(taken).to.have.members(all.map((id) => `${id}.1`))
    expect((await either(0).conservation()).broken).to.equal(0)
  })

  it('refuse whoever held the work before (P13)', async () => {
    const [mine, theirs] = stores()
    await send(mine, ['n-1'])
    const lost = sample.only((await mine.claim(sample.claimOf('email', NOON))).items)
    const found = sample.only((await theirs.claim(sample.claimOf('email', NOON + 30_000))).items)
    expect(await mine.settle(sample.sent(lost))).to.equal('fenced')
    const both = await Promise.all([theirs.settle(sample.sent(found)), mine.settle(sample.sent(found))])
    expect(both.toSorted()).to.deep.equal(['done', 'fenced'])
  })

  it('accept a message once, however often it comes at once (P3)', async () => {
    for (let round = 0; round < 5; round++) {
      const results = await Promise.all(
        Array.from({ length: 12 }, (_, index) =>
          either(index).accept(
            sample.acceptance({
              once: { key: `id:${round}`, check: true, expiresAt: NOON + 1000 },
              result: { index },
              notifications: [sample.notification(`n-${round}-${index}`)],
            }),
          ),
        ),
      )
      const kinds = results.map(({ kind }) => kind)
      expect(kinds.filter((kind) => kind === 'accepted')).to.have.length(1)
      expect(kinds.filter((kind) => kind === 'duplicate')).to.have.length(11)
      const first = kinds.indexOf('accepted')
      for (const result of results)
        if (result.kind === 'duplicate') expect(result.result).to.deep.equal({ index: first })
    }
    expect(await sample.wholeInbox(either(0), sample.reader())).to.have.length(5)
  })

  it('accept a message that opens an alert once, however often it comes at once (P3)', async () => {
    for (let round = 0; round < 5; round++) {
      const results = await Promise.all(
        Array.from({ length: 8 }, (_, index) =>
          either(index).accept(
            sample.opening(sample.alert(`a-${round}-${index}`, { dedupKey: `k-${round}` }), {
              once: { key: `id:${round}`, check: true, expiresAt: NOON + 1000 },
            }),
          ),
        ),
      )
      const kinds = results.map(({ kind }) => kind)
      expect(kinds.filter((kind) => kind === 'accepted')).to.have.length(1)
      expect(kinds.filter((kind) => kind === 'duplicate')).to.have.length(7)
    }
  })

  it('open one alert per dedup key, and count every repeat on it once', async () => {
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        either(index).accept(sample.opening(sample.alert(`a-${index}`, { dedupKey: 'k' }))),
      ),
    )
    expect(results.filter(({ kind }) => kind === 'accepted')).to.have.length(1)
    const open = await either(1).openAlert(DEFAULT, 'k')
    const alertId = open?.id ?? ''
    const repeats = Array.from({ length: 40 }, (_, index) =>
      either(index).accept(sample.acceptance({ at: NOON + index, alert: { kind: 'repeat', alertId } })),
    )
    await Promise.all(repeats)
    expect(await either(0).alert(DEFAULT, alertId)).to.include({ count: 41, lastAt: NOON + 39 })
  })

  it('let one of two changes from one version be done (P16)', async () => {
    const from = sample.alert('a-1')
    await either(0).accept(sample.opening(from))
    const results = await Promise.all(
      ids(10).map((by, index) =>
        either(index).changeAlert(
          sample.alertChange(
            from,
            { acknowledgedBy: by },
            { timeline: [{ at: NOON, kind: 'acknowledged', by }] },
          ),
        ),
      ),
    )
    expect(results.filter((result) => result === 'done')).to.have.length(1)
    const timeline = await either(1).timeline(DEFAULT, 'a-1')
    const alert = await either(1).alert(DEFAULT, 'a-1')
    expect(timeline.map(({ by }) => by)).to.deep.equal(['db-monitor', alert?.acknowledgedBy])
  })

  it('count deliveries into one digest, and close it once (P4)', async () => {
    await send(either(0), ids(20))
    const { items } = await either(0).claim({ ...sample.claimOf('email', NOON), limit: 20 })
    await Promise.all(
      items.map((item, index) => {
        const suppressed = { ...sample.sent(item).delivery!, state: 'suppressed', sentAt: null } as const
        const open = {
          id: `g-${index}`,
          channel: 'email',
          userId: 'anna',
          address: null,
          dueAt: NOON + 9,
        } as const
        return either(index).settle(sample.sent(item, { delivery: suppressed, hold: { key: 'k', open } }))
      }),
    )
    const due = sample.only((await either(0).claim(sample.claimOf('digest', NOON + 9))).items)
    if (due.kind !== 'digest') throw new Error(due.kind)
    const contents = await either(1).digestContents(DEFAULT, due.digest.id, 99)
    expect(contents.count).to.equal(20)
    const { workId, token, tenant } = due
    const closing = {
      tenant,
      digestId: due.digest.id,
      workId,
      token,
      at: NOON + 9,
      expectCount: 20,
      summary: null,
    }
    const ends = await Promise.all([0, 1, 2, 3].map((index) => either(index).closeDigest(closing)))
    expect(ends.toSorted()).to.deep.equal(['done', 'fenced', 'fenced', 'fenced'])
    expect((await either(0).conservation('all')).broken).to.equal(0)
  })

  it('number notifications without a gap that a reader could pass by (P5)', async () => {
    const seen: string[] = []
    let cursor = 0
    let done = false
    const look = async () => {
      const page = await either(1).inbox({ ...sample.reader(), order: 'oldest', cursor, limit: 50 })
      seen.push(...page.map(({ id }) => id))
      cursor = page.at(-1)?.seq ?? cursor
      return page.length
    }
    const reading = (async () => {
      while (!done) await look()
    })()
    const all = ids(160)
    await Promise.all(
      all.map((id, index) =>
        either(index).accept(sample.acceptance({ notifications: [sample.notification(id)] })),
      ),
    )
    done = true
    await reading
    while ((await look()) > 0);
    expect(seen).to.have.length(all.length)
    expect(seen).to.have.members(all)
  })

  it('take over the timers of one that is not heard of any more, before their leases end (P13)', async () => {
    const [mine, theirs] = stores()
    const from = sample.alert('a-1', { nextStepAt: NOON })
    await mine.accept(sample.opening(from))
    const lost = sample.only((await mine.claim(sample.claimOf('escalate', NOON, 86_400_000))).items)
    const { nodes: beats, alerts } = nodes[1]!.collections
    const holder = (await alerts.findOne({}))?.work?.node ?? ''
    await mine.close()
    await beats.updateOne({ _id: holder }, { $set: { beatAt: 1 } })
    await alerts.updateOne({}, { $set: { 'work.dueAt': NOON + 86_400_000 } })
    const found = await eventually('the timer', async () => {
      const { items } = await theirs.claim(sample.claimOf('escalate', NOON + 1000))
      return items[0]
    })
    expect(found).to.include({ workId: lost.workId, crashes: 1 })
    const late = { claimed: { workId: lost.workId, token: lost.token } }
    expect(await theirs.changeAlert(sample.alertChange(from, { step: 2 }, late))).to.equal('fenced')
  })
})
