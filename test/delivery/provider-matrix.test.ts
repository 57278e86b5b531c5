import { expect } from 'chai'
import { randomBytes } from 'node:crypto'
import { Value } from 'typebox/value'
import { ConfigSchema, type Config } from '../../src/config/schema/schema.ts'
import type { Channel } from '../../src/delivery/channel.ts'
import { createChannels } from '../../src/delivery/channels/index.ts'
import type { ChannelName } from '../../src/delivery/delivery.ts'
import type { PlannedDelivery } from '../../src/delivery/plan.ts'
import { deviceAddress } from '../../src/devices/device.ts'
import { vapidOf } from '../../src/delivery/push/vapid.ts'
import { webhookAddress } from '../../src/delivery/webhook-address.ts'
import { attemptsOver, type Attempts } from '../support/attempts.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { NOON } from '../support/messages.ts'
import { providerServer, type Asked, type Given, type ProviderServer } from '../support/provider-server.ts'
import { browser } from '../support/browser.ts'
import { device, fakeDevices } from '../support/fake-devices.ts'
import { serviceAccountJson } from '../support/fcm-server.ts'
import { quietHealth } from '../support/quiet-health.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const PHONE = '+4915112345678'
const ACCOUNT = { account_sid: 'AC1', auth_token: 'canary-secret', from: '+15005550006' }
const callbackKey = ({ fields }: Asked) =>
  new URL(fields['StatusCallback'] ?? 'x:').searchParams.get('delivery')
const headerKey = ({ headers }: Asked) => headers['idempotency-key'] ?? null

const ACCOUNT_JSON = serviceAccountJson()
const phoneOf = () => device('anna', { channel: 'push', token: 'fGh3k:APA91b' }, 'ios')
const { keys } = browser('https://push.example').subscription
const browserAt = (url: string) =>
  device('anna', { channel: 'web_push', subscription: { endpoint: `${url}/push/1`, keys } })
const VAPID = vapidOf(
  { mode: 'live', allow: [], subject: 'mailto:ops@example.org' },
  randomBytes(32),
  undefined,
)

interface Over {
  readonly title: string
  readonly channel: ChannelName
  readonly settings: (url: string) => object
  readonly plan: (url: string) => Partial<PlannedDelivery>
  /** Where the provider finds the key; null where its interface knows none. */
  readonly key: ((asked: Asked) => unknown) | null
  /** What its own words mean instead of what HTTP says: final, about our credentials, or about this recipient alone. */
  readonly own?: Readonly<Record<number, 'permanent' | 'refused' | 'later'>>
  /** Codes of final answers, where they are not the status. */
  readonly reasons?: Readonly<Record<number, string>>
  /** Whose trouble is that of one recipient, so that nobody else waits for it. */
  readonly alone?: boolean
  /** Its body says whether it is a success, not its status. */
  readonly saysOk?: boolean
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
    saysOk: true,
  },
  {
    title: 'a mail over Mailgun',
    channel: 'email',
    settings: (url) => ({
      email: { mode: 'live', provider: 'mailgun', domain: 'mg.example.org', api_key: 'k', base_url: url },
    }),
    plan: () => ({ address: 'anna@example.org' }),
    key: ({ body }) => /name="h:X-Carillon-Delivery"\r\n\r\n(.*?)\r\n/.exec(body)?.[1],
    own: { 404: 'refused' },
  },
  {
    title: 'a push over FCM',
    channel: 'push',
    settings: (url) => ({
      push: { mode: 'live', service_account: ACCOUNT_JSON, base_url: url, token_url: `${url}/token` },
    }),
    plan: () => ({ address: deviceAddress(phoneOf()) }),
    key: ({ body }) => (JSON.parse(body) as FcmBody).message.data['delivery_id'],
    reasons: { 410: 'unregistered' },
  },
  {
    title: 'a push to a browser',
    channel: 'web_push',
    settings: () => ({ web_push: { mode: 'live', allow: ['127.0.0.1'], subject: 'mailto:ops@example.org' } }),
    plan: (url) => ({ address: deviceAddress(browserAt(url)) }),
    key: null,
    own: { 401: 'later', 403: 'later' },
    reasons: { 404: 'unregistered', 410: 'unregistered' },
    alone: true,
  },
]

