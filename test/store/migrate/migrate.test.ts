// First, because it says how old a server the driver is to speak to.
import { mongoServer, type MongoServer } from '../../support/mongo-server.ts'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { createChainCheck } from '../../../src/audit/verify.ts'
import { migrateToMongo } from '../../../src/store/migrate/migrate-to-mongo.ts'
import type { Store } from '../../../src/store/store.ts'
import { silentLog } from '../../support/silent-log.ts'
import * as sample from '../../support/store/samples.ts'
import { ACME, DEFAULT, NOON } from '../../support/store/samples.ts'
import { dropDatabase, openNode } from '../mongo/temporary-mongo.ts'
import { temporaryStore, type TemporaryStore } from '../temporary-store.ts'

const DUE = NOON + 60_000
const GROUPS = ['ops']

/** Something of everything that a folder can hold. */
async function fillFolder(store: Store): Promise<void> {
  const due = sample.alert('a-1', { nextStepAt: DUE })
  await store.accept(
    sample.opening(due, {
      notifications: [sample.notification('n-1'), sample.notification('n-2')],
      deliveries: [
        sample.toSend(sample.delivery('n-1', 1, { channel: 'realtime' })),
        sample.toSend(sample.delivery('n-1', 2, { critical: true })),
        sample.toSend(sample.delivery('n-2', 1)),
        sample.toSend(
          sample.delivery('a-1', 1, { subjectKind: 'alert', purpose: 'page', channel: 'sms' }),
          DUE,
        ),
      ],
      once: { key: 'id:m-1', expiresAt: NOON + 86_400_000, check: true },
      states: [{ name: 'db', state: { ok: false } }],
      dispatches: [
        { id: 'n-2', tenant: DEFAULT, owner: 'shop', topic: 'direct', doc: { to: 'anna' }, createdAt: NOON },
      ],
    }),
  )
  const broadcast = { userId: null, audience: GROUPS, tenant: DEFAULT }
  await store.accept(sample.acceptance({ notifications: [sample.notification('b-1', broadcast)] }))
  await store.accept(
    sample.acceptance({ notifications: [sample.notification('n-9', { tenant: ACME })], tenant: ACME }),
  )
  await store.accept(sample.acceptance({ deadLetter: sample.deadLetter('l-1') }))
  await store.accept(sample.acceptance({ release: { ref: 'r-1', dueAt: DUE, doc: { later: true } } }))
  const reader = { ...sample.reader(), groups: GROUPS }
  await store.mark({ ...reader, ids: ['b-1'], as: 'read', at: NOON + 1 })
  await store.mark({ ...reader, ids: ['n-2'], as: 'deleted', at: NOON + 2 })
  const resolved = sample.alert('a-2')
  await store.accept(sample.opening(resolved))
  await store.changeAlert(sample.alertChange(resolved, { status: 'resolved', resolvedAt: NOON + 1000 }))
  const { items } = await store.claim(sample.claimOf('email', NOON + 10))
  const [critical, other] = items
  if (!critical || !other) throw new Error('Two mails are due')
  await store.settle(
    sample.sent(critical, {
      outbox: sample.captured('o-1'),
      attempts: [{ number: 1, startedAt: NOON + 10, outcome: 'sent' }],
    }),
  )
  const ended = {
    state: 'suppressed',
    reason: 'throttled',
    providerId: null,
    error: null,
    sentAt: null,
    deliveredAt: null,
  } as const
  await store.settle(
    sample.sent(other, {
      delivery: { ...ended, id: other.kind === 'deliver' ? other.delivery.id : '' },
      hold: {
        key: 'anna mail',
        open: { id: 'g-1', channel: 'email', userId: 'anna', address: 'anna@example.org', dueAt: DUE },
      },
    }),
  )
  const row = { tenant: DEFAULT, kind: 'device', owner: 'anna', key: 'phone', changedAt: NOON }
  await store.putRecord({ ...row, doc: { token: 't' } })
  await store.putRecord({ ...row, key: 'gone', doc: { token: 'u' } })
  await store.putRecord({ ...row, key: 'gone', doc: null })
  const entry = { tenant: DEFAULT, at: NOON, actor: 'anna', via: 'http', action: 'silence.create' } as const
  await store.audit([
    { ...entry, subject: 's-1', detail: { until: 1 } },
    { ...entry, subject: null, detail: {} },
  ])
  await store.secret('links')
}

/** All that the port tells of a store. */
async function told(store: Store) {
  const reader = { ...sample.reader(), groups: GROUPS }
  const page = { tenant: DEFAULT, limit: 100 }
  const delivery = async (id: string) => store.delivery(DEFAULT, id)
  return {
    inbox: await sample.wholeInbox(store, reader),
    acme: await sample.wholeInbox(store, sample.reader('anna', { tenant: ACME })),
    summary: { ...(await store.inboxSummary(reader)), version: 0 },
    alerts: (await store.alerts(page)).items,
    open: await store.openAlert(DEFAULT, 'disk:a-1'),
    timelines: await Promise.all(['a-1', 'a-2'].map((id) => store.timeline(DEFAULT, id))),
    deliveries: await Promise.all(['n-1.1', 'n-1.2', 'n-2.1', 'a-1.1'].map(delivery)),
    dispatches: await store.dispatches({ tenant: DEFAULT, owner: 'shop', limit: 10, offset: 0 }),
    digest: await store.digestContents(DEFAULT, 'g-1', 10),
    letters: (await store.deadLetters(DEFAULT, { limit: 10 })).items.map((letter) => ({
      ...letter,
      payload: Buffer.from(letter.payload).toString(),
    })),
    outbox: await store.outbox({ tenant: DEFAULT }),
    records: (await store.records(10)).items,
    audit: (await store.auditLog(page)).items,
    head: await store.auditHead(),
    states: await store.states(),
    secret: Buffer.from(await store.secret('links')).toString('hex'),
    conservation: await store.conservation('all'),
    lanes: (await store.lanes()).toSorted(),
  }
}

