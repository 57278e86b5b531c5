import { expect } from 'chai'
import { noAlarm } from '../../src/alert/operator-alarm.ts'
import { SMTPServer } from 'smtp-server'
import { emailChannel } from '../../src/delivery/channels/email.ts'
import { smsChannel } from '../../src/delivery/channels/sms.ts'
import type { Channels } from '../../src/delivery/channels/index.ts'
import { createDeliver } from '../../src/delivery/attempt/deliver.ts'
import type { PlannedDelivery } from '../../src/delivery/plan.ts'
import { createWorker } from '../../src/delivery/worker/worker.ts'
import { createMetrics } from '../../src/metrics.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { memoryWork } from '../support/memory-work.ts'
import { alert, NOON, person, planned, seeded } from '../support/messages.ts'
import { silentLog } from '../support/silent-log.ts'

const closing: (() => Promise<unknown>)[] = []

/** The whole delivery side: worker, attempts, a real SMTP server that refuses as told, a captured SMS channel. */
async function setUp(refuse: (address: string, attempt: number) => number | null) {
  const clock = fakeClock(NOON)
  const store = memoryWork()
  const { log } = silentLog()
  const metrics = createMetrics()
  const taken: { readonly to: string; readonly id: string }[] = []
  const asked = new Map<string, number>()
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    closeTimeout: 100,
    onRcptTo({ address }, _session, done) {
      const attempt = (asked.get(address) ?? 0) + 1
      asked.set(address, attempt)
      const responseCode = refuse(address, attempt)
      done(responseCode === null ? null : Object.assign(new Error('Not now'), { responseCode }))
    },
    onData(stream, session, done) {
      let raw = ''
      stream.on('data', (chunk: Buffer) => (raw += chunk.toString()))
      stream.on('end', () => {
        const id = /^Message-ID: (.*)$/im.exec(raw)?.[1] ?? ''
        for (const { address } of session.envelope.rcptTo) taken.push({ to: address, id })
        done()
      })
    },
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.server.address()
  const port = typeof address === 'object' ? address?.port : 0
  const email = emailChannel({ smtpUrl: `smtp://127.0.0.1:${port}`, from: 'Alerts <alerts@example.org>' })
  const channels: Channels = new Map([
    ['email', { channel: email, mode: 'live' }],
    ['sms', { channel: smsChannel(), mode: 'captured' }],
  ])
  const people = ['anna', 'bob', 'carla'].map((id) => person({ id, email: `${id}@example.org` }))
  const deliver = createDeliver({
    store,
    channels,
    directory: { user: (id) => people.find((someone) => someone.id === id) },
    clock,
    random: seeded(3),
    log,
    metrics,
    publicUrl: () => 'http://localhost:8080',
    fence: () => false,
    withheld: () => null,
  })
  const lanes = [{ name: 'email' }, { name: 'sms' }]
  const perform = { email: deliver, sms: deliver }
  const worker = createWorker({
    store,
    lanes,
    perform,
    clock,
    random: seeded(4),
    log,
    metrics,
    alarm: noAlarm,
  })
  closing.push(
    () => worker.stop(0),
    () => email.close(),
    () => new Promise<void>((resolve) => server.close(resolve)),
  )
  const page = (userId: string, ordinal: number, changes: Partial<PlannedDelivery> = {}) =>
    store.add(planned({ ordinal, userId, address: `${userId}@example.org`, ...changes }), { alert: alert() })
  /** Passes time in steps, waiting for the mail server in each. */
  const pass = async (seconds: number) => {
    for (let second = 0; second < seconds; second++) {
      await clock.pass(1000)
      await worker.settled()
    }
  }
  return { worker, store, taken, asked, page, pass }
}

describe('deliveries over a real mail server', () => {
  afterEach(async () => {
    for (const close of closing.splice(0)) await close()
  })

  it('arrive once at everybody although one is refused for good and one for now (P6, P7, P8, fault 1)', async () => {
    const { worker, store, taken, asked, page, pass } = await setUp((address, attempt) => {
      if (address === 'anna@example.org') return 550
      return address === 'bob@example.org' && attempt < 3 ? 451 : null
    })
    page('anna', 1)
    page('bob', 2)
    page('carla', 3)
    page('carla', 4, { channel: 'sms', address: '+4915112345678' })
    worker.start()
    await worker.settled()
    expect(taken).to.deep.equal([{ to: 'carla@example.org', id: '<a1.3@example.org>' }])
    expect(store.outbox.map((item) => item.text)).to.deep.equal(['CRITICAL: disk_full - Disk is full'])
    await pass(5)
    expect(taken.slice(1)).to.deep.equal([{ to: 'bob@example.org', id: '<a1.2@example.org>' }])
    expect(asked.get('anna@example.org')).to.equal(1)
    expect(store.delivery('a1.1')).to.include({ state: 'dead', reason: 'smtp_550', attempts: 1 })
    expect(store.delivery('a1.2')).to.include({
      state: 'sent',
      attempts: 3,
      providerId: '<a1.2@example.org>',
    })
    expect(store.left).to.equal(0)
  })

  it('of a direct mail are tried three times and then end with their reason (R24, R44, R48)', async () => {
    const { worker, store, asked, page, pass } = await setUp(() => 451)
    const fixed = { subject: 'Account Security Alert', text: 'New device' }
    page('anna', 1, { subjectKind: 'direct', userId: null, purpose: 'message', critical: false, fixed })
    worker.start()
    await worker.settled()
    await pass(10)
    expect(asked.get('anna@example.org')).to.equal(3)
    expect(store.delivery('a1.1')).to.include({ state: 'dead', reason: 'attempts_exhausted', attempts: 3 })
  })

  it('that are scheduled are sent when their time comes, not before (section 1.6 fault 8)', async () => {
    const { worker, store, taken, page, pass } = await setUp(() => null)
    page('anna', 1, { dueAt: NOON + 20_000 })
    worker.start()
    await worker.settled()
    await pass(19)
    expect(taken).to.deep.equal([])
    await pass(1)
    expect(taken).to.have.length(1)
    expect(store.delivery('a1.1')).to.include({ state: 'sent', sentAt: NOON + 20_000 })
  })
})
