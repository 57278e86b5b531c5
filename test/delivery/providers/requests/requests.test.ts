import { expect } from 'chai'
import { Value } from 'typebox/value'
import { ConfigSchema, type Config } from '../../../../src/config/schema/schema.ts'
import type { Channel, RenderInput } from '../../../../src/delivery/channel.ts'
import { createChannels } from '../../../../src/delivery/channels/index.ts'
import { messageTwiml, sayTwiml } from '../../../../src/delivery/providers/twiml.ts'
import { webhookAddress } from '../../../../src/delivery/webhook-address.ts'
import { createContacts } from '../../../../src/contact/contacts.ts'
import { createSeen } from '../../../../src/delivery/answers/seen.ts'
import { createRegistry } from '../../../../src/registry/registry.ts'
import { memoryRecords } from '../../../support/memory-records.ts'
import { createTelegramBot } from '../../../../src/delivery/telegram/bot.ts'
import { createTelegramPoll } from '../../../../src/delivery/telegram/poll.ts'
import { eventually } from '../../../support/eventually.ts'
import { fakeClock } from '../../../support/fake-clock.ts'
import { noDevices } from '../../../support/fake-devices.ts'
import { fakeDirectory, person } from '../../../support/fake-directory.ts'
import { alert } from '../../../support/messages.ts'
import { silentLog } from '../../../support/silent-log.ts'
import { quietHealth } from '../../../support/quiet-health.ts'
import { providerServer, type Asked, type ProviderServer } from '../../../support/provider-server.ts'
import { contents } from './contents.ts'
import { DISCORD } from './discord.ts'
import { NTFY } from './ntfy.ts'
import { PAGERDUTY } from './pagerduty.ts'
import { faultsOf, type RequestFacts } from './request-facts.ts'
import { SLACK } from './slack.ts'
import { TEAMS } from './teams.ts'
import { TELEGRAM_ANSWER, TELEGRAM_MESSAGE, TELEGRAM_UPDATES } from './telegram.ts'
import { TWILIO_CALLS, TWILIO_MESSAGES } from './twilio.ts'
import { twimlFaults } from './twiml.ts'

const ACCOUNT = { account_sid: `AC${'0123456789abcdef'.repeat(2)}`, auth_token: 'token' }
const PHONE = '+4915112345678'
const HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
const PUBLIC = ['https://bell.example.org', 'http://localhost:8080'] as const

interface Provider {
  readonly facts: RequestFacts
  readonly channel: 'sms' | 'voice' | 'telegram' | 'webhook'
  readonly settings: (url: string) => object
  /** Where the message goes: a webhook's is made of the server's URL. */
  readonly address: (url: string) => string
}

const endpoint = (facts: RequestFacts, path: string, more: object): Provider => ({
  facts,
  channel: 'webhook',
  settings: (url) => ({ allow: ['127.0.0.1'], endpoints: { ops: { url: url + path, ...more } } }),
  address: (url) => webhookAddress('ops', url + path),
})

const sender = { ...ACCOUNT, from: '+15005550006' }
const PROVIDERS: readonly Provider[] = [
  {
    facts: TWILIO_MESSAGES,
    channel: 'sms',
    settings: (url) => ({ ...sender, base_url: url }),
    address: () => PHONE,
  },
  {
    facts: TWILIO_MESSAGES,
    channel: 'sms',
    settings: (url) => ({ ...ACCOUNT, messaging_service_sid: `MG${'0'.repeat(32)}`, base_url: url }),
    address: () => PHONE,
  },
  {
    facts: TWILIO_CALLS,
    channel: 'voice',
    settings: (url) => ({ ...sender, base_url: url }),
    address: () => PHONE,
  },
  {
    facts: TELEGRAM_MESSAGE,
    channel: 'telegram',
    settings: (url) => ({ bot_token: '123456:AAbb_cc-dd', api_root: url }),
    address: () => '4711',
  },
  endpoint(SLACK, '/services/T0001/B0001/abcDEF0123', { format: 'slack' }),
  endpoint(DISCORD, '/api/webhooks/123456789012345678/aB-c_D', { format: 'discord' }),
  endpoint(TEAMS, `/workflows/${'0a'.repeat(16)}/triggers/manual/paths/invoke?api-version=1&sig=x`, {
    format: 'teams',
  }),
  endpoint(PAGERDUTY, '/v2/enqueue', { format: 'pagerduty', routing_key: 'a1'.repeat(16) }),
  endpoint(NTFY, '', { format: 'ntfy', topic: 'Bell_1-x', token: `tk_${'a1'.repeat(14)}b` }),
]

