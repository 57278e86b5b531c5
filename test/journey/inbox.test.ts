import { expect } from 'chai'
import { eventually } from '../support/eventually.ts'
import { HttpApi, type Refused } from '../support/http-api.ts'
import { MqttPerson, type MqttOptions } from '../support/mqtt-person.ts'
import { Installation, type Program } from '../support/program.ts'

const PEOPLE = [
  'anna',
  'bob',
  'cem',
  'dora',
  'emil',
  'finn',
  'gil',
  'hana',
  'ida',
  'jon',
  'kim',
  'lea',
] as const
const GROUPS: Readonly<Record<string, readonly string[]>> = { anna: ['ops'], bob: ['ops'], dora: ['late'] }

/** Broadcasts go to a tenant of their own, so that they count in nobody else's inbox. */
const CONFIG = `
tenants: { default: {}, acme: {} }
users:
${PEOPLE.map((name) => `  ${name}: { password: ${name}-password, groups: [${(GROUPS[name] ?? []).join(', ')}] }`).join('\n')}
  ulf: { password: ulf-password, tenant: acme, groups: [red] }
  vera: { password: vera-password, tenant: acme, groups: [red, blue] }
  wim: { password: wim-password, tenant: acme }
clients:
  shop: { token: shop-token, publish: ["notifications/#"] }
  caster: { token: caster-token, publish: ["notifications/#"], tenant: acme }
  console: { token: console-token, roles: [ops] }
`

interface Listed {
  readonly id: string
  readonly message: string
  readonly read: boolean
  readonly broadcast_id?: string
}

