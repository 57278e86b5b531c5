import { expect } from 'chai'
import { Value } from 'typebox/value'
import { ConfigSchema, type Config } from '../../../src/config/schema/schema.ts'
import type { OutgoingMessage } from '../../../src/delivery/channel.ts'
import { smsChannel } from '../../../src/delivery/channels/sms.ts'
import { voiceChannel } from '../../../src/delivery/channels/voice.ts'
import { channelConformance } from '../../support/channel-conformance.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { quietHealth } from '../../support/quiet-health.ts'
import { created, providerServer, twilioError, type Given } from '../../support/provider-server.ts'

const ACCOUNT = { account_sid: 'AC1', auth_token: 'canary-secret', from: '+15005550006' }
const PUBLIC = 'https://bell.example.org'
const ANNA = '+4915112345678'

/** What a channel needs beside its settings. */
function around() {
  const clock = fakeClock()
  return { clock, healthOf: quietHealth(clock) }
}

const closing: (() => Promise<unknown>)[] = []

function channelsOf(channels: object): Config['channels'] {
  return (Value.Default(ConfigSchema, { channels }) as Config).channels
}

async function provider() {
  const server = await providerServer()
  closing.push(() => server.close())
  return server
}

async function twilioSms(changes: object = {}, publicUrl: string | undefined = PUBLIC) {
  const server = await provider()
  const { sms } = channelsOf({ sms: { mode: 'live', ...ACCOUNT, base_url: server.url, ...changes } })
  const channel = smsChannel({ sms, publicUrl, ...around() })
  closing.push(() => channel.close())
  return { server, channel }
}

async function twilioVoice(changes: object = {}) {
  const server = await provider()
  const { voice } = channelsOf({ voice: { mode: 'live', ...ACCOUNT, base_url: server.url, ...changes } })
  const channel = voiceChannel({ voice, publicUrl: PUBLIC })
  closing.push(() => channel.close())
  return { server, channel }
}

/** Several gateways in their order, each on a server of its own. */
async function gateways(...settings: readonly object[]) {
  const servers = await Promise.all(settings.map(() => provider()))
  for (const server of servers) server.answer = () => ({ status: 200 })
  const providers = settings.map((given, index) => ({
    name: `p${index}`,
    provider: 'http',
    url: `${servers[index]?.url}/send`,
    ...given,
  }))
  const { sms } = channelsOf({ sms: { mode: 'live', providers } })
  const { clock, healthOf } = around()
  const channel = smsChannel({ sms, publicUrl: undefined, clock, healthOf })
  closing.push(() => channel.close())
  return { servers, channel, clock }
}

function message(changes: Partial<OutgoingMessage> = {}, text = 'CRITICAL: disk_full - Disk is full') {
  const actions = [{ id: 'ack', label: 'Acknowledge' }]
  return { idempotencyKey: 'a1.3', address: ANNA, rendered: { text, actions }, critical: true, ...changes }
}

const never = () => new AbortController().signal

