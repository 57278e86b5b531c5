import { expect } from 'chai'
import type { Store } from '../../../src/store/store.ts'
import { mongoServer, type MongoServer } from '../../support/mongo-server.ts'
import * as sample from '../../support/store/samples.ts'
import { DEFAULT, NOON } from '../../support/store/samples.ts'
import { failingCollections, type Crash } from './failing-collections.ts'
import { openNodeWithin, type OpenedNode } from './temporary-mongo.ts'

/** What may be under way when a process dies. */
interface Scene {
  readonly name: string
  prepare(store: Store): Promise<void>
  /** Claims what it needs itself: what was claimed before belongs to somebody who is gone. */
  act(store: Store): Promise<unknown>
  /** It is under a key: once more it does nothing. */
  readonly repeatable: boolean
}

const ALERT = sample.alert('a-1', { nextStepAt: NOON + 1000 })
const page = (ordinal: number, given = {}) =>
  sample.toSend(
    sample.delivery('a-1', ordinal, { subjectKind: 'alert', purpose: 'page', ...given }),
    NOON + 1000,
  )
const once = (key: string) => ({ key, check: true, expiresAt: NOON + 86_400_000 })
const note = (by: string) => ({ at: NOON, kind: 'note', by, ref: 'silence:s' }) as const
const change = sample.alertChange(
  ALERT,
  { status: 'acknowledged', nextStepAt: null },
  {
    cancelPages: 'acknowledged',
    timeline: [note('anna'), note('bob')],
    deliveries: [page(7, { purpose: 'outcome' })],
    notifications: [sample.notification('n-c')],
    audit: [
      {
        tenant: DEFAULT,
        at: NOON,
        actor: 'anna',
        via: 'http',
        action: 'alert.ack',
        subject: 'a-1',
        detail: {},
      },
    ],
  },
)

async function send(store: Store, id: string): Promise<void> {
  const deliveries = [sample.toSend(sample.delivery(id, 1))]
  await store.accept(sample.acceptance({ notifications: [sample.notification(id)], deliveries }))
}

async function holdOne(store: Store): Promise<unknown> {
  const item = sample.only((await store.claim(sample.claimOf('email', NOON))).items)
  const delivery = { ...sample.sent(item).delivery!, state: 'suppressed', reason: 'throttled' } as const
  const open = { id: 'g-1', channel: 'email', userId: 'anna', address: 'x', dueAt: NOON + 5000 } as const
  return store.settle(
    sample.sent(item, { delivery: { ...delivery, sentAt: null }, hold: { key: 'k', open } }),
  )
}

const SCENES: readonly Scene[] = [
  {
    name: 'an acceptance',
    repeatable: true,
    prepare: async () => {},
    act: (store) =>
      store.accept(
        sample.acceptance({
          once: once('id:1'),
          notifications: [sample.notification('n-1'), sample.notification('n-2', { userId: null })],
          deliveries: [
            sample.toSend(sample.delivery('n-1', 1)),
            {
              ...sample.toSend(sample.delivery('n-1', 2, { channel: 'sms' })),
              lease: { until: NOON + 30_000 },
            },
          ],
          states: [{ name: 'db', state: { status: 'up' } }],
          deadLetter: sample.deadLetter('d-1'),
          dispatches: [{ id: 's-1', tenant: DEFAULT, owner: 'shop', topic: 't', doc: {}, createdAt: NOON }],
          release: { ref: 'n-1', dueAt: NOON + 10, doc: { a: 1 } },
        }),
      ),
  },
  {
    name: 'the opening of an alert',
    repeatable: true,
    prepare: async () => {},
    act: (store) =>
      store.accept(
        sample.opening(ALERT, {
          once: once('id:1'),
          deliveries: [page(1)],
          notifications: [sample.notification('n-1')],
        }),
      ),
  },
  {
    name: 'a repeat',
    repeatable: true,
    prepare: async (store) => void (await store.accept(sample.opening(ALERT))),
    act: (store) =>
      store.accept(
        sample.acceptance({
          once: once('id:2'),
          notifications: [sample.notification('n-1')],
          alert: { kind: 'repeat', alertId: 'a-1' },
        }),
      ),
  },
  {
    name: 'a change of an alert',
    repeatable: false,
    prepare: async (store) =>
      void (await store.accept(sample.opening(ALERT, { deliveries: [page(1), page(2)] }))),
    act: (store) => store.changeAlert(change),
  },
  {
    name: 'a publish that changes an alert',
    repeatable: true,
    prepare: async (store) =>
      void (await store.accept(sample.opening(ALERT, { deliveries: [page(1), page(2)] }))),
    act: (store) =>
      store.accept(sample.acceptance({ once: once('id:3'), alert: { kind: 'change', change } })),
  },
  {
    name: 'the settlement of a captured message',
    repeatable: false,
    prepare: (store) => send(store, 'n-1'),
    async act(store) {
      const item = sample.only((await store.claim(sample.claimOf('email', NOON))).items)
      return store.settle(sample.sent(item, { outbox: sample.captured('o-1') }))
    },
  },
  {
    name: 'a delivery that is held back',
    repeatable: false,
    prepare: (store) => send(store, 'n-1'),
    act: holdOne,
  },
  {
    name: 'the end of a digest',
    repeatable: false,
    async prepare(store) {
      await send(store, 'n-1')
      await holdOne(store)
    },
    async act(store) {
      const item = sample.only((await store.claim(sample.claimOf('digest', NOON + 5000))).items)
      if (item.kind !== 'digest') throw new Error(item.kind)
      const { workId, token, tenant } = item
      const made = sample.delivery('g-1', 0, { subjectKind: 'direct', purpose: 'summary' })
      const closing = { tenant, digestId: 'g-1', workId, token, at: NOON + 5000, expectCount: 1 }
      return store.closeDigest({ ...closing, summary: sample.toSend(made) })
    },
  },
]