interface FcmBody {
  readonly message: { readonly data: Readonly<Record<string, string>> }
}

type Fault = Given | 'hang' | 'cut' | 'reset'
const LATER = { status: 429, headers: { 'retry-after': '120' }, body: { parameters: { retry_after: 120 } } }
/** By the provider's own clock. */
const DATED = {
  ...LATER,
  headers: { date: httpDate(NOON), 'retry-after': httpDate(NOON + 120 * SECOND) },
}
const STALLED = { status: 503, stalls: true }
const PORTAL = { status: 200, headers: { 'content-type': 'text/html' }, body: '<h1>Log in</h1>' }
const LONG = { status: 429, headers: { 'retry-after': '3600' }, body: { parameters: { retry_after: 3600 } } }

const TRANSIENT: readonly (readonly [
  title: string,
  fault: Fault,
  more?: { wish?: number; takes?: number; fails?: number },
])[] = [
  ['429 with Retry-After 120', LATER, { wish: 120 * SECOND }],
  ['429 with Retry-After 3600', LONG, { wish: 10 * MINUTE, fails: 4 }],
  ['429 with Retry-After as a date', DATED, { wish: 120 * SECOND }],
  ['408', { status: 408 }],
  ['425', { status: 425 }],
  ['500', { status: 500 }],
  ['503', { status: 503 }],
  ['a connection that is reset at once', 'reset'],
  ['a connection that is reset after the request was written', 'cut'],
  ['no answer in 10 s', 'hang', { takes: 10 * SECOND }],
  ['503 and a body that does not end in 10 s', STALLED, { takes: 10 * SECOND }],
]
/** The request was written when these happen: the provider may have the message. */
const AMBIGUOUS: readonly unknown[] = ['reset', 'cut', 'hang']

function httpDate(at: number): string {
  return new Date(at).toUTCString()
}

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
    devices: fakeDevices([phoneOf(), browserAt(url)]),
    vapid: VAPID,
  })
  const found = channels.get(over.channel)
  if (!found) throw new Error(`no channel ${over.channel}`)
  return found.channel
}

interface Rig {
  readonly server: ProviderServer
  readonly attempts: Attempts
  /** What was asked, without what only asks for an access token. */
  readonly asked: () => readonly Asked[]
  readonly plan: Partial<PlannedDelivery>
  /** What requests are answered with from now on. */
  readonly answering: (given: () => Fault) => void
}

const GRANT = { status: 200, body: { access_token: 'a', expires_in: 3599, token_type: 'Bearer' } }
const TAKEN = { status: 200, body: { ok: true, result: { message_id: 9 }, sid: 'SM1', name: 'm', id: 'm' } }

