import { expect } from 'chai'
import type { BrokerOptions } from '../../src/broker/broker-options.ts'
import { WILL_GRACE_MS } from '../../src/broker/entrance/wills.ts'
import type { Persistence } from '../../src/broker/session/persistence.ts'
import { OFFLINE_MESSAGES } from '../../src/broker/session/outgoing-queue.ts'
import { fakeClock, type FakeClock } from '../support/fake-clock.ts'
import { temporaryStore, type TemporaryStore } from '../store/temporary-store.ts'
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

const gone = (t: TestBroker, count = 0) => eventually(() => t.broker.connections === count)
const numbers = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => `${from + index}`)

/** Resolves when there is nothing left; a test that fails runs into mocha's limit. */
const emptied = async (read: () => Promise<readonly unknown[]>) => {
  while ((await read()).length > 0);
}

describe('a session that outlives the process', () => {
  let opened: TemporaryStore
  let sessions: Persistence
  let t: TestBroker

  const start = async (more: Partial<BrokerOptions> = {}, clock?: FakeClock, door = testDoor()) => {
    t = await startBroker({ door, ...(clock && { clock }), more: { persistence: sessions, ...more } })
  }
  const restart = async (...how: Parameters<typeof start>) => {
    await t.close()
    sessions = (await opened.reopen()).sessions
    await start(...how)
  }
  beforeEach(async () => {
    opened = await temporaryStore()
    sessions = opened.store.sessions
  })
  afterEach(async () => {
    await t.close()
    await opened.end()
  })

  it('keeps its queue in order over restarts, whatever mixture of qualities came when', async () => {
    await start()
    const sub = await t.client('a', { clientId: 's', clean: false })
    await sub.mqtt.subscribeAsync('x/#', { qos: 2 })
    await sub.mqtt.endAsync()
    await gone(t)
    for (let round = 0; round < 3; round++) {
      const pub = await t.client('p')
      await Promise.all(
        numbers(round * 100, round * 100 + 100).map((text, index) =>
          pub.mqtt.publishAsync('x/y', text, { qos: index % 2 === 0 ? 1 : 2 }),
        ),
      )
      await restart()
    }
    const again = await t.client('a', { clientId: 's', clean: false })
    expect(again.sessionPresent).to.equal(true)
    await again.got(300)
    const of = (qos: number) =>
      again.messages.filter((packet) => packet.qos === qos).map(({ payload }) => Number(payload))
    for (const qos of [1, 2]) expect(of(qos)).to.deep.equal(of(qos).toSorted((a, b) => a - b))
    expect(new Set(again.texts()).size).to.equal(300)
    await again.mqtt.endAsync()
    await restart()
    const last = await t.client('a', { clientId: 's', clean: false })
    t.broker.publish('x/y', 'new', { qos: 1 })
    expect((await last.got(1)).map(({ payload }) => String(payload))).to.deep.equal(['new'])
  })

  it('has nothing again of what its client has confirmed', async () => {
    await start()
    const sub = await t.client('a', { clientId: 's', clean: false })
    await sub.mqtt.subscribeAsync('x/#', { qos: 2 })
    const pub = await t.client('p')
    for (const text of numbers(0, 50)) await pub.mqtt.publishAsync('x/y', text, { qos: 2 })
    await sub.got(50)
    await emptied(() => sessions.outgoingStream({ id: 'a/s' }).toArray())
    await restart()
    const again = await t.client('a', { clientId: 's', clean: false })
    t.broker.publish('x/y', 'new', { qos: 1 })
    await again.got(1)
    expect(again.texts()).to.deep.equal(['new'])
  })

  it('holds at most 1,000 messages also in the store, the oldest go first (P22)', async () => {
    await start()
    const sub = await t.client('a', { clientId: 's', clean: false })
    await sub.mqtt.subscribeAsync('x/#', { qos: 1 })
    await sub.mqtt.endAsync()
    await gone(t)
    for (const text of numbers(0, 1500)) t.broker.publish('x/y', text, { qos: 1 })
    await t.broker.publishKept('x/y', '1500', { qos: 1 })
    expect(t.log.some(({ msg }) => msg.includes('its oldest messages are dropped'))).to.equal(true)
    const drops = await t.metrics.drops.get()
    expect(drops.values.find(({ labels }) => labels['reason'] === 'offline_queue')?.value).to.equal(501)
    await restart()
    expect(await sessions.outgoingStream({ id: 'a/s' }).toArray()).to.have.length(OFFLINE_MESSAGES)
    const again = await t.client('a', { clientId: 's', clean: false })
    await again.got(OFFLINE_MESSAGES)
    expect(again.texts()).to.deep.equal(numbers(501, 1501))
  })

  it('goes on with the QoS 2 exchanges of both directions under their identifiers [MQTT-4.4.0-1]', async () => {
    await start()
    const raw = t.raw()
    raw.send(connectPacket('s', { clean: false }), subscribePacket(1, [['x/#', 2]]))
    await raw.got(9)
    await t.broker.publishKept('x/y', 'a', { qos: 2 })
    await t.broker.publishKept('x/y', 'b', { qos: 2 })
    const size = publishPacket('x/y', 'a', { qos: 2 }).length
    await raw.got(9 + 2 * size)
    raw.send('50020001')
    await raw.got(9 + 2 * size + 4)
    raw.send(publishPacket('z', 'mine', { qos: 2, id: 7 }))
    await raw.got(9 + 2 * size + 8)
    raw.socket.destroy()
    await restart()
    const again = t.raw()
    again.send(connectPacket('s', { clean: false }))
    const expected = Buffer.concat([
      Buffer.from('2002010062020001', 'hex'),
      publishPacket('x/y', 'b', { qos: 2, id: 2, dup: true }),
    ])
    expect((await again.got(expected.length)).toString('hex')).to.equal(expected.toString('hex'))
    again.send(publishPacket('z', 'mine', { qos: 2, id: 7, dup: true }), '62020007')
    const answers = (await again.got(expected.length + 8)).subarray(expected.length)
    expect(answers.toString('hex')).to.equal('5002000770020007')
    expect(t.door.received, 'it was taken by the process before').to.deep.equal([])
    again.send(publishPacket('z', 'next', { qos: 2, id: 7 }))
    await again.got(expected.length + 12)
    expect(t.door.received.map(({ payload }) => String(payload))).to.deep.equal(['next'])
  })

  it('acknowledges a publish only after it is kept for whoever is away, in the order of arrival', async () => {
    let commit = () => {}
    const gate = new Promise<void>((resolve) => (commit = resolve))
    const real = sessions
    const slow = Object.create(real, {
      outgoingEnqueueCombi: {
        value: async (...args: Parameters<Persistence['outgoingEnqueueCombi']>) => {
          await gate
          await real.outgoingEnqueueCombi(...args)
        },
      },
    }) as Persistence
    for (const name of ['setup', 'keepSession', 'leaveSession', 'addSubscriptions'] as const)
      Object.defineProperty(slow, name, { value: real[name].bind(real) })
    for (const name of [
      'sessions',
      'streamWill',
      'createRetainedStreamCombi',
      'outgoingClearMessageId',
    ] as const)
      Object.defineProperty(slow, name, { value: real[name].bind(real) })
    await start({ persistence: slow })
    const sub = await t.client('a', { clientId: 's', clean: false })
    await sub.mqtt.subscribeAsync('x/#', { qos: 1 })
    const raw = t.raw()
    raw.send(connectPacket('p'))
    await raw.got(4)
    raw.send(
      publishPacket('x/y', 'a', { qos: 1, id: 1 }),
      publishPacket('nobody', 'b', { qos: 1, id: 2 }),
      'c000',
    )
    expect((await raw.got(6)).toString('hex')).to.equal('20020000d000')
    commit()
    expect((await raw.got(14)).toString('hex')).to.equal('20020000d0004002000140020002')
  })

  it('is refused nothing but its publish when the store fails: the publisher repeats it (P2)', async () => {
    await start()
    const sub = await t.client('a', { clientId: 's', clean: false })
    await sub.mqtt.subscribeAsync('x/#', { qos: 1 })
    const raw = t.raw()
    raw.send(connectPacket('p'))
    await raw.got(4)
    sessions.outgoingEnqueueCombi = () => Promise.reject(new Error('disk full'))
    raw.send(publishPacket('x/y', 'a', { qos: 1, id: 1 }))
    await raw.closed
    expect(raw.bytes().toString('hex')).to.equal('20020000')
    await sub.got(1)
  })

  it('writes nothing for a publish that no lasting session subscribes to', async () => {
    await start()
    const sub = await t.client('a', { clientId: 's' })
    await sub.mqtt.subscribeAsync('x/#', { qos: 2 })
    const calls: string[] = []
    const watched = sessions as unknown as Record<string, unknown>
    for (const name of [
      'outgoingEnqueueCombi',
      'outgoingClearMessageId',
      'incomingStorePacket',
      'storeRetained',
    ])
      watched[name] = async () => void calls.push(name)
    const pub = await t.client('p')
    await pub.mqtt.publishAsync('x/y', 'one', { qos: 1 })
    await pub.mqtt.publishAsync('x/y', 'two', { qos: 2 })
    await sub.got(2)
    expect(calls).to.deep.equal([])
  })

  it('comes back with what its principal may subscribe to now, and not at all when nobody knows them', async () => {
    await start()
    for (const id of ['a', 'b']) {
      const sub = await t.client(id, { clientId: 's', clean: false })
      await sub.mqtt.subscribeAsync(['x/1', 'y/1'], { qos: 1 })
      await sub.mqtt.endAsync()
    }
    await gone(t)
    await t.broker.publishKept('x/1', 'm', { qos: 1 })
    const door = testDoor([principal('a', { subscribe: ['x/#'] })])
    door.recall = ({ id }) => (id === 'a' ? principal('a', { subscribe: ['x/#'] }) : null)
    await restart({}, undefined, door)
    expect([t.broker.wanted('x/1'), t.broker.wanted('y/1')]).to.deep.equal([true, false])
    const sub = await t.client('a', { clientId: 's', clean: false })
    expect((await sub.got(1)).map(({ payload }) => String(payload))).to.deep.equal(['m'])
    const other = await t.client('b', { clientId: 's', clean: false })
    expect(other.sessionPresent).to.equal(false)
    expect(await sessions.subscriptionsByClient({ id: 'b/s' })).to.deep.equal([])
  })

  it('ends for good with a clean one, and after its time without a connection, also over a restart (security 17)', async () => {
    const clock = fakeClock()
    await start({}, clock)
    const leave = async (clientId: string) => {
      const sub = await t.client('a', { clientId, clean: false })
      await sub.mqtt.subscribeAsync('x/#', { qos: 1 })
      await sub.mqtt.endAsync()
      await gone(t)
    }
    await leave('cleaned')
    await leave('old')
    const clean = await t.client('a', { clientId: 'cleaned' })
    await clean.mqtt.endAsync()
    await t.close()
    sessions = (await opened.reopen()).sessions
    // To close the broker takes ten seconds of this clock.
    await clock.pass(7 * 24 * 60 * 60 * 1000 - 60_000)
    await start({}, clock)
    expect((await sessions.sessions()).map(({ id }) => id)).to.deep.equal(['a/old'])
    expect(t.broker.wanted('x/y')).to.equal(true)
    await t.close()
    sessions = (await opened.reopen()).sessions
    await clock.pass(60_000)
    await start({}, clock)
    expect(t.broker.wanted('x/y')).to.equal(false)
  })

  it('finds retained messages of clients again, each in its tenant, and none of the engine (security 10, 18)', async () => {
    await start()
    const pub = await t.client('p')
    await pub.mqtt.publishAsync('x/kept', 'old', { qos: 1, retain: true })
    await pub.mqtt.publishAsync('x/kept', 'new', { qos: 1, retain: true })
    await pub.mqtt.publishAsync('x/cleared', 'gone', { qos: 1, retain: true })
    await pub.mqtt.publishAsync('x/cleared', '', { qos: 1, retain: true })
    t.broker.publish('x/engine', 'stale', { retain: true })
    const stranger = principal('stranger', { tenant: 'other' as never })
    await restart({}, undefined, testDoor([stranger]))
    const sub = await t.client('a')
    await sub.mqtt.subscribeAsync('x/#', { qos: 1 })
    const foreign = await t.client('stranger')
    await foreign.mqtt.subscribeAsync('x/#', { qos: 1 })
    t.broker.publish('x/end', 'end')
    await Promise.all([sub.got(2), foreign.got(1)])
    expect([sub.texts(), foreign.texts()]).to.deep.equal([['new', 'end'], ['end']])
    expect(sub.messages[0]?.retain).to.equal(true)
  })

  it('has its will said a minute after a crash, unless its client is back by then', async () => {
    const clock = fakeClock()
    const will = (payload: string) => {
      const by = { principal: principal('dev'), qos: 1, retain: false } as const
      return { topic: 'lost', payload: Buffer.from(payload), ...by }
    }
    await sessions.setup({ id: 'before' })
    for (const id of ['dev/1', 'dev/2']) await sessions.putWill({ id }, will(id))
    await start({}, clock)
    const sub = await t.client('a')
    await sub.mqtt.subscribeAsync('lost', { qos: 1 })
    const back = await t.client('dev', { clientId: '2', clean: false })
    await clock.pass(WILL_GRACE_MS - 1)
    expect(sub.texts()).to.deep.equal([])
    await clock.pass(1)
    await sub.got(1)
    await back.mqtt.endAsync()
    await eventually(() => t.broker.connections === 1)
    expect(sub.texts()).to.deep.equal(['dev/1'])
    expect(t.door.received.filter(({ topic }) => topic === 'lost')).to.have.length(1)
    await emptied(() => sessions.streamWill().toArray())
  })

  it('has its will in the store while its connection is open, also when it took over from another', async () => {
    await start()
    const connect = async (payload: string) =>
      t.client('dev', {
        clientId: '1',
        will: { topic: 'lost', payload: Buffer.from(payload), qos: 1, retain: false },
      })
    await connect('first')
    const second = await connect('second')
    await gone(t, 1)
    await eventually(() => t.door.received.length === 1)
    expect((await sessions.getWill({ id: 'dev/1' }))?.payload.toString()).to.equal('second')
    await second.mqtt.endAsync()
    await gone(t)
    await emptied(() => sessions.streamWill().toArray())
    expect(t.door.received.map(({ payload }) => String(payload))).to.deep.equal(['first'])
  })
})
