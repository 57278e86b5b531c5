import { expect } from 'chai'
import { harness, type Harness, type HarnessOptions } from '../support/harness.ts'

const MINUTE = 60_000

describe('the rows of the RouteMQ requirement document, over the whole program', () => {
  let program: Harness
  const run = async (config: HarnessOptions['config'] = {}) => (program = await harness({ config }))
  afterEach(() => program.close())

  const notify = (body: object) => program.accepted('notifications/realtime/user/bob', body)
  const person = (id: string, more: object) => ({
    [id]: { password: `${id}-password`, email: `${id}@example.org`, phone: '+4915112345699', ...more },
  })

  describe('each topic has its handler', () => {
    const START = '2026-01-05T13:00:00Z'
    const END = '2026-01-05T14:00:00Z'
    const MAIL = { to: 'kunde@example.org', subject: 'Hello', body: 'Text' }
    const rows: readonly (readonly [row: string, topic: string, body: object, status: string])[] = [
      ['R01', 'notifications/realtime/user/bob', { message: 'Hi' }, 'sent'],
      ['R02', 'notifications/realtime/broadcast', { message: 'Hi' }, 'broadcast_sent'],
      ['R03', 'notifications/realtime/group/ops', { message: 'Hi' }, 'group_sent'],
      ['R04', 'notifications/alerts/critical/system_failure', { message: 'Hi' }, 'critical_alert_sent'],
      ['R04', 'alerts/critical/system_failure', { message: 'Hi' }, 'critical_alert_sent'],
      ['R05', 'notifications/alerts/warning/temp_high', { message: 'Hi' }, 'warning_alert_sent'],
      ['R05', 'alerts/warning/temp_high', { message: 'Hi' }, 'warning_alert_sent'],
      ['R06', 'notifications/alerts/info/temp_high', { message: 'Hi' }, 'info_alert_sent'],
      ['R06', 'alerts/info/temp_high', { message: 'Hi' }, 'info_alert_sent'],
      ['R07', 'notifications/system/status', { component: 'shop', status: 'down' }, 'status_updated'],
      [
        'R08',
        'notifications/system/maintenance',
        { component: 'shop', start: START, end: END },
        'maintenance_announced',
      ],
      ['R09', 'notifications/email/send', MAIL, 'email_queued'],
      ['R10', 'notifications/email/batch', { messages: [MAIL] }, 'batch_queued'],
      ['R11', 'notifications/sms/send', { phone: '+4915112345678', message: 'Hi' }, 'sms_sent'],
      ['R12', 'notifications/push/mobile/ios', { user_id: 'bob', title: 'T', body: 'Hi' }, 'sent'],
      ['R13', 'websocket/connect/bob', { session_id: 's1', device_info: { os: 'ios' } }, 'connected'],
      ['R15', 'websocket/heartbeat/bob', { session_id: 's1' }, 'alive'],
      ['R14', 'websocket/disconnect/bob', { session_id: 's1' }, 'disconnected'],
    ]

    it('and answers with the status of the document (R01-R15)', async () => {
      await run()
      for (const [row, topic, body, status] of rows) {
        const as = topic.startsWith('websocket/') ? 'bob' : 'device'
        expect((await program.accepted(topic, body, { as }))['status'], `${row} ${topic}`).to.equal(status)
      }
    })

    it('and both spellings of an alert are the same alert (R04)', async () => {
      await run()
      const long = await program.raise('notifications/alerts/critical/system_failure', { source: 'db' })
      expect(await program.raise('alerts/critical/system_failure', { source: 'db' })).to.equal(long)
    })

    it('and the usage examples of the document work as they stand (R29)', async () => {
      await run({ users: person('user123', {}) })
      const device = await program.client('device')
      const reader = await program.client('user123')
      await device.subscribe('receipts/device/#')
      await reader.subscribe('users/user123/notifications')
      await device.publish('notifications/realtime/user/user123', {
        title: 'New Message',
        message: 'You have a new message from John',
        type: 'message',
        priority: 'normal',
        data: { message_id: 'msg456', sender: 'John' },
      })
      expect((await reader.count('users/user123/', 1))[0]?.body).to.deep.include({
        title: 'New Message',
        type: 'message',
        data: { message_id: 'msg456', sender: 'John' },
      })
      await device.publish(
        'notifications/alerts/critical/system_failure',
        {
          message: 'Database connection failed',
          source: 'database_monitor',
          severity: 'critical',
          affected_systems: ['user_service', 'order_service'],
        },
        2,
      )
      await device.publish(
        'notifications/email/send',
        {
          to: 'user@example.com',
          subject: 'Order Confirmation',
          body: 'Your order has been confirmed',
          priority: 'high',
        },
        2,
      )
      for (const status of ['sent', 'critical_alert_sent', 'email_queued']) {
        await device.first(({ body }) =>
          JSON.stringify(body?.['result'] ?? {}).includes(`"status":"${status}"`),
        )
      }
    })
  })

  it('R16: takes the four priorities and no other', async () => {
    await run()
    for (const priority of ['low', 'normal', 'high', 'critical'])
      expect(await notify({ message: 'Hi', priority })).to.include({ status: 'sent' })
    for (const priority of ['urgent', 'High', '', 3]) {
      const outcome = await program.publish('notifications/realtime/user/bob', { message: 'Hi', priority })
      expect(outcome, String(priority)).to.include({ kind: 'dead', code: 'publish.invalid_body' })
    }
  })

  it('R17: only the message is required; the rest has the defaults of the document', async () => {
    await run()
    const bob = await program.client('bob')
    await bob.subscribe('users/bob/notifications')
    const { notification_id: id } = await notify({ message: 'Hi' })
    const [received] = await bob.count('users/bob/', 1)
    expect(received?.body).to.deep.include({
      id,
      user_id: 'bob',
      title: 'Notification',
      message: 'Hi',
      type: 'info',
      priority: 'normal',
      data: {},
      read: false,
    })
    expect(received?.body?.['timestamp']).to.equal(program.now / 1000)
    const outcome = await program.publish('notifications/realtime/user/bob', { title: 'No message' })
    expect(outcome).to.include({ kind: 'dead', message: 'Message is required' })
  })

  it('R18: more than a hundred stay in the inbox, longer than a day', async () => {
    await run()
    await Promise.all(Array.from({ length: 120 }, (_, index) => notify({ message: `Message ${index}` })))
    await program.restart(25 * 60 * MINUTE)
    expect(await program.unread('bob')).to.deep.equal({ total: 120, unread: 120 })
    expect((await program.inbox('bob'))[0]?.content.message).to.equal('Message 0')
  })

  it('R19: chooses channels by priority and preference', async () => {
    await run({
      users: {
        ...person('all', { preferences: { sms: true } }),
        ...person('plain', {}),
        ...person('none', { preferences: { realtime: false, email: false, sms: false, push: false } }),
      },
    })
    const rows = [
      ['plain', 'normal', ['realtime']],
      ['plain', 'high', ['realtime', 'email']],
      ['plain', 'critical', ['realtime', 'email']],
      ['all', 'low', ['realtime']],
      ['all', 'high', ['realtime', 'email']],
      ['all', 'critical', ['realtime', 'email', 'sms']],
      ['none', 'critical', []],
    ] as const
    for (const [user, priority, channels] of rows) {
      const result = await program.accepted(`notifications/realtime/user/${user}`, {
        message: 'Hi',
        priority,
      })
      expect(result['channels'], `${user} ${priority}`).to.deep.equal(channels)
    }
    await program.quiet()
    const sent = async (user: string) => (await program.phone(user).messages()).map(({ channel }) => channel)
    expect(await sent('all')).to.have.members(['email', 'email', 'sms'])
    expect(await sent('plain')).to.deep.equal(['email', 'email'])
    expect(await sent('none')).to.deep.equal([])
    expect(await program.inbox('none'), 'the inbox is no channel').to.have.length(1)
  })

  it('R20: the answer names the notification and its channels, and so does the stored object', async () => {
    await run()
    const result = await notify({ message: 'Hi', priority: 'high' })
    const [stored] = await program.inbox('bob')
    expect(result).to.deep.equal({
      status: 'sent',
      notification_id: stored?.id,
      channels: ['realtime', 'email'],
    })
    expect(stored?.content.channels).to.deep.equal(['realtime', 'email'])
  })

  it('R21: a broadcast reaches everybody or the named groups, each person once, under its own title', async () => {
    await run()
    const devices = await Promise.all(['anna', 'bob', 'cem', 'dora'].map((id) => program.client(id)))
    for (const [index, id] of ['anna', 'bob', 'cem', 'dora'].entries())
      await devices[index]?.subscribe(`users/${id}/notifications`)
    const everybody = await program.accepted('notifications/realtime/broadcast', { message: 'To all' })
    expect(everybody).to.include({ status: 'broadcast_sent', sent_count: 4 })
    const some = await program.accepted('notifications/realtime/broadcast', {
      message: 'To ops',
      target_groups: ['ops', 'ops'],
    })
    expect(some).to.include({ sent_count: 2 })
    for (const device of devices) await device.caughtUp()
    expect(devices.map(({ received }) => received.map(({ body }) => body?.['message']))).to.deep.equal([
      ['To all', 'To ops'],
      ['To all', 'To ops'],
      ['To all'],
      ['To all'],
    ])
    expect(devices[0]?.received[0]?.body).to.include({
      title: 'System Notification',
      type: 'system',
      broadcast_id: everybody['broadcast_id'],
    })
    const unknown = await program.publish('notifications/realtime/broadcast', {
      message: 'Hi',
      target_groups: ['nobodys'],
    })
    expect(unknown).to.include({ kind: 'dead', code: 'publish.unknown_group' })
  })

  it('R22, R23: a critical alert is told to on-call and administrators at once, whatever they prefer, on three channels with the texts of the document', async () => {
    await run({
      users: person('bob', { preferences: { realtime: false, email: false, sms: false, push: false } }),
    })
    const anna = await program.client('anna')
    await anna.subscribe('users/anna/alerts')
    const body = {
      message: 'Database connection failed',
      source: 'database_monitor',
      affected_systems: ['orders'],
    }
    const result = await program.accepted('alerts/critical/system_failure', body)
    expect(result).to.include({ status: 'critical_alert_sent', notified_users: 2 })
    await program.quiet()
    for (const id of ['anna', 'bob']) {
      const [email] = await program.phone(id).messages('email')
      expect(email?.subject, id).to.equal('CRITICAL ALERT: system_failure')
      const [sms] = await program.phone(id).messages('sms')
      expect(sms?.text, id).to.equal('CRITICAL: system_failure - Database connection failed')
    }
    const [page] = await anna.count('users/anna/alerts', 1)
    expect(page?.body).to.include({ type: 'critical_alert', requires_acknowledgment: true })
    expect(page?.body?.['alert']).to.deep.include({
      id: result['alert_id'],
      type: 'system_failure',
      ...body,
      severity: 'critical',
      acknowledged: false,
      timestamp: program.now / 1000,
    })
  })

  it('R24: an e-mail goes to its address as it was written; what is missing is said in the words of the document', async () => {
    await run()
    const result = await program.accepted('notifications/email/send', {
      to: 'kunde@example.org',
      subject: 'Offer',
      body: 'Text',
      html_body: '<b>Text</b>',
      priority: 'high',
    })
    expect(result['status']).to.equal('email_queued')
    await program.quiet()
    const [row] = await program.deliveries(String(result['email_id']))
    expect(row).to.include({ channel: 'email', address: 'kunde@example.org', state: 'sent', userId: null })
    expect(row?.fixed).to.deep.equal({ subject: 'Offer', text: 'Text', html: '<b>Text</b>' })
    for (const body of [
      { subject: 'S', body: 'B' },
      { to: 'a@example.org', body: 'B' },
      { to: 'a@example.org', subject: 'S' },
    ]) {
      expect(await program.publish('notifications/email/send', body)).to.include({
        kind: 'dead',
        message: 'To email, subject, and body are required',
      })
    }
  })

  it('R25: an SMS goes to its number; what is missing is said in the words of the document', async () => {
    await run()
    const { status, result } = await program.accepted('notifications/sms/send', {
      phone: '+49 151 12345678',
      message: 'Hi',
    })
    expect(status).to.equal('sms_sent')
    await program.quiet()
    const [row] = await program.deliveries((result as { readonly sms_id: string }).sms_id)
    expect(row).to.include({ channel: 'sms', address: '+4915112345678', state: 'sent' })
    for (const body of [{ message: 'Hi' }, { phone: '+4915112345678' }]) {
      expect(await program.publish('notifications/sms/send', body)).to.include({
        kind: 'dead',
        message: 'Phone number and message are required',
      })
    }
    expect(await program.publish('notifications/sms/send', { phone: '12', message: 'Hi' })).to.include({
      kind: 'dead',
      code: 'publish.invalid_address',
    })
  })

  it('R31: every member of a group gets a copy of their own by their own preferences; an unknown group is an error', async () => {
    await run({ users: person('cem', { groups: ['support'], preferences: { email: false } }) })
    const body = { message: 'Hi', priority: 'high' }
    expect(await program.accepted('notifications/realtime/group/support', body)).to.deep.equal({
      status: 'group_sent',
      group_id: 'support',
      sent_count: 2,
    })
    expect(await program.accepted('notifications/realtime/group/ops', body)).to.include({ sent_count: 2 })
    await program.quiet()
    expect(await program.phone('bob').messages('email')).to.have.length(1)
    expect(await program.phone('cem').messages('email')).to.have.length(0)
    await program.accepted('users/cem/notifications/read-all', {}, { as: 'cem' })
    expect([(await program.unread('cem')).unread, (await program.unread('dora')).unread]).to.deep.equal([
      0, 1,
    ])
    expect(await program.publish('notifications/realtime/group/none', body)).to.include({
      kind: 'dead',
      code: 'publish.unknown_group',
    })
  })

  it('R32: a warning is told to on-call in the app and to administrators by e-mail, without SMS', async () => {
    await run()
    const result = await program.accepted('alerts/warning/temp_high', { message: 'Warm' })
    expect(result).to.include({ status: 'warning_alert_sent', notified_users: 2 })
    await program.quiet()
    const rows = (await program.deliveries(String(result['alert_id']))).filter(
      ({ state }) => state !== 'suppressed',
    )
    expect(rows.map(({ userId, channel }) => `${userId} ${channel}`)).to.have.members([
      'bob realtime',
      'anna email',
    ])
  })

  it('R33: an info is shown and wakes nobody', async () => {
    await run()
    const bob = await program.client('bob')
    await bob.subscribe('users/bob/+')
    await program.accepted('alerts/info/temp_high', { message: 'Warm' }, { qos: 0 })
    expect((await bob.count('users/bob/notifications', 1))[0]?.body).to.include({
      message: 'Warm',
      priority: 'low',
      severity: 'info',
    })
    await bob.caughtUp()
    expect(bob.on('users/bob/alerts')).to.deep.equal([])
    expect(await program.phone('bob').messages()).to.deep.equal([])
  })

  it('R34: the state of a component is retained and passed on when it changes', async () => {
    await run()
    const say = (status: string) =>
      program.accepted('notifications/system/status', { component: 'shop', status })
    const viewer = await program.client('dora')
    await viewer.subscribe('state/system/#')
    for (const status of ['operational', 'operational', 'down', 'down']) await say(status)
    await viewer.caughtUp()
    expect(viewer.received.map(({ topic, body }) => [topic, body?.['status']])).to.deep.equal([
      ['state/system/shop', 'operational'],
      ['state/system/shop', 'down'],
    ])
    await say('broken').then(
      () => expect.fail('an unknown state was accepted'),
      (error: Error) => expect(error.message).to.contain('publish.invalid_body'),
    )
  })

  it('R34: the state of a component is still there after a restart', async () => {
    await run()
    await program.accepted('notifications/system/status', { component: 'shop', status: 'down' })
    await program.restart()
    const late = await program.client('dora')
    await late.subscribe('state/system/shop')
    expect((await late.count('state/', 1))[0])
      .to.deep.include({ retain: true })
      .and.nested.include({ 'body.status': 'down' })
  })

  it('R35: a maintenance window is announced on the board of its component', async () => {
    await run()
    const viewer = await program.client('dora')
    await viewer.subscribe('state/system/#')
    await program.accepted('notifications/system/maintenance', {
      title: 'Update',
      start: '2026-01-05T13:00:00Z',
      end: '2026-01-05T14:00:00Z',
      affected_systems: ['shop', 'billing'],
    })
    const shown = await viewer.count('state/system/', 2)
    expect(shown.map(({ topic }) => topic)).to.have.members(['state/system/shop', 'state/system/billing'])
    expect(shown[0]?.body).to.include({
      status: 'maintenance_scheduled',
      start: '2026-01-05T13:00:00.000Z',
      end: '2026-01-05T14:00:00.000Z',
    })
    expect(await program.publish('notifications/system/maintenance', { start: 2000, end: 1000 })).to.include({
      kind: 'dead',
    })
  })

  it('R36: a batch answers for each recipient, one bad address does not sink it, and every message keeps its priority', async () => {
    await run()
    const template = { subject: 'Hello {{name}}', body: 'Dear {{name}}', html_body: '<p>{{name}}</p>' }
    const recipients = [
      { to: 'a@example.org', data: { name: 'A & B' } },
      { to: 'no address', data: {} },
      { to: 'c@example.org', data: { name: 'C' } },
    ]
    const filled = await program.accepted('notifications/email/batch', { ...template, recipients })
    expect(filled['items']).to.deep.equal([
      { to: 'a@example.org', status: 'queued' },
      { to: 'no address', status: 'failed', error: 'publish.invalid_address' },
      { to: 'c@example.org', status: 'queued' },
    ])
    await program.quiet()
    const rows = await program.deliveries(String(filled['batch_id']))
    expect(rows.map(({ state, reason }) => reason ?? state)).to.deep.equal([
      'sent',
      'invalid_address',
      'sent',
    ])
    expect(rows.filter(({ state }) => state === 'sent').map(({ fixed }) => fixed)).to.deep.equal([
      { subject: 'Hello A & B', text: 'Dear A & B', html: '<p>A &#38; B</p>' },
      { subject: 'Hello C', text: 'Dear C', html: '<p>C</p>' },
    ])
    const mail = { subject: 'S', body: 'B' }
    const mixed = await program.accepted('notifications/email/batch', {
      messages: [
        { ...mail, to: 'a@example.org', priority: 'critical' },
        { ...mail, to: 'b@example.org' },
      ],
    })
    expect(
      (await program.deliveries(String(mixed['batch_id']))).map(({ critical }) => critical),
    ).to.deep.equal([true, false])
  })

  it('R37: a push names a known platform and a person; without a device it is shown in the app and never counts as push', async () => {
    await run()
    for (const platform of ['ios', 'android', 'web']) {
      const result = await program.accepted(`notifications/push/mobile/${platform}`, {
        user_id: 'bob',
        title: 'T',
        body: 'Hi',
      })
      expect(result).to.deep.include({ status: 'sent', channels: ['realtime'] })
    }
    expect(
      await program.publish('notifications/push/mobile/nokia', { user_id: 'bob', body: 'Hi' }),
    ).to.include({ kind: 'dead', code: 'publish.invalid_body' })
    expect(
      await program.publish('notifications/push/mobile/ios', { user_id: 'nobody', body: 'Hi' }),
    ).to.include({ kind: 'dead', code: 'publish.unknown_user' })
  })

  it('R39: what somebody may is decided by the connection; a forbidden publish ends it and is not stored', async () => {
    await run()
    const mallory = await program.client('cem')
    const closed = new Promise<void>((resolve) => mallory.mqtt.once('close', () => resolve()))
    mallory.mqtt.publish('notifications/realtime/user/bob', JSON.stringify({ message: 'Hi', user: 'anna' }), {
      qos: 1,
    })
    await closed
    expect(await program.inbox('bob')).to.deep.equal([])
    const outcome = await program.publish(
      'notifications/realtime/user/bob',
      { message: 'Hi' },
      { as: 'cem', via: 'http' },
    )
    expect(outcome).to.include({ kind: 'refused', code: 'publish.forbidden' })
    const wrong = await program.client('bob', { password: 'wrong' }).catch((error: unknown) => error)
    expect(wrong).to.be.an('error')
  })

  it('R40, R47: over the limit of its own an HTTP publisher is refused and an MQTT publisher slowed and told once, others are not', async () => {
    const limited = {
      token: 'slow-token',
      publish: ['notifications/#'],
      rate_limit: { max_requests: 3, window_seconds: 60 },
    }
    await run({ clients: { slow: limited, slower: { ...limited, token: 'slower-token' } } })
    const say = (as: string, via: 'http' | 'mqtt', message: string) =>
      program.publish('notifications/realtime/user/bob', { message }, { as, via })
    for (let count = 0; count < 3; count++)
      expect(await say('slow', 'http', 'Hi')).to.include({ kind: 'stored' })
    const refused = await say('slow', 'http', 'Hi')
    expect(refused).to.include({ kind: 'refused', code: 'rate_limit_exceeded', retryAfterMs: MINUTE })
    const limit = { max_requests: 3, window_seconds: 60, remaining: 0, reset_time: program.now / 1000 + 60 }
    expect(refused).to.deep.nested.include({ 'details.rate_limit': limit })
    expect(await say('device', 'http', 'Hi'), 'the limit is per principal').to.include({ kind: 'stored' })

    const slower = await program.client('slower')
    await slower.subscribe('receipts/slower/#')
    for (let count = 0; count < 3; count++) await say('slower', 'mqtt', 'Hi')
    const waiting = [say('slower', 'mqtt', 'Late'), say('slower', 'mqtt', 'Later')]
    const told = await slower.first(({ topic }) => topic === 'receipts/slower/rate-limit')
    expect(told.body).to.deep.include({ error: 'rate_limit_exceeded', rate_limit: limit })
    await program.pass(MINUTE)
    for (const outcome of await Promise.all(waiting)) expect(outcome).to.include({ kind: 'stored' })
    await slower.caughtUp()
    expect(slower.on('receipts/slower/rate-limit')).to.have.length(1)
    expect((await program.inbox('bob')).slice(-2).map(({ content }) => content.message)).to.deep.equal([
      'Late',
      'Later',
    ])
  })

  it('R41: control characters are taken out before anybody sees them, and a drop has its reason', async () => {
    await run()
    await notify({ message: 'Hi\u0007 \u202Ethere', title: 'Good\u0000 day' })
    expect((await program.inbox('bob'))[0]?.content).to.include({ message: 'Hi there', title: 'Good day' })
    const refused = await program.publish('notifications/realtime/user/bob', {
      message: 'Hi',
      action_url: 'javascript:alert(1)',
    })
    expect(refused).to.include({ kind: 'dead', code: 'publish.invalid_body' })
    expect((await program.deadLetters()).map(({ code }) => code)).to.deep.equal(['publish.invalid_body'])
  })

  it('R42: the timer of an escalation is kept with the alert, ends with the acknowledgement, and every step is on record', async () => {
    await run()
    const id = await program.raise('alerts/critical/system_failure')
    await program.restart()
    await program.pass(5 * MINUTE)
    await program.accepted(`alerts/${id}/ack`, {}, { as: 'cem' })
    expect(await program.alert(id)).to.include({ nextStepAt: null, acknowledgedBy: 'cem' })
    expect((await program.timeline(id)).map(({ kind, step, by }) => [kind, step ?? null, by])).to.deep.equal([
      ['opened', null, 'device'],
      ['step', 1, 'carillon'],
      ['step', 2, 'carillon'],
      ['acknowledged', null, 'cem'],
    ])
  })

  it('R45: what no route takes, or is no JSON, is acknowledged and kept with its reason', async () => {
    await run()
    const device = await program.client('device')
    await device.publish('notifications/realtime/nowhere', { message: 'Hi' })
    await device.publish('notifications/realtime/user/bob', '{"message": ')
    await device.publish('notifications/realtime/user/bob/more', { message: 'Hi' })
    const codes = (await program.deadLetters()).map(({ topic, code }) => `${topic} ${code}`)
    expect(codes).to.have.members([
      'notifications/realtime/nowhere publish.no_route',
      'notifications/realtime/user/bob publish.invalid_json',
      'notifications/realtime/user/bob/more publish.no_route',
    ])
  })

  it('R46: a route shared between workers handles each message once', async () => {
    await run()
    const device = await program.client('device')
    const mails = Array.from({ length: 12 }, (_, index) => ({
      to: `k${index}@example.org`,
      subject: 'S',
      body: 'B',
    }))
    await device.subscribe('receipts/device/#')
    await Promise.all(
      mails.map((mail, index) =>
        device.publish('notifications/email/send', { ...mail, id: `m-${index}` }, 2),
      ),
    )
    await program.quiet()
    await device.caughtUp()
    for (const [index, { to }] of mails.entries()) {
      const states = device.received
        .filter(({ topic }) => topic === `receipts/device/m-${index}`)
        .map(({ body }) => body?.['status'])
      expect(
        states.filter((state) => state === 'accepted' || state === 'sent'),
        to,
      ).to.deep.equal(['accepted', 'sent'])
    }
  })
})
