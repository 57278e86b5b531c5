import { expect } from 'chai'
import { connect as connectTcp } from 'node:net'
import { once } from 'node:events'
import { hasMosquitto, mosquitto } from '../support/command.ts'
import { eventually } from '../support/eventually.ts'
import { HttpApi, type Refused } from '../support/http-api.ts'
import { MqttPerson, type MqttOptions } from '../support/mqtt-person.ts'
import { Installation, type Program } from '../support/program.ts'

const MAX_REQUESTS = 3
const WINDOW_MS = 2000
const LIMIT = `rate_limit: { max_requests: ${MAX_REQUESTS}, window_seconds: ${WINDOW_MS / 1000} }`

const CONFIG = `
users:
  anna: { password: anna-password, roles: [user, admin] }
  bob: { password: bob-password }
  cem: { password: cem-password }
clients:
  shop: { token: shop-token, publish: ["notifications/#", "events/#", "users/#", "typo/#"] }
  plant: { token: plant-token, publish: ["plant/#"], subscribe: [] }
  panel: { token: panel-token, publish: [], subscribe: ["plant/#"] }
  outsider: { token: outsider-token, publish: ["other/#"], subscribe: ["other/#"] }
  hasty-http: { token: hasty-http-token, publish: ["notifications/#"], ${LIMIT} }
  hasty-slow: { token: hasty-slow-token, publish: ["notifications/#"], ${LIMIT} }
  hasty-drop: { token: hasty-drop-token, publish: ["notifications/#"], ${LIMIT} }
  console: { token: console-token, roles: [ops] }
`

const TOPIC = 'notifications/realtime/user/anna'

interface Letter {
  readonly id: string
  readonly topic: string
  readonly payload: string
  readonly principal: string
  readonly reason: string
  readonly code: string
}

