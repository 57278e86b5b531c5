import { expect } from 'chai'
import { Value } from 'typebox/value'
import { ConfigSchema, type Config } from '../../src/config/schema.ts'
import type { Channel } from '../../src/delivery/channel.ts'
import { createChannels } from '../../src/delivery/channels/index.ts'
import type { ChannelName } from '../../src/delivery/delivery.ts'
import type { PlannedDelivery } from '../../src/delivery/plan.ts'
import { webhookAddress } from '../../src/delivery/webhook-address.ts'
import { attemptsOver, type Attempts } from '../support/attempts.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { providerServer, type Asked, type Given, type ProviderServer } from '../support/provider-server.ts'
import { noDevices } from '../support/fake-devices.ts'
import { quietHealth } from '../support/quiet-health.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const PHONE = '+4915112345678'
const ACCOUNT = { account_sid: 'AC1', auth_token: 'canary-secret', from: '+15005550006' }
const callbackKey = ({ fields }: Asked) =>
  new URL(fields['StatusCallback'] ?? 'x:').searchParams.get('delivery')
const headerKey = ({ headers }: Asked) => headers['idempotency-key'] ?? null

interface Over {
  readonly title: string
  readonly channel: ChannelName
  readonly settings: (url: string) => object
  readonly plan: (url: string) => Partial<PlannedDelivery>
  /** Where the provider finds the key; null where its interface knows none. */
  readonly key: ((asked: Asked) => unknown) | null
  /** What its own words mean instead of what HTTP says. */
  readonly own?: Readonly<Record<number, 'permanent' | 'refused'>>
}

const CHANNELS: readonly Over[] = [
  {
    title: 'SMS over Twilio',
    channel: 'sms',
    settings: (url) => ({ sms: { mode: 'live', ...ACCOUNT, base_url: url } }),
    plan: () => ({ address: PHONE }),
    key: callbackKey,
  },
  {
    title: 'SMS over an HTTP gateway',
    channel: 'sms',
    settings: (url) => ({ sms: { mode: 'live', provider: 'http', url: `${url}/send` } }),
    plan: () => ({ address: PHONE }),
    key: headerKey,
  },
  {
    title: 'a call over Twilio',
    channel: 'voice',
    settings: (url) => ({ voice: { mode: 'live', ...ACCOUNT, base_url: url } }),
    plan: () => ({ address: PHONE }),
    key: callbackKey,
  },
  {
    title: 'a webhook',
    channel: 'webhook',
    settings: (url) => ({
      webhook: { mode: 'live', allow: ['127.0.0.1'], endpoints: { ops: { url: `${url}/hook` } } },
    }),
    plan: (url) => ({ address: webhookAddress('ops', `${url}/hook`), userId: null }),
    key: headerKey,
  },
  {
    title: 'a Telegram message',
    channel: 'telegram',
    settings: (url) => ({ telegram: { mode: 'live', bot_token: '123456:token', api_root: url } }),
    plan: () => ({ address: '4711' }),
    key: null,
    // 403: the person has blocked the bot; 404: the token is none.
    own: { 403: 'permanent', 404: 'refused' },
  },
]

type Fault = Given | 'hang' | 'cut' | 'reset'
const LATER = { status: 429, headers: { 'retry-after': '120' }, body: { parameters: { retry_after: 120 } } }
const LONG = { status: 429, headers: { 'retry-after': '3600' }, body: { parameters: { retry_after: 3600 } } }

const TRANSIENT: readonly (readonly [
  title: string,
  fault: Fault,
  more?: { wish?: number; takes?: number; fails?: number },
])[] = [
  ['429 with Retry-After 120', LATER, { wish: 120 * SECOND }],
  ['429 with Retry-After 3600', LONG, { wish: 10 * MINUTE, fails: 4 }],
  ['500', { status: 500 }],
  ['503', { status: 503 }],
  ['a connection that is reset at once', 'reset'],
  ['a connection that is reset after the request was written', 'cut'],
  ['no answer in 10 s', 'hang', { takes: 10 * SECOND }],
]
/** The request was written when these happen: the provider may have the message. */
const AMBIGUOUS: readonly unknown[] = ['reset', 'cut', 'hang']

