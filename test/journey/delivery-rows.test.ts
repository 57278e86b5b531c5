import { expect } from 'chai'
import type { Device } from '../support/device.ts'
import { harness, type Harness, type HarnessOptions } from '../support/harness.ts'
import { HttpApi } from '../support/http-api.ts'
import { mailServer, type MailServer } from '../support/mail-server.ts'
import { textsIn } from '../support/mime.ts'
import { created, providerServer, twilioError, type ProviderServer } from '../support/provider-server.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const BOB = 'notifications/realtime/user/bob'
const CRITICAL = 'alerts/critical/system_failure'

describe('the rows of the requirement documents about delivery, over the whole program', function () {
  this.timeout(30_000)
  let program: Harness
  let mail: MailServer
  let twilio: ProviderServer
  beforeEach(async () => {
    ;[mail, twilio] = await Promise.all([mailServer(), providerServer()])
  })
  afterEach(async () => {
    await program.close()
    await Promise.all([mail.close(), twilio.close()])
  })

  /** E-mail, SMS and calls leave for servers of this machine. */
  const run = async (config: HarnessOptions['config'] & object = {}) => {
    const account = { mode: 'live', account_sid: 'AC1', auth_token: 'secret', from: '+15005550006' }
    program = await harness({
      config: {
        server: { public_url: 'https://bell.example.org' },
        channels: {
          email: { mode: 'live', smtp_url: mail.url, from: 'Alerts <alerts@example.org>' },
          sms: { ...account, base_url: twilio.url },
          voice: { ...account, base_url: twilio.url },
        },
        ...config,
      },
    })
  }
  const url = () => ({ url: program.app.httpUrl })
  const login = (user: string) => HttpApi.login(url, user, `${user}-password`)
  const metrics = async () => (await fetch(`${program.app.httpUrl}/metrics`)).text()
  const texts = () => twilio.asked.filter(({ path }) => path.endsWith('/Messages.json'))
  const reader = async (id: string): Promise<Device> => {
    const device = await program.client(id)
    await device.subscribe(`users/${id}/#`)
    return device
  }
  const messages = (device: Device) =>
    device
      .on('users/')
      .flatMap(({ topic, body }) => (topic.endsWith('/notifications') ? [body?.['message']] : []))

  it('R30: one person, everybody, a state and an alert reach open pages, the inbox, mailboxes and phones', async () => {
    await run()
    const bob = await reader('bob')
    await bob.subscribe('state/system/#')
    await program.accepted(BOB, { message: 'For you' })
    await program.accepted('notifications/realtime/broadcast', { message: 'For all' })
    await program.accepted('notifications/system/status', { component: 'shop', status: 'down' })
    const id = await program.raise(CRITICAL, { message: 'It burns' })
    await bob.caughtUp()
    expect(messages(bob)).to.deep.equal(['For you', 'For all'])
    expect(bob.on('state/system/shop')[0]?.body).to.include({ status: 'down' })
    expect(bob.on('users/bob/alerts')[0]?.body).to.have.nested.property('alert.id', id)
    expect((await program.inbox('bob')).map(({ content }) => content.message)).to.deep.equal([
      'For you',
      'For all',
    ])
    expect(mail.taken.map(({ to }) => to)).to.have.members(['bob@example.org', 'anna@example.org'])
    const said = (body = '') => body.replace(/ https:\/\/[^ ]+\/a\/[\w-]+$/, '')
    expect(texts().map(({ fields }) => [fields['To'], said(fields['Body'])])).to.have.deep.members([
      ['+4915112345672', 'CRITICAL: system_failure - It burns'],
      ['+4915112345671', 'CRITICAL: system_failure - It burns'],
    ])
  })

  it('R26, R27: every session that connects is told what is unread, and nobody is told after the last one went', async () => {
    await run()
    for (const message of ['First', 'Second']) await program.accepted(BOB, { message })
    const connect = (body: object) => program.accepted('websocket/connect/bob', body, { as: 'bob' })
    const disconnect = (session: unknown) =>
      program.accepted('websocket/disconnect/bob', { session_id: session }, { as: 'bob' })
    expect(await connect({ session_id: 'phone', device_info: { os: 'ios' } })).to.deep.equal({
      status: 'connected',
      session_id: 'phone',
    })
    const { session_id: made } = await connect({})
    expect(made).to.be.a('string').and.to.not.equal('phone')
    const sessions = [await reader('bob'), await reader('bob')]
    await program.accepted(BOB, { message: 'Third' })
    for (const session of sessions) {
      await session.caughtUp()
      expect(messages(session)).to.deep.equal(['First', 'Second', 'Third'])
    }
    for (const session of ['phone', made])
      expect(await disconnect(session)).to.deep.equal({ status: 'disconnected' })
    for (const session of sessions) await session.end()
    const foreign = await program.publish('websocket/connect/bob', {}, { as: 'cem' })
    expect(foreign).to.include({ kind: 'refused', code: 'publish.forbidden' })
  })

  it('R44: what is scheduled is sent at its time, groups and everybody are looked up when a message is sent', async () => {
    await run()
    await program.accepted('notifications/email/send', {
      to: 'kunde@example.org',
      subject: 'Later',
      body: 'Text',
      send_at: (program.now + HOUR) / 1000,
    })
    for (const priority of ['low', 'normal', 'high', 'critical'])
      await program.accepted('notifications/email/send', {
        to: `${priority}@example.org`,
        subject: 'Now',
        body: 'Text',
        priority,
      })
    await program.pass(HOUR - 1000)
    const taken = () => mail.taken.map(({ to }) => to.split('@')[0])
    expect(taken()).to.have.members(['low', 'normal', 'high', 'critical'])
    await program.pass(1000)
    expect(taken()).to.include('kunde')
    const group = await program.accepted('notifications/realtime/group/support', { message: 'To support' })
    expect(group).to.include({ status: 'group_sent', sent_count: 2 })
    const all = await program.accepted('notifications/realtime/broadcast', { message: 'To all' })
    expect(all).to.include({ sent_count: 4 })
  })

  it('X03: what is for the app is kept and shown under one id, to its person alone, over a restart', async () => {
    await run({
      users: { bob: { password: 'bob-password', contact_rules: { critical: [{ via: ['app'] }] } } },
    })
    const [bob, cem] = [await reader('bob'), await reader('cem')]
    const { notification_id: id } = await program.accepted(BOB, { title: 'New', message: 'Hi' })
    const alertId = await program.raise(CRITICAL)
    for (const device of [bob, cem]) await device.caughtUp()
    expect(bob.on('users/bob/notifications')[0]?.body).to.include({ id, title: 'New', message: 'Hi' })
    expect(bob.on('users/bob/alerts')[0]?.body).to.have.nested.property('alert.id', alertId)
    expect(cem.on('users/').filter(({ retain }) => !retain)).to.deep.equal([])
    await program.restart()
    expect((await program.inbox('bob'))[0]).to.include({ id })
    const shown = await (await login('bob')).get<{ notifications: { id: string }[] }>('/v1/notifications')
    expect(shown.notifications.map((one) => one.id)).to.include(id)
  })

  it('X04: an e-mail goes over SMTP from the configured sender, as text and as HTML', async () => {
    await run()
    await program.accepted(BOB, { title: 'Ärger & Co', message: 'a < b', priority: 'high' })
    await program.quiet()
    expect(mail.taken.map(({ to }) => to)).to.deep.equal(['bob@example.org'])
    const raw = mail.taken[0]?.raw ?? ''
    expect(raw)
      .to.match(/^From: Alerts <alerts@example\.org>\r$/m)
      .and.to.match(/^To: bob@example\.org\r$/m)
    const parts = textsIn(raw)
    expect(parts.find(({ type }) => type.startsWith('text/plain'))?.text).to.include('a < b')
    expect(parts.find(({ type }) => type.startsWith('text/html'))?.text).to.include('a &lt; b')
  })

  it('X33: every column takes its length, is kept whole, and one character more is refused with its name', async () => {
    await run()
    const whole = {
      type: 't'.repeat(50),
      category: 'c'.repeat(30),
      icon: 'i'.repeat(50),
      title: '🔔'.repeat(255),
      entity_type: 'e'.repeat(30),
      entity_id: 'd'.repeat(36),
      action_url: `/${'u'.repeat(499)}`,
      event: 'v'.repeat(100),
    }
    const body = { message: 'm'.repeat(65_536), data: { nested: { list: [1, null, 'x'] } } }
    const { notification_id: id } = await program.accepted(BOB, { ...whole, ...body })
    expect(id).to.match(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    await program.restart()
    const shown = await (
      await login('bob')
    ).get<Readonly<Record<string, unknown>>>(`/v1/notifications/${String(id)}`)
    expect(shown).to.deep.include({ ...whole, ...body, id, user_id: 'bob' })
    for (const [field, text] of Object.entries(whole)) {
      const outcome = await program.publish(BOB, { message: 'Hi', [field]: `${text}x` })
      expect(outcome, field).to.include({ kind: 'dead', code: 'publish.invalid_body' })
      expect(outcome, field)
        .to.have.property('message')
        .that.matches(new RegExp(`^${field} .*${Array.from(text).length} `))
    }
    expect(await program.inbox('bob')).to.have.length(1)
  })

  it('X35: a call is spoken twice by a voice in the language of the person, and says what the keys do', async () => {
    const rules = { contact_rules: { critical: [{ via: ['voice'] }] } }
    await run({
      users: {
        anna: { password: 'anna-password', roles: ['admin'] },
        bob: { password: 'bob-password', phone: '+4915112345672', locale: 'de-AT', ...rules },
      },
    })
    await program.raise(CRITICAL, { message: 'Die Pumpe steht & läuft aus' })
    const [call, ...others] = twilio.asked.filter(({ path }) => path.endsWith('/Calls.json'))
    expect(others).to.deep.equal([])
    expect(call?.fields).to.include({ To: '+4915112345672', From: '+15005550006' })
    const said = /<Say language="de-DE" loop="2">([^<]*)<\/Say>/.exec(call?.fields['Twiml'] ?? '')?.[1]
    expect(said).to.include('system failure').and.to.include('Die Pumpe steht &amp; läuft aus')
    expect(said).to.match(/Drücken Sie 4 .*6 .*5 /)
  })

  it('C15: a message reaches every connection of everybody at once; one that went is counted no more', async () => {
    await run()
    const devices = await Promise.all(['anna', 'bob', 'bob', 'cem'].map(reader))
    expect(await metrics()).to.match(/^carillon_connections(\{[^}]*\})? 4$/m)
    await program.accepted('notifications/realtime/broadcast', { message: 'To all' })
    for (const device of devices) {
      await device.caughtUp()
      expect(messages(device)).to.deep.equal(['To all'])
    }
    await devices[1]?.end()
    await program.accepted(BOB, { message: 'Still here' })
    await devices[2]?.caughtUp()
    expect(messages(devices[2]!)).to.deep.equal(['To all', 'Still here'])
    expect(messages(devices[1]!)).to.deep.equal(['To all'])
    expect(await metrics()).to.match(/^carillon_connections(\{[^}]*\})? 3$/m)
  })

  it('C18: the queue answers before anything is sent, lasts over a restart, takes many at once, and tries again', async () => {
    await run()
    twilio.answer = () => twilioError(503, 20500)
    const { result } = await program.accepted('notifications/sms/send', {
      phone: '+4915112340001',
      message: 'Hi',
    })
    expect(texts(), 'not sent yet').to.deep.equal([])
    await program.quiet()
    expect(texts()).to.have.length(1)
    const { sms_id: smsId } = result as { readonly sms_id: string }
    expect((await program.deliveries(smsId))[0]).to.include({ state: 'pending', attempts: 1 })
    twilio.answer = () => created('SM1')
    const recipients = Array.from({ length: 200 }, (_, each) => ({ to: `r${each}@example.org`, data: {} }))
    const batch = await program.accepted('notifications/email/batch', { subject: 'S', body: 'B', recipients })
    await program.restart()
    await program.pass(MINUTE)
    expect((await program.deliveries(smsId))[0]).to.include({ state: 'sent', attempts: 2 })
    expect(new Set(mail.taken.map(({ to }) => to)).size).to.equal(200)
    const states = (await program.deliveries(String(batch['batch_id']))).map(({ state }) => state)
    expect(new Set(states)).to.deep.equal(new Set(['sent']))
  })

  it('C19: every channel has a state of its own, kept with the reason over a restart, counted, and counted again for any time', async () => {
    await run()
    twilio.answer = () => twilioError(400, 21211)
    const id = await program.raise(CRITICAL)
    const page = await metrics()
    expect(page).to.include('carillon_deliveries_total{channel="email",state="sent"} 2')
    expect(page).to.include('carillon_deliveries_total{channel="sms",state="dead"} 2')
    await program.restart(25 * HOUR)
    const { items } = await (
      await login('anna')
    ).get<{ items: Readonly<Record<string, string>>[] }>(`/v1/deliveries?alert_id=${id}&user=bob`)
    const first = items.filter(({ step }) => Number(step) === 1)
    expect(first.map(({ channel, state, reason }) => [channel, state, reason])).to.have.deep.members([
      ['realtime', 'pending', null],
      ['email', 'sent', null],
      ['sms', 'dead', 'invalid_number'],
      ['push', 'suppressed', 'no_device'],
    ])
    const alert = await (await login('anna')).get<{ deliveries: unknown[] }>(`/v1/alerts/${id}`)
    expect(alert.deliveries).to.have.length.at.least(items.length)
    const statistics = '/v1/deliveries/statistics'
    type Counts = { items: Readonly<Record<string, string | number>>[] }
    const anna = await login('anna')
    const since = new Date(program.now - 26 * HOUR).toISOString()
    const counted = (await anna.get<Counts>(`${statistics}?from=${since}`)).items
    expect(counted).to.deep.include({
      channel: 'sms',
      state: 'dead',
      reason: 'invalid_number',
      count: (await program.deliveries(id)).filter(({ reason }) => reason === 'invalid_number').length,
      seconds_to_send: null,
    })
    expect(counted.find(({ channel, state }) => channel === 'email' && state === 'sent'))
      .to.have.property('seconds_to_send')
      .that.is.at.least(0)
    const long = await anna.get<Counts>(`${statistics}?to=${since}`)
    expect(long.items).to.deep.equal([])
    expect((await anna.request('GET', `${statistics}?from=2020-01-01`)).status).to.equal(400)
    expect((await (await login('cem')).request('GET', statistics)).status).to.equal(403)
  })

  describe('C20, the guidelines of CoreBanq', () => {
    it('the depth of the queue and the rate of its work can be watched', async () => {
      await run()
      await program.accepted(BOB, { message: 'Hi', priority: 'high' })
      await program.quiet()
      const page = await metrics()
      for (const name of ['store_queue', 'overdue_work', 'store_commit_operations_sum', 'deliveries_total'])
        expect(page, name).to.match(new RegExp(`^carillon_${name}(\\{[^}]*\\})? \\d`, 'm'))
    })

    it('one publish for many is one commit, not one for each', async () => {
      await run()
      const commits = async () =>
        Number(/^carillon_store_commit_operations_count (\d+)/m.exec(await metrics())?.[1])
      const before = await commits()
      const recipients = Array.from({ length: 500 }, (_, each) => ({
        to: `r${each}@example.org`,
        data: {},
      }))
      const { items } = await program.accepted('notifications/email/batch', {
        subject: 'S',
        body: 'B',
        recipients,
        send_at: (program.now + HOUR) / 1000,
      })
      expect(items).to.have.length(500)
      expect((await commits()) - before).to.be.lessThan(10)
    })

    it('nobody sees or sends again what belongs to somebody else', async () => {
      await run()
      const id = await program.raise(CRITICAL)
      const { notification_id: foreign } = await program.accepted(BOB, { message: 'For you' })
      const [cem, nobody] = [await login('cem'), new HttpApi(url, null)]
      const [row] = await program.deliveries(id)
      const paths = ['/v1/deliveries?user=bob', `/v1/batches/${id}`, `/v1/notifications/${String(foreign)}`]
      for (const path of paths) {
        expect((await cem.request('GET', path)).status, path).to.equal(404)
        expect((await nobody.request('GET', path)).status, path).to.equal(401)
      }
      expect((await cem.get<{ items: unknown[] }>(`/v1/deliveries?alert_id=${id}`)).items).to.deep.equal([])
      expect((await cem.post(`/v1/deliveries/${row?.id}/resend`)).status).to.equal(404)
      for (const path of ['/v1/outbox', '/v1/dead-letters', '/v1/opt-outs'])
        expect((await cem.request('GET', path)).status, path).to.equal(403)
      expect(await program.deliveries(id)).to.have.length(8)
    })

    it('what a message carries cannot become markup, a header or another command', async () => {
      await run()
      await program.accepted(BOB, {
        title: 'Hi\r\nBcc: eve@example.org',
        message: '<script>alert(1)</script>\r\n.\r\nRCPT TO:<eve@example.org>',
        priority: 'high',
      })
      await program.quiet()
      expect(mail.taken.map(({ to }) => to)).to.deep.equal(['bob@example.org'])
      const raw = mail.taken[0]?.raw ?? ''
      expect(raw.split('\r\n\r\n')[0]).to.not.match(/^Bcc:/im)
      const html = textsIn(raw).find(({ type }) => type.startsWith('text/html'))?.text
      expect(html).to.include('&lt;script&gt;').and.to.not.include('<script>')
    })
  })

  it('C21: one folder and one file stand for database, queue and their configuration; mail, SMS and roles are set there', async () => {
    twilio.answer = () => ({ status: 200, body: { messages: [{ id: 'g-1' }] } })
    await run({
      channels: {
        email: { mode: 'live', smtp_url: mail.url },
        sms: { mode: 'live', provider: 'http', url: `${twilio.url}/gateway`, id_path: 'messages.0.id' },
      },
    })
    await program.accepted('notifications/email/send', { to: 'a@example.org', subject: 'S', body: 'B' })
    const { result } = await program.accepted('notifications/sms/send', {
      phone: '+4915112340001',
      message: 'Hi',
    })
    await program.quiet()
    expect(mail.taken.map(({ to }) => to)).to.deep.equal(['a@example.org'])
    expect(
      twilio.asked.map(({ path, body }) => [path, (JSON.parse(body) as { to: string }).to]),
    ).to.deep.equal([['/gateway', '+4915112340001']])
    const [row] = await program.deliveries((result as { readonly sms_id: string }).sms_id)
    expect(row).to.include({ state: 'sent', providerId: 'g-1' })
    const [anna, cem] = [await login('anna'), await login('cem')]
    const resend = `/v1/deliveries/${row?.id}/resend`
    expect([(await anna.post(resend)).status, (await cem.post(resend)).status]).to.deep.equal([202, 404])
  })

  it('C22: a task is told in the language of its person, with its metadata', async () => {
    await run({
      users: {
        bob: { password: 'bob-password', email: 'bob@example.org' },
        cem: { password: 'cem-password', email: 'cem@example.org', locale: 'de-AT' },
      },
      templates: {
        'task.*': {
          email: { subject: 'Task {{ data.metadata.name }}', text: 'Due {{ data.metadata.due }}' },
          locales: {
            de: {
              email: { subject: 'Aufgabe {{ data.metadata.name }}', text: 'Fällig {{ data.metadata.due }}' },
            },
          },
        },
      },
    })
    const data = { metadata: { name: 'Inventur', due: '5.1.' } }
    for (const user of ['bob', 'cem'])
      await program.accepted(`notifications/realtime/user/${user}`, {
        message: 'You have a task',
        type: 'task',
        event: 'task.assigned',
        priority: 'high',
        data,
      })
    await program.quiet()
    const subjects = mail.taken.map(({ to, raw }) => [to, /^Subject: (.*)\r$/m.exec(raw)?.[1]])
    expect(subjects).to.have.deep.members([
      ['bob@example.org', 'Task Inventur'],
      ['cem@example.org', 'Aufgabe Inventur'],
    ])
    expect((await program.inbox('cem'))[0]?.content.data).to.deep.equal(data)
  })
})
