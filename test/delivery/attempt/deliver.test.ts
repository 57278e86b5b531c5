import { expect } from 'chai'
import type { Channel, ChannelMode, OutgoingMessage, SendResult } from '../../../src/delivery/channel.ts'
import type { Channels } from '../../../src/delivery/channels/index.ts'
import { smsChannel } from '../../../src/delivery/channels/sms.ts'
import { emailChannel } from '../../../src/delivery/channels/email.ts'
import { webhookChannel } from '../../../src/delivery/channels/webhook.ts'
import { createOutgoing } from '../../../src/delivery/outgoing/outgoing.ts'
import type { Trouble } from '../../../src/delivery/chaos.ts'
import {
  attempt,
  createDeliver,
  type DeliverDeps,
  type DeliverWork,
} from '../../../src/delivery/attempt/deliver.ts'
import type { ChannelName, FixedContent } from '../../../src/delivery/delivery.ts'
import { webhookAddress } from '../../../src/delivery/webhook-address.ts'
import { leasedWork, type PlannedDelivery } from '../../../src/delivery/plan.ts'
import { PROVIDERS_PAUSED } from '../../../src/delivery/attempt/retry.ts'
import { createMetrics } from '../../../src/metrics.ts'
import { fakeClock, turn } from '../../support/fake-clock.ts'
import { eventually } from '../../support/eventually.ts'
import { httpEndpoint } from '../../support/http-endpoint.ts'
import { memoryWork } from '../../support/memory-work.ts'
import { alert, notification, NOON, person, planned, TENANT } from '../../support/messages.ts'
import { silentLog } from '../../support/silent-log.ts'
import type { TenantId } from '../../../src/access/principal.ts'
import type { Settlement } from '../../../src/store/store.ts'

const rendering: Readonly<Partial<Record<ChannelName, Channel>>> = {
  sms: smsChannel(),
  email: emailChannel({ smtpUrl: undefined, from: 'alerts@example.org' }),
}

type Answer = SendResult | ((message: OutgoingMessage, signal: AbortSignal) => Promise<SendResult>)

/** A channel that renders as the real one and answers as it is told. */
function setUp(
  answer: Answer = { ok: true, providerId: 'p1' },
  mode: ChannelMode = 'live',
  name: ChannelName = 'email',
) {
  const clock = fakeClock(NOON)
  const { log, lines } = silentLog()
  const metrics = createMetrics()
  const sent: OutgoingMessage[] = []
  const real = rendering[name]
  if (!real) throw new Error(`no channel ${name}`)
  const channel: Channel = {
    ...real,
    send(message, signal) {
      sent.push(message)
      return typeof answer === 'function' ? answer(message, signal) : Promise.resolve(answer)
    },
  }
  const channels: Channels = new Map([[name, { channel, mode }]])
  const fenced = new Set<string>()
  const people = new Map([['anna', person()]])
  const deps: DeliverDeps = {
    channels,
    directory: { user: (id) => people.get(id) },
    clock,
    random: () => 0,
    log,
    metrics,
    publicUrl: () => 'http://localhost:8080',
    fence: (id) => fenced.has(id),
    withheld: () => null,
  }
  return { deps, clock, lines, metrics, sent, fenced, people, channel }
}

function work(plan: Partial<PlannedDelivery> = {}, changes: Partial<DeliverWork> = {}): DeliverWork {
  const row = planned({ ordinal: 1, ...plan })
  const message = plan.subjectKind === 'notification' ? notification() : null
  const subject = plan.subjectKind === undefined ? alert() : null
  const lease = { workId: 1, token: 1, deliveryId: row.delivery.id }
  const [item] = leasedWork([row], [lease], { notification: message, alert: subject })
  if (item?.kind !== 'deliver') throw new Error('nothing leased')
  return { ...item, ...changes }
}

const failed = (changes: Partial<Extract<SendResult, { ok: false }>>): SendResult => ({
  ok: false,
  retry: true,
  code: 'http_503',
  reason: 'Come back later',
  ...changes,
})