/** Half to all of 1 s, doubled with every attempt; `middle` of that (promise P7). */
function instants(
  count: number,
  {
    critical = true,
    middle = 0.75,
    wish = 0,
    takes = 0,
  }: {
    critical?: boolean
    middle?: number
    wish?: number
    takes?: number
  },
): number[] {
  const longest = critical ? 30 * SECOND : 5 * MINUTE
  const at = [0]
  while (at.length < count) {
    const delay = Math.ceil(middle * Math.min(longest, SECOND * 2 ** (at.length - 1)))
    at.push(at.at(-1)! + takes + Math.max(delay, wish))
  }
  return at
}

const open: (() => Promise<unknown>)[] = []
const CRITICAL = true

function channelOf(over: Over, url: string): Channel {
  const settings = { server: { public_url: 'https://bell.example.org' }, channels: over.settings(url) }
  const config = Value.Default(ConfigSchema, settings) as Config
  const channels = createChannels(config, {
    clock: fakeClock(),
    healthOf: quietHealth(),
    publicUrl: 'https://bell.example.org',
    devices: noDevices,
    vapid: null,
  })
  const found = channels.get(over.channel)
  if (!found) throw new Error(`no channel ${over.channel}`)
  return found.channel
}

interface Rig {
  readonly server: ProviderServer
  readonly attempts: Attempts
  readonly plan: Partial<PlannedDelivery>
}

async function rigOf(over: Over, fault: Fault, random?: () => number): Promise<Rig> {
  const server = await providerServer()
  open.push(() => server.close())
  server.resets = fault === 'reset'
  server.answer = () => (fault === 'reset' ? 'cut' : fault)
  const stuck = (made: number) => server.hanging > 0 && server.asked.length === made
  const attempts = attemptsOver(channelOf(over, server.url), { stuck, ...(random && { random }) })
  open.push(() => attempts.close())
  return { server, attempts, plan: over.plan(server.url) }
}

const times = ({ attempts }: Rig) => attempts.made.map(({ at }) => at)

