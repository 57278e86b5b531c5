import { expect } from 'chai'
import type { ServerResponse } from 'node:http'
import { browser, type Browser } from '../support/browser.ts'
import { fcmError, fcmServer, serviceAccountJson, type FcmServer } from '../support/fcm-server.ts'
import { harness, type Harness } from '../support/harness.ts'
import { httpEndpoint, type HttpEndpoint } from '../support/http-endpoint.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const REALTIME = 'notifications/realtime/user'
const unregistered = () => fcmError(404, 'NOT_FOUND', 'UNREGISTERED')

describe('push messages, over the whole program', () => {
  let program: Harness
  let fcm: FcmServer
  let service: HttpEndpoint
  let pushed: (response: ServerResponse) => void
  beforeEach(async () => {
    pushed = (response) => void response.writeHead(201).end()
    fcm = await fcmServer(() => program.now)
    service = await httpEndpoint((_request, response) => pushed(response))
  })
  afterEach(async () => {
    await program.close()
    await fcm.close()
    await service.close()
  })

  const live = (users: object = {}) =>
    harness({
      config: {
        users: { ...users },
        channels: {
          push: { mode: 'live', service_account: serviceAccountJson(fcm.tokenUrl), base_url: fcm.url },
          web_push: { mode: 'live', subject: 'mailto:ops@example.org', allow: ['127.0.0.1'] },
        },
      },
    })

  const api = async (user: string, method: string, path: string, body?: object) => {
    const json = { 'content-type': 'application/json' }
    const login = await fetch(`${program.app.httpUrl}/v1/login`, {
      method: 'POST',
      headers: json,
      body: JSON.stringify({ user, password: `${user}-password` }),
    })
    const { token } = (await login.json()) as { token: string }
    const answer = await fetch(`${program.app.httpUrl}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body && json) },
      ...(body && { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    return { status: answer.status, body: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown> }
  }
  const register = (user: string, body: object) => api(user, 'POST', '/v1/users/me/devices', body)
  const phone = (user: string, token: string, platform = 'android') => register(user, { platform, token })
  const laptop = async (user: string): Promise<Browser> => {
    const reader = browser(`${service.url}/push/${user}`)
    // `expirationTime` is what toJSON() of a browser adds.
    const subscription = { ...reader.subscription, expirationTime: null }
    expect((await register(user, { platform: 'web', subscription })).status).to.equal(201)
    return reader
  }
  const pushesOf = async (subjectId: unknown, user = 'bob') =>
    (await program.deliveries(String(subjectId)))
      .filter(({ channel, userId }) => (channel === 'push' || channel === 'web_push') && userId === user)
      .map(({ channel, address, state, reason }) => ({ channel, address, state, reason }))
  const tokens = () => fcm.messages.map(({ token }) => token)

  it('reach every registered device of whom a critical alert pages, each with a delivery of its own (R23, R28)', async () => {
    program = await live()
    const ids: unknown[] = []
    for (const [token, platform] of [
      ['phone', 'android'],
      ['tablet', 'ios'],
    ] as const)
      ids.push((await phone('bob', token, platform)).body['id'])
    const reader = await laptop('bob')
    const id = await program.raise('alerts/critical/system_failure')
    expect(fcm.faults).to.deep.equal([])
    expect(tokens()).to.have.members(['phone', 'tablet'])
    expect(reader.read(service.received[0]?.bytes ?? Buffer.of())).to.include({ alert_id: id, tag: id })
    const rows = await pushesOf(id)
    expect(rows.map(({ channel, state }) => `${channel} ${state}`)).to.deep.equal([
      'push sent',
      'push sent',
      'web_push sent',
    ])
    expect(rows.slice(0, 2).map(({ address }) => address)).to.deep.equal(
      ids.map((one) => `device:${String(one)}`),
    )
    expect((await program.alert(id)).told['bob']).to.deep.equal([
      'realtime',
      'email',
      'sms',
      'push',
      'web_push',
    ])
    // Anna, the administrator, has no device, and that is said.
    expect(await pushesOf(id, 'anna')).to.deep.equal([
      { channel: 'push', address: null, state: 'suppressed', reason: 'no_device' },
    ])
  })

  it('tell the owner of a browser a week before its subscription ends, once, over a restart too, and show when (N10)', async () => {
    program = await live()
    const reader = browser(`${service.url}/push/bob`)
    const endsAt = program.now + 8 * DAY
    const renew = (expirationTime: number) =>
      register('bob', { platform: 'web', subscription: { ...reader.subscription, expirationTime } })
    expect((await renew(endsAt)).body['expires_at']).to.equal(new Date(endsAt).toISOString())
    const told = () => service.received.map(({ bytes }) => reader.read(bytes))
    await program.pass(DAY - MINUTE)
    expect(told()).to.deep.equal([])
    await program.pass(15 * MINUTE)
    expect(told().map(({ body }) => body)).to.deep.equal([
      `Its subscription ends on ${new Date(endsAt).toISOString().slice(0, 10)}. Open Carillon in it before then.`,
    ])
    await program.restart(DAY)
    await program.pass(HOUR)
    expect(told()).to.have.length(1)
    await renew(endsAt + DAY)
    await program.pass(HOUR)
    expect(told()).to.have.length(2)
  })

  it('count as one channel of a notification, as soon as there is a device of either kind (R19, R20)', async () => {
    program = await live()
    const notify = () => program.accepted(`${REALTIME}/bob`, { message: 'Hi' })
    expect((await notify())['channels']).to.deep.equal(['realtime'])
    await laptop('bob')
    expect((await notify())['channels']).to.deep.equal(['realtime', 'push'])
    await phone('bob', 'phone')
    const result = await notify()
    expect(result['channels']).to.deep.equal(['realtime', 'push'])
    await program.quiet()
    expect(await pushesOf(result['notification_id'])).to.have.length(2)
  })

  it("go to the devices of broadcasts' readers as well (R21)", async () => {
    program = await live()
    await phone('bob', 'bobs')
    await phone('cem', 'cems')
    await program.accepted('notifications/realtime/broadcast', { message: 'Hi' })
    await program.quiet()
    expect(tokens()).to.have.members(['bobs', 'cems'])
  })

  it('come to browsers by a wish about browsers alone, and never twice (X06, X34)', async () => {
    program = await live()
    await phone('bob', 'phone')
    await laptop('bob')
    const wish = async (enabled: boolean) => {
      const preferences = [{ event_type: '*', channel: 'browser', enabled }]
      expect((await api('bob', 'PUT', '/v1/notifications/preferences', { preferences })).status).to.equal(200)
      const { notification_id: id, channels } = await program.accepted(`${REALTIME}/bob`, { message: 'Hi' })
      await program.quiet()
      return { channels, rows: (await pushesOf(id)).map(({ channel }) => channel) }
    }
    expect(await wish(false)).to.deep.equal({ channels: ['realtime', 'push'], rows: ['push'] })
    expect(await wish(true)).to.deep.equal({
      channels: ['realtime', 'push', 'web_push'],
      rows: ['push', 'web_push'],
    })
  })

  it('that are gathered come as one summary to each device', async () => {
    const devices = ['phone', 'tablet'].map((token) => ({ platform: 'ios', token }))
    program = await harness({
      config: {
        users: { bob: { password: 'bob-password', devices } },
        digests: [{ event: 'news', channels: ['push'], window: '10m' }],
      },
    })
    for (const message of ['one', 'two'])
      await program.accepted(`${REALTIME}/bob`, { message, event: 'news' })
    await program.pass(10 * MINUTE)
    const kept = await program.phone('bob').messages('push')
    expect(kept).to.have.length(2)
    expect(new Set(kept.map(({ address }) => address)).size).to.equal(2)
    for (const { text } of kept) expect(text).to.match(/^2 messages/)
  })

  it('end at a token that is unregistered, which is forgotten, while the other device gets its own (P7, R28)', async () => {
    program = await live()
    await phone('bob', 'dead')
    await phone('bob', 'alive')
    fcm.answer = ({ token }) => (token === 'dead' ? unregistered() : { status: 200, body: { name: 'n' } })
    const { notification_id: id } = await program.accepted(`${REALTIME}/bob`, { message: 'Hi' })
    await program.quiet()
    expect((await pushesOf(id)).map(({ state, reason }) => [state, reason])).to.deep.equal([
      ['dead', 'unregistered'],
      ['sent', null],
    ])
    expect((await api('bob', 'GET', '/v1/users/me/devices')).body['items']).to.have.length(1)
    await program.restart()
    await program.accepted(`${REALTIME}/bob`, { message: 'Hi' })
    await program.quiet()
    expect(tokens()).to.deep.equal(['dead', 'alive', 'alive'])
  })

  for (const status of [404, 410]) {
    it(`end at a subscription that its push service answers with ${status}, which is forgotten (N10, P7)`, async () => {
      program = await live()
      await laptop('bob')
      pushed = (response) => void response.writeHead(status).end()
      await program.accepted(`${REALTIME}/bob`, { message: 'Hi' })
      await program.quiet()
      expect(service.received).to.have.length(1)
      const { channels } = await program.accepted(`${REALTIME}/bob`, { message: 'Hi' })
      expect(channels).to.deep.equal(['realtime'])
    })
  }

  it('that are tried again replace what the earlier attempt brought (P7, P8)', async () => {
    program = await live()
    await phone('bob', 'phone')
    fcm.answer = (_message, count) =>
      count === 1
        ? fcmError(503, 'UNAVAILABLE', 'UNAVAILABLE', { headers: { 'retry-after': '30' } })
        : { status: 200, body: { name: 'n' } }
    await program.accepted(`${REALTIME}/bob`, { message: 'Hi' })
    await program.pass(30_000 - 1)
    expect(fcm.messages).to.have.length(1)
    await program.pass(10_000)
    expect(fcm.messages).to.have.length(2)
    expect(new Set(fcm.messages.map(({ android }) => android.collapse_key)).size).to.equal(1)
  })

  it('of a phone that changed hands do not show its new owner what was meant for the one before', async () => {
    program = await live()
    await phone('bob', 'phone')
    fcm.answer = () => fcmError(500, 'INTERNAL', 'INTERNAL')
    const { notification_id: id } = await program.accepted(`${REALTIME}/bob`, { message: 'For Bob' })
    await program.quiet()
    expect((await phone('cem', 'phone')).status).to.equal(201)
    fcm.answer = () => ({ status: 200, body: { name: 'n' } })
    await program.pass(MINUTE)
    expect(fcm.messages).to.have.length(1)
    expect(await pushesOf(id)).to.deep.include.members([
      { ...(await pushesOf(id))[0], state: 'dead', reason: 'no_device' },
    ])
    await program.accepted(`${REALTIME}/cem`, { message: 'For Cem' })
    await program.quiet()
    expect(fcm.messages.at(-1)).to.have.nested.property('notification.body', 'For Cem')
  })

  describe('published as such (R12, R37)', () => {
    const push = (platform: string, body: object) =>
      program.accepted(`notifications/push/mobile/${platform}`, body)

    it('go to the devices of the platform of a person, with all that was set, and to their inbox', async () => {
      program = await live()
      await phone('bob', 'galaxy', 'android')
      await phone('bob', 'iphone', 'ios')
      const result = await push('ios', {
        user_id: 'bob',
        title: 'Shipped',
        body: 'Tomorrow',
        data: { order: 7 },
        badge: 3,
        sound: 'bell.caf',
        collapse_key: 'orders',
        ttl: 90,
        priority: 'high',
      })
      await program.quiet()
      expect(result).to.deep.include({ status: 'sent', channels: ['realtime', 'push'] })
      expect(fcm.messages).to.have.length(1)
      const [message] = fcm.messages
      expect(message).to.deep.include({
        token: 'iphone',
        notification: { title: 'Shipped', body: 'Tomorrow' },
      })
      expect(message?.data).to.include({ order: '7', notification_id: String(result['notification_id']) })
      expect(message?.apns.payload.aps).to.include({ badge: 3, sound: 'bell.caf' })
      expect(message?.android).to.include({ collapse_key: 'orders', ttl: '90s', priority: 'HIGH' })
      expect((await program.inbox('bob')).map(({ content }) => content.title)).to.deep.equal(['Shipped'])
      // A push is no e-mail, whatever its priority.
      expect(await program.phone('bob').messages('email')).to.deep.equal([])
    })

    it('go to tokens, each with a delivery and a result of its own; a bad one does not stop the others (R28)', async () => {
      program = await live()
      await phone('bob', 'dead')
      fcm.answer = ({ token }) => (token === 'dead' ? unregistered() : { status: 200, body: { name: 'n' } })
      const tokensGiven = ['dead', 'one', 'not a token', 'device:5f3c', 'two', 'one']
      const result = await push('android', { tokens: tokensGiven, title: 'T', body: 'B', data: { a: 1 } })
      await program.quiet()
      expect(result).to.deep.include({
        status: 'push_queued',
        items: [
          { to: 'dead', status: 'queued' },
          { to: 'one', status: 'queued' },
          { to: 'not a token', status: 'failed', error: 'publish.invalid_address' },
          { to: 'device:5f3c', status: 'failed', error: 'publish.invalid_address' },
          { to: 'two', status: 'queued' },
          { to: 'one', status: 'duplicate' },
        ],
      })
      expect(tokens()).to.have.members(['dead', 'one', 'two'])
      expect(fcm.messages[0]?.data).to.include({ a: '1' })
      const rows = await program.deliveries(String(result['push_id']))
      expect(rows.map(({ address, state, reason }) => [address, state, reason])).to.deep.equal([
        ['dead', 'dead', 'unregistered'],
        ['one', 'sent', null],
        ['not a token', 'dead', 'invalid_address'],
        ['device:5f3c', 'dead', 'invalid_address'],
        ['two', 'sent', null],
      ])
      expect((await api('anna', 'GET', `/v1/batches/${String(result['push_id'])}`)).body).to.include({
        total: 5,
        sent: 2,
        failed: 3,
        done: true,
      })
      // Whoever had registered it is not tried any more either.
      expect((await api('bob', 'GET', '/v1/users/me/devices')).body['items']).to.deep.equal([])
    })

    it('go to a topic', async () => {
      program = await live()
      await push('web', { topic: '/topics/news', body: 'B' })
      await program.quiet()
      expect(fcm.faults).to.deep.equal([])
      expect(fcm.messages).to.have.length(1)
      expect(fcm.messages[0]).to.include({ topic: 'news' })
    })

    it('are given up when they are worth nothing any more', async () => {
      program = await live()
      fcm.answer = () => fcmError(500, 'INTERNAL', 'INTERNAL')
      const result = await push('ios', { tokens: ['one'], body: 'B', ttl: '1s' })
      await program.pass(MINUTE)
      const [row] = await program.deliveries(String(result['push_id']))
      expect(row).to.include({ state: 'expired', reason: 'ttl' })
    })

    const wrong: readonly [title: string, platform: string, body: object, code: string][] = [
      ['an unknown platform', 'nokia', { user_id: 'bob', body: 'B' }, 'publish.invalid_body'],
      ['an unknown platform with tokens', 'IOS', { tokens: ['t'], body: 'B' }, 'publish.invalid_body'],
      ['an unknown person', 'ios', { user_id: 'nobody', body: 'B' }, 'publish.unknown_user'],
      ['no text', 'ios', { user_id: 'bob', title: 'T' }, 'publish.invalid_body'],
      ['nobody', 'ios', { body: 'B' }, 'publish.invalid_body'],
      ['two kinds of target', 'ios', { user_id: 'bob', tokens: ['t'], body: 'B' }, 'publish.invalid_body'],
      ['no tokens', 'ios', { tokens: [], body: 'B' }, 'publish.invalid_body'],
      ['a topic that is none', 'ios', { topic: 'a/b', body: 'B' }, 'publish.invalid_address'],
      ['a TTL that is none', 'ios', { tokens: ['t'], body: 'B', ttl: 'soon' }, 'publish.invalid_body'],
      [
        'a long collapse key',
        'ios',
        { tokens: ['t'], body: 'B', collapse_key: 'x'.repeat(65) },
        'publish.invalid_body',
      ],
    ]
    for (const [title, platform, body, code] of wrong) {
      it(`are dead letters with ${title}`, async () => {
        program = await live()
        expect(await program.publish(`notifications/push/mobile/${platform}`, body)).to.include({
          kind: 'dead',
          code,
        })
        expect((await program.deadLetters()).map((letter) => letter.code)).to.deep.equal([code])
        expect(fcm.messages).to.deep.equal([])
      })
    }
  })

  it('are kept in the outbox where the channel is captured, one for each device, and only if there is one', async () => {
    const devices = [
      { platform: 'android', token: 'phone' },
      { platform: 'ios', token: 'tablet' },
    ]
    const bob = { password: 'bob-password', email: 'bob@example.org', devices }
    program = await harness({ config: { users: { bob } } })
    const id = await program.raise('alerts/critical/system_failure')
    const kept = await program.phone('bob').messages('push')
    expect(kept).to.have.length(2)
    expect(new Set(kept.map(({ address }) => address)).size).to.equal(2)
    expect(kept[0]).to.deep.include({ subject: 'CRITICAL ALERT: system_failure', alertId: id })
    expect(kept[0]?.actions.map((action) => action.id)).to.deep.equal(['ack', 'escalate', 'resolve'])
    expect(await program.phone('anna').messages('push')).to.deep.equal([])
  })

  describe('over HTTP', () => {
    it('devices are registered, listed without their secrets, and forgotten (contract section 7)', async () => {
      program = await live()
      const made = await register('bob', { platform: 'ios', token: 'a-geheim-token-wxyz', name: 'iPhone' })
      expect(made.status).to.equal(201)
      expect(made.body).to.include({ platform: 'ios', channel: 'push', name: 'iPhone', address: '…wxyz' })
      expect((await phone('bob', 'a-geheim-token-wxyz', 'ios')).status).to.equal(200)
      await laptop('bob')
      const { items } = (await api('bob', 'GET', '/v1/users/me/devices')).body as { items: object[] }
      expect(items).to.have.length(2)
      expect(JSON.stringify(items)).to.not.match(/geheim|p256dh|auth|push\/bob/)
      expect((await api('anna', 'GET', '/v1/users/me/devices')).body).to.deep.equal({ items: [] })
      const path = `/v1/users/me/devices/${String(made.body['id'])}`
      expect((await api('anna', 'DELETE', path)).status).to.equal(404)
      expect((await api('bob', 'DELETE', path)).status).to.equal(204)
      expect((await api('bob', 'DELETE', path)).status).to.equal(404)
    })

    const wrong: readonly [title: string, body: object, field: string | null][] = [
      ['an unknown platform', { platform: 'nokia', token: 't' }, null],
      ['neither token nor subscription', { platform: 'ios' }, 'token'],
      ['a token with blanks', { platform: 'ios', token: 'a b' }, 'token'],
      [
        'an endpoint inside this network (security row 23)',
        { platform: 'web', subscription: browser('http://10.0.0.1:6379').subscription },
        'subscription.endpoint',
      ],
    ]
    for (const [title, body, field] of wrong) {
      it(`a device with ${title} is refused by the name of the field`, async () => {
        program = await live()
        const answer = await register('bob', body)
        expect(answer.status).to.equal(400)
        expect(answer.body).to.have.nested.property('error.code', 'request.invalid')
        if (field !== null) expect(answer.body).to.have.nested.property('error.details.field', field)
        expect((await api('bob', 'GET', '/v1/users/me/devices')).body).to.deep.equal({ items: [] })
      })
    }

    it('devices of the configuration are read-only', async () => {
      program = await live({
        bob: { password: 'bob-password', devices: [{ platform: 'android', token: 'phone' }] },
      })
      const { items } = (await api('bob', 'GET', '/v1/users/me/devices')).body as { items: { id: string }[] }
      expect(items[0]).to.include({ read_only: true, created_at: null })
      const answer = await api('bob', 'DELETE', `/v1/users/me/devices/${items[0]?.id}`)
      expect(answer.status).to.equal(409)
      expect(answer.body).to.have.nested.property('error.code', 'record.read_only')
    })

    it('browsers get the key to subscribe with, which a restart does not change (X06)', async () => {
      program = await live()
      const key = async () => (await api('bob', 'GET', '/v1/push/vapid-public-key')).body['public_key']
      const first = await key()
      expect(Buffer.from(String(first), 'base64url')).to.have.length(65)
      await program.restart()
      expect(await key()).to.equal(first)
    })

    it('addresses of devices in delivery lists say nothing that could be sent to', async () => {
      program = await live()
      const { body } = await phone('bob', 'a-geheim-token')
      const result = await program.accepted(`${REALTIME}/bob`, { message: 'Hi' })
      await program.accepted('notifications/push/mobile/ios', { tokens: ['other-geheim-token'], body: 'B' })
      await program.quiet()
      const list = await api('anna', 'GET', '/v1/deliveries?channel=push')
      const { items } = list.body as { items: { notification_id?: string; address: string }[] }
      expect(items.find((row) => row.notification_id === result['notification_id'])?.address).to.equal(
        `device:${String(body['id'])}`,
      )
      expect(JSON.stringify(items)).to.not.include('geheim')
    })
  })
})