describe('SMS and calls over their providers', () => {
  afterEach(async () => {
    for (const close of closing.splice(0).toReversed()) await close()
  })

  // What is asked, by the provider's own pages.
  const REQUESTS: readonly {
    readonly page: string
    readonly channel: () => Promise<{
      server: Awaited<ReturnType<typeof provider>>
      channel: ReturnType<typeof smsChannel>
    }>
    readonly path: string
    readonly fields: Readonly<Record<string, string>>
  }[] = [
    {
      page: 'twilio.com/docs/messaging/api/message-resource, with a sender',
      channel: () => twilioSms(),
      path: '/2010-04-01/Accounts/AC1/Messages.json',
      fields: {
        To: ANNA,
        From: '+15005550006',
        Body: 'CRITICAL: disk_full - Disk is full',
        StatusCallback: `${PUBLIC}/v1/callbacks/twilio/status?delivery=a1.3`,
      },
    },
    {
      page: 'twilio.com/docs/messaging/api/message-resource, with a messaging service and nobody to report to',
      channel: async () => {
        const { sms } = channelsOf({ sms: { ...ACCOUNT, messaging_service_sid: 'MG1' } })
        const server = await provider()
        const channel = smsChannel({
          sms: { ...sms, base_url: server.url },
          publicUrl: undefined,
          ...around(),
        })
        closing.push(() => channel.close())
        return { server, channel }
      },
      path: '/2010-04-01/Accounts/AC1/Messages.json',
      fields: { To: ANNA, MessagingServiceSid: 'MG1', Body: 'CRITICAL: disk_full - Disk is full' },
    },
    {
      page: 'twilio.com/docs/voice/api/call-resource and twilio.com/docs/voice/twiml/gather',
      channel: () => twilioVoice(),
      path: '/2010-04-01/Accounts/AC1/Calls.json',
      fields: {
        To: ANNA,
        From: '+15005550006',
        Twiml:
          '<?xml version="1.0" encoding="UTF-8"?><Response><Gather numDigits="1" timeout="10" method="POST" ' +
          `action="${PUBLIC}/v1/callbacks/twilio/voice?delivery=a1.3">` +
          '<Say language="en-US" loop="2">CRITICAL: disk_full - Disk is full</Say></Gather></Response>',
        StatusCallback: `${PUBLIC}/v1/callbacks/twilio/status?delivery=a1.3`,
      },
    },
  ]
  for (const { page, channel: open, path, fields } of REQUESTS) {
    it(`ask as ${page} says`, async () => {
      const { server, channel } = await open()
      expect(await channel.send(message(), never())).to.deep.equal({
        ok: true,
        status: 201,
        providerId: 'SM1',
      })
      expect(server.asked).to.have.length(1)
      expect(server.asked[0]).to.include({ method: 'POST', path })
      expect(server.asked[0]?.fields).to.deep.equal(fields)
      expect(server.asked[0]?.headers).to.include({
        authorization: `Basic ${Buffer.from('AC1:canary-secret').toString('base64')}`,
        'content-type': 'application/x-www-form-urlencoded',
      })
    })
  }

  const ANSWERS: readonly (readonly [title: string, given: Given, means: object])[] = [
    ['an invalid number', twilioError(400, 21211), { retry: false, code: 'invalid_number' }],
    ['a number that is no mobile phone', twilioError(400, 21614), { retry: false, code: 'invalid_number' }],
    ['somebody who answered STOP', twilioError(400, 21610), { retry: false, code: 'unsubscribed' }],
    ['a country that is not enabled', twilioError(403, 21408), { retry: false, code: 'country_not_allowed' }],
    ['any other refusal', twilioError(400, 21602), { retry: false, code: 'http_400' }],
    ['wrong credentials', twilioError(401, 20003), { retry: true, code: 'provider_down' }],
    ['wrong credentials without a body', { status: 401 }, { retry: true, code: 'provider_down' }],
    ['a sender of somebody else', twilioError(400, 21606), { retry: true, code: 'provider_down' }],
    ['an unknown account', twilioError(404, 20404), { retry: true, code: 'provider_down' }],
    [
      'too many requests',
      twilioError(429, 20429, { 'retry-after': '7' }),
      { retry: true, code: 'http_429', retryAfterMs: 7000 },
    ],
    [
      'a wish as a date',
      {
        status: 503,
        headers: { date: 'Mon, 05 Jan 2026 12:00:00 GMT', 'retry-after': 'Mon, 05 Jan 2026 12:00:20 GMT' },
      },
      { retry: true, code: 'http_503', retryAfterMs: 20_000 },
    ],
    ['trouble of its own', { status: 500, body: '<html>' }, { retry: true, code: 'http_500' }],
    [
      'a redirect, which is not followed',
      { status: 307, headers: { location: '/x' } },
      { retry: false, code: 'http_307' },
    ],
  ]
  for (const [title, given, means] of ANSWERS) {
    it(`take ${title} for what it is (P7, E18)`, async () => {
      for (const { server, channel } of [await twilioSms(), await twilioVoice()]) {
        server.answer = () => given
        const result = await channel.send(message(), never())
        expect(result).to.include({ ok: false, ...means })
        expect(server.asked).to.have.length(1)
        expect(JSON.stringify(result)).to.not.include('canary').and.not.include(ANNA)
      }
    })
  }

  it('are in doubt when the answer is missing after the request had left (P9)', async () => {
    const { server, channel } = await twilioSms()
    server.answer = () => 'cut'
    expect(await channel.send(message(), never())).to.include({ ok: false, retry: true, ambiguous: true })
    const abort = new AbortController()
    server.answer = () => {
      abort.abort()
      return 'hang'
    }
    expect(await channel.send(message(), abort.signal)).to.include({
      ok: false,
      code: 'timeout',
      ambiguous: true,
    })
  })

  it('are in no doubt when nobody listens', async () => {
    const { server, channel } = await twilioSms()
    await server.close()
    const result = await channel.send(message(), never())
    expect(result).to.include({ ok: false, retry: true, code: 'connection_failed' })
    expect(result).to.not.have.property('ambiguous')
  })

  it('take a success without a readable body for a success', async () => {
    const { server, channel } = await twilioSms()
    server.answer = () => ({ status: 201, body: 'not json' })
    expect(await channel.send(message(), never())).to.include({ ok: true })
  })

  it('go to allowed countries only, and ask nobody about others (security 21)', async () => {
    for (const open of [twilioSms, twilioVoice]) {
      const { server, channel } = await open({ countries: ['+49', '+43'] })
      const abroad = await channel.send(message({ address: '+12025550123' }), never())
      expect(abroad).to.include({ ok: false, retry: false, code: 'country_not_allowed' })
      expect(server.asked).to.deep.equal([])
      expect(await channel.send(message(), never())).to.include({ ok: true })
    }
  })

  it('speak hostile text as text, in a document of at most 4000 characters', async () => {
    const { server, channel } = await twilioVoice()
    await channel.send(message({}, `</Say><Dial>+1900</Dial>${'<&>'.repeat(600)}\ud800\0`), never())
    const twiml = server.asked[0]?.fields['Twiml'] ?? ''
    expect(twiml.length).to.be.at.most(4000)
    expect(twiml)
      .to.not.include('<Dial>')
      .and.not.match(/[\0\ufffd]/)
    expect(twiml)
      .to.include('&lt;/Say&gt;&lt;Dial&gt;')
      .and.match(/<\/Say><\/Gather><\/Response>$/)
  })

  it('ask for no key when there is nothing to acknowledge', async () => {
    const { server, channel } = await twilioVoice()
    await channel.send(message({ rendered: { text: 'Order shipped', actions: [] } }), never())
    expect(server.asked[0]?.fields['Twiml']).to.not.include('Gather')
  })

  const BODIES: readonly (readonly [type: string, template: string, expected: string])[] = [
    [
      'application/json',
      '{"to":"{{to}}","msg":"{{ text }}","ref":"{{id}}"}',
      `{"to":"${ANNA}","msg":"say \\"{{to}}\\" \\\\ & = ä","ref":"a1.3"}`,
    ],
    [
      'application/x-www-form-urlencoded',
      'to={{to}}&msg={{text}}',
      'to=%2B4915112345678&msg=say%20%22%7B%7Bto%7D%7D%22%20%5C%20%26%20%3D%20%C3%A4',
    ],
    ['text/plain; charset=utf-8', '{{from}}: {{text}}', 'Bell: say "{{to}}" \\ & = ä'],
  ]
  for (const [type, body, expected] of BODIES) {
    it(`fill the body of a gateway as ${type} wants it`, async () => {
      const { servers, channel } = await gateways({
        headers: { 'Content-Type': type, 'X-Key': 'k1' },
        from: 'Bell',
        body,
        id_path: 'messages.0.id',
      })
      const [server] = servers
      if (!server) throw new Error('no server')
      server.answer = () => ({ status: 202, body: { messages: [{ id: 17 }] } })
      const result = await channel.send(message({}, 'say "{{to}}" \\ & = ä'), never())
      expect(result).to.deep.equal({ ok: true, status: 202, providerId: '17' })
      expect(server.asked[0]).to.include({ method: 'POST', path: '/send', body: expected })
      expect(server.asked[0]?.headers).to.include({
        'content-type': type,
        'x-key': 'k1',
        'idempotency-key': 'a1.3',
      })
    })
  }

  it('fall over to the next provider when one is down, busy or refuses us, within one attempt', async () => {
    for (const status of [500, 503, 429, 401, 403]) {
      const { servers, channel } = await gateways({}, {})
      servers[0]!.answer = () => ({ status })
      expect(await channel.send(message(), never()), String(status)).to.include({ ok: true })
      expect(servers.map(({ asked }) => asked.length)).to.deep.equal([1, 1])
    }
  })

  it('do not fall over when the first provider may have sent it already (P9)', async () => {
    const { servers, channel } = await gateways({}, {})
    servers[0]!.answer = () => 'cut'
    expect(await channel.send(message(), never())).to.include({ ok: false, ambiguous: true })
    expect(servers[1]?.asked).to.deep.equal([])
    expect(await channel.send(message(), never()), 'the next attempt').to.include({ ok: true })
    expect(servers.map(({ asked }) => asked.length)).to.deep.equal([1, 1])
  })

  it('pass a provider over while it is paused, then try it with one message, and come back to it (P24)', async () => {
    const { servers, channel, clock } = await gateways({}, {})
    const [first, second] = servers
    const counts = () => [first!.asked.length, second!.asked.length]
    first!.answer = () => ({ status: 503 })
    for (let sent = 0; sent < 3; sent++) await channel.send(message(), never())
    expect(counts()).to.deep.equal([1, 3])
    await clock.pass(5000)
    await channel.send(message(), never())
    expect(counts(), 'the probe').to.deep.equal([2, 4])
    await clock.pass(9999)
    await channel.send(message(), never())
    expect(counts(), 'twice the pause').to.deep.equal([2, 5])
    await clock.pass(1)
    first!.answer = () => ({ status: 200 })
    await Promise.all([channel.send(message(), never()), channel.send(message(), never())])
    expect(counts(), 'one probe only').to.deep.equal([3, 6])
    await channel.send(message(), never())
    expect(counts()).to.deep.equal([4, 6])
  })

  it('pause the provider that asks for it, and no other (P7, P24)', async () => {
    const { servers, channel, clock } = await gateways({}, {})
    servers[0]!.answer = () => ({ status: 429, headers: { 'retry-after': '120' } })
    for (let sent = 0; sent < 2; sent++)
      expect(await channel.send(message(), never())).to.include({ ok: true })
    await clock.pass(119_999)
    await channel.send(message(), never())
    expect(servers.map(({ asked }) => asked.length)).to.deep.equal([1, 3])
    await clock.pass(1)
    await channel.send(message(), never())
    expect(servers.map(({ asked }) => asked.length)).to.deep.equal([2, 4])
  })

  it('say that nobody could be asked while all are paused, and when one can; a critical one tries (P7)', async () => {
    const { servers, channel, clock } = await gateways({}, {})
    for (const server of servers) server.answer = () => ({ status: 500 })
    const normal = message({ critical: false })
    expect(await channel.send(normal, never())).to.include({ code: 'http_500' })
    await clock.pass(1000)
    expect(await channel.send(normal, never())).to.include({ untried: true, retryAfterMs: 4000 })
    expect(servers.map(({ asked }) => asked.length)).to.deep.equal([1, 1])
    expect(await channel.send(message(), never())).to.include({ code: 'http_500' })
    expect(servers.map(({ asked }) => asked.length)).to.deep.equal([2, 2])
  })

  it('leave to the operator what every provider refuses (P7)', async () => {
    const { servers, channel } = await gateways({}, {})
    for (const server of servers) server.answer = () => ({ status: 401 })
    expect(await channel.send(message(), never())).to.include({ code: 'provider_down', retry: true })
    expect(await channel.send(message(), never())).to.include({ code: 'provider_down', untried: true })
    expect(servers.map(({ asked }) => asked.length)).to.deep.equal([1, 1])
  })

  it('choose the provider by the beginning of the number', async () => {
    const { servers, channel } = await gateways({ countries: ['+49'] }, { countries: ['+1', '+44'] })
    await channel.send(message({ address: '+12025550123' }), never())
    await channel.send(message(), never())
    expect(servers.map(({ asked }) => asked.map(({ body }) => /"to":"(.*?)"/.exec(body)?.[1]))).to.deep.equal(
      [[ANNA], ['+12025550123']],
    )
    const nobody = await channel.send(message({ address: '+33612345678' }), never())
    expect(nobody).to.include({ retry: false, code: 'country_not_allowed' })
  })

  it('are tried again while one of several providers may still take them', async () => {
    const { servers, channel } = await gateways({}, {}, {})
    servers[0]!.answer = () => ({ status: 401 })
    servers[1]!.answer = () => ({ status: 400 })
    servers[2]!.answer = () => ({ status: 503 })
    expect(await channel.send(message(), never())).to.include({ retry: true, code: 'http_503' })
  })

  it('end at a number that is none, whoever else there is', async () => {
    const { server, channel } = await twilioSms({
      providers: ['p0', 'p1'].map((name) => ({ name, ...ACCOUNT, base_url: 'http://127.0.0.1:1' })),
    })
    expect(await channel.send(message({ address: 'anna@example.org' }), never())).to.include({
      retry: false,
      code: 'invalid_number',
    })
    expect(server.asked).to.deep.equal([])
  })

  channelConformance('live SMS', () => {
    const { sms } = channelsOf({ sms: { ...ACCOUNT, base_url: 'http://127.0.0.1:1' } })
    return smsChannel({ sms, publicUrl: PUBLIC, ...around() })
  })
  channelConformance('live calls', () => {
    const { voice } = channelsOf({ voice: { ...ACCOUNT, base_url: 'http://127.0.0.1:1' } })
    return voiceChannel({ voice, publicUrl: PUBLIC })
  })

  it('keep the provider’s id that a report will name', async () => {
    const { server, channel } = await twilioSms()
    server.answer = () => created('SMabc')
    expect(await channel.send(message(), never())).to.deep.equal({
      ok: true,
      status: 201,
      providerId: 'SMabc',
    })
  })
})