/** All that can be seen of the scenes, but for attempts that a death has cost. */
async function seen({ store }: OpenedNode) {
  const { items: deliveries } = await store.deliveries({ tenant: DEFAULT, limit: 99 })
  const { items: alerts } = await store.alerts({ tenant: DEFAULT, limit: 99 })
  const claimed = (state: string) => (state === 'sending' ? 'pending' : state)
  return {
    inbox: await sample.idsOf(sample.wholeInbox(store, sample.reader())),
    upwards: await sample.idsOf(store.inbox({ ...sample.reader(), order: 'oldest', limit: 99 })),
    deliveries: deliveries.map(({ id, state, reason, digestId }) => [id, claimed(state), reason, digestId]),
    alerts: alerts.map(({ id, status, version, count, nextStepAt }) => [
      id,
      status,
      version,
      count,
      nextStepAt,
    ]),
    timeline: (await store.timeline(DEFAULT, 'a-1')).map(({ kind, by }) => [kind, by]),
    referring: await store.referring(DEFAULT, 'silence:s', 9),
    audit: (await store.auditLog({ tenant: DEFAULT, limit: 9 })).items.map(({ action }) => action),
    letters: await sample.idsOf(store.deadLetters(DEFAULT, { limit: 9 }).then(({ items }) => items)),
    states: await store.states(),
    dispatches: (await store.dispatches({ tenant: DEFAULT, owner: 'shop', limit: 9, offset: 0 })).total,
    outbox: await sample.idsOf(store.outbox({ tenant: DEFAULT })),
    lanes: await store.lanes(),
    accepted: (await store.conservation()).accepted,
  }
}

async function leftBehind({ collections }: OpenedNode): Promise<unknown> {
  const pending = { 'pending.0': { $exists: true } }
  const { journal, alerts, deliveries, digests, counters } = collections
  return {
    journal: await journal.countDocuments({ $or: [pending, { state: 'prepared' }] }),
    alerts: await alerts.countDocuments(pending),
    deliveries: await deliveries.countDocuments(pending),
    digests: await digests.countDocuments({ $or: [pending, { 'holding.0': { $exists: true } }] }),
    inflight: (await counters.find({}).toArray()).flatMap(({ inflight }) => Object.keys(inflight)),
  }
}
const NOTHING = { journal: 0, alerts: 0, deliveries: 0, digests: 0, inflight: [] }

describe('A node on MongoDB that dies', () => {
  let server: MongoServer
  const opened: OpenedNode[] = []
  before(async function () {
    this.timeout(60_000)
    server = await mongoServer(this)
  })
  afterEach(() => Promise.all(opened.splice(0).map(({ store }) => store.close())))

  const open = async (url: string, wrap?: Parameters<typeof openNodeWithin>[1]) => {
    const one = await openNodeWithin(url, wrap)
    opened.push(one)
    return one
  }

  /** What is seen before and after a scene where nobody dies. */
  const unharmed = async (scene: Scene) => {
    const one = await open(server.freshUrl())
    await scene.prepare(one.store)
    const before = await seen(one)
    await scene.act(one.store)
    return { before, after: await seen(one) }
  }

  /** Lets a node die in a scene; null when the scene ends before that. */
  const dying = async (scene: Scene, crash: Crash) => {
    const url = server.freshUrl()
    const collections = failingCollections()
    const victim = await open(url, collections.wrap)
    await scene.prepare(victim.store)
    collections.arm(crash)
    const outcome = await scene.act(victim.store).then(
      () => 'done',
      () => 'failed',
    )
    // Nobody has heard of it for long.
    await victim.collections.nodes.updateMany({}, { $set: { beatAt: 1 } })
    await victim.collections.digests.updateMany(
      { 'holding.0': { $exists: true } },
      { $set: { 'holding.0.since': 1 } },
    )
    await victim.collections.journal.updateMany({ state: 'prepared' }, { $set: { preparedAt: 1 } })
    return collections.crashed ? { url, outcome } : null
  }

  for (const scene of SCENES)
    it(`at any write of ${scene.name} leaves all of it or nothing, and others finish it (P1, P4)`, async function () {
      this.timeout(120_000)
      const { before, after } = await unharmed(scene)
      let whole = 0
      for (const reaches of [false, true])
        for (let at = 1; ; at++) {
          const died = await dying(scene, { at, reaches })
          if (!died) break
          const fresh = await open(died.url)
          const where = `write ${at}, ${reaches ? 'which reaches the server' : 'which does not'}`
          const now = await seen(fresh)
          expect(now, where).to.be.deep.oneOf([before, after])
          expect(await leftBehind(fresh), where).to.deep.equal(NOTHING)
          expect((await fresh.store.conservation('all')).broken, where).to.equal(0)
          if (now.deliveries.length + now.timeline.length === after.deliveries.length + after.timeline.length)
            whole++
          if (died.outcome === 'done') expect(now, where).to.deep.equal(after)
          if (scene.repeatable) {
            await scene.act(fresh.store)
            expect(await seen(fresh), `${where}, once more`).to.deep.equal(after)
          }
          await Promise.all(opened.splice(0).map(({ store }) => store.close()))
        }
      expect(whole, 'deaths after the commit').to.be.greaterThan(0)
    })
})