function open({ channel, settings, address }: Provider, url: string, publicUrl: string) {
  const given = { channels: { [channel]: { mode: 'live', ...settings(url) } } }
  const { channels } = Value.Default(ConfigSchema, given) as Config
  const reached = { clock: fakeClock(), publicUrl, devices: noDevices, vapid: null, healthOf: quietHealth() }
  const configured = createChannels({ channels }, reached).get(channel)
  if (!configured) throw new Error(`there is no channel ${channel}`)
  return { channel: configured.channel, address: address(url) }
}

async function send(channel: Channel, address: string, { delivery, subject, ...rest }: RenderInput) {
  const input = { ...rest, subject, delivery: { ...delivery, address } }
  const message = {
    idempotencyKey: delivery.id,
    address,
    rendered: channel.render(input),
    critical: delivery.critical,
    ...(subject.kind === 'alert' && { alertId: delivery.subjectId }),
  }
  const result = await channel.send(message, new AbortController().signal)
  expect(result).to.include({ ok: true })
}

describe('requests to providers', function () {
  this.timeout(30_000)
  let server: ProviderServer
  before(async () => {
    server = await providerServer()
    server.answer = () => ({ status: 200, body: { ok: true, sid: 'X1', result: { message_id: 1 } } })
  })
  after(() => server.close())

  for (const publicUrl of PUBLIC) {
    for (const provider of PROVIDERS) {
      const { facts } = provider
      it(`are what ${facts.pages[0]} takes, whatever they say, with links to ${publicUrl} (R25, security row 21)`, async () => {
        const { channel, address } = open(provider, server.url, publicUrl)
        const faults: string[] = []
        for (const { title, input } of contents(publicUrl)) {
          const before = server.asked.length
          await send(channel, address, input)
          expect(server.asked, title).to.have.length(before + 1)
          const request = server.asked.at(-1) as Asked
          faults.push(...faultsOf(request, facts).map((what) => `${title}: ${what}`))
        }
        await channel.close()
        expect(faults).to.deep.equal([])
      })
    }
  }

  it('carry what matters although it is cut: the keys of a call stay its last words', async () => {
    const voice = PROVIDERS.find(({ channel }) => channel === 'voice') as Provider
    const { channel, address } = open(voice, server.url, PUBLIC[0])
    for (const { title, input } of contents(PUBLIC[0])) {
      if (input.delivery.purpose !== 'page') continue
      await send(channel, address, input)
      expect(server.asked.at(-1)?.fields['Twiml'], title).to.match(
        /Drücken Sie 4 zum Quittieren, 6 zum Eskalieren, 5 zum Schließen\.<\/Say><\/Gather><\/Response>$/,
      )
    }
    await channel.close()
  })

  it('of the poll for Telegram buttons are what core.telegram.org/bots/api#getupdates takes, however long the answer (O12)', async () => {
    const asked = () => server.asked.slice(from)
    const from = server.asked.length
    const press = { id: 'q1', from: { id: 1 }, message: { chat: { id: 1 } }, data: 'ack:a1' }
    const { answer } = server
    server.answer = (_asked, count) =>
      count === from + 1
        ? { status: 200, body: { ok: true, result: [{ update_id: 7, callback_query: press }] } }
        : count === from + 2
          ? { status: 200, body: { ok: true, result: true } }
          : 'hang'
    const registry = createRegistry(memoryRecords(), fakeClock())
    const poll = createTelegramPoll({
      bot: createTelegramBot({ token: '123456:AAbb_cc-dd', apiRoot: server.url }),
      directory: () => fakeDirectory([person('anna', { telegramChatId: 1 })]),
      contacts: createContacts(registry),
      seen: createSeen(registry),
      followLink: () => Promise.resolve(null),
      command: () => Promise.resolve(alert({ type: 'x'.repeat(400), status: 'acknowledged' })),
      clock: fakeClock(),
      log: silentLog().log,
    })
    poll.start()
    await eventually('three requests', () => (asked().length === 3 ? true : undefined))
    await poll.stop()
    server.answer = answer
    const [first, answered, next] = asked()
    for (const [request, facts] of [
      [first, TELEGRAM_UPDATES],
      [answered, TELEGRAM_ANSWER],
      [next, TELEGRAM_UPDATES],
    ] as const)
      expect(request && faultsOf(request, facts)).to.deep.equal([])
    expect(next?.body).to.include('"offset":8')
  })

  it('are answered with TwiML that holds any text (twilio.com/docs/voice/twiml, /docs/messaging/twiml)', () => {
    for (const { title, input } of contents(PUBLIC[0])) {
      const said = input.fixed?.text ?? (input.subject.kind === 'alert' ? input.subject.alert.message : '')
      expect(twimlFaults(sayTwiml(said), 'call'), title).to.deep.equal([])
      expect(twimlFaults(messageTwiml(said.slice(0, 300)), 'message'), title).to.deep.equal([])
    }
    expect(twimlFaults(messageTwiml(null), 'message')).to.deep.equal([])
  })
})

