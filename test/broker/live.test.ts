import { expect } from 'chai'
import type { LiveFrame } from '../../src/live/live.ts'
import {
  connectPacket,
  eventually,
  principal,
  publishPacket,
  startBroker,
  subscribePacket,
  testDoor,
  type TestBroker,
} from './harness.ts'

const frame = (kind: LiveFrame['kind'], payload: string, retain = false): LiveFrame => ({
  kind,
  topic: `users/anna/${kind === 'unread' ? 'unread' : `${kind}s`}`,
  payload,
  retain,
})

describe("a person's own topics (decision 6)", () => {
  let t: TestBroker
  beforeEach(async () => {
    const anna = principal('anna', { kind: 'user', subscribe: ['users/+/notifications', 'users/#'] })
    t = await startBroker({ door: testDoor([anna]) })
  })
  afterEach(() => t.close())

  for (const [filters, interest] of [
    [['users/anna/notifications'], [true, false, false]],
    [
      ['users/anna/alerts', 'users/anna/unread'],
      [false, true, true],
    ],
    [['users/anna/#'], [true, true, true]],
    [['users/+/notifications'], [true, false, false]],
    [
      ['users/anna/+', 'users/anna/#'],
      [true, true, true],
    ],
  ] as const)
    it(`are attached to the live fan-out once for ${filters.join(' and ')}`, async () => {
      const client = await t.client('anna')
      await client.mqtt.subscribeAsync([...filters], { qos: 1 })
      expect(t.door.attachments).to.have.length(1)
      const [{ interest: wanted, reader } = { interest: null, reader: null }] = t.door.attachments
      expect(wanted && [wanted.notifications, wanted.alerts, wanted.unread]).to.deep.equal(interest)
      expect(reader).to.deep.equal({ tenant: 'default', userId: 'anna', groups: [] })
    })

  it('are not attached for machines, for the topics of others, nor for other topics', async () => {
    const machine = await t.client('svc')
    await machine.mqtt.subscribeAsync('users/svc/notifications')
    const anna = await t.client('anna')
    await anna.mqtt.subscribeAsync(['users/bob/#', 'users/anna/events/x'])
    expect(t.door.attachments).to.deep.equal([])
  })

  it('follow later subscriptions, and are detached with the connection', async () => {
    const client = await t.client('anna')
    await client.mqtt.subscribeAsync('users/anna/notifications')
    const [entry] = t.door.attachments
    expect(entry?.sink.proves).to.equal(false)
    await client.mqtt.subscribeAsync('users/anna/#', { qos: 2 })
    expect(entry?.interest).to.deep.equal({ notifications: true, alerts: true, unread: true })
    expect(entry?.sink.proves).to.equal(true)
    await client.mqtt.unsubscribeAsync('users/anna/#')
    expect(entry?.interest).to.deep.equal({ notifications: true, alerts: false, unread: false })
    expect(entry?.sink.proves).to.equal(false)
    await client.mqtt.endAsync()
    await eventually(() => entry?.attached === false)
    expect(t.door.attachments).to.have.length(1)
  })

  it('are attached again for a session that comes back', async () => {
    const client = await t.client('anna', { clientId: 'phone', clean: false })
    await client.mqtt.subscribeAsync('users/anna/notifications', { qos: 1 })
    await client.mqtt.endAsync()
    await t.client('anna', { clientId: 'phone', clean: false })
    await eventually(() => t.door.attachments.length === 2)
    expect(t.door.attachments[1]?.interest.notifications).to.equal(true)
    expect(t.door.attachments[1]?.sink.proves).to.equal(true)
  })

  it('carry the frame as it is, after the SUBACK, and confirm QoS 1 on PUBACK and QoS 0 when it was sent', async () => {
    const raw = t.raw()
    raw.send(
      connectPacket('c', { username: 'anna' }),
      subscribePacket(1, [
        ['users/anna/notifications', 2],
        ['users/anna/unread', 0],
      ]),
    )
    await raw.got(4 + 6)
    const [entry] = t.door.attachments
    const confirmed: string[] = []
    expect(entry?.sink.send(frame('notification', 'n1'), () => confirmed.push('n1'))).to.equal(true)
    expect(entry?.sink.send(frame('unread', '{"unread":1}', true), () => confirmed.push('unread'))).to.equal(
      true,
    )
    expect(entry?.sink.send(frame('notification', 'n2'), () => confirmed.push('n2'))).to.equal(true)
    const expected = Buffer.concat([
      publishPacket('users/anna/notifications', 'n1', { qos: 1, id: 1 }),
      publishPacket('users/anna/unread', '{"unread":1}', { retain: true }),
      publishPacket('users/anna/notifications', 'n2', { qos: 1, id: 2 }),
    ])
    expect((await raw.got(10 + expected.length)).subarray(10).toString('hex')).to.equal(
      expected.toString('hex'),
    )
    expect(confirmed).to.deep.equal(['unread'])
    raw.send('40020002', '40020009')
    await eventually(() => confirmed.length === 2)
    expect(confirmed).to.deep.equal(['unread', 'n2'])
    raw.socket.destroy()
    await eventually(() => entry?.attached === false)
    expect(confirmed, 'never after the connection').to.deep.equal(['unread', 'n2'])
    expect(entry?.sink.send(frame('notification', 'n3'), () => {})).to.equal(false)
  })

  it('use other packet identifiers than the messages of the broker beside them', async () => {
    const raw = t.raw()
    raw.send(connectPacket('c', { username: 'anna' }), subscribePacket(1, [['users/#', 1]]))
    await raw.got(9)
    const [entry] = t.door.attachments
    let confirmed = false
    entry?.sink.send(frame('notification', 'live'), () => (confirmed = true))
    t.broker.publish('users/bob/notifications', 'queue', { qos: 1 })
    const first = publishPacket('users/anna/notifications', 'live', { qos: 1, id: 1 })
    const second = publishPacket('users/bob/notifications', 'queue', { qos: 1, id: 2 })
    const bytes = await raw.got(9 + first.length + second.length)
    expect(bytes.subarray(9).toString('hex')).to.equal(Buffer.concat([first, second]).toString('hex'))
    raw.send('40020002', 'c000')
    await raw.got(bytes.length + 2)
    expect(confirmed).to.equal(false)
    raw.send('40020001')
    await eventually(() => confirmed)
  })

  it('are turned away without room, and asked for again once there is some', async () => {
    const raw = t.raw()
    raw.send(connectPacket('c', { username: 'anna' }), subscribePacket(1, [['users/anna/notifications', 1]]))
    await raw.got(9)
    const [entry] = t.door.attachments
    let sent = 0
    while (entry?.sink.send(frame('notification', 'x'), () => {}) === true) sent++
    expect(sent).to.equal(1000)
    expect(entry?.roomy).to.equal(0)
    raw.send('40020001')
    await eventually(() => entry?.roomy === 1)
    expect(entry?.sink.send(frame('notification', 'x'), () => {})).to.equal(true)
  })

  it('are turned away while more than 1 MiB waits for the socket, and asked for again on drain', async () => {
    const raw = t.raw()
    raw.send(connectPacket('c', { username: 'anna' }), subscribePacket(1, [['users/anna/notifications', 0]]))
    await raw.got(9)
    raw.socket.pause()
    const [entry] = t.door.attachments
    const big = frame('notification', 'x'.repeat(60_000))
    let sent = 0
    while (entry?.sink.send(big, () => {}) === true) {
      sent++
      await new Promise((resolve) => setImmediate(resolve))
      if (sent > 10_000) break
    }
    expect(sent).to.be.below(10_000)
    raw.socket.resume()
    await eventually(() => (entry?.roomy ?? 0) > 0)
  })

  it('reach their owner on no other way, live, queued or retained, and others as plain copies', async () => {
    const anna = await t.client('anna', { clientId: 'phone', clean: false })
    await anna.mqtt.subscribeAsync(['users/anna/#', 'users/+/notifications'], { qos: 1 })
    const service = await t.client('svc')
    await service.mqtt.subscribeAsync('users/#', { qos: 1 })
    t.broker.publish('users/anna/notifications', 'n1', { qos: 1 })
    t.broker.publish('users/anna/unread', '1', { qos: 0, retain: true })
    await service.got(2)
    await anna.mqtt.endAsync()
    await eventually(() => t.broker.connections === 1)
    t.broker.publish('users/anna/alerts', 'a1', { qos: 1 })
    const again = await t.client('anna', { clientId: 'phone', clean: false })
    await again.mqtt.subscribeAsync(['users/anna/unread', 'users/bob/notifications'], { qos: 1 })
    t.broker.publish('users/bob/notifications', 'b1', { qos: 1 })
    await again.got(1)
    expect(again.texts()).to.deep.equal(['b1'])
    expect(anna.texts()).to.deep.equal([])
  })

  it('make a topic wanted only where somebody else could receive it', async () => {
    const anna = await t.client('anna')
    await anna.mqtt.subscribeAsync('users/anna/notifications')
    expect(t.broker.wanted('users/anna/notifications')).to.equal(false)
    const service = await t.client('svc')
    await service.mqtt.subscribeAsync('users/#')
    expect(t.broker.wanted('users/anna/notifications')).to.equal(true)
  })
})