describe('Moving a data folder to MongoDB', () => {
  let server: MongoServer
  let folder: TemporaryStore
  let url: string
  before(async function () {
    server = await mongoServer(this)
  })
  beforeEach(async () => {
    url = server.freshUrl()
    folder = await temporaryStore()
    await fillFolder(folder.store)
  })
  afterEach(async () => {
    await folder.store.close()
    await rm(folder.path, { recursive: true, force: true })
    await dropDatabase(url)
  })

  const move = (onMoved: (collection: string) => void = () => {}) =>
    migrateToMongo({ folder: folder.path, url, now: NOON, log: silentLog().log, onMoved })
  const failure = (work: Promise<unknown>) =>
    work.then(
      () => 'nothing failed',
      (error: Error) => error.message,
    )

  it('changes nothing of what anybody can ask', async () => {
    const before = await told(folder.store)
    await folder.store.close()
    await move()
    const store = await openNode(url)
    const after = await told(store)
    await store.close()
    expect(after).to.deep.equal(before)
    expect(before.conservation.broken).to.equal(0)
  })

  it('keeps the timers of open alerts, what is to be sent and what waits, each due once and at its instant', async () => {
    await folder.store.close()
    await move()
    const store = await openNode(url)
    const early = await store.claim(sample.claimOf('escalate', DUE - 1))
    const due = await Promise.all(
      ['escalate', 'sms', 'release', 'digest'].map((lane) => store.claim(sample.claimOf(lane, DUE))),
    )
    const again = await store.claim(sample.claimOf('escalate', DUE))
    expect(early.items).to.deep.equal([])
    expect(early.nextDueAt).to.equal(DUE)
    expect(due.map(({ items }) => items.map(({ kind }) => kind))).to.deep.equal([
      ['escalate'],
      ['deliver'],
      ['release'],
      ['digest'],
    ])
    expect(again.items).to.deep.equal([])
    await store.close()
  })

  it('goes on where the folder ended: keys are known, versions and places continue, the audit log stays one chain', async () => {
    await folder.store.close()
    await move()
    const store = await openNode(url)
    const once = { key: 'id:m-1', expiresAt: NOON + 86_400_000, check: true }
    const resent = await store.accept(sample.acceptance({ once }))
    const alert = await store.alert(DEFAULT, 'a-1')
    if (!alert) throw new Error('The alert is gone')
    const timeline = [{ at: NOON + 5000, kind: 'acknowledged', by: 'anna' }] as const
    const change = { status: 'acknowledged', nextStepAt: null } as const
    const outcome = await store.changeAlert(
      sample.alertChange(alert, change, { timeline, cancelPages: 'acknowledged' }),
    )
    const next = sample.accepted(
      await store.accept(sample.acceptance({ notifications: [sample.notification('n-10')] })),
    )
    await store.audit([
      {
        tenant: DEFAULT,
        at: NOON,
        actor: 'bob',
        via: 'http',
        action: 'silence.end',
        subject: null,
        detail: {},
      },
    ])
    const check = createChainCheck()
    check.add(await store.auditChain(0, 100))
    expect(resent.kind).to.equal('duplicate')
    expect(outcome).to.equal('done')
    expect((await store.timeline(DEFAULT, 'a-1')).map(({ kind }) => kind)).to.deep.equal([
      'opened',
      'acknowledged',
    ])
    expect((await store.delivery(DEFAULT, 'a-1.1'))?.delivery.state).to.equal('cancelled')
    expect(next.seqs[0]).to.be.greaterThan(4)
    expect(check.verdict(await store.auditHead())).to.include({ ok: true, entries: 3 })
    expect((await store.conservation('all')).broken).to.equal(0)
    await store.close()
  })

  it('may be repeated after it was cut off, and no node starts on a part of it', async () => {
    const before = await told(folder.store)
    await folder.store.close()
    const cut = await failure(
      move((collection) => {
        if (collection === 'alerts') throw new Error('power cut')
      }),
    )
    const started = await failure(openNode(url))
    await move()
    const store = await openNode(url)
    const after = await told(store)
    await store.close()
    expect(cut).to.equal('power cut')
    expect(started).to.include('let `carillon migrate` end first')
    expect(after).to.deep.equal(before)
  })

  it('closes the folder behind it, and refuses one that is in use, moved before or without data', async () => {
    expect(await failure(move())).to.include('in use by another process')
    await folder.store.close()
    await move()
    expect(await failure(temporaryStore({ path: folder.path }))).to.include('was moved to MongoDB')
    expect(await failure(move())).to.include('was moved before')
    const empty = await mkdtemp(join(tmpdir(), 'carillon-empty-'))
    const nothing = migrateToMongo({ folder: empty, url, now: NOON, log: silentLog().log, onMoved() {} })
    expect(await failure(nothing)).to.include('There is no data')
    await rm(empty, { recursive: true })
  })

  it('refuses a database that holds anything else, and leaves the folder usable', async () => {
    await folder.store.close()
    const other = await openNode(url)
    await other.accept(sample.acceptance({ notifications: [sample.notification('x-1')] }))
    await other.close()
    expect(await failure(move())).to.include('has data already')
    const store = await folder.reopen()
    expect((await sample.wholeInbox(store, sample.reader())).length).to.equal(1)
    await store.close()
  })
})