describe('the facts about requests', () => {
  const request = (body: unknown, changes: Partial<Asked> = {}): Asked => {
    const text = JSON.stringify(body)
    const headers = { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) }
    return { method: 'POST', path: '/v2/enqueue', headers, body: text, fields: {}, ...changes }
  }
  const event = {
    routing_key: 'a'.repeat(32),
    event_action: 'trigger',
    dedup_key: 'a1',
    payload: { summary: 's', source: 'db', severity: 'info' },
  }

  it('take what is right', () => {
    expect(faultsOf(request(event), PAGERDUTY)).to.deep.equal([])
  })

  const wrong: readonly (readonly [title: string, request: Asked, fault: string])[] = [
    ['another method', request(event, { method: 'PUT' }), 'method PUT'],
    ['another path', request(event, { path: '/v1/enqueue' }), 'path /v1/enqueue'],
    [
      'a missing header',
      request(event, { headers: { 'content-length': request(event).headers['content-length'] } }),
      'header content-type: undefined',
    ],
    ['an unknown field', request({ ...event, extra: 1 }), 'body.extra: is unknown'],
    ['a missing field', request({ ...event, dedup_key: undefined }), 'body.dedup_key: is missing'],
    [
      'a text that is too long',
      request({ ...event, dedup_key: 'x'.repeat(256) }),
      'body.dedup_key: has 256 of 255 characters',
    ],
    ['an empty text', request({ ...event, dedup_key: ' ' }), 'body.dedup_key: is too short'],
    [
      'another word',
      request({ ...event, event_action: 'fire' }),
      'body.event_action: "fire" is none of trigger, acknowledge, resolve',
    ],
    ['a rule between fields', request({ ...event, payload: undefined }), 'a trigger without payload'],
  ]
  for (const [title, given, fault] of wrong) {
    it(`notice ${title}`, () => {
      expect(faultsOf(given, PAGERDUTY)).to.deep.equal([fault])
    })
  }

  const documents: readonly (readonly [document: string, fault: RegExp])[] = [
    ['<Response></Response>', /no declaration/],
    [`${HEAD}<Response><Dial>1</Dial></Response>`, /<Dial> is unknown/],
    [`${HEAD}<Response><Say>a & b</Say></Response>`, /bare ampersand/],
    [`${HEAD}<Response><Say>${'x'.repeat(4097)}</Say></Response>`, /4097 of 4096/],
    [`${HEAD}<Response><Say voice="x">a</Say></Response>`, /Say voice/],
    [`${HEAD}<Response><Say>a</Response>`, /closes nothing|ends too early/],
    [`${HEAD}<Response><Say>a\u0000</Say></Response>`, /does not know/],
  ]
  for (const [document, fault] of documents) {
    it(`notice TwiML that ${fault.source} describes`, () => {
      expect(twimlFaults(document, 'call').join()).to.match(fault)
    })
  }
})