describe('A provider in trouble (P7, P8, P9)', () => {
  afterEach(async () => {
    for (const close of open.splice(0).toReversed()) await close()
  })

  for (const over of CHANNELS) {
    for (const [title, fault, more = {}] of TRANSIENT) {
      for (const critical of [CRITICAL, !CRITICAL]) {
        const dropped = AMBIGUOUS.includes(fault) && over.channel === 'sms' && !critical
        if (dropped) continue
        const kind = critical ? 'critical' : 'normal'
        it(`${over.title}: ${title} is tried again at the instants of a ${kind} delivery, under one key`, async () => {
          const rig = await rigOf(over, fault)
          const { server, attempts, plan } = rig
          const id = attempts.send({ ...plan, critical })
          const { fails = 7 } = more
          await attempts.pass(2 * HOUR, () => attempts.made.length >= fails)
          // Past the last failing attempt, whose answer is still the fault.
          await attempts.pass((more.takes ?? 0) + 1)
          expect(attempts.delivery(id)).to.include({ state: 'pending', reason: null, attempts: fails })
          server.resets = false
          server.answer = () => ({ status: 200, body: { ok: true, result: { message_id: 9 }, sid: 'SM1' } })
          await attempts.pass(20 * MINUTE, () => attempts.delivery(id).state === 'sent')
          expect(times(rig)).to.deep.equal(instants(fails + 1, { critical, ...more }))
          expect(attempts.delivery(id)).to.include({ state: 'sent', attempts: fails + 1 })
          expect(new Set(attempts.made.map(({ key }) => key))).to.deep.equal(new Set([id]))
          expect(server.asked.length).to.equal(fault === 'reset' ? 1 : fails + 1)
          if (over.key) for (const asked of server.asked) expect(over.key(asked)).to.equal(id)
        })
      }
      if (AMBIGUOUS.includes(fault) && over.channel === 'sms')
        it(`${over.title}: ${title} ends an SMS that wakes nobody, which may have arrived and costs money (P9)`, async () => {
          const rig = await rigOf(over, fault)
          const id = rig.attempts.send({ ...rig.plan, critical: false })
          await rig.attempts.pass(HOUR)
          expect(times(rig)).to.deep.equal([0])
          expect(rig.attempts.delivery(id)).to.include({ state: 'dead', reason: 'ambiguous' })
        })
    }

    for (const status of [400, 404, 410, 422, 403]) {
      const meaning = over.own?.[status] ?? (status === 403 ? 'refused' : 'permanent')
      if (meaning !== 'permanent') continue
      it(`${over.title}: ${status} is final, at the first attempt`, async () => {
        const rig = await rigOf(over, { status })
        const id = rig.attempts.send(rig.plan)
        await rig.attempts.pass(2 * HOUR)
        expect(times(rig)).to.deep.equal([0])
        expect(rig.attempts.delivery(id)).to.include({ state: 'dead', reason: `http_${status}`, attempts: 1 })
      })
    }

    for (const status of [401, 403, 404]) {
      const meaning = over.own?.[status] ?? (status === 404 ? 'permanent' : 'refused')
      if (meaning !== 'refused') continue
      it(`${over.title}: ${status} keeps everything pending, beyond every budget, until somebody mends it`, async () => {
        const rig = await rigOf(over, { status })
        const { attempts, server, plan } = rig
        const ids = [1, 2, 3].map(() => attempts.send(plan))
        await attempts.pass(3 * HOUR)
        for (const id of ids) expect(attempts.delivery(id)).to.include({ state: 'pending', attempts: 0 })
        // All three at first, then one probe a minute.
        expect(attempts.made.length).to.be.within(3 + 120, 3 + 181)
        server.answer = () => ({ status: 200, body: { ok: true, result: { message_id: 9 }, sid: 'SM1' } })
        await attempts.pass(2 * MINUTE)
        for (const id of ids) expect(attempts.delivery(id).state).to.equal('sent')
      })
    }

    it(`${over.title}: Retry-After pauses the whole provider`, async () => {
      const rig = await rigOf(over, LATER)
      const { attempts, plan } = rig
      attempts.send(plan)
      await attempts.pass(SECOND)
      for (let count = 0; count < 3; count++) attempts.send(plan)
      await attempts.pass(119 * SECOND - 1)
      expect(times(rig)).to.deep.equal([0])
      await attempts.pass(2)
      expect(times(rig)[1]).to.equal(120 * SECOND)
    })

    it(`${over.title}: a critical delivery is tried for one hour, and then is dead`, async () => {
      const rig = await rigOf(over, { status: 500 })
      const id = rig.attempts.send(rig.plan)
      await rig.attempts.pass(2 * HOUR)
      const expected = instants(1000, {}).filter((at) => at <= HOUR)
      expect(times(rig)).to.deep.equal(expected)
      expect(rig.attempts.delivery(id)).to.include({ state: 'dead', reason: 'budget_exhausted' })
    })
  }

  const [, gateway] = CHANNELS
  if (!gateway) throw new Error('no gateway')

  it('is tried for 24 hours with a normal delivery', async () => {
    const rig = await rigOf(gateway, { status: 503 })
    const id = rig.attempts.send({ ...rig.plan, critical: false })
    await rig.attempts.pass(48 * HOUR)
    expect(times(rig)).to.deep.equal(instants(1000, { critical: false }).filter((at) => at <= 24 * HOUR))
    expect(rig.attempts.delivery(id)).to.include({ state: 'dead', reason: 'budget_exhausted' })
  })

  it('is tried three times with a direct send (R24, R48)', async () => {
    const rig = await rigOf(gateway, { status: 503 })
    const fixed = { text: 'Your code is 17' }
    const direct = {
      subjectKind: 'direct',
      purpose: 'message',
      userId: null,
      critical: false,
      fixed,
    } as const
    const id = rig.attempts.send({ ...rig.plan, ...direct })
    await rig.attempts.pass(48 * HOUR)
    expect(times(rig)).to.deep.equal(instants(3, { critical: false }))
    expect(rig.attempts.delivery(id)).to.include({ state: 'dead', reason: 'attempts_exhausted' })
  })

  for (const [random, middle] of [
    [0, 0.5],
    [0.999_999, 1],
  ] as const)
    it(`is given ${middle} of each delay when the dice say ${random}`, async () => {
      const rig = await rigOf(gateway, { status: 503 }, () => random)
      rig.attempts.send(rig.plan)
      await rig.attempts.pass(HOUR, () => rig.attempts.made.length >= 9)
      expect(times(rig)).to.deep.equal(instants(9, { middle }))
    })

  it('is the same trouble when nobody listens, and never ambiguous', async () => {
    const { server, attempts, plan } = await rigOf(gateway, 'cut')
    await server.close()
    const id = attempts.send({ ...plan, critical: false })
    await attempts.pass(HOUR, () => attempts.made.length >= 6)
    expect(attempts.made.map(({ at }) => at)).to.deep.equal(instants(6, { critical: false }))
    expect(attempts.delivery(id)).to.include({ state: 'pending' })
  })
})