describe('What is refused, and how whoever sent it hears of that', function () {
  this.timeout(60_000)
  const installation = new Installation(CONFIG)
  let program: Program
  const shop = new HttpApi(() => program, 'shop-token')
  const operator = new HttpApi(() => program, 'console-token')
  const open: MqttPerson[] = []

  before(async () => {
    program = await installation.start()
  })

  afterEach(() => Promise.all(open.splice(0).map((person) => person.close())))
  after(() => installation.remove())

  const connect = async (options: MqttOptions) => {
    const person = await MqttPerson.connect(program, options)
    open.push(person)
    return person
  }
  const client = (id: string, more: MqttOptions = {}) =>
    connect({ username: id, password: `${id}-token`, ...more })
  const letters = async () => (await operator.get<{ items: Letter[] }>('/v1/dead-letters?limit=200')).items
  const connack = async (options: MqttOptions) => {
    try {
      await connect(options)
      return 0
    } catch (error) {
      return (error as { code?: unknown }).code
    }
  }
  const messagesOf = async (user: string) => {
    const person = await HttpApi.login(() => program, user, `${user}-password`)
    const { notifications } = await person.get<{ notifications: { message: string }[] }>(
      '/v1/notifications?limit=200',
    )
    return notifications.map(({ message }) => message)
  }

  const big = JSON.stringify({ message: 'x'.repeat(200), data: { fill: 'y'.repeat(160 * 1024) } })
  const bad = [
    { what: 'no JSON', topic: TOPIC, payload: '{"message":', code: 'publish.invalid_json', status: 400 },
    {
      what: 'no message',
      topic: TOPIC,
      payload: '{"title":"Hello"}',
      code: 'publish.invalid_body',
      status: 400,
    },
    {
      what: 'a user nobody knows',
      topic: 'notifications/realtime/user/zoe',
      payload: '{"message":"Hi"}',
      code: 'publish.unknown_user',
      status: 404,
    },
    {
      what: 'a topic no route takes',
      topic: 'notifications/realtime/usr/anna',
      payload: '{"message":"Hi"}',
      code: 'publish.no_route',
      status: 404,
    },
    { what: 'more than 128 KB', topic: TOPIC, payload: big, code: 'publish.too_large', status: 413 },
  ]
  for (const { what, topic, payload, code, status } of bad) {
    it(`acknowledges a publish with ${what}, keeps it as a dead letter and says so in the receipt (section 4)`, async () => {
      const publisher = await client('shop')
      await publisher.subscribe('receipts/shop/#')
      const admin = await connect({ username: 'anna', password: 'anna-password' })
      await admin.subscribe('dlq/#')
      const before = (await letters()).length
      for (const qos of [1, 2] as const) await publisher.publish(topic, payload, qos)
      const fits = ({ topic: heard }: { topic: string }) => heard.startsWith('receipts/shop/')
      await eventually('two receipts', () => (publisher.heard.filter(fits).length >= 2 ? true : undefined))
      for (const { json } of publisher.heard.filter(fits))
        expect(json).to.include({ topic, status: 'rejected', code })
      const kept = (await letters()).slice(0, (await letters()).length - before)
      expect(kept).to.have.length(2)
      for (const letter of kept) {
        expect(letter).to.include({ topic, principal: 'shop', code })
        expect(letter.payload).to.equal(code === 'publish.too_large' ? payload.slice(0, 1024) : payload)
      }
      await eventually('both over dlq/#', () => (admin.heard.length >= 2 ? true : undefined))
      const answer = await shop.publish<Refused>(topic, payload)
      expect([answer.status, answer.body.error.code]).to.deep.equal([status, code])
      expect(await letters()).to.have.length(before + 3)
      expect(publisher.closed).to.equal(false)
    })
  }

  for (const named of [true, false]) {
    it(`routes a dead letter ${named ? 'with' : 'without'} an id once when its cause is mended and it is replayed (P10, P3)`, async () => {
      const user = named ? 'nora' : 'nils'
      const topic = `notifications/realtime/user/${user}`
      const payload = JSON.stringify({ message: 'late but there', ...(named && { id: 'late-1' }) })
      const refused = await shop.publish<Refused>(topic, payload)
      expect(refused.status).to.equal(404)
      const [letter] = (await letters()).filter((kept) => kept.topic === topic)
      expect(refused.body.error.details).to.deep.include({ dead_letter_id: letter?.id })
      const replay = () => operator.post<Refused>(`/v1/dead-letters/${letter?.id}/replay`)
      expect((await replay()).status).to.equal(404)
      installation.configure(
        CONFIG.replace('clients:', `  ${user}: { password: ${user}-password }\nclients:`),
      )
      process.kill(program.pid, 'SIGHUP')
      await eventually(`a replay that is taken`, async () =>
        (await replay()).status === 202 ? true : undefined,
      )
      expect(await messagesOf(user)).to.deep.equal(['late but there'])
      expect((await letters()).map(({ id }) => id)).to.not.include(letter?.id)
      expect((await replay()).status).to.equal(404)
      if (named) {
        expect((await shop.publish(topic, payload)).status).to.equal(202)
        expect(await messagesOf(user)).to.deep.equal(['late but there'])
      }
    })
  }

  it('takes the resend of a message with an id that was a dead letter before, and makes no second letter while it is bad', async () => {
    const topic = 'notifications/realtime/user/olaf'
    const payload = '{"id":"late-2","message":"sent again"}'
    for (let count = 0; count < 3; count++) expect((await shop.publish(topic, payload)).status).to.equal(404)
    expect((await letters()).filter((kept) => kept.topic === topic)).to.have.length(1)
    installation.configure(CONFIG.replace('clients:', `  olaf: { password: olaf-password }\nclients:`))
    process.kill(program.pid, 'SIGHUP')
    await eventually('a resend that is taken', async () =>
      (await shop.publish(topic, payload)).status === 202 ? true : undefined,
    )
    await shop.publish(topic, payload)
    expect(await messagesOf('olaf')).to.deep.equal(['sent again'])
  })

  it('closes the connection for a packet over 256 KB, and answers 413 over HTTP', async () => {
    const publisher = await client('shop')
    const payload = JSON.stringify({ message: 'x', data: { fill: 'y'.repeat(300 * 1024) } })
    publisher.publish(TOPIC, payload).catch(() => {})
    await publisher.dropped()
    expect((await shop.publish<Refused>(TOPIC, payload)).status).to.equal(413)
    expect((await fetch(`${program.url}/healthz`)).status).to.equal(200)
  })

  it('closes the connection of whoever publishes where they may not, and answers 403 over HTTP', async () => {
    const before = (await letters()).length
    for (const topic of [
      'alerts/critical/fire',
      'state/oncall/platform',
      'receipts/anna/1',
      'other/1',
      '$SYS/uptime',
    ]) {
      const publisher = await client('shop')
      publisher.publish(topic, { message: 'forbidden' }).catch(() => {})
      await publisher.dropped()
      const answer = await shop.publish<Refused>(topic, '{"message":"forbidden"}')
      expect([topic, answer.status]).to.deep.equal([topic, 403])
    }
    const cem = await connect({ username: 'cem', password: 'cem-password' })
    cem.publish('users/bob/notifications/read-all').catch(() => {})
    await cem.dropped()
    expect(await letters()).to.have.length(before)
  })

  it('refuses subscriptions to $SYS, $share and whatever is not granted with 128, and keeps the connection', async () => {
    const panel = await client('panel')
    for (const filter of [
      '$SYS/#',
      '$share/group/plant/#',
      '#',
      'users/anna/notifications',
      'dlq/#',
      'receipts/shop/#',
      '+/+',
    ]) {
      expect([filter, await panel.subscribe(filter)]).to.deep.equal([filter, 128])
    }
    expect(await panel.subscribe('plant/1/#', 2)).to.equal(2)
    expect(await panel.subscribe('receipts/panel/#')).to.equal(1)
    const bob = await connect({ username: 'bob', password: 'bob-password' })
    expect(await bob.subscribe('dlq/#')).to.equal(128)
    expect(await bob.subscribe('state/#')).to.equal(1)
  })

  it('passes plain topics on between clients whose grants allow it, retained as well, and to nobody else', async () => {
    const plant = await client('plant')
    const panel = await client('panel')
    const outsider = await client('outsider')
    await panel.subscribe('plant/#')
    expect(await outsider.subscribe('plant/#')).to.equal(128)
    await outsider.subscribe('other/#')
    await plant.client.publishAsync('plant/1/temperature', '21.5', { qos: 1, retain: true })
    const heard = await panel.hear('the temperature', ({ topic }) => topic === 'plant/1/temperature')
    expect([heard.text, heard.retain]).to.deep.equal(['21.5', false])
    const later = await client('panel', { clientId: 'later' })
    await later.subscribe('plant/+/temperature')
    expect((await later.hear('what is retained', () => true)).retain).to.equal(true)
    await outsider.publish('other/1', 'marker')
    await outsider.hear('the marker', ({ text }) => text === 'marker')
    expect(outsider.heard).to.have.length(1)
    expect((await letters()).filter(({ topic }) => topic.startsWith('plant/'))).to.deep.equal([])
  })

  it('answers 429 with Retry-After and the limit beyond the rate limit, and accepts again when the window has passed (R40, R47)', async () => {
    const hasty = new HttpApi(() => program, 'hasty-http-token')
    const startAt = Date.now()
    for (let count = 0; count < MAX_REQUESTS; count++) {
      expect((await hasty.publish(TOPIC, `{"message":"hasty ${count}"}`)).status).to.equal(202)
    }
    const refused = await hasty.publish<Refused>(TOPIC, '{"message":"too much"}')
    expect([refused.status, refused.body.error.code]).to.deep.equal([429, 'rate_limit_exceeded'])
    expect(Number(refused.headers.get('retry-after'))).to.be.within(1, WINDOW_MS / 1000)
    const limit = refused.body.error.details?.['rate_limit'] as Record<string, number>
    expect(limit).to.include({ max_requests: MAX_REQUESTS, window_seconds: WINDOW_MS / 1000, remaining: 0 })
    expect(limit).to.have.property('reset_time')
    await eventually('the next window', async () =>
      (await hasty.publish(TOPIC, '{"message":"again"}')).status === 202 ? true : undefined,
    )
    expect(Date.now() - startAt).to.be.at.least(WINDOW_MS)
    expect(await messagesOf('anna'))
      .to.include('again')
      .and.not.include('too much')
  })

  it('slows a QoS 1 publisher down beyond the limit, loses nothing, and tells it once (P23)', async () => {
    const publisher = await client('hasty-slow')
    const listener = await client('hasty-slow')
    await listener.subscribe('receipts/hasty-slow/#')
    const startAt = Date.now()
    const acknowledgedAfter = await Promise.all(
      Array.from({ length: MAX_REQUESTS + 2 }, async (_, count) => {
        await publisher.publish('notifications/realtime/user/bob', { message: `slow ${count}` })
        return Date.now() - startAt
      }),
    )
    expect(
      acknowledgedAfter.slice(MAX_REQUESTS).every((ms) => ms >= WINDOW_MS),
      String(acknowledgedAfter),
    ).to.equal(true)
    expect((await messagesOf('bob')).toReversed()).to.deep.equal([
      'slow 0',
      'slow 1',
      'slow 2',
      'slow 3',
      'slow 4',
    ])
    const told = listener.on('receipts/hasty-slow/rate-limit')
    expect(told).to.have.length(1)
    expect(told[0]?.json).to.include({ error: 'rate_limit_exceeded' })
    expect(told[0]?.json['rate_limit']).to.include({
      max_requests: MAX_REQUESTS,
      window_seconds: WINDOW_MS / 1000,
      remaining: 0,
    })
  })

  it('drops QoS 0 beyond the limit and counts it', async () => {
    const publisher = await client('hasty-drop')
    for (let count = 0; count < MAX_REQUESTS + 2; count++) {
      await publisher.publish('notifications/realtime/user/cem', { message: `drop ${count}` }, 0)
    }
    await eventually('the count of drops', async () => {
      const text = await (await fetch(`${program.url}/metrics`)).text()
      return /drops[a-z_]*\{[^}]*reason="rate_limit_exceeded"[^}]*\} 2/.test(text) ? true : undefined
    })
    expect((await messagesOf('cem')).toReversed()).to.deep.equal(['drop 0', 'drop 1', 'drop 2'])
    expect(publisher.closed).to.equal(false)
  })

  const promise = hasMosquitto ? it : it.skip
  promise('refuses an MQTT 5 client with a line in the log that names the way out', async () => {
    const who = ['-u', 'shop', '-P', 'shop-token', '-t', TOPIC, '-m', '{"message":"five"}']
    const refused = await mosquitto('pub', program.mqttPort, ['-V', 'mqttv5', '-q', '1', ...who])
    expect(refused.code).to.not.equal(0)
    const line = await eventually('the line', () =>
      program.lines.find(({ msg }) => /MQTT 5/.test(String(msg))),
    )
    expect(line['hint']).to.match(/mqttv311/)
    expect(await messagesOf('anna')).to.not.include('five')
  })

  it('answers wrong credentials with CONNACK 4 and missing ones with 5, over TCP and WebSocket', async () => {
    for (const overWebSocket of [false, true]) {
      expect(await connack({ username: 'shop', password: 'wrong', overWebSocket })).to.equal(4)
      expect(await connack({ username: 'nobody', password: 'shop-token', overWebSocket })).to.equal(4)
      expect(await connack({ overWebSocket })).to.equal(5)
    }
  })

  it('answers 401 over HTTP without credentials or with wrong ones', async () => {
    for (const token of [null, 'wrong']) {
      const answer = await new HttpApi(() => program, token).publish<Refused>(TOPIC, '{"message":"Hi"}')
      expect([token, answer.status]).to.deep.equal([token, 401])
      expect(answer.body.error.code).to.equal(token === null ? 'auth.missing' : 'auth.invalid')
    }
    const login = await new HttpApi(() => program, null).post<Refused>('/v1/login', {
      user: 'bob',
      password: 'wrong',
    })
    expect(login.status).to.equal(401)
  })

  it('lets a person in over MQTT with the JWT of their log-in, whatever the user name says', async () => {
    const bob = await HttpApi.login(() => program, 'bob', 'bob-password')
    const person = await connect({ username: 'somebody', password: bob.token })
    expect(await person.subscribe('users/bob/notifications')).to.equal(1)
    expect(await person.subscribe('users/somebody/notifications')).to.equal(128)
    expect(await connack({ username: 'bob', password: `${bob.token.slice(0, -4)}AAAA` })).to.equal(4)
  })

  it('lets a browser in over WebSocket with a ticket, once', async () => {
    const bob = await HttpApi.login(() => program, 'bob', 'bob-password')
    const { status, body } = await bob.post<{ ticket: string; expires_at: string }>('/v1/ticket')
    expect(status).to.equal(200)
    const query = `?ticket=${body.ticket}`
    const person = await connect({ overWebSocket: true, query })
    expect(await person.subscribe('users/bob/notifications')).to.equal(1)
    expect(await connack({ overWebSocket: true, query })).to.be.oneOf([4, 5])
  })

  it('keeps client ids to their principals: the same id used by another neither kicks nor inherits', async () => {
    const bob = await connect({ username: 'bob', password: 'bob-password', clientId: 'phone', clean: false })
    await bob.subscribe('users/bob/notifications')
    const cem = await connect({ username: 'cem', password: 'cem-password', clientId: 'phone', clean: false })
    await cem.subscribe('users/cem/notifications')
    await shop.publish('notifications/realtime/user/bob', '{"message":"for bob"}')
    await bob.hear('the one for bob', ({ json }) => json['message'] === 'for bob')
    expect(bob.closed).to.equal(false)
    await shop.publish('notifications/realtime/user/cem', '{"message":"for cem"}')
    await cem.hear('the one for cem', ({ json }) => json['message'] === 'for cem')
    expect(cem.heard.map(({ topic }) => topic)).to.not.include('users/bob/notifications')
  })

  it('goes on after bytes that are no MQTT', async () => {
    const socket = connectTcp(program.mqttPort, '127.0.0.1')
    socket.on('error', () => {})
    socket.write('GET / HTTP/1.1\r\n\r\n')
    await once(socket, 'close')
    expect((await shop.publish(TOPIC, '{"message":"still here"}')).status).to.equal(202)
  })
})
