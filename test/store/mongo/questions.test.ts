import { mongoServer, type MongoServer } from '../../support/mongo-server.ts'
import { expect } from 'chai'
import type { OpenedStore } from '../../support/store-conformance.ts'
import { randomFrom } from '../../support/store/samples.ts'
import * as sample from '../../support/store/samples.ts'
import { ACME, DEFAULT, NOON } from '../../support/store/samples.ts'
import { temporaryMongo } from './temporary-mongo.ts'

interface Profiled {
  readonly ns: string
  readonly op: string
  readonly planSummary?: string
  readonly command?: unknown
}

/** Texts that mean something to a server that takes them for a part of a question. */
const HOSTILE = [
  '$where',
  '$gt',
  '{"$gt":""}',
  'a.b',
  '.',
  '$',
  '__proto__',
  'constructor',
  '\\|',
  'a|b',
  '*',
  '\0',
  '',
  'x'.repeat(2000),
  'ü'.repeat(700),
]

async function profiling<T>(url: string, act: () => Promise<T>): Promise<readonly Profiled[]> {
  const { default: mongoose } = await import('mongoose')
  const client = await mongoose.mongo.MongoClient.connect(url)
  const db = client.db()
  try {
    await db.command({ profile: 2 })
    await act()
    await db.command({ profile: 0 })
    return (await db
      .collection('system.profile')
      .find({ ns: { $not: /system\./ } })
      .toArray()) as unknown as Profiled[]
  } finally {
    await client.close()
  }
}

describe('Questions to MongoDB', () => {
  let server: MongoServer
  let url: string
  let opened: OpenedStore
  before(async function () {
    server = await mongoServer(this)
  })
  beforeEach(async () => {
    url = server.freshUrl()
    opened = await temporaryMongo(url)
  })
  afterEach(() => opened.end())

  it('are all answered from indexes', async function () {
    this.timeout(60_000)
    const { store } = opened
    const random = randomFrom(7)
    for (let index = 0; index < 40; index++) {
      const subject = sample.notification(`n-${index}`, { userId: random() < 0.3 ? null : 'anna' })
      await store.accept(
        sample.acceptance({
          once: { key: `id:${index}`, check: true, expiresAt: NOON + 9000 },
          notifications: [subject],
          deliveries: [sample.toSend(sample.delivery(subject.id, 1))],
          deadLetter: index % 9 === 0 ? sample.deadLetter(`d-${index}`) : null,
          states: [{ name: `c-${index % 3}`, state: { status: 'up' } }],
        }),
      )
      await store.accept(sample.opening(sample.alert(`a-${index}`, { nextStepAt: NOON + index })))
    }
    const found = await profiling(url, () => askEverything(opened))
    expect(found.length).to.be.greaterThan(50)
    const scans = found.filter(({ planSummary }) => planSummary?.includes('COLLSCAN') === true)
    expect(scans.map(({ ns, op, command }) => `${op} ${ns} ${JSON.stringify(command)}`)).to.deep.equal([])
  })

  it('take every text for a text: as key, id, topic, group and field of a payload (security row 28)', async () => {
    const { store } = opened
    for (const [index, text] of HOSTILE.entries()) {
      const content = sample.content({ category: text, customerId: text, data: { [text]: { [text]: text } } })
      const entry = sample.notification(`${text}${index}`, { content, userId: null, audience: [text] })
      const alert = sample.alert(`a-${index}`, { dedupKey: text, data: { [text]: text } })
      const once = { key: `id:${text}`, check: true, expiresAt: NOON + 1000 }
      expect((await store.accept(sample.acceptance({ once, notifications: [entry] }))).kind).to.equal(
        'accepted',
      )
      expect((await store.accept(sample.acceptance({ once }))).kind).to.equal('duplicate')
      await store.accept(sample.opening(alert))
      const who = sample.reader('anna', { groups: [text] })
      expect((await store.notification(who, entry.id))?.content).to.deep.equal(content)
      expect(
        await sample.idsOf(store.inbox({ ...who, order: 'newest', limit: 99, category: text })),
      ).to.deep.equal([entry.id])
      expect((await store.openAlert(DEFAULT, text))?.data).to.deep.equal({ [text]: text })
      const doc = JSON.parse(JSON.stringify({ [text]: text })) as Record<string, unknown>
      const record = { tenant: DEFAULT, kind: 'device', owner: text, key: text, doc, changedAt: NOON }
      expect(await store.putRecord(record)).to.deep.equal({ ...record, version: 1 })
      expect(await store.mark({ ...who, ids: [entry.id], as: 'deleted', at: NOON })).to.deep.equal([entry.id])
    }
    expect(await store.notification(sample.reader(), '{"$gt":""}')).to.equal(null)
    expect((await store.records(99)).items).to.have.length(HOSTILE.length)
    expect((await store.conservation('all')).broken).to.equal(0)
  })

  it('that hold an object where a text belongs find nothing and change nothing', async () => {
    const { store } = opened
    await store.accept(
      sample.acceptance({
        notifications: [sample.notification('n-1')],
        deliveries: [sample.toSend(sample.delivery('n-1', 1))],
      }),
    )
    await store.accept(sample.opening(sample.alert('a-1')))
    // What a caller that checked nothing would pass on.
    const any = { $gt: '' } as unknown as string
    const answers = await Promise.allSettled([
      store.alerts({ tenant: DEFAULT, limit: 9, team: any }),
      store.deliveries({ tenant: any as typeof DEFAULT, limit: 9 }),
      store.notification(sample.reader(), any),
      store.notification({ ...sample.reader(), userId: any }, 'n-1'),
      store.inbox({ ...sample.reader(), userId: any, order: 'newest', limit: 9 }),
      store.inbox({ ...sample.reader(), category: any, order: 'newest', limit: 9 }),
      store.mark({ ...sample.reader(), userId: any, ids: 'all', as: 'deleted', at: NOON }),
      store.outbox({ tenant: any as typeof DEFAULT }),
      store.removeDeadLetter(any as typeof DEFAULT, any),
      store.dispatches({ tenant: DEFAULT, owner: any, limit: 9, offset: 0 }),
      store.auditLog({ tenant: DEFAULT, actor: any, limit: 9 }),
    ])
    for (const [index, answer] of answers.entries())
      if (answer.status === 'fulfilled')
        expect(
          [null, false, [], { total: 0, items: [] }, { items: [], nextCursor: null }],
          `${index}`,
        ).to.deep.include(answer.value)
    expect(await sample.idsOf(sample.wholeInbox(store, sample.reader()))).to.deep.equal(['n-1'])
  })
})

