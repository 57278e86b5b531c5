import { expect } from 'chai'
import { twilioSignature } from '../../src/delivery/providers/twilio-signature.ts'
import { harness, type Harness } from '../support/harness.ts'
import { created, providerServer, type ProviderServer } from '../support/provider-server.ts'

const PUBLIC = 'https://bell.example.org'
const STAGING = 'https://staging.example.org'
const TOKEN = 'twilio-secret'
const NUMBER = '+15005550006'
const BOB = '+4915112345672'
const CEM = '+4915112345673'
const MINUTE = 60_000
const SMS = '/v1/callbacks/twilio/sms'

type Fields = Readonly<Record<string, string>>

describe('what a provider of SMS and calls sends back', function () {
  this.timeout(30_000)
  let program: Harness
  let twilio: ProviderServer
  let sids = 0

  beforeEach(async () => {
    twilio = await providerServer()
    twilio.answer = () => created(`SM${++sids}`)
    const account = {
      mode: 'live',
      account_sid: 'AC1',
      auth_token: TOKEN,
      from: NUMBER,
      base_url: twilio.url,
    }
    const person = (phone: string, channel: string) => ({
      password: 'a-long-password',
      phone,
      contact_rules: { critical: [{ via: [channel] }] },
    })
    program = await harness({
      config: {
        // Behind a proxy, whose word on the client's address counts; its word on the host never does.
        server: { public_url: PUBLIC, trusted_proxies: ['127.0.0.1'] },
        channels: { sms: account, voice: account },
        users: {
          anna: { password: 'anna-password', roles: ['user', 'admin'] },
          bob: person(BOB, 'sms'),
          cem: person(CEM, 'voice'),
        },
      },
    })
  })

  afterEach(async () => {
    await program.close()
    await twilio.close()
  })

  /** As the provider would, unless `headers` say something else. */
  const ask = (path: string, fields: Fields, headers: Fields = {}) =>
    fetch(`${program.app.httpUrl}${path}`, {
      method: 'POST',
      headers: { 'x-twilio-signature': twilioSignature(TOKEN, `${PUBLIC}${path}`, fields), ...headers },
      body: new URLSearchParams(fields),
    })
  const post = async (path: string, fields: Fields, headers?: Fields) => {
    const response = await ask(path, fields, headers)
    const said = await response.text()
    await program.quiet()
    return { status: response.status, said }
  }
  const text = async (Body: string, From = BOB, MessageSid = `SMin${++sids}`) => {
    const { status, said } = await post(SMS, { MessageSid, From, To: NUMBER, Body })
    expect(status).to.equal(200)
    return /<Message>(.*)<\/Message>/.exec(said)?.[1] ?? null
  }
  const raise = (source: string) =>
    program.raise('alerts/critical/system_failure', { source, message: 'It burns' })
  const pageOf = async (id: string, user: string) => {
    const row = (await program.deliveries(id)).find(
      ({ userId, channel }) => userId === user && channel !== 'realtime',
    )
    if (!row) throw new Error(`${user} was not paged`)
    return row
  }
  const reportPath = (delivery: string) =>
    `/v1/callbacks/twilio/status?delivery=${encodeURIComponent(delivery)}`

  const orders: readonly (readonly [states: readonly string[], end: string, step: number])[] = [
    [['queued', 'sending', 'sent', 'delivered'], 'delivered', 1],
    [['delivered', 'sent', 'queued'], 'delivered', 1],
    [['sent', 'delivered', 'delivered', 'delivered'], 'delivered', 1],
    [['delivered', 'undelivered', 'failed'], 'delivered', 1],
    [['failed', 'delivered', 'sent'], 'dead', 2],
    [['undelivered', 'undelivered', 'failed'], 'dead', 2],
    [['accepted', 'scheduled', '', 'DELIVERED', 'nonsense'], 'sent', 1],
  ]
  for (const [states, end, step] of orders) {
    it(`ends ${end}, at step ${step}, after ${states.map((state) => `"${state}"`).join(', ')} (security row 25)`, async () => {
      const id = await raise('db1')
      const { id: delivery, providerId } = await pageOf(id, 'bob')
      for (const MessageStatus of states) {
        const fields = { MessageSid: providerId ?? '', To: BOB, MessageStatus }
        expect((await post(reportPath(delivery), fields)).status).to.equal(204)
      }
      expect(await pageOf(id, 'bob')).to.include({ state: end })
      expect(await program.alert(id)).to.include({ step })
    })
  }

  it('moves a call to its end as well, whatever comes twice or late', async () => {
    const id = await raise('db1')
    await program.pass(5 * MINUTE)
    const { id: delivery, providerId } = await pageOf(id, 'cem')
    const say = (CallStatus: string) =>
      post(reportPath(delivery), { CallSid: providerId ?? '', To: CEM, CallStatus })
    for (const status of ['ringing', 'no-answer', 'completed', 'no-answer']) await say(status)
    expect(await pageOf(id, 'cem')).to.include({ state: 'dead', reason: 'call_no_answer' })
    expect(await program.alert(id)).to.include({ step: 3 })
  })

  it('counts although it overtakes the answer to the request it speaks of', async () => {
    let reported: Promise<unknown> = Promise.resolve()
    twilio.answer = ({ fields }) => {
      const path = (fields['StatusCallback'] ?? '').replace(PUBLIC, '')
      reported = ask(path, { MessageSid: 'SMfast', To: BOB, MessageStatus: 'delivered' })
      return created('SMfast')
    }
    const id = await raise('db1')
    await reported
    await program.pass(2000)
    expect(await pageOf(id, 'bob')).to.include({ state: 'delivered', providerId: 'SMfast' })
  })

  it('is refused when anything of it is not what was signed, whatever proxy headers say (security row 25)', async () => {
    const id = await raise('db1')
    const page = await pageOf(id, 'bob')
    const answer = { MessageSid: 'SM1', From: BOB, To: NUMBER, Body: 'ack' }
    const report = { MessageSid: page.providerId ?? '', To: BOB, MessageStatus: 'undelivered' }
    const signed = (url: string, fields: Fields = answer, token = TOKEN) => ({
      'x-twilio-signature': twilioSignature(token, url, fields),
    })
    const staged = signed(`${STAGING}${SMS}`)
    const host = { 'x-forwarded-host': 'staging.example.org' }
    const forged: readonly (readonly [what: string, path: string, fields: Fields, headers: Fields])[] = [
      ['another account', SMS, answer, signed(`${PUBLIC}${SMS}`, answer, 'other')],
      ['nothing', SMS, answer, { 'x-twilio-signature': '' }],
      ['another installation of the account', SMS, answer, staged],
      ['the same, named by X-Forwarded-Host', SMS, answer, { ...staged, ...host }],
      [
        'the same, named by all headers',
        SMS,
        answer,
        {
          ...staged,
          ...host,
          'x-forwarded-proto': 'https',
          'x-original-host': 'staging.example.org',
          forwarded: 'host=staging.example.org;proto=https',
        },
      ],
      ['the address of this machine', SMS, answer, signed(`${program.app.httpUrl}${SMS}`)],
      ['http', SMS, answer, signed(`${PUBLIC.replace('https', 'http')}${SMS}`)],
      ['another address of ours', SMS, answer, signed(`${PUBLIC}/v1/callbacks/twilio/voice`)],
      ['a query that was not there', `${SMS}?x=1`, answer, signed(`${PUBLIC}${SMS}`)],
      ['another sender', SMS, { ...answer, From: CEM }, signed(`${PUBLIC}${SMS}`)],
      ['a field more', SMS, { ...answer, Extra: '1' }, signed(`${PUBLIC}${SMS}`)],
      [
        'names and values that read the same',
        SMS,
        { ...answer, Body: '', Bodyack: '' },
        signed(`${PUBLIC}${SMS}`, { ...answer, Body: 'x' }),
      ],
      ['another delivery', reportPath(`${id}.99`), report, signed(PUBLIC + reportPath(page.id), report)],
      [
        'two signatures in one',
        SMS,
        answer,
        {
          'x-twilio-signature': `${twilioSignature(TOKEN, `${PUBLIC}${SMS}`, answer)}, x`,
        },
      ],
    ]
    for (const [what, path, fields, headers] of forged)
      expect((await post(path, fields, headers)).status, what).to.equal(403)
    expect(await program.alert(id)).to.include({ status: 'firing', step: 1 })
    expect(await pageOf(id, 'bob')).to.include({ state: 'sent' })
    // What it was all about is right, so that nothing but the signature made the difference.
    expect((await post(SMS, answer, host)).status).to.equal(200)
    expect(await program.alert(id)).to.include({ status: 'acknowledged' })
  })

  it('is an error of the sender in any other form, never one of ours', async () => {
    for (const [type, body] of [
      ['application/json', 'null'],
      ['application/json', '[]'],
      ['application/json', '{"Body":{"toString":1}}'],
      ['text/xml', '<Body/>'],
      ['multipart/form-data; boundary=x', '--x--'],
      ['application/x-www-form-urlencoded', '%zz=%&__proto__=1&constructor=2'],
      ['application/x-www-form-urlencoded', 'x'.repeat(70_000)],
    ] as const) {
      const headers = { 'content-type': type, 'x-twilio-signature': 'x' }
      const { status } = await fetch(`${program.app.httpUrl}${SMS}`, { method: 'POST', headers, body })
      expect(status, `${type} ${body.slice(0, 30)}`).to.be.within(400, 499)
    }
  })

  it('acts once when the same answer comes again, at the same time or later (security row 25)', async () => {
    const id = await raise('db1')
    const fields = { MessageSid: 'SMagain', From: BOB, To: NUMBER, Body: 'escalate' }
    const all = await Promise.all(Array.from({ length: 5 }, async () => (await ask(SMS, fields)).text()))
    await program.quiet()
    expect(all.filter((said) => said.includes('<Message>'))).to.have.length(1)
    expect(await text('escalate', BOB, 'SMagain')).to.equal(null)
    expect(await program.alert(id)).to.include({ step: 2 })
  })

  const answers: readonly (readonly [said: string, first: string, second: string])[] = [
    ['1a', 'acknowledged', 'firing'],
    ['1A ', 'acknowledged', 'firing'],
    [' 1a\n', 'acknowledged', 'firing'],
    ['1c', 'resolved', 'firing'],
    ['1C.', 'resolved', 'firing'],
    ['2a', 'firing', 'acknowledged'],
    ['a', 'firing', 'acknowledged'],
    ['A  ', 'firing', 'acknowledged'],
    ['Ack!', 'firing', 'acknowledged'],
    ['ok\u00a0', 'firing', 'acknowledged'],
    ['c', 'firing', 'resolved'],
    ['aa', 'acknowledged', 'acknowledged'],
    ['cc', 'resolved', 'resolved'],
    ['3a', 'firing', 'firing'],
    ['a 1 2', 'firing', 'firing'],
    ['aaa', 'firing', 'firing'],
    ['acknowledge everything now', 'firing', 'firing'],
  ]
  for (const [said, first, second] of answers) {
    it(`means ${first} for the first and ${second} for the last alert as the answer ${JSON.stringify(said)} (E19)`, async () => {
      const ids = [await raise('db1')]
      await program.pass(1000)
      ids.push(await raise('db2'))
      await text(said)
      const statuses = []
      for (const id of ids) statuses.push((await program.alert(id)).status)
      expect(statuses).to.deep.equal([first, second])
    })
  }

  it('knows what paged the phone, however much was held back behind it in a storm (E12, E19)', async () => {
    const first = await raise('db1')
    for (let each = 2; each <= 6; each++) await raise(`db${each}`)
    for (let each = 0; each < 220; each++) {
      const body = { source: `storm${each}`, message: 'It burns' }
      await program.accepted('alerts/critical/system_failure', body)
    }
    await program.quiet()
    expect(await text('1a')).to.include('system_failure is acknowledged')
    expect(await program.alert(first)).to.include({ status: 'acknowledged' })
  })

  it('keeps the codes that an answer named while their alerts are open (E19)', async () => {
    const first = await raise('db1')
    await program.pass(1000)
    const second = await raise('db2')
    await program.pass(1000)
    await raise('db3')
    expect(await text('3c')).to.include('Open: 1 system_failure, 2 system_failure.')
    await text('1c')
    expect(await program.alert(first)).to.include({ status: 'resolved' })
    await program.pass(1000)
    const fourth = await raise('db4')
    await text('2a')
    expect(await program.alert(second)).to.include({ status: 'acknowledged' })
    await text('1a')
    expect(await program.alert(fourth)).to.include({ status: 'acknowledged' })
  })

  for (const stop of ['STOP', 'stop ', 'Stop.', 'STOPALL', 'unsubscribe', 'QUIT']) {
    it(`holds messages after ${JSON.stringify(stop)} and releases them after START (E19)`, async () => {
      expect(await text(stop)).to.include('START')
      const held = await raise('db1')
      expect(await pageOf(held, 'bob')).to.include({ state: 'suppressed', reason: 'opted_out' })
      expect(await text('Start ')).to.include('again')
      expect(await pageOf(await raise('db2'), 'bob')).to.include({ state: 'sent' })
    })
  }

  it('lets strangers stop, start and acknowledge nothing, and answers them nothing (E19)', async () => {
    for (const said of ['stop', 'start', 'a', 'aa', 'what?'])
      for (const from of ['+4915199999999', 'BELL', '', '0151 12345672'])
        expect(await text(said, from)).to.equal(null)
    const id = await raise('db1')
    expect(await pageOf(id, 'bob')).to.include({ state: 'sent' })
    expect(await program.alert(id)).to.include({ status: 'firing' })
  })

  it('counts "sorry" by phone, and a repetition not at all (E19)', async () => {
    for (let count = 0; count < 5; count++)
      expect(await text('what?', BOB, `SMq${count}`)).to.include('Sorry')
    for (let count = 0; count < 5; count++) expect(await text('what?', BOB, `SMq${count}`)).to.equal(null)
    expect(await text('what?')).to.equal(null)
    expect(await text('what?', CEM)).to.include('Sorry')
    await raise('db1')
    expect(await text('ack')).to.include('acknowledged')
    expect(await text('what?')).to.include('Sorry')
  })

  const KEYS: readonly (readonly [digits: string, status: string, step: number])[] = [
    ['4', 'acknowledged', 2],
    ['6', 'firing', 3],
    ['5', 'resolved', 2],
    ['44', 'firing', 2],
    ['1', 'firing', 2],
    ['*', 'firing', 2],
    ['', 'firing', 2],
  ]
  for (const [Digits, status, step] of KEYS) {
    it(`means ${status} at step ${step} as the keys ${JSON.stringify(Digits)}, however often they come`, async () => {
      const id = await raise('db1')
      await program.pass(5 * MINUTE)
      const call = twilio.asked.find(({ path }) => path.endsWith('/Calls.json'))
      const action = /action="([^"]+)"/.exec(call?.fields['Twiml'] ?? '')?.[1] ?? ''
      for (let count = 0; count < 3; count++) {
        const answered = await post(action.replace(PUBLIC, ''), { CallSid: 'CA1', To: CEM, Digits })
        expect(answered.status).to.equal(200)
        expect(answered.said).to.include('<Say language="en-US">').and.include('<Hangup/>')
      }
      expect(await program.alert(id)).to.include({ status, step })
    })
  }
})
