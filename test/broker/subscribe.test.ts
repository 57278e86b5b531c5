import { expect } from 'chai'
import { randomOf } from './random.ts'
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

describe('a subscription', () => {
  let t: TestBroker
  afterEach(() => t.close())

  it('that is denied is answered with 128, stored nowhere and leaks nothing after a reconnect (A3, security 7)', async () => {
    t = await startBroker({ door: testDoor([principal('eve', { subscribe: ['mine/#'] })]) })
    const raw = t.raw()
    raw.send(
      connectPacket('c', { username: 'eve', clean: false }),
      subscribePacket(1, [
        ['mine/#', 1],
        ['users/anna/#', 1],
        ['#', 1],
      ]),
    )
    expect((await raw.got(11)).subarray(4).toString('hex')).to.equal('90050001018080')
    raw.socket.destroy()
    await raw.closed
    const pub = await t.client('pub')
    await pub.mqtt.publishAsync('users/anna/notifications', 'secret', { qos: 1 })
    await pub.mqtt.publishAsync('mine/1', 'first', { qos: 1 })
    const again = t.raw()
    again.send(connectPacket('c', { username: 'eve', clean: false }))
    const first = publishPacket('mine/1', 'first', { qos: 1, id: 1 })
    expect((await again.got(4 + first.length)).toString('hex')).to.equal(`20020100${first.toString('hex')}`)
    await pub.mqtt.publishAsync('users/anna/notifications', 'secret', { qos: 1 })
    await pub.mqtt.publishAsync('mine/1', 'second', { qos: 1 })
    const second = publishPacket('mine/1', 'second', { qos: 1, id: 2 })
    expect((await again.got(4 + first.length + second.length)).subarray(4 + first.length)).to.deep.equal(
      second,
    )
    expect(t.log.filter(({ msg }) => msg.startsWith('subscription refused'))).to.have.length(2)
  })

  for (const [filter, hint] of [
    ['$share/g/x', /one client/],
    ['$SYS/#', /metrics/],
    ['$SYS/broker/uptime', /metrics/],
  ] as const)
    it(`to ${filter} is refused with 128 and says what to do instead (A8, security 9)`, async () => {
      t = await startBroker()
      const raw = t.raw()
      raw.send(connectPacket('c'), subscribePacket(1, [[filter, 1]]))
      expect((await raw.got(9)).subarray(4).toString('hex')).to.equal('9003000180')
      const line = t.log.find(({ msg }) => msg.startsWith('subscription refused'))
      expect(line?.['hint']).to.match(hint)
    })

  it('to # sees nothing of the broker itself (A8)', async () => {
    t = await startBroker()
    const sub = await t.client('a')
    await sub.mqtt.subscribeAsync('#', { qos: 1 })
    await sub.mqtt.subscribeAsync('+/+', { qos: 1 })
    const other = await t.client('b')
    await other.mqtt.subscribeAsync('secret/topic')
    await other.mqtt.publishAsync('x', '1', { qos: 1 })
    await sub.got(1)
    expect(sub.messages.map(({ topic }) => topic)).to.deep.equal(['x'])
  })

  for (const [name, filter] of [
    ['NUL', 'a\0'],
    ['17 levels', 'a/'.repeat(16) + 'a'],
    ['# in the middle', 'a/#/b'],
  ] as const)
    it(`with ${name} closes the connection (A14)`, async () => {
      t = await startBroker()
      const raw = t.raw()
      raw.send(connectPacket('c'), subscribePacket(1, [[filter, 1]]))
      await raw.closed
      expect(raw.bytes()).to.have.length(4)
    })

  it('is asked about again for every message, queued and retained ones too (security 8)', async () => {
    const door = testDoor()
    let allowed = true
    door.mayForward = () => allowed
    t = await startBroker({ door })
    const pub = await t.client('pub')
    await pub.mqtt.publishAsync('x/kept', 'retained', { qos: 1, retain: true })
    const sub = await t.client('sub', { clientId: 's', clean: false })
    await sub.mqtt.subscribeAsync('x/live', { qos: 1 })
    await pub.mqtt.publishAsync('x/live', 'while allowed', { qos: 1 })
    await sub.got(1)
    await sub.mqtt.endAsync()
    await pub.mqtt.publishAsync('x/live', 'queued', { qos: 1 })
    allowed = false
    const again = await t.client('sub', { clientId: 's', clean: false })
    await again.mqtt.subscribeAsync('x/kept', { qos: 1 })
    await pub.mqtt.publishAsync('x/live', 'revoked', { qos: 1 })
    allowed = true
    await pub.mqtt.publishAsync('x/live', 'again', { qos: 1 })
    await again.got(1)
    expect(again.texts()).to.deep.equal(['again'])
  })

  it('comes back with its session only as far as it is still granted', async () => {
    const door = testDoor()
    t = await startBroker({ door })
    const sub = await t.client('sub', { clientId: 's', clean: false })
    await sub.mqtt.subscribeAsync(['x/1', 'x/2'], { qos: 1 })
    await sub.mqtt.endAsync()
    door.maySubscribe = (_, filter) => filter !== 'x/1'
    const again = await t.client('sub', { clientId: 's', clean: false })
    expect(t.broker.wanted('x/1')).to.equal(false)
    expect(t.broker.wanted('x/2')).to.equal(true)
    const pub = await t.client('pub')
    await pub.mqtt.publishAsync('x/1', 'no', { qos: 1 })
    await pub.mqtt.publishAsync('x/2', 'yes', { qos: 1 })
    await again.got(1)
    expect(again.texts()).to.deep.equal(['yes'])
  })

  it('with overlapping filters brings one copy at the highest granted QoS (defects 2 and 4)', async () => {
    t = await startBroker()
    for (const clean of [true, false]) {
      const topic = `d/${clean}`
      const sub = await t.client('sub', { clientId: topic, clean })
      await sub.mqtt.subscribeAsync({ 'd/#': { qos: 1 }, [topic]: { qos: 0 }, 'd/+': { qos: 0 } })
      const pub = await t.client('pub')
      for (let index = 0; index < 600; index++) void pub.mqtt.publishAsync(topic, `${index}`, { qos: 1 })
      await pub.mqtt.publishAsync(topic, 'end', { qos: 2 })
      await sub.got(601)
      expect(sub.texts()).to.deep.equal([...Array.from({ length: 600 }, (_, index) => `${index}`), 'end'])
      expect(new Set(sub.messages.map(({ qos }) => qos))).to.deep.equal(new Set([1]))
    }
  })

  for (const [asked, published, expected] of [
    [0, 2, 0],
    [1, 2, 1],
    [2, 1, 1],
    [2, 2, 2],
    [1, 0, 0],
  ] as const)
    it(`by wildcard at QoS ${asked} gets a QoS ${published} message at QoS ${expected} (defect 4)`, async () => {
      t = await startBroker()
      const sub = await t.client('sub')
      await sub.mqtt.subscribeAsync('w/#', { qos: asked })
      const pub = await t.client('pub')
      await pub.mqtt.publishAsync('w/x', 'm', { qos: published })
      await sub.got(1)
      expect(sub.messages[0]?.qos).to.equal(expected)
    })

  it('loses no QoS 1 message that a QoS 0 one or a retained one follows at once, in order (defect 1)', async () => {
    t = await startBroker()
    for (const clean of [true, false]) {
      const sub = await t.client('sub', { clientId: `d1-${clean}`, clean })
      await sub.mqtt.subscribeAsync('x/#', { qos: 1 })
      const expected: string[] = []
      for (let index = 0; index < 300; index++) {
        t.broker.publish('x/y', `a${index}`, { qos: 1, retain: index % 2 === 0 })
        t.broker.publish('x/y', `b${index}`, { qos: index % 3 === 0 ? 1 : 0 })
        expected.push(`a${index}`, `b${index}`)
      }
      await sub.got(600)
      expect(
        sub
          .texts()
          .filter((text) => text !== 'a298' || true)
          .slice(-600),
      ).to.deep.equal(expected)
      await sub.mqtt.unsubscribeAsync('x/#')
      t.broker.publish('x/y', '', { retain: true })
    }
  })

  it('gets retained messages with the flag, once each, and live ones without it', async () => {
    t = await startBroker()
    t.broker.publish('state/a', '1', { retain: true, qos: 1 })
    t.broker.publish('state/b', '2', { retain: true })
    t.broker.publish('state/b', '', { retain: true })
    const sub = await t.client('sub')
    await sub.mqtt.subscribeAsync(['state/+', 'state/a', '#'], { qos: 1 })
    await sub.got(1)
    t.broker.publish('state/a', '3', { retain: true })
    await sub.got(2)
    expect(sub.messages.map(({ payload, retain, qos }) => [String(payload), retain, qos])).to.deep.equal([
      ['1', true, 1],
      ['3', false, 0],
    ])
  })

  it('gets a whole board of retained messages that is larger than its socket takes', async () => {
    t = await startBroker()
    const count = 3000
    for (let index = 0; index < count; index++)
      t.broker.publish(`state/alerts/${index}`, 'x'.repeat(2000), {
        retain: true,
        qos: index % 2 === 0 ? 1 : 0,
      })
    const sub = await t.client('sub')
    await sub.mqtt.subscribeAsync('state/#', { qos: 1 })
    await sub.got(count)
    expect(new Set(sub.messages.map(({ topic }) => topic)).size).to.equal(count)
  })

  it('ends with UNSUBSCRIBE', async () => {
    t = await startBroker()
    const sub = await t.client('sub')
    await sub.mqtt.subscribeAsync(['x/1', 'x/2'])
    await sub.mqtt.unsubscribeAsync('x/1')
    t.broker.publish('x/1', 'no')
    t.broker.publish('x/2', 'yes')
    await sub.got(1)
    expect(sub.texts()).to.deep.equal(['yes'])
  })

  it('decides what is wanted: of connections and of stored sessions, and no more once they end', async () => {
    t = await startBroker()
    expect(t.broker.wanted('x/1')).to.equal(false)
    const clean = await t.client('a')
    await clean.mqtt.subscribeAsync('x/+')
    expect(t.broker.wanted('x/1')).to.equal(true)
    await clean.mqtt.endAsync()
    await eventually(() => !t.broker.wanted('x/1'))
    const stored = await t.client('a', { clientId: 's', clean: false })
    await stored.mqtt.subscribeAsync('x/1', { qos: 1 })
    await stored.mqtt.endAsync()
    await eventually(() => t.broker.connections === 0)
    expect(t.broker.wanted('x/1')).to.equal(true)
    const discarding = await t.client('a', { clientId: 's', clean: true })
    expect(t.broker.wanted('x/1')).to.equal(false)
    expect(discarding.sessionPresent).to.equal(false)
  })

  it('of ten thousand filters is granted a thousand', async () => {
    t = await startBroker()
    const raw = t.raw()
    raw.send(connectPacket('c', { clean: false }))
    await raw.got(4)
    const filters = Array.from({ length: 10_000 }, (_, index) => [`x/${index}`, 1] as const)
    const suback = 3 + 2 + 1000
    for (let offset = 0; offset < filters.length; offset += 1000) {
      raw.send(subscribePacket(1, filters.slice(offset, offset + 1000)))
      await raw.got(4 + (offset / 1000 + 1) * suback)
    }
    const bytes = await raw.got(4 + 10 * suback)
    expect(bytes.subarray(4 + 5, 4 + suback).every((code) => code === 1)).to.equal(true)
    expect(bytes.subarray(4 + suback + 5, 4 + 2 * suback).every((code) => code === 128)).to.equal(true)
  })

  it('delivers payloads of every length of the remaining-length field unchanged', async () => {
    t = await startBroker()
    const sub = await t.client('sub')
    await sub.mqtt.subscribeAsync('x/#', { qos: 1 })
    const random = randomOf(3)
    const sizes = [0, 1, 100, 119, 120, 121, 122, 123, 124, 125, 4095, 4096, 16_370, 16_383, 16_384, 130_000]
    for (const size of sizes)
      for (const qos of [0, 1] as const) {
        const payload = String.fromCharCode(
          ...Array.from({ length: Math.min(size, 5000) }, () => 32 + random() * 90),
        )
        t.broker.publish('x/ü', payload.padEnd(size, 'z'), { qos })
      }
    await sub.got(sizes.length * 2)
    expect(sub.messages.map(({ payload }) => payload.length)).to.deep.equal(
      sizes.flatMap((size) => [size, size]),
    )
    expect(sub.messages.every(({ topic }) => topic === 'x/ü')).to.equal(true)
  })
})