/** Every call of the port that the server is asked something for. */
async function askEverything({ store }: OpenedStore): Promise<void> {
  const who = sample.reader('anna', { groups: ['ops'] })
  await store.accept(sample.acceptance({ notifications: [sample.notification('n-last')] }))
  for (const order of ['newest', 'oldest'] as const)
    for (const status of ['all', 'read', 'unread'] as const)
      await store.inbox({ ...who, order, status, limit: 5, cursor: 20 })
  await store.inboxSummary(who)
  await store.notification(who, 'n-1')
  await store.anyNotification(DEFAULT, 'n-1', 'anna')
  await store.mark({ ...who, ids: ['n-1', 'n-2'], as: 'read', at: NOON })
  await store.mark({ ...who, ids: 'all', as: 'unread', at: NOON })
  for (const lane of ['email', 'escalate', 'release', 'digest']) {
    const { items } = await store.claim(sample.claimOf(lane, NOON + 5000))
    const [first] = items
    if (first?.kind === 'deliver') await store.settle(sample.sent(first, { outbox: sample.captured('o-1') }))
  }
  await store.progress([{ subjectId: 'n-1', userId: 'anna', state: 'sent', at: NOON }])
  const alert = (await store.alert(DEFAULT, 'a-1'))!
  await store.changeAlert(
    sample.alertChange(alert, { status: 'acknowledged' }, { cancelPages: 'acknowledged' }),
  )
  await store.cancelDelivery({ tenant: DEFAULT, id: 'n-9.1', at: NOON, reason: 'asked' })
  await store.openAlert(DEFAULT, 'disk:a-2')
  await store.alerts({ tenant: DEFAULT, limit: 3 })
  await store.alerts({ tenant: DEFAULT, limit: 3, status: 'firing', severity: 'critical', team: 'platform' })
  await store.openAlerts(3)
  await store.timeline(DEFAULT, 'a-1')
  await store.referring(DEFAULT, 'm-1', 3)
  await store.overdue(NOON + 100_000, NOON, 3)
  for (const given of [
    {},
    { subjectId: 'n-1' },
    { userId: 'anna' },
    { state: 'sent' as const },
    { digestId: 'g' },
  ])
    await store.deliveries({ tenant: DEFAULT, limit: 3, ...given })
  await store.delivery(DEFAULT, 'n-1.1')
  await store.dispatches({ tenant: DEFAULT, owner: 'shop', limit: 3, offset: 0, any: ['sent'] })
  await store.dispatches({ tenant: DEFAULT, owner: 'shop', topic: 't', limit: 3, offset: 0 })
  await store.digestContents(DEFAULT, 'g', 3)
  await store.batch(DEFAULT, 'b-1')
  await store.deliveryStatistics({ tenant: DEFAULT, from: 0, to: NOON * 2, limit: 100 })
  const letters = await store.deadLetters(DEFAULT, { limit: 2 })
  await store.deadLetters(DEFAULT, { limit: 2, cursor: letters.nextCursor! })
  await store.removeDeadLetter(DEFAULT, 'd-0')
  await store.outbox({ tenant: DEFAULT, channel: 'email', since: NOON })
  await store.outboxItem(DEFAULT, 'o-1')
  await store.putRecord({ tenant: DEFAULT, kind: 'k', owner: 'o', key: 'a', doc: {}, changedAt: NOON })
  await store.records(3)
  const entry = {
    tenant: DEFAULT,
    at: NOON,
    actor: 'anna',
    via: 'http',
    action: 'a',
    subject: null,
    detail: {},
  }
  await store.audit([entry])
  await store.auditLog({ tenant: DEFAULT, actor: 'anna', limit: 3 })
  await store.auditLog({ tenant: DEFAULT, action: 'a', since: 5, limit: 3 })
  await store.auditChain(0, 3)
  await store.auditHead()
  await store.secret('s')
  await store.states()
  await store.lanes()
  await store.conservation('moving')
  await store.conservation('all')
  await store.clearOutbox(ACME)
  await store.prune({ now: NOON * 2, outbox: NOON, deadLetters: NOON, records: NOON, limit: 5 })
  await store.ping()
}
