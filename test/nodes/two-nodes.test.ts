import { expect } from 'chai'
import type { MqttClient } from 'mqtt'
import { nodePair, type NodePair } from '../support/node-pair.ts'
import { until } from '../support/eventually.ts'
import { hasRedis } from '../support/redis-server.ts'

describe('two nodes on one store', function () {
  this.timeout(60_000)
  if (!hasRedis()) {
    it.skip('needs redis-server')
    return
  }
  let pair: NodePair
  beforeEach(async () => {
    pair = await nodePair()
  })
  afterEach(() => pair.end())

  const publish = (client: MqttClient, topic: string, body: unknown, qos: 0 | 1 | 2 = 1) =>
    client.publishAsync(topic, typeof body === 'string' ? body : JSON.stringify(body), { qos })

  it('brings a notification that one node stored to a person who is connected to the other', async () => {
    const phone = await pair.b.client('bob')
    await phone.mqtt.subscribeAsync(['users/bob/notifications', 'users/bob/unread'], { qos: 1 })
    const device = await pair.a.client('device')
    for (const text of ['one', 'two', 'three'])
      await publish(device.mqtt, 'notifications/realtime/user/bob', { title: text, message: text })
    const seen = () =>
      phone.messages
        .filter(({ topic }) => topic.endsWith('notifications'))
        .map(({ payload }) => (JSON.parse(payload.toString()) as { title: string }).title)
    await until(() => seen().length >= 3)
    expect(seen()).to.deep.equal(['one', 'two', 'three'])
    await until(() => phone.texts().some((text) => text.includes('"unread":3')))
  })

  it('brings a broadcast to everybody on every node', async () => {
    const phones = await Promise.all([pair.a.client('anna'), pair.b.client('bob')])
    await Promise.all(
      phones.map((phone, index) =>
        phone.mqtt.subscribeAsync(`users/${index === 0 ? 'anna' : 'bob'}/notifications`, { qos: 1 }),
      ),
    )
    const device = await pair.a.client('device')
    await publish(device.mqtt, 'notifications/realtime/broadcast', { title: 'all', message: 'all' })
    await until(() => phones.every(({ messages }) => messages.length === 1))
  })

  it('pages on the other node, shows the alert on its board, and stops paging there once it is acknowledged [P15]', async () => {
    const phone = await pair.b.client('bob')
    await phone.mqtt.subscribeAsync(['users/bob/alerts'], { qos: 1 })
    const board = await pair.b.client('anna')
    await board.mqtt.subscribeAsync('state/alerts/+', { qos: 1 })
    const device = await pair.a.client('device')
    await publish(device.mqtt, 'alerts/critical/system_failure', { message: 'down' })
    await until(() => phone.messages.length === 1 && board.messages.length >= 1)
    const alertNow = async () =>
      (await pair.a.store.openAlerts(10)).items.find(({ type }) => type === 'system_failure')
    const alert = await alertNow()
    expect(alert?.status).to.equal('firing')
    // On the node that did not raise it.
    await publish(phone.mqtt, `alerts/${alert?.id}/ack`, {})
    await until(async () => (await alertNow())?.status === 'acknowledged')
    await until(() => board.texts().some((text) => text.includes('"acknowledged"')))
  })

  it('carries plain topics between the nodes in order, and never twice', async () => {
    const [here, there] = await Promise.all([
      pair.a.client('other'),
      pair.b.client('other', { clientId: 'x' }),
    ])
    await Promise.all([here, there].map(({ mqtt }) => mqtt.subscribeAsync('plain/#', { qos: 1 })))
    const device = await pair.a.client('device')
    const sent = Array.from({ length: 200 }, (_, n) => String(n))
    await Promise.all(sent.map((text, n) => publish(device.mqtt, 'plain/x', text, n % 2 === 0 ? 1 : 2)))
    await until(() => here.messages.length >= 200 && there.messages.length >= 200)
    expect(here.texts()).to.deep.equal(sent)
    expect(there.texts()).to.deep.equal(sent)
  })

  it('takes a session over from the other node with its subscriptions and everything that waits for it, in order', async () => {
    const persistent = { clientId: 'roamer', clean: false }
    const first = await pair.a.client('other', persistent)
    await first.mqtt.subscribeAsync('plain/#', { qos: 1 })
    await first.mqtt.endAsync()
    const device = await pair.b.client('device')
    const sent = Array.from({ length: 50 }, (_, n) => String(n))
    for (const text of sent) await publish(device.mqtt, 'plain/x', text)
    const second = await pair.b.client('other', persistent)
    expect(second.sessionPresent).to.equal(true)
    await until(() => second.messages.length >= 50)
    expect(second.texts()).to.deep.equal(sent)
    await publish(device.mqtt, 'plain/x', 'more')
    await until(() => second.messages.length >= 51)
    expect(second.texts().at(-1)).to.equal('more')
  })

  it('closes the connection of a client id that connects to the other node', async () => {
    const first = await pair.a.client('other', { clientId: 'same' })
    let closed = false
    first.mqtt.on('close', () => (closed = true))
    const second = await pair.b.client('other', { clientId: 'same' })
    await until(() => closed)
    expect(second.mqtt.connected).to.equal(true)
  })

  it('lets every node serve what the others changed at run time', async () => {
    const { engine } = pair.a.app
    const place = { tenant: 'default' as never, owner: 'bob', key: 'k' }
    await engine.registry.put({ name: 'test' }, place, { value: 1 })
    await until(() => pair.b.app.engine.registry.get({ name: 'test' }, place) !== undefined)
  })

  it('takes over the sessions of a node that has stopped', async () => {
    const persistent = { clientId: 'roamer', clean: false }
    const first = await pair.b.client('other', persistent)
    await first.mqtt.subscribeAsync('plain/#', { qos: 1 })
    await first.mqtt.endAsync()
    await pair.b.stop()
    const device = await pair.a.client('device')
    await publish(device.mqtt, 'plain/x', 'left behind')
    await until(() => pair.a.lines.some(({ msg }) => String(msg).startsWith('a node is gone')))
    const second = await pair.a.client('other', persistent)
    await until(() => second.messages.length >= 1)
    expect(second.texts()).to.deep.equal(['left behind'])
  })

  it('warns loudly when nodes run different configurations', async () => {
    await pair.start({ limits: { takeovers: 77 } })
    await until(async () => (await pair.a.app.engine.metrics.configurations.get()).values[0]?.value === 2)
    await until(() => pair.a.lines.some(({ msg }) => String(msg).includes('different configurations')))
    await until(async () =>
      (await pair.a.store.openAlerts(10)).items.some(({ type }) => type === 'carillon_configuration_differs'),
    )
  })

  it("takes each other's tickets, once, and each other's ends of sessions", async () => {
    const [anna] = [pair.a.app.engine.directory.principal('anna')]
    if (!anna) throw new Error('no anna')
    const { ticket } = pair.a.app.authenticator.ticket(anna)
    const redeemed = () => pair.b.app.authenticator.mqtt({ ...NOBODY, ticket })
    await until(async () => (await redeemed().catch(() => null))?.id === 'anna')
    await pause(500)
    expect(await pair.a.app.authenticator.mqtt({ ...NOBODY, ticket }).catch(() => null)).to.equal(null)
  })

  it('raises no alarm about silence on one node while the other one hears, and one when nobody does (E15)', async () => {
    const machines = await Promise.all([pair.a.client('device'), pair.b.client('other')])
    for (let n = 0; n < 8; n++) {
      const machine = machines[n % 2]
      if (machine) await publish(machine.mqtt, 'heartbeats/backup', {})
      await pause(500)
    }
    const alerts = async () =>
      (await pair.a.store.openAlerts(10)).items.filter(({ type }) => type === 'missed')
    expect(await alerts()).to.deep.equal([])
    await until(async () => (await alerts()).length === 1)
    await pause(2500)
    expect((await alerts()).map(({ count }) => count)).to.deep.equal([1])
    // Whichever node hears it again.
    await publish(machines[1].mqtt, 'heartbeats/backup', {})
    await until(async () => (await alerts()).length === 0)
  })

  it('raises no alarm about a machine that goes on with the other node, and one when it is gone', async () => {
    const first = await pair.a.client('watched', { clientId: 'w' })
    const second = await pair.b.client('watched', { clientId: 'w' })
    const alerts = async () => (await pair.a.store.openAlerts(10)).items.filter(({ type }) => type === 'gone')
    await pause(3000)
    expect(await alerts()).to.deep.equal([])
    first.mqtt.end(true)
    second.mqtt.stream.destroy()
    await until(async () => (await alerts()).length === 1)
    await pair.a.client('watched', { clientId: 'w' })
    await until(async () => (await alerts()).length === 0)
  })
})

const NOBODY = { username: null, password: null, remoteAddress: '127.0.0.1', ticket: null, cookie: null }
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