async function metric(counter: { get(): Promise<{ values: { value: number }[] }> }): Promise<number> {
  return (await counter.get()).values.reduce((sum, { value }) => sum + value, 0)
}

describe('attempt', () => {
  it('sends nothing to an address that may not be used any more (E19, E20)', async () => {
    const { deps, sent } = setUp()
    const asked: unknown[] = []
    const withheld: DeliverDeps['withheld'] = ({ address }) => {
      asked.push(address)
      return { state: 'suppressed', reason: 'opted_out' }
    }
    for (const address of ['anna@example.org', null]) {
      const { settlement } = await attempt(work({ address }), { ...deps, withheld })
      expect(settlement.delivery).to.include({ state: 'suppressed', reason: 'opted_out' })
      expect(settlement).to.include({ nextDueAt: null, outbox: null })
    }
    expect(asked).to.deep.equal(['anna@example.org', 'anna@example.org'])
    expect(sent).to.deep.equal([])
  })

  it('sends once under the delivery’s id and notes when and as what (P8)', async () => {
    const { deps, sent, clock } = setUp()
    const { settlement, provider } = await attempt(work(), deps)
    expect(clock.waiting).to.deep.equal([])
    expect(sent.map((message) => message.idempotencyKey)).to.deep.equal(['a1.1'])
    expect(sent[0]).to.deep.include({ address: 'anna@example.org', critical: true })
    expect(settlement).to.deep.equal({
      workId: 1,
      token: 1,
      at: NOON,
      delivery: {
        id: 'a1.1',
        state: 'sent',
        reason: null,
        error: null,
        providerId: 'p1',
        sentAt: NOON,
        deliveredAt: null,
      },
      nextDueAt: null,
      outbox: null,
      attempts: [
        { number: 1, startedAt: NOON, endedAt: NOON, provider: 'smtp', outcome: 'sent', providerId: 'p1' },
      ],
    })
    expect(provider).to.deep.equal({ sign: 'well' })
  })

  it('keeps a captured message in the settlement itself and calls no provider', async () => {
    const { deps, sent } = setUp(undefined, 'captured', 'sms')
    const { settlement } = await attempt(work({ channel: 'sms', address: '+4915112345678' }), deps)
    expect(sent).to.deep.equal([])
    expect(settlement.delivery).to.include({ state: 'sent', providerId: 'captured', sentAt: NOON })
    expect(settlement.outbox).to.include({
      id: 'a1.1',
      text: 'CRITICAL: disk_full - Disk is full',
      segments: 1,
    })
    expect(settlement.outbox?.actions.map((action) => action.id)).to.deep.equal([
      'ack',
      'escalate',
      'resolve',
    ])
  })

  it('sends and keeps one copy in mode both, once the delivery has ended', async () => {
    const sending = setUp(undefined, 'both')
    const { settlement } = await attempt(work(), sending.deps)
    expect(sending.sent).to.have.length(1)
    expect(settlement.outbox).to.include({ deliveryId: 'a1.1', subject: 'CRITICAL ALERT: disk_full' })
    const failing = setUp(failed({}), 'both')
    expect((await attempt(work(), failing.deps)).settlement.outbox).to.equal(null)
  })

  it('of a captured channel in trouble comes to what a live provider would answer, and keeps what went through (contract section 7)', async () => {
    const { deps, sent, clock } = setUp(undefined, 'captured', 'sms')
    const attempted = async (trouble: Trouble) => {
      const page = work({ channel: 'sms', address: '+4915112345678' })
      const answer = attempt(page, { ...deps, chaos: { of: () => trouble, everywhere: () => true } })
      await clock.pass(12_000)
      return answer
    }
    const well = { failRate: 0, delayMs: 5000, status: 503 }
    const slow = await attempted(well)
    expect(slow.settlement).to.deep.include({ at: NOON + 5000, nextDueAt: null })
    expect(slow.settlement.delivery).to.include({ state: 'sent', providerId: 'captured' })
    expect(slow.settlement.outbox).to.include({ text: 'CRITICAL: disk_full - Disk is full' })

    const failing = await attempted({ ...well, failRate: 1 })
    expect(failing.settlement.delivery).to.include({
      state: 'pending',
      error: 'http_503: Chaos answered 503',
    })
    expect(failing.settlement.nextDueAt).to.be.a('number')
    expect(failing.settlement.outbox).to.equal(null)
    expect(failing.provider).to.include({ sign: 'transient' })

    const refused = await attempted({ failRate: 1, delayMs: 0, status: 401 })
    expect(refused.provider).to.deep.equal({ sign: 'refused' })
    const gone = await attempted({ failRate: 1, delayMs: 0, status: 404 })
    expect(gone.settlement.delivery).to.include({ state: 'dead', reason: 'http_404' })
    expect(gone.settlement.outbox).to.equal(null)
    const silent = await attempted({ ...well, delayMs: 60_000 })
    expect(silent.settlement.delivery).to.include({
      state: 'pending',
      error: 'timeout: Chaos did not answer in time',
    })
    expect(sent, 'nothing leaves the machine').to.deep.equal([])
  })

  it('ends suppressed, not dead, where nobody would have got it', async () => {
    const { deps } = setUp(failed({ retry: false, code: 'not_connected', suppressed: true }))
    const { settlement, provider } = await attempt(work(), deps)
    expect(settlement).to.include({ nextDueAt: null })
    expect(settlement.delivery).to.include({ state: 'suppressed', reason: 'not_connected' })
    expect(provider).to.deep.equal({ sign: 'well' })
  })

  const unsent: readonly [string, Partial<PlannedDelivery>, Partial<DeliverWork>, string, string][] = [
    [
      'a page of an acknowledged alert (P15)',
      {},
      { alert: alert({ status: 'acknowledged' }) },
      'cancelled',
      'acknowledged',
    ],
    [
      'a page of a resolved alert (P17)',
      {},
      { alert: alert({ status: 'resolved' }) },
      'cancelled',
      'resolved',
    ],
    ['a page of a snoozed alert', {}, { alert: alert({ status: 'snoozed' }) }, 'cancelled', 'snoozed'],
    ['work that was lost with two processes (P10)', {}, { crashes: 2 }, 'dead', 'poison'],
    ['a message to somebody who is gone', { userId: 'zoe' }, {}, 'suppressed', 'unknown_user'],
    [
      'a message to somebody of another tenant',
      { tenant: 'acme' as TenantId },
      {},
      'suppressed',
      'unknown_user',
    ],
    ['a message over a channel that is none', { channel: 'telegram' }, {}, 'dead', 'no_channel'],
    ['a message about nothing', {}, { alert: null }, 'cancelled', 'subject_gone'],
    [
      'a notification whose time is over',
      { subjectKind: 'notification', purpose: 'message' },
      { notification: notification({ expiresAt: NOON }) },
      'expired',
      'ttl',
    ],
  ]
  for (const [title, plan, changes, state, reason] of unsent) {
    it(`does not send ${title}, and says why`, async () => {
      for (const mode of ['live', 'captured'] as const) {
        const { deps, sent } = setUp(undefined, mode)
        const { settlement } = await attempt(work(plan, changes), deps)
        expect(settlement.delivery).to.include({ state, reason, sentAt: null })
        expect(settlement).to.include({ nextDueAt: null, outbox: null })
        expect(sent).to.deep.equal([])
      }
    })
  }

  it('does not send to somebody who lost the address meanwhile', async () => {
    const { deps, people, sent } = setUp()
    const { email: _, ...rest } = person()
    people.set('anna', rest)
    const { settlement } = await attempt(work({ address: null }), deps)
    expect(settlement.delivery).to.include({ state: 'suppressed', reason: 'no_address' })
    expect(sent).to.deep.equal([])
  })

  it('finds the address of a person when the row holds none', async () => {
    const { deps, sent } = setUp()
    await attempt(work({ address: null }), deps)
    expect(sent[0]?.address).to.equal('anna@example.org')
  })

  it('starts no page after an acknowledgement was committed here, sent or captured (P15)', async () => {
    for (const mode of ['live', 'captured', 'both'] as const) {
      const { deps, fenced, sent } = setUp(undefined, mode)
      fenced.add('a1')
      const { settlement } = await attempt(work(), deps)
      expect(settlement.delivery).to.include({ state: 'cancelled', reason: 'acknowledged' })
      expect(settlement.outbox).to.equal(null)
      expect(sent).to.deep.equal([])
    }
  })

  it('asks the fence in the tick in which the provider is called (P15)', async () => {
    const order: string[] = []
    const { deps } = setUp(() => {
      order.push('send')
      return Promise.resolve({ ok: true })
    })
    const fence = () => {
      order.push('fence')
      queueMicrotask(() => order.push('later'))
      return false
    }
    await attempt(work(), { ...deps, fence })
    expect(order).to.deep.equal(['fence', 'send', 'later'])
  })

  it('tells how an alert ended although it is fenced', async () => {
    const { deps, fenced, sent } = setUp()
    fenced.add('a1')
    const fixed = { subject: 'RESOLVED', text: 'by bob' }
    const resolved = alert({ status: 'resolved' })
    const { settlement } = await attempt(work({ purpose: 'outcome', fixed }, { alert: resolved }), deps)
    expect(settlement.delivery).to.include({ state: 'sent' })
    expect(sent[0]?.rendered.actions).to.deep.equal([])
  })

  it('sends title and text when the template throws (P10)', async () => {
    const { deps, channel, sent, lines } = setUp()
    channel.render = () => {
      throw new Error('broken template')
    }
    const { settlement } = await attempt(work(), deps)
    expect(settlement.delivery).to.include({ state: 'sent' })
    expect(sent[0]?.rendered).to.include({ subject: 'disk_full', text: 'Disk is full' })
    expect(sent[0]?.rendered.actions.map((action) => action.id)).to.include('ack')
    expect(lines.map((line) => line.msg)).to.include('rendering failed')
  })

  it('tries again later what failed for now, and keeps why (P7)', async () => {
    const { deps } = setUp(failed({}))
    const { settlement, provider } = await attempt(work(), deps)
    expect(settlement.delivery).to.include({
      state: 'pending',
      error: 'http_503: Come back later',
      sentAt: null,
    })
    expect(settlement.nextDueAt).to.equal(NOON + 500)
    expect(provider).to.include({ sign: 'transient' })
  })

  it('gives the provider’s wish to the delivery and to its lane, 10 min at most (P7)', async () => {
    const { deps } = setUp(failed({ code: 'http_429', retryAfterMs: 3_600_000 }))
    const { settlement, provider } = await attempt(work(), deps)
    expect(settlement.nextDueAt).to.equal(NOON + 600_000)
    expect(provider).to.deep.equal({ sign: 'transient', retryAfterMs: 600_000 })
  })

  it('ends at once what the provider refuses for good, which says nothing bad about the provider (E18)', async () => {
    const { deps } = setUp(failed({ retry: false, code: 'smtp_550', reason: 'No such user' }))
    const { settlement, provider } = await attempt(work(), deps)
    expect(settlement.delivery).to.include({ state: 'dead', reason: 'smtp_550', error: 'No such user' })
    expect(settlement.nextDueAt).to.equal(null)
    expect(provider).to.deep.equal({ sign: 'well' })
  })

  it('says nothing about the provider where it was not asked, neither well nor ill (P24)', async () => {
    for (const retry of [true, false]) {
      const { deps } = setUp(failed({ code: 'attachment_unavailable', retry, blameless: true }))
      expect((await attempt(work(), deps)).provider).to.deep.equal({ sign: 'unknown' })
    }
  })

  it('gives what was to wait all of its time and attempts from when it was due (P7, R24)', async () => {
    const DAY = 24 * 60 * 60_000
    const waited: readonly (readonly [string, Partial<PlannedDelivery>])[] = [
      ['a direct e-mail of next week', { subjectKind: 'direct', critical: false, dueAt: NOON + 7 * DAY }],
      ['a page that its contact rule delays by two hours', { dueAt: NOON + 2 * 60 * 60_000 }],
    ]
    for (const [what, plan] of waited) {
      const late = { ...plan, fixed: { text: 'Hello' } }
      const row = planned(late)
      for (const answer of [failed({}), failed({ code: PROVIDERS_PAUSED, untried: true })]) {
        const { deps, clock } = setUp(answer)
        await clock.pass(plan.dueAt! - NOON)
        const delivery = { ...row.delivery, state: 'sending' as const, attempts: 1 }
        const { settlement } = await attempt(work({}, { delivery, dueAt: plan.dueAt! }), deps, 'failing')
        expect(settlement.delivery, what).to.include({ state: 'pending' })
      }
    }
  })

  describe('of a summary of alerts', () => {
    const summary = (about: NonNullable<FixedContent['summary']>) =>
      work({
        subjectKind: 'direct',
        subjectId: 'g1',
        purpose: 'summary',
        fixed: { text: '3 messages held back', summary: about },
      })
    const first200 = Array.from({ length: 200 }, (_, index) => `a${index}`)
    const cases: readonly (readonly [
      string,
      NonNullable<FixedContent['summary']>,
      DeliverDeps['fires'],
      string,
    ])[] = [
      [
        'goes while one of them fires',
        { alertIds: ['a1', 'a2'], notifications: 0 },
        (id) => id === 'a2',
        'sent',
      ],
      [
        'goes when it is about notifications as well',
        { alertIds: ['a1'], notifications: 1 },
        () => false,
        'sent',
      ],
      [
        'stays when somebody has taken care of all of them, long ago or before a restart (P15)',
        { alertIds: ['a1', 'a2'], notifications: 0 },
        () => false,
        'cancelled',
      ],
      [
        'goes when more fire than it names, whoever took care of those',
        { alertIds: first200, unnamed: 1, notifications: 0 },
        () => false,
        'sent',
      ],
    ]
    for (const [title, about, fires, state] of cases) {
      it(title, async () => {
        const { deps } = setUp()
        const { settlement } = await attempt(summary(about), { ...deps, ...(fires && { fires }) })
        expect(settlement.delivery).to.include({ state })
      })
    }
  })

  it('keeps a delivery pending while the provider refuses us, beyond every count and budget (P7)', async () => {
    const { deps } = setUp(failed({ code: 'provider_down' }))
    const late = work({ subjectKind: 'direct', userId: null, fixed: { text: 'x' }, purpose: 'message' })
    const delivery = { ...late.delivery, attempts: 9, createdAt: NOON - 86_400_000 * 3 }
    const { settlement, provider } = await attempt({ ...late, delivery }, deps)
    expect(settlement.delivery).to.include({ state: 'pending' })
    expect(settlement.nextDueAt).to.be.at.least(NOON + 60_000)
    expect(settlement.untried).to.equal(true)
    expect(provider).to.deep.equal({ sign: 'refused' })
  })

  it('ends what is over its time instead of probing a failing provider with it, and sends it to one that only refused us (P7)', async () => {
    const delivery = { ...work().delivery, createdAt: NOON - 3_600_001 }
    for (const [trouble, state] of [
      ['failing', 'dead'],
      ['retry_after', 'dead'],
      ['refused', 'sent'],
      [null, 'sent'],
    ] as const) {
      const { deps, sent } = setUp()
      const { settlement, provider } = await attempt({ ...work(), delivery }, deps, trouble)
      expect(settlement.delivery, String(trouble)).to.include({ state })
      expect(sent).to.have.length(state === 'sent' ? 1 : 0)
      if (state === 'dead') {
        expect(settlement.delivery).to.include({ reason: 'budget_exhausted' })
        expect(provider).to.deep.equal({ sign: 'unknown' })
      }
    }
  })

  it('counts no attempt that nobody could be asked for, and waits until somebody can, within its time (P7)', async () => {
    const answer = failed({ code: 'providers_paused', untried: true, retryAfterMs: 4000 })
    const { deps } = setUp(answer)
    const { settlement, provider } = await attempt(work(), deps)
    expect(settlement).to.include({ untried: true, nextDueAt: NOON + 4000 })
    expect(provider).to.deep.equal({ sign: 'transient', retryAfterMs: 4000 })
    const late = { ...work().delivery, createdAt: NOON - 3_600_000 }
    const over = await attempt({ ...work(), delivery: late }, deps)
    expect(over.settlement.delivery).to.include({ state: 'dead', reason: 'budget_exhausted' })
  })

  it('gives a direct send up after its third attempt (R24, R48)', async () => {
    const { deps } = setUp(failed({}))
    const third = work({ subjectKind: 'direct', userId: null, fixed: { text: 'x' }, purpose: 'message' })
    const { settlement } = await attempt({ ...third, delivery: { ...third.delivery, attempts: 3 } }, deps)
    expect(settlement.delivery).to.include({ state: 'dead', reason: 'attempts_exhausted' })
  })

  it('sends again what may have arrived, counts it, and drops only an SMS that wakes nobody (P9)', async () => {
    const loud = setUp(undefined, 'live', 'sms')
    const sms = { channel: 'sms', address: '+4915112345678' } as const
    await attempt(work(sms, { ambiguous: true }), loud.deps)
    expect(loud.sent).to.have.length(1)
    expect(await metric(loud.metrics.ambiguous)).to.equal(1)
    const quiet = setUp(undefined, 'live', 'sms')
    const { settlement } = await attempt(work({ ...sms, critical: false }, { ambiguous: true }), quiet.deps)
    expect(quiet.sent).to.deep.equal([])
    expect(settlement.delivery).to.include({ state: 'dead', reason: 'ambiguous' })
    expect(await metric(quiet.metrics.ambiguous)).to.equal(1)
  })

  it('is never in doubt about a captured message, whose mark is the same commit (P9)', async () => {
    const { deps, metrics } = setUp(undefined, 'captured', 'sms')
    const plan = { channel: 'sms', address: '+4915112345678', critical: false } as const
    const { settlement } = await attempt(work(plan, { ambiguous: true }), deps)
    expect(settlement.outbox).to.not.equal(null)
    expect(await metric(metrics.ambiguous)).to.equal(0)
  })

  it('counts a send whose effect is unknown and tries it again (P9)', async () => {
    const { deps, metrics } = setUp(failed({ code: 'timeout', ambiguous: true }))
    expect((await attempt(work(), deps)).settlement.nextDueAt).to.equal(NOON + 500)
    expect(await metric(metrics.ambiguous)).to.equal(1)
  })

  it('aborts a send after 10 s (P7)', async () => {
    const { deps, clock } = setUp(
      (_message, signal) =>
        new Promise((resolve) =>
          signal.addEventListener('abort', () => resolve(failed({ code: 'timeout' }))),
        ),
    )
    const attempting = attempt(work(), deps)
    await clock.pass(9_999)
    expect(clock.waiting).to.include(NOON + 10_000)
    await clock.pass(1)
    expect((await attempting).settlement).to.deep.include({ at: NOON + 10_000, nextDueAt: NOON + 10_500 })
    expect(clock.waiting).to.deep.equal([])
  })

  it('tries a receiver again that did not answer in ten seconds, under the same id (A6)', async () => {
    const slow = await httpEndpoint((_request, response, count) => void (count > 1 && response.end('ok')))
    try {
      const { deps, clock } = setUp()
      const outgoing = createOutgoing({ allow: ['127.0.0.1'] })
      const endpoints = [{ name: 'ops', url: slow.url, format: 'json' as const }]
      const channel = webhookChannel({ endpoints, outgoing, clock })
      const webhook: DeliverDeps = { ...deps, channels: new Map([['webhook', { channel, mode: 'live' }]]) }
      const item = work({ channel: 'webhook', userId: null, address: webhookAddress('ops', slow.url) })
      const first = attempt(item, webhook)
      await eventually('the first request', () => (slow.received.length === 1 ? true : undefined))
      await clock.pass(10_000)
      const { settlement } = await first
      expect(settlement.delivery).to.include({ state: 'pending' })
      expect(settlement.nextDueAt).to.equal(NOON + 10_500)
      expect((await attempt(item, webhook)).settlement.delivery).to.include({ state: 'sent' })
      const ids = slow.received.map(({ headers }) => headers['idempotency-key'])
      expect(ids).to.deep.equal(['a1.1', 'a1.1'])
    } finally {
      await slow.close()
    }
  })

  it('gives up a channel that does not hear its signal, and is in doubt', async () => {
    const { deps, clock, metrics } = setUp(() => new Promise(() => {}))
    const attempting = attempt(work(), deps)
    await clock.pass(11_000)
    expect((await attempting).settlement.delivery).to.include({
      state: 'pending',
      error: 'timeout: No answer in time',
    })
    expect(await metric(metrics.ambiguous)).to.equal(1)
    expect(clock.waiting).to.deep.equal([])
  })

  it('survives a channel that throws, also before it promises anything', async () => {
    const answers: Answer[] = [
      () => Promise.reject(new Error('bug')),
      () => {
        throw new Error('bug')
      },
    ]
    for (const answer of answers) {
      const { deps, lines } = setUp(answer)
      const { settlement } = await attempt(work(), deps)
      expect(settlement.delivery).to.include({ state: 'pending', error: 'channel_failed: bug' })
      expect(lines.map((line) => line.msg)).to.include('channel failed')
    }
  })
})