async function rigOf(over: Over, fault: Fault, random?: () => number): Promise<Rig> {
  const server = await providerServer()
  open.push(() => server.close())
  server.resets = fault === 'reset'
  const answering = (given: () => Fault) => {
    server.answer = ({ path }) => {
      if (path === '/token') return GRANT
      const answer = given()
      return answer === 'reset' ? 'cut' : answer
    }
  }
  answering(() => fault)
  const asked = () => server.asked.filter(({ path }) => path !== '/token')
  const stuck = (made: number) => server.hanging > 0 && asked().length === made
  const attempts = attemptsOver(channelOf(over, server.url), { stuck, ...(random && { random }) })
  open.push(() => attempts.close())
  return { server, attempts, asked, answering, plan: over.plan(server.url) }
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
          const { server, attempts, plan, asked } = rig
          const id = attempts.send({ ...plan, critical })
          const { fails = 7 } = more
          await attempts.pass(2 * HOUR, () => attempts.made.length >= fails)
          // Past the last failing attempt, whose answer is still the fault.
          await attempts.pass((more.takes ?? 0) + 1)
          expect(attempts.delivery(id)).to.include({ state: 'pending', reason: null, attempts: fails })
          server.resets = false
          rig.answering(() => TAKEN)
          await attempts.pass(20 * MINUTE, () => attempts.delivery(id).state === 'sent')
          expect(times(rig)).to.deep.equal(instants(fails + 1, { critical, ...more }))
          expect(attempts.delivery(id)).to.include({ state: 'sent', attempts: fails + 1 })
          expect(new Set(attempts.made.map(({ key }) => key))).to.deep.equal(new Set([id]))
          expect(asked().length).to.equal(fault === 'reset' ? 1 : fails + 1)
          if (over.key) for (const one of asked()) expect(over.key(one)).to.equal(id)
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

    for (const status of [400, 404, 410, 413, 422, 403, 301, 302, 307, 308]) {
      const meaning = over.own?.[status] ?? (status === 403 ? 'refused' : 'permanent')
      if (meaning !== 'permanent') continue
      it(`${over.title}: ${status} is final, at the first attempt`, async () => {
        const rig = await rigOf(over, { status, headers: { location: '/elsewhere' } })
        const id = rig.attempts.send(rig.plan)
        await rig.attempts.pass(2 * HOUR)
        expect(times(rig)).to.deep.equal([0])
        const reason = over.reasons?.[status] ?? `http_${status}`
        expect(rig.attempts.delivery(id)).to.include({ state: 'dead', reason, attempts: 1 })
        expect(rig.asked()).to.have.length(1)
      })
    }

    for (const status of [401, 403, 404]) {
      const meaning = over.own?.[status] ?? (status === 404 ? 'permanent' : 'refused')
      if (meaning !== 'refused') continue
      it(`${over.title}: ${status} keeps everything pending, beyond every budget, until somebody mends it`, async () => {
        const rig = await rigOf(over, { status })
        const { attempts, plan } = rig
        const ids = [1, 2, 3].map(() => attempts.send(plan))
        await attempts.pass(3 * HOUR)
        for (const id of ids) expect(attempts.delivery(id)).to.include({ state: 'pending', attempts: 0 })
        // All three at first, then one probe a minute.
        expect(attempts.made.length).to.be.within(3 + 120, 3 + 181)
        rig.answering(() => TAKEN)
        await attempts.pass(2 * MINUTE)
        for (const id of ids) expect(attempts.delivery(id).state).to.equal('sent')
      })
    }

    for (const [status, meaning] of Object.entries(over.own ?? {}))
      if (meaning === 'later')
        it(`${over.title}: ${status} is tried again, and holds back nobody else`, async () => {
          const rig = await rigOf(over, { status: Number(status) })
          const id = rig.attempts.send(rig.plan)
          await rig.attempts.pass(2 * HOUR)
          expect(times(rig)).to.deep.equal(instants(1000, {}).filter((at) => at <= HOUR))
          expect(rig.attempts.delivery(id)).to.include({ state: 'dead', reason: 'budget_exhausted' })
        })

    it(`${over.title}: a success whose body does not end is one`, async () => {
      const rig = await rigOf(over, { ...TAKEN, stalls: true })
      const id = rig.attempts.send(rig.plan)
      await rig.attempts.pass(10 * SECOND + 1)
      await rig.attempts.pass(HOUR)
      expect(rig.attempts.delivery(id).state).to.equal('sent')
      expect(rig.asked()).to.have.length(1)
    })

    it(`${over.title}: 200 with a page of somebody else is ${over.saysOk ? 'no success' : 'a success, because of its status'}`, async () => {
      const rig = await rigOf(over, PORTAL)
      const id = rig.attempts.send(rig.plan)
      await rig.attempts.pass(HOUR / 2)
      expect(rig.attempts.delivery(id).state).to.equal(over.saysOk ? 'pending' : 'sent')
      rig.answering(() => TAKEN)
      await rig.attempts.pass(2 * MINUTE)
      expect(rig.attempts.delivery(id).state).to.equal('sent')
    })

    it(`${over.title}: a critical delivery is tried for one hour, and then is dead`, async () => {
      const rig = await rigOf(over, { status: 500 })
      const id = rig.attempts.send(rig.plan)
      await rig.attempts.pass(2 * HOUR)
      const expected = instants(1000, {}).filter((at) => at <= HOUR)
      expect(times(rig)).to.deep.equal(expected)
      expect(rig.attempts.delivery(id)).to.include({ state: 'dead', reason: 'budget_exhausted' })
    })

    if (over.alone) continue
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
