import { expect } from 'chai'
import { twilioSignature } from '../../src/delivery/providers/twilio-signature.ts'
import { HttpApi } from '../support/http-api.ts'
import { harness, type Harness } from '../support/harness.ts'
import { created, providerServer, twilioError, type ProviderServer } from '../support/provider-server.ts'

const PUBLIC = 'https://bell.example.org'
const TOKEN = 'twilio-secret'
const BOB = '+4915112345672'
const CEM = '+4915112345673'
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

describe('SMS and calls that leave the house and come back', function () {
  this.timeout(30_000)
  let program: Harness
  let twilio: ProviderServer
  let sids = 0

  beforeEach(async () => {
    twilio = await providerServer()
    twilio.answer = () => created(`X${++sids}`)
    const account = { mode: 'live', account_sid: 'AC1', auth_token: TOKEN, from: '+15005550006' }
    program = await harness({
      config: {
        server: { public_url: PUBLIC },
        channels: {
          sms: { ...account, base_url: twilio.url },
          voice: { ...account, base_url: twilio.url },
        },
        users: {
          // Only two people can be reached, each on one channel.
          anna: {
            name: 'Anna',
            password: 'anna-password',
            roles: ['user', 'admin'],
          },
          bob: {
            name: 'Bob',
            password: 'bob-password',
            phone: BOB,
            contact_rules: { critical: [{ via: ['sms'] }] },
          },
          cem: {
            name: 'Cem',
            password: 'cem-password',
            phone: CEM,
            contact_rules: { critical: [{ via: ['voice'] }] },
          },
        },
      },
    })
  })

  afterEach(async () => {
    await program.close()
    await twilio.close()
  })

  const post = async (
    path: string,
    fields: Readonly<Record<string, string>>,
    signature = twilioSignature(TOKEN, `${PUBLIC}${path}`, fields),
  ) => {
    const response = await fetch(`${program.app.httpUrl}${path}`, {
      method: 'POST',
      headers: { 'x-twilio-signature': signature },
      body: new URLSearchParams(fields),
    })
    const said = await response.text()
    await program.quiet()
    return { status: response.status, said, type: response.headers.get('content-type') }
  }
  const text = async (Body: string, From = BOB, MessageSid = `SMin${++sids}`) => {
    const { status, said } = await post('/v1/callbacks/twilio/sms', {
      MessageSid,
      From,
      To: '+15005550006',
      Body,
    })
    expect(status).to.equal(200)
    return /<Message>(.*)<\/Message>/.exec(said)?.[1] ?? null
  }
  const raise = (source = 'db1') =>
    program.raise('alerts/critical/system_failure', { source, message: 'It burns' })
  const sentTo = (phone: string) => twilio.asked.filter(({ fields }) => fields['To'] === phone)
  const pageOf = async (id: string, user: string) => {
    const row = (await program.deliveries(id)).find(
      ({ userId, channel }) => userId === user && channel !== 'realtime',
    )
    if (!row) throw new Error(`${user} was not paged`)
    return row
  }

  it('pages by SMS, takes the signed `ack` of the phone, and escalates no further (R25, E19, P15)', async () => {
    const id = await raise()
    expect(sentTo(BOB)).to.have.length(1)
    expect(sentTo(BOB)[0]?.fields['Body']).to.match(
      /^CRITICAL: system_failure - It burns https:\/\/[^ ]+\/a\/[\w-]+$/,
    )
    expect(await pageOf(id, 'bob')).to.include({ state: 'sent', providerId: `X${sids}` })
    expect(await text('ack ')).to.include('system_failure is acknowledged by bob')
    expect(await program.alert(id)).to.include({
      status: 'acknowledged',
      acknowledgedBy: 'bob',
      acknowledgedVia: 'sms',
    })
    await program.pass(10 * MINUTE)
    expect(sentTo(CEM)).to.deep.equal([])
  })

  it('refuses what is not signed by the provider, for this address and with these fields (security 25)', async () => {
    const id = await raise()
    const path = '/v1/callbacks/twilio/sms'
    const fields = { MessageSid: 'SM1', From: BOB, Body: 'ack' }
    const wrong = [
      twilioSignature('other', `${PUBLIC}${path}`, fields),
      twilioSignature(TOKEN, `${program.app.httpUrl}${path}`, fields),
      twilioSignature(TOKEN, `${PUBLIC}${path}`, { ...fields, Body: 'no' }),
      '',
    ]
    for (const signature of wrong) expect((await post(path, fields, signature)).status).to.equal(403)
    const { id: delivery } = await pageOf(id, 'bob')
    for (const rest of ['status', 'voice'])
      expect((await post(`/v1/callbacks/twilio/${rest}?delivery=${delivery}`, fields, 'x')).status).to.equal(
        403,
      )
    expect(await program.alert(id)).to.include({ status: 'firing' })
  })

  it('ignores strangers, and says sorry five times and no more until an answer is one (E19)', async () => {
    const id = await raise()
    expect(await text('ack', '+4915199999999')).to.equal(null)
    expect(await program.alert(id)).to.include({ status: 'firing' })
    const sorries = []
    for (let sent = 0; sent < 7; sent++) sorries.push(await text('What is it?'))
    expect(sorries.map((sorry) => sorry !== null)).to.deep.equal([true, true, true, true, true, false, false])
    expect(await text('a')).to.include('acknowledged')
    expect(await text('What is it?')).to.include('Sorry')
  })

  it('means the last alert, the one with the code, or all of them (E19)', async () => {
    const first = await raise('db1')
    await program.pass(1000)
    const second = await raise('db2')
    await program.pass(1000)
    const third = await raise('db3')
    expect(await text('A')).to.match(/Open: 1 system_failure, 2 system_failure\.$/)
    expect(await program.alert(third)).to.include({ status: 'acknowledged' })
    await text('1c')
    expect(await program.alert(first)).to.include({ status: 'resolved' })
    expect(await program.alert(second)).to.include({ status: 'firing' })
    expect(await text('9a')).to.include('Sorry')
    await text('aa')
    expect(await program.alert(second)).to.include({ status: 'acknowledged' })
  })

  it('keeps the meaning of a code and the count of its sorries over a restart (E19)', async () => {
    const first = await raise('db1')
    await program.pass(1000)
    const second = await raise('db2')
    for (let sent = 0; sent < 4; sent++) await text('What is it?')
    expect(await text('a')).to.match(/Open: 1 system_failure\.$/)
    await text('1c')
    for (let sent = 0; sent < 5; sent++) expect(await text('What is it?')).to.include('Sorry')
    await program.restart()
    expect(await text('What is it?')).to.equal(null)
    expect(await text('1a')).to.equal(null)
    expect(await program.alert(first)).to.include({ status: 'resolved' })
    expect(await text('2c')).to.include('resolved')
    expect(await program.alert(second)).to.include({ status: 'resolved' })
  })

  it('does a repeated message once and answers it once, over a restart as well (security 25)', async () => {
    const id = await raise()
    await text('escalate', BOB, 'SMtwice')
    expect(await program.alert(id)).to.include({ step: 2 })
    expect(await text('escalate', BOB, 'SMtwice')).to.equal(null)
    await program.restart()
    expect(await text('escalate', BOB, 'SMtwice')).to.equal(null)
    expect(await program.alert(id)).to.include({ step: 2 })
    expect(await text('escalate')).to.include('the last step was 3')
  })

  it('escalates once when it died between the commit and noting the message (security 25)', async () => {
    const id = await raise()
    await text('escalate', BOB, 'SMtwice')
    const { registry } = program.app.engine
    const noted = [...registry.all({ name: 'callback' })]
    expect(noted.map(({ key }) => key)).to.deep.equal(['twilio:SMtwice'])
    for (const one of noted) await registry.remove({ name: 'callback' }, one)
    await program.restart()
    expect(await text('escalate', BOB, 'SMtwice')).to.include('the last step was 2')
    expect(await program.alert(id)).to.include({ step: 2 })
    const { length } = (await program.timeline(id)).filter(({ kind }) => kind === 'escalated')
    expect(length).to.equal(1)
  })

  it('forgets what it has dealt with after a week', async () => {
    await raise()
    await text('ack')
    const remembered = () => [...program.app.engine.registry.all({ name: 'callback' })].length
    await program.restart(7 * DAY - HOUR)
    await program.pass(MINUTE)
    expect(remembered()).to.equal(1)
    await program.restart(HOUR)
    await program.pass(MINUTE)
    expect(remembered()).to.equal(0)
  })

  it('sends nothing to a phone that answered STOP, pages the next person at once, and obeys START (E19)', async () => {
    expect(await text('Stop. ')).to.include('No more messages')
    const id = await raise()
    expect(sentTo(BOB)).to.deep.equal([])
    expect(await pageOf(id, 'bob')).to.include({ state: 'suppressed', reason: 'opted_out' })
    expect(sentTo(CEM)).to.have.length(1)
    await program.restart()
    await raise('db2')
    expect(sentTo(BOB)).to.deep.equal([])
    await text('start')
    await raise('db3')
    expect(sentTo(BOB)).to.have.length(1)
  })

  it('tells operators who stopped SMS and lets them lift it; an old STOP that comes again stops nothing (E19)', async () => {
    await text('stop', BOB, 'SMstop')
    const ops = new HttpApi(() => ({ url: program.app.httpUrl }), 'console-token')
    const list = () => ops.get<{ items: readonly { id: string }[] }>('/v1/opt-outs')
    const { items } = await list()
    const [stopped] = items
    expect(stopped).to.include({ channel: 'sms', address: '+49…72' })
    expect(stopped).to.deep.include({ users: ['bob'] })
    const path = `/v1/opt-outs/${stopped?.id}`
    const bob = await HttpApi.login(() => ({ url: program.app.httpUrl }), 'bob', 'bob-password')
    expect((await bob.request('GET', '/v1/opt-outs')).status).to.equal(403)
    expect((await bob.request('DELETE', path)).status).to.equal(403)
    expect((await ops.request('DELETE', path)).status).to.equal(204)
    expect((await ops.request('DELETE', path)).status).to.equal(404)
    await program.restart()
    await text('stop', BOB, 'SMstop')
    expect((await list()).items).to.deep.equal([])
    await raise()
    expect(sentTo(BOB)).to.have.length(1)
  })

  it('holds back what was to be tried again when STOP comes (E19)', async () => {
    twilio.answer = () => twilioError(503, 0)
    const id = await raise()
    expect(sentTo(BOB)).to.have.length(1)
    await text('stop')
    await program.pass(MINUTE)
    expect(sentTo(BOB)).to.have.length(1)
    expect(await pageOf(id, 'bob')).to.include({ state: 'suppressed', reason: 'opted_out' })
  })

  it('escalates once for a key that comes twice, over a restart as well (security 25)', async () => {
    const id = await raise()
    await program.pass(5 * MINUTE)
    const [call] = sentTo(CEM)
    const action = /action="([^"]+)"/.exec(call?.fields['Twiml'] ?? '')?.[1] ?? ''
    const press = () => post(action.replace(PUBLIC, ''), { CallSid: 'CA1', To: CEM, Digits: '6' })
    expect((await press()).said).to.include('the last step was 3')
    await program.restart()
    expect((await press()).said).to.include('done already')
    expect(await program.alert(id)).to.include({ step: 3 })
  })

  it('tries again as promise P7 says, and keeps the provider’s pause', async () => {
    const answers = [
      twilioError(503, 0),
      twilioError(500, 0),
      twilioError(429, 20429, { 'retry-after': '30' }),
    ]
    twilio.answer = (_asked, count) => answers[count - 1] ?? created('Xlate')
    const id = await raise()
    const counts = []
    // 1 s and 2 s, each times (0.5 + 0.5 / 2); then what the provider wished for.
    for (const ms of [749, 1, 1499, 1, 29_999, 1]) {
      await program.pass(ms)
      counts.push(sentTo(BOB).length)
    }
    expect(counts).to.deep.equal([1, 2, 2, 3, 3, 4])
    expect(await pageOf(id, 'bob')).to.include({ state: 'sent', attempts: 4, providerId: 'Xlate' })
  })

  it('moves a sent message to what the provider reports, once and never back', async () => {
    const id = await raise()
    const { id: delivery, providerId } = await pageOf(id, 'bob')
    const report = (MessageStatus: string, more: Readonly<Record<string, string>> = {}) =>
      post(`/v1/callbacks/twilio/status?delivery=${encodeURIComponent(delivery)}`, {
        MessageSid: providerId ?? '',
        To: BOB,
        MessageStatus,
        ...more,
      })
    for (const status of ['queued', 'sent']) expect((await report(status)).status).to.equal(204)
    await report('failed', { MessageSid: 'SMother', ErrorCode: '30003' })
    await report('delivered', { To: CEM })
    expect(await pageOf(id, 'bob')).to.include({ state: 'sent' })
    await report('delivered')
    const delivered = await pageOf(id, 'bob')
    expect(delivered).to.include({ state: 'delivered', deliveredAt: program.now })
    await program.pass(1000)
    for (const status of ['sent', 'delivered', 'undelivered']) await report(status, { ErrorCode: '30003' })
    expect(await pageOf(id, 'bob')).to.deep.equal(delivered)
    expect(await program.alert(id)).to.include({ step: 1 })
  })

  it('brings the next step forward when the provider reports that the page did not arrive (P7, E18)', async () => {
    const id = await raise()
    const { id: delivery, providerId } = await pageOf(id, 'bob')
    await post(`/v1/callbacks/twilio/status?delivery=${delivery}`, {
      MessageSid: providerId ?? '',
      To: BOB,
      MessageStatus: 'undelivered',
      ErrorCode: '30003',
    })
    expect(await pageOf(id, 'bob')).to.include({ state: 'dead', reason: 'twilio_30003' })
    expect(await program.alert(id)).to.include({ step: 2 })
    expect(sentTo(CEM)).to.have.length(1)
  })

  it('takes the key that is pressed during a call, and repeats nothing', async () => {
    const id = await raise()
    await program.pass(5 * MINUTE)
    const [call] = sentTo(CEM)
    const action = /action="([^"]+)"/.exec(call?.fields['Twiml'] ?? '')?.[1] ?? ''
    expect(call?.path).to.equal('/2010-04-01/Accounts/AC1/Calls.json')
    const press = (Digits: string, To = CEM) =>
      post(action.replace(PUBLIC, ''), { CallSid: 'CA1', From: '+15005550006', To, Digits })
    expect((await press('9')).said).to.include('means nothing')
    expect((await press('4', BOB)).said).to.include('no answer')
    expect(await program.alert(id)).to.include({ status: 'firing' })
    const done = await post(action.replace(PUBLIC, ''), { CallSid: 'CA2', To: CEM, Digits: '4' })
    expect(done).to.include({ status: 200, type: 'text/xml; charset=utf-8' })
    expect(done.said).to.include('system failure is acknowledged by cem')
    expect(await program.alert(id)).to.include({
      status: 'acknowledged',
      acknowledgedBy: 'cem',
      acknowledgedVia: 'voice',
    })
    const again = await post(action.replace(PUBLIC, ''), { CallSid: 'CA2', To: CEM, Digits: '4' })
    expect(again.said).to.include('done already')
  })
})
