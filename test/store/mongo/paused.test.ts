import { expect } from 'chai'
import type { Collections } from '../../../src/store/mongo/collections.ts'
import type { Store } from '../../../src/store/store.ts'
import { mongoServer, type MongoServer } from '../../support/mongo-server.ts'
import * as sample from '../../support/store/samples.ts'
import { DEFAULT, NOON } from '../../support/store/samples.ts'
import { openNodeWithin, type OpenedNode } from './temporary-mongo.ts'

/** Stops at the next call of one method of one collection, and goes on when told to. */
function pausing(name: keyof Collections, method: string) {
  let go = () => {}
  let reached = () => {}
  let armed = false
  const arrived = new Promise<void>((resolve) => (reached = resolve))
  const gone = new Promise<void>((resolve) => (go = resolve))
  const wrap = (collections: Collections): Collections => {
    const paused = new Proxy(collections[name] as object, {
      get(target, property) {
        const value: unknown = Reflect.get(target, property)
        if (typeof value !== 'function') return value
        const call = value.bind(target) as (...given: unknown[]) => unknown
        if (property !== method) return call
        return async (...given: unknown[]) => {
          if (armed) {
            armed = false
            reached()
            await gone
          }
          return call(...given)
        }
      },
    })
    return { ...collections, [name]: paused }
  }
  return { wrap, arm: () => void (armed = true), arrived, go: () => go() }
}

describe('A node on MongoDB that is stopped and goes on', () => {
  let server: MongoServer
  const opened: OpenedNode[] = []
  before(async function () {
    this.timeout(60_000)
    server = await mongoServer(this)
  })
  afterEach(() => Promise.all(opened.splice(0).map(({ store }) => store.close())))
  const open = async (...given: Parameters<typeof openNodeWithin>) => {
    const one = await openNodeWithin(...given)
    opened.push(one)
    return one
  }
  const put = (store: Store, id: string) =>
    store.accept(sample.acceptance({ notifications: [sample.notification(id)] }))
  const upwards = (store: Store, cursor: number) =>
    store.inbox({ ...sample.reader(), order: 'oldest', cursor, limit: 9 })

  it('holds back readers while its numbers are out, and comes after what they have read when it was given up (P5)', async () => {
    const url = server.freshUrl()
    const pause = pausing('journal', 'insertMany')
    const { store: slow } = await open(url, pause.wrap)
    const { store: other, collections } = await open(url)
    await put(other, 'n-0')
    pause.arm()
    const late = put(slow, 'n-1')
    await pause.arrived
    await put(other, 'n-2')
    expect(await sample.idsOf(upwards(other, 0)), 'before it is given up').to.deep.equal(['n-0'])
    await collections.counters.updateMany({}, { $set: { inflight: {} } })
    const passed = await upwards(other, 0)
    expect(passed.map(({ id }) => id)).to.deep.equal(['n-0', 'n-2'])
    pause.go()
    const { seqs } = sample.accepted(await late)
    const rest = await upwards(other, passed.at(-1)!.seq)
    expect(rest.map(({ id, seq }) => [id, seq])).to.deep.equal([['n-1', seqs[0]]])
  })

  it('cannot count a repeat whose key another has taken over (P3, P13)', async () => {
    const url = server.freshUrl()
    const pause = pausing('alerts', 'findOneAndUpdate')
    const { store: slow } = await open(url, pause.wrap)
    const { store: other, collections } = await open(url)
    await other.accept(sample.opening(sample.alert('a-1')))
    const repeat = sample.acceptance({
      once: { key: 'id:1', check: true, expiresAt: NOON + 1000 },
      alert: { kind: 'repeat', alertId: 'a-1' },
    })
    pause.arm()
    const late = slow.accept(repeat)
    await pause.arrived
    await collections.journal.updateMany({ state: 'prepared' }, { $set: { preparedAt: 1 } })
    expect((await other.accept(repeat)).kind).to.equal('accepted')
    pause.go()
    expect((await late).kind).to.equal('stale')
    expect(await other.alert(DEFAULT, 'a-1')).to.include({ count: 2 })
    expect((await slow.accept(repeat)).kind).to.equal('duplicate')
  })

  it('finds its delivery held by whoever took it meanwhile (P13)', async () => {
    const url = server.freshUrl()
    const pause = pausing('deliveries', 'bulkWrite')
    const { store: slow } = await open(url, pause.wrap)
    const { store: other } = await open(url)
    await other.accept(sample.acceptance({ deliveries: [sample.toSend(sample.delivery('n-1', 1))] }))
    const mine = sample.only((await slow.claim(sample.claimOf('email', NOON))).items)
    pause.arm()
    const late = slow.settle(sample.sent(mine))
    await pause.arrived
    const theirs = sample.only((await other.claim(sample.claimOf('email', NOON + 30_000))).items)
    pause.go()
    expect(await late).to.equal('fenced')
    expect(await other.settle(sample.sent(theirs))).to.equal('done')
    expect((await other.delivery(DEFAULT, 'n-1.1'))?.delivery).to.include({ state: 'sent', attempts: 2 })
  })
})
