import { expect } from 'chai'
import { setImmediate as turn } from 'node:timers/promises'
import { fakeClock } from '../support/fake-clock.ts'
import { connectPacket, eventually, startBroker, subscribePacket, type TestBroker } from './harness.ts'

/** Publishes while a subscriber does not read; resolves when the condition holds. */
async function flood(t: TestBroker, qos: 0 | 1, until: () => boolean): Promise<void> {
  const payload = 'x'.repeat(50_000)
  while (!until()) {
    t.broker.publish('x/flood', payload, { qos })
    await turn()
  }
}

describe('a slow subscriber (P22, defect 9)', () => {
  let t: TestBroker
  afterEach(() => t.close())

  const frozen = async (options: { qos: number; clean?: boolean }) => {
    const raw = t.raw()
    raw.send(
      connectPacket('slow', { clean: options.clean ?? true }),
      subscribePacket(1, [['x/#', options.qos]]),
    )
    await raw.got(9)
    raw.socket.pause()
    return raw
  }
  const dropped = async (reason: string) => {
    const { values } = await t.metrics.drops.get()
    return values.find(({ labels }) => labels['reason'] === reason)?.value ?? 0
  }

  it('loses QoS 0 messages beyond 1 MiB, which are counted, and stays connected', async () => {
    t = await startBroker()
    const raw = await frozen({ qos: 0 })
    let drops = 0
    const counting = setInterval(() => void dropped('slow_subscriber').then((count) => (drops = count)), 5)
    await flood(t, 0, () => drops > 100)
    clearInterval(counting)
    expect(t.broker.connections).to.equal(1)
    raw.socket.resume()
    raw.send('c000')
    await eventually(() => raw.bytes().subarray(-2).toString('hex') === 'd000')
  })

  it('is disconnected at QoS 1, and finds at most 8 MiB of the newest in its session', async () => {
    t = await startBroker()
    await frozen({ qos: 1, clean: false })
    await flood(t, 1, () => t.broker.connections === 0)
    expect(t.log.some(({ reason }) => String(reason).includes('reads too slowly'))).to.equal(true)
    for (let index = 0; index < 200; index++) t.broker.publish('x/flood', 'y'.repeat(50_000), { qos: 1 })
    t.broker.publish('x/last', 'end', { qos: 1 })
    const again = await t.client('dev', { clientId: 'slow', clean: false })
    await eventually(() => again.messages.at(-1)?.topic === 'x/last')
    expect(again.messages.length).to.be.within(100, 168)
    expect(await dropped('offline_queue')).to.be.greaterThan(30)
  })

  it('that takes nothing for ten seconds is disconnected at QoS 0 too', async () => {
    const clock = fakeClock()
    t = await startBroker({ clock })
    await frozen({ qos: 0 })
    await flood(t, 0, () => clock.waiting.some((at) => at === clock.now() + 10_000))
    await clock.pass(9999)
    expect(t.broker.connections).to.equal(1)
    await clock.pass(1)
    await eventually(() => t.broker.connections === 0)
  })

  it('holds up nobody else', async () => {
    t = await startBroker()
    await frozen({ qos: 0 })
    const other = await t.client('other')
    await other.mqtt.subscribeAsync(['x/flood', 'y/#'], { qos: 1 })
    const payload = 'x'.repeat(50_000)
    for (let index = 0; index < 300; index++) {
      t.broker.publish('x/flood', payload)
      t.broker.publish('y/1', `${index}`, { qos: 1 })
      await turn()
    }
    await eventually(() => other.messages.filter(({ topic }) => topic === 'y/1').length === 300)
    const publisher = await t.client('pub')
    await publisher.mqtt.publishAsync('routed/1', 'm', { qos: 1 })
  })

  it('that only confirms late is no slow one: a burst of 5,000 QoS 1 messages arrives whole', async () => {
    t = await startBroker()
    const sub = await t.client('sub')
    await sub.mqtt.subscribeAsync('x/#', { qos: 1 })
    for (let index = 0; index < 5000; index++) t.broker.publish('x/y', `${index}`.padEnd(200), { qos: 1 })
    await sub.got(5000)
    expect(sub.texts().map(Number)).to.deep.equal(Array.from({ length: 5000 }, (_, index) => index))
  })
})