describe('A person and their inbox', function () {
  this.timeout(60_000)
  const installation = new Installation(CONFIG)
  let program: Program
  const shop = new HttpApi(() => program, 'shop-token')
  const caster = new HttpApi(() => program, 'caster-token')
  const operator = new HttpApi(() => program, 'console-token')
  const open: MqttPerson[] = []

  before(async () => {
    program = await installation.start()
  })

  afterEach(() => Promise.all(open.splice(0).map((person) => person.close())))
  after(() => installation.remove())

  const connect = async (user: string, more: MqttOptions = {}) => {
    const person = await MqttPerson.connect(program, {
      username: user,
      password: `${user}-password`,
      ...more,
    })
    open.push(person)
    return person
  }
  const listening = async (user: string, more: MqttOptions = {}) => {
    const person = await connect(user, more)
    await person.subscribe(`users/${user}/notifications`)
    return person
  }
  const login = (user: string) => HttpApi.login(() => program, user, `${user}-password`)
  const notify = async (user: string, message: string, more: Readonly<Record<string, unknown>> = {}) => {
    const answer = await shop.publish(
      `notifications/realtime/user/${user}`,
      JSON.stringify({ message, ...more }),
    )
    expect(answer.status).to.equal(202)
    return String(answer.body.result['notification_id'])
  }
  const messagesOf = (person: MqttPerson, user: string) =>
    person.on(`users/${user}/notifications`).map(({ json }) => json['message'])
  /** Everything up to and with the last message, so that one too many would be seen before it. */
  const heardUntil = async (person: MqttPerson, user: string, last: string) => {
    await person.hear(last, ({ json }) => json['message'] === last)
    return messagesOf(person, user)
  }
  const inbox = async (reader: HttpApi) =>
    (await reader.get<{ notifications: Listed[]; total: number }>('/v1/notifications')).notifications

  it('replays what is unread in order at every connection, each entry once, until it is read', async () => {
    const ids: string[] = []
    for (const message of ['one', 'two', 'three', 'four']) ids.push(await notify('anna', message))
    const first = await listening('anna')
    await first.hear('the fourth', ({ json }) => json['message'] === 'four')
    await notify('anna', 'five')
    expect(await heardUntil(first, 'anna', 'five')).to.deep.equal(['one', 'two', 'three', 'four', 'five'])
    await first.publish(`users/anna/notifications/${ids[1]}/read`)
    await first.publish(`users/anna/notifications/${ids[2]}/delete`)
    await first.close()
    const second = await listening('anna')
    await second.hear('the fifth', ({ json }) => json['message'] === 'five')
    await notify('anna', 'six')
    expect(await heardUntil(second, 'anna', 'six')).to.deep.equal(['one', 'four', 'five', 'six'])
    await second.publish('users/anna/notifications/read-all')
    await second.close()
    const third = await listening('anna')
    await notify('anna', 'seven')
    expect(await heardUntil(third, 'anna', 'seven')).to.deep.equal(['seven'])
  })

  it('does not replay again what a connection has when it subscribes again', async () => {
    const person = await listening('bob')
    await notify('bob', 'first')
    await heardUntil(person, 'bob', 'first')
    await person.subscribe('users/bob/notifications')
    await person.subscribe('users/bob/#')
    await notify('bob', 'second')
    expect(await heardUntil(person, 'bob', 'second')).to.deep.equal(['first', 'second'])
  })

  it('reads, un-reads and deletes over MQTT and HTTP alike, on one state', async () => {
    const cem = await login('cem')
    const person = await connect('cem')
    const id = await notify('cem', 'to be moved')
    const state = async () => (await inbox(cem)).map(({ read }) => read)
    await person.publish(`users/cem/notifications/${id}/read`)
    expect(await state()).to.deep.equal([true])
    await person.publish(`users/cem/notifications/${id}/unread`)
    expect(await state()).to.deep.equal([false])
    expect((await cem.request('PATCH', `/v1/notifications/${id}/read`)).status).to.be.within(200, 204)
    expect(await state()).to.deep.equal([true])
    expect(
      (await cem.request('PATCH', `/v1/notifications/${id}/read`, '{"read":false}')).status,
    ).to.be.within(200, 204)
    expect(await state()).to.deep.equal([false])
    expect((await cem.request('DELETE', `/v1/notifications/${id}`)).status).to.be.within(200, 204)
    expect(await state()).to.deep.equal([])
    const other = await notify('cem', 'to be deleted')
    await person.publish(`users/cem/notifications/${other}/delete`)
    expect(await state()).to.deep.equal([])
    expect((await cem.request('DELETE', `/v1/notifications/${other}`)).status).to.equal(404)
  })

  it('hides the entries of one person from another', async () => {
    const id = await notify('cem', 'private')
    const dora = await login('dora')
    expect((await dora.request('GET', `/v1/notifications/${id}`)).status).to.equal(404)
    expect((await dora.request('PATCH', `/v1/notifications/${id}/read`)).status).to.equal(404)
    expect((await dora.request('DELETE', `/v1/notifications/${id}`)).status).to.equal(404)
    const person = await connect('dora')
    expect(await person.subscribe('users/cem/notifications')).to.equal(128)
    expect(await person.subscribe('users/+/notifications')).to.equal(128)
  })

  it('keeps the unread count retained, with versions that only grow', async () => {
    const person = await connect('emil')
    await person.subscribe('users/emil/unread')
    const count = (total: number, unread: number) =>
      person.hear(
        `${unread} of ${total} unread`,
        ({ json }) => json['total'] === total && json['unread'] === unread,
      )
    await count(0, 0)
    const id = await notify('emil', 'one')
    await count(1, 1)
    await notify('emil', 'two')
    await count(2, 2)
    await person.publish(`users/emil/notifications/${id}/read`)
    await count(2, 1)
    await (await login('emil')).request('DELETE', `/v1/notifications/${id}`)
    await count(1, 1)
    const versions = person.on('users/emil/unread').map(({ json }) => Number(json['version']))
    expect(
      versions.slice(1).every((version, index) => version > (versions[index] ?? 0)),
      String(versions),
    ).to.equal(true)
    const later = await connect('emil')
    await later.subscribe('users/emil/unread')
    const retained = await later.hear('the retained count', ({ topic }) => topic === 'users/emil/unread')
    expect(retained.json).to.include({ total: 1, unread: 1 })
    expect(retained.retain).to.equal(true)
  })

  it('stores a broadcast once, with a read state for each person, and counts it (R21)', async () => {
    const ulf = await login('ulf')
    const vera = await login('vera')
    const person = await listening('ulf')
    await person.subscribe('users/ulf/unread')
    const answer = await caster.publish('notifications/realtime/broadcast', '{"message":"to all"}')
    expect(answer.body.result).to.include({ status: 'broadcast_sent', sent_count: 3 })
    const broadcastId = String(answer.body.result['broadcast_id'])
    const heard = await person.hear('the broadcast', ({ json }) => json['message'] === 'to all')
    expect(heard.json).to.include({
      title: 'System Notification',
      type: 'system',
      broadcast_id: broadcastId,
      read: false,
    })
    await person.hear('its count', ({ json }) => json['unread'] === 1)
    const [mine] = await inbox(ulf)
    expect(mine).to.include({ broadcast_id: broadcastId, read: false })
    await person.publish(`users/ulf/notifications/${mine?.id}/read`)
    await person.hear('its count after', ({ json }) => json['unread'] === 0 && json['total'] === 1)
    expect((await inbox(ulf)).map(({ read }) => read)).to.deep.equal([true])
    expect((await inbox(vera)).map(({ read }) => read)).to.deep.equal([false])
    await vera.request('DELETE', `/v1/notifications/${mine?.id}`)
    expect(await inbox(vera)).to.deep.equal([])
    expect(await inbox(ulf)).to.have.length(1)
  })

  it('shows a broadcast with target_groups to their members only', async () => {
    const sent = await caster.publish(
      'notifications/realtime/broadcast',
      '{"message":"to red and blue","target_groups":["red","blue"]}',
    )
    expect(sent.body.result).to.include({ sent_count: 2 })
    const titles = async (user: string) => (await inbox(await login(user))).map(({ message }) => message)
    expect(await titles('ulf')).to.include('to red and blue')
    expect(await titles('vera')).to.include('to red and blue')
    expect(await titles('wim')).to.not.include('to red and blue')
    const unknown = await caster.publish<Refused>(
      'notifications/realtime/broadcast',
      '{"message":"to nobody","target_groups":["gone"]}',
    )
    expect([unknown.status, unknown.body.error.code]).to.deep.equal([404, 'publish.unknown_group'])
    const foreign = await listening('anna')
    await notify('anna', 'after the broadcasts')
    const heard = await heardUntil(foreign, 'anna', 'after the broadcasts')
    expect(heard).to.not.include('to all')
  })

  it('copies a group send into the inbox of each member, and keeps one to an unknown group as a dead letter (R31)', async () => {
    const sent = await shop.publish('notifications/realtime/group/ops', '{"message":"to ops"}')
    expect(sent.body.result).to.deep.equal({ status: 'group_sent', group_id: 'ops', sent_count: 2 })
    for (const user of ['anna', 'bob']) {
      const found = (await inbox(await login(user))).filter(({ message }) => message === 'to ops')
      expect(found, user).to.have.length(1)
    }
    expect((await inbox(await login('dora'))).map(({ message }) => message)).to.not.include('to ops')
    const unknown = await shop.publish<Refused>('notifications/realtime/group/nobody', '{"message":"lost?"}')
    expect([unknown.status, unknown.body.error.code]).to.deep.equal([404, 'publish.unknown_group'])
    const letters = await operator.get<{ items: { topic: string }[] }>('/v1/dead-letters')
    expect(letters.items.map(({ topic }) => topic)).to.include('notifications/realtime/group/nobody')
  })

  it('shows a message with an id once, however often it is sent over MQTT and HTTP (P3)', async () => {
    const person = await listening('finn')
    const sender = await MqttPerson.connect(program, { username: 'shop', password: 'shop-token' })
    open.push(sender)
    const topic = 'notifications/realtime/user/finn'
    await sender.publish(topic, { id: 'order-1', message: 'once by id' }, 1)
    await sender.publish(topic, { id: 'order-1', message: 'once by id' }, 2)
    const byId = await shop.publish(topic, '{"id":"order-1","message":"once by id"}')
    expect(byId.body.id).to.equal('order-1')
    const key = { 'idempotency-key': 'key-1' }
    const first = await shop.publish(topic, '{"message":"once by key"}', key)
    const second = await shop.publish(topic, '{"message":"once by key"}', key)
    expect([second.status, second.body]).to.deep.equal([202, first.body])
    await notify('finn', 'last')
    expect(await heardUntil(person, 'finn', 'last')).to.deep.equal(['once by id', 'once by key', 'last'])
  })

  it("recognises MQTT's own resend, and nothing else, in a message without an id (P3)", async () => {
    const always = {
      allocate: () => 7,
      getLastAllocated: () => 7,
      register: () => true,
      deallocate: () => {},
      clear: () => {},
    }
    const sender = await MqttPerson.connect(program, {
      username: 'shop',
      password: 'shop-token',
      clientId: 'resender',
      clean: false,
      more: { messageIdProvider: always },
    })
    open.push(sender)
    const person = await listening('gil')
    const topic = 'notifications/realtime/user/gil'
    const send = (message: string, dup: boolean) =>
      sender.client.publishAsync(topic, JSON.stringify({ message }), { qos: 1, dup })
    await send('resent', false)
    await send('resent', true)
    await send('said twice', false)
    await send('said twice', false)
    await send('end', false)
    expect(await heardUntil(person, 'gil', 'end')).to.deep.equal([
      'resent',
      'said twice',
      'said twice',
      'end',
    ])
  })

  it('shows a message with send_at at its time and once, not before, over a restart as well', async () => {
    const delayMs = 2000
    const dueAt = Date.now() + delayMs
    const scheduled = await shop.publish(
      'notifications/realtime/user/hana',
      JSON.stringify({ message: 'later', send_at: dueAt / 1000 }),
    )
    expect(scheduled.status).to.equal(202)
    const iso = new Date(dueAt + 200).toISOString()
    await shop.publish(
      'notifications/realtime/user/hana',
      JSON.stringify({ message: 'later still', send_at: iso }),
    )
    const hana = await login('hana')
    expect(await inbox(hana)).to.deep.equal([])
    await program.end('SIGTERM')
    program = await installation.start()
    const person = await listening('hana')
    const shown = await person.hear('the later one', ({ json }) => json['message'] === 'later', 10 * delayMs)
    expect(Date.parse(String(shown.json['created_at']))).to.be.at.least(dueAt)
    expect(shown.at).to.be.at.least(dueAt)
    await person.hear('the last one', ({ json }) => json['message'] === 'later still', 10 * delayMs)
    await notify('hana', 'end')
    expect(await heardUntil(person, 'hana', 'end')).to.deep.equal(['later', 'later still', 'end'])
  })

  it('gives every connection of a person the same, over TCP and WebSocket (R27)', async () => {
    await notify('ida', 'before')
    const tcp = await listening('ida')
    const browser = await listening('ida', { overWebSocket: true })
    await notify('ida', 'after')
    for (const person of [tcp, browser]) {
      await person.hear('the one before', ({ json }) => json['message'] === 'before')
      expect(await heardUntil(person, 'ida', 'after')).to.deep.equal(['before', 'after'])
    }
  })

  it('gives a persistent session what it missed once, from the inbox and not from the queue as well', async () => {
    const session = { clientId: 'phone', clean: false }
    const first = await listening('jon', session)
    await notify('jon', 'there')
    await heardUntil(first, 'jon', 'there')
    await first.publish('users/jon/notifications/read-all')
    await first.close()
    await notify('jon', 'away one')
    await notify('jon', 'away two')
    const second = await connect('jon', session)
    await eventually('what was missed', () => (messagesOf(second, 'jon').length >= 2 ? true : undefined))
    await notify('jon', 'back')
    expect(await heardUntil(second, 'jon', 'back')).to.deep.equal(['away one', 'away two', 'back'])
  })
})