describe('createDeliver', () => {
  it('settles what it attempted, counts it and tells of it after the commit', async () => {
    const { deps, metrics } = setUp(undefined, 'captured')
    const store = memoryWork()
    store.add(planned({ ordinal: 1 }), { alert: alert() })
    const told: (Settlement['delivery'] | string)[] = []
    const settled = (item: DeliverWork, settlement: Settlement) =>
      void told.push(item.delivery.id, settlement.delivery, store.delivery('a1.1').state)
    const deliver = createDeliver({ ...deps, store, settled })
    const { items } = await store.claim({ lane: 'email', now: NOON, limit: 1, leaseUntil: NOON + 30_000 })
    for (const item of items) await deliver(item)
    expect(told[0]).to.equal('a1.1')
    expect(told[2]).to.equal('sent')
    expect(store.outbox.map((item) => item.id)).to.deep.equal(['a1.1'])
    const { values } = await metrics.deliveries.get()
    expect(values.map(({ labels, value }) => [labels, value])).to.deep.equal([
      [{ channel: 'email', state: 'sent' }, 1],
    ])
  })

  it('tells nobody of a settlement that was fenced', async () => {
    const { deps } = setUp()
    const told: unknown[] = []
    const deliver = createDeliver({ ...deps, store: memoryWork(), settled: (item) => told.push(item) })
    await deliver(work())
    expect(told).to.deep.equal([])
  })

  it('keeps what it sent in mind while the store is away, and marks it when it is back (P9)', async () => {
    const { deps, clock, sent } = setUp()
    const store = memoryWork()
    store.add(planned({ ordinal: 1 }), { alert: alert() })
    const { items } = await store.claim({ lane: 'email', now: NOON, limit: 1, leaseUntil: NOON + 30_000 })
    const [item] = items
    if (!item) throw new Error('nothing claimed')
    store.failing = 2
    const delivering = createDeliver({ ...deps, store })(item)
    await turn()
    await clock.pass(1200)
    await delivering
    expect(store.delivery('a1.1').state).to.equal('sent')
    expect(sent).to.have.length(1)
  })

  it('does not fail because of what follows a delivery', async () => {
    const { deps, lines } = setUp()
    const store = memoryWork()
    store.add(planned({ ordinal: 1, tenant: TENANT }), { alert: alert() })
    const settled = () => {
      throw new Error('receipt lost')
    }
    const { items } = await store.claim({ lane: 'email', now: NOON, limit: 1, leaseUntil: NOON + 30_000 })
    for (const item of items) await createDeliver({ ...deps, store, settled })(item)
    expect(lines.map((line) => line.msg)).to.include('what follows a delivery failed')
  })
})
