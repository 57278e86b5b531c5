import { expect } from 'chai'
import { setImmediate as turn } from 'node:timers/promises'
import type { Outcome, Publish } from '../../src/router/publish.ts'
import { fakeClock } from '../support/fake-clock.ts'
import {
  connectPacket,
  eventually,
  publishPacket,
  startBroker,
  STORED,
  subscribePacket,
  testDoor,
  type TestBroker,
} from './harness.ts'
import { randomOf } from './random.ts'

const CONNACK = '20020000'

describe('a publish', () => {
  let t: TestBroker
  afterEach(() => t.close())

  it('is acknowledged only after the door has stored it, at QoS 1 and 2 (P1)', async () => {
    const door = testDoor()
    const settle: ((outcome: Outcome) => void)[] = []
    door.receive = (_, submitted) => {
      submitted()
      return new Promise((resolve) => settle.push(resolve))
    }
    t = await startBroker({ door })
    const raw = t.raw()
    raw.send(
      connectPacket('c'),
      publishPacket('routed/1', 'a', { qos: 1, id: 1 }),
      publishPacket('routed/1', 'b', { qos: 2, id: 2 }),
    )
    await eventually(() => settle.length === 2)
    for (let round = 0; round < 20; round++) await turn()
    expect(raw.bytes().toString('hex')).to.equal(CONNACK)
    settle[0]?.(STORED)
    settle[1]?.({ kind: 'dead', id: 'd', code: 'publish.invalid_json', message: 'no' })
    expect((await raw.got(12)).toString('hex')).to.equal(`${CONNACK}4002000150020002`)
  })

  it('is given to the door with its principal, its flags and a fingerprint that a resend repeats (P3)', async () => {
    t = await startBroker()
    const raw = t.raw()
    raw.send(
      connectPacket('c', { username: 'dev' }),
      publishPacket('routed/1', 'a', { qos: 1, id: 7 }),
      publishPacket('routed/1', 'a', { qos: 1, id: 7, dup: true }),
      publishPacket('routed/1', 'b', { qos: 1, id: 7 }),
      publishPacket('routed/1', 'a', { qos: 1, id: 8 }),
      publishPacket('routed/2', 'a', { qos: 1, id: 7 }),
      publishPacket('routed/1', 'a'),
    )
    await eventually(() => t.door.received.length === 6)
    const [first, second, ...others] = t.door.received
    expect(first).to.deep.include({ topic: 'routed/1', qos: 1, via: 'mqtt', dup: false })
    expect(first?.principal.id).to.equal('dev')
    expect(Buffer.from(first?.payload ?? []).toString()).to.equal('a')
    expect(second?.dup).to.equal(true)
    expect(second?.fingerprint).to.equal(first?.fingerprint)
    const prints = [first, ...others].map((publish) => publish?.fingerprint)
    expect(new Set(prints).size).to.equal(prints.length)
    expect(prints.at(-1)).to.equal(null)
    expect(new Set(t.door.received.map(({ correlationId }) => correlationId)).size).to.equal(6)
  })

  it('has another fingerprint on another client id and for another principal', async () => {
    t = await startBroker()
    for (const [username, clientId] of [
      ['dev', 'c'],
      ['dev', 'd'],
      ['eve', 'c'],
    ] as const)
      t.raw().send(connectPacket(clientId, { username }), publishPacket('routed/1', 'a', { qos: 1, id: 7 }))
    await eventually(() => t.door.received.length === 3)
    expect(new Set(t.door.received.map(({ fingerprint }) => fingerprint)).size).to.equal(3)
  })

  for (const seed of [1, 2, 3])
    it(`is acknowledged in the order of arrival whatever the order of the commits (P5, seed ${seed})`, async () => {
      const random = randomOf(seed)
      const door = testDoor()
      const entered: string[] = []
      let inside = 0
      door.receive = async (publish, submitted) => {
        expect(++inside, 'the one before was submitted').to.equal(1)
        entered.push(Buffer.from(publish.payload).toString())
        for (let count = Math.floor(random() * 4); count > 0; count--) await turn()
        inside--
        submitted()
        for (let count = Math.floor(random() * 30); count > 0; count--) await turn()
        return random() < 0.5 ? STORED : { kind: 'plain' }
      }
      t = await startBroker({ door })
      const raw = t.raw()
      const ids = Array.from({ length: 100 }, (_, index) => index + 1)
      raw.send(
        connectPacket('c'),
        ...ids.map((id) => publishPacket('x/y', `${id}`, { qos: id % 3 === 0 ? 2 : 1, id })),
      )
      const bytes = await raw.got(4 + ids.length * 4)
      const acks = ids.map((_, index) => bytes.readUInt16BE(4 + index * 4 + 2))
      // The two acknowledgements go different ways, so each kind is in order by itself.
      expect(acks.filter((id) => id % 3 === 0)).to.deep.equal(ids.filter((id) => id % 3 === 0))
      expect(acks.filter((id) => id % 3 !== 0)).to.deep.equal(ids.filter((id) => id % 3 !== 0))
      expect(entered).to.deep.equal(ids.map(String))
    })

  it('reaches plain subscribers in the order of arrival although the commits end in another (P5)', async () => {
    const random = randomOf(5)
    const door = testDoor()
    door.receive = async (_, submitted) => {
      submitted()
      for (let count = Math.floor(random() * 20); count > 0; count--) await turn()
      return { kind: 'plain' }
    }
    t = await startBroker({ door })
    const sub = await t.client('sub')
    await sub.mqtt.subscribeAsync('x/#', { qos: 1 })
    const raw = t.raw()
    const texts = Array.from({ length: 100 }, (_, index) => `${index}`)
    raw.send(
      connectPacket('c'),
      ...texts.map((text, index) => publishPacket('x/y', text, { qos: index % 2, id: index + 1 })),
    )
    await sub.got(100)
    expect(sub.texts()).to.deep.equal(texts)
  })

  it('that the door stores, buries or discards is not forwarded and not retained', async () => {
    const door = testDoor()
    const outcomes: Outcome[] = [
      STORED,
      { kind: 'dead', id: 'd', code: 'publish.no_route', message: 'no' },
      { kind: 'discarded', code: null },
      { kind: 'plain' },
    ]
    door.receive = async (publish, submitted) => {
      submitted()
      return outcomes[Number(Buffer.from(publish.payload).toString())] ?? STORED
    }
    t = await startBroker({ door })
    const sub = await t.client('sub')
    await sub.mqtt.subscribeAsync('x/#', { qos: 1 })
    const pub = await t.client('pub')
    for (const index of [0, 1, 2, 3])
      await pub.mqtt.publishAsync(`x/${index}`, `${index}`, { qos: 1, retain: true })
    await sub.got(1)
    expect(sub.texts()).to.deep.equal(['3'])
    const late = await t.client('late')
    await late.mqtt.subscribeAsync('x/#', { qos: 1 })
    await late.got(1)
    expect(late.messages.map(({ topic, retain }) => [topic, retain])).to.deep.equal([['x/3', true]])
  })

  it('that is refused closes the connection without an acknowledgement and says why in one log line (P2)', async () => {
    const door = testDoor()
    door.receive = async (_, submitted) => {
      submitted()
      return { kind: 'refused', code: 'publish.forbidden', message: 'You may not publish to this topic' }
    }
    t = await startBroker({ door })
    const raw = t.raw()
    raw.send(
      connectPacket('c', { username: 'dev' }),
      publishPacket('secret/1', 'a', { qos: 1, id: 1 }),
      publishPacket('secret/2', 'a', { qos: 1, id: 2 }),
    )
    await raw.closed
    expect(raw.bytes().toString('hex')).to.equal(CONNACK)
    const lines = t.log.filter(({ level }) => level >= 30)
    expect(lines).to.have.length(1)
    expect(lines[0]).to.deep.include({
      code: 'publish.forbidden',
      topic: 'secret/1',
      mqtt_client: 'c',
      principal: 'dev',
    })
    expect(await t.metrics.refusals.get()).to.have.nested.property('values[0].value', 1)
  })

  for (const [name, receive] of [
    [
      'throws',
      (): Promise<Outcome> => {
        throw new Error('bug')
      },
    ],
    ['rejects', (): Promise<Outcome> => Promise.reject(new Error('bug'))],
    [
      'rejects after it was submitted',
      (_: Publish, submitted: () => void): Promise<Outcome> => {
        submitted()
        return turn().then(() => Promise.reject(new Error('bug')))
      },
    ],
  ] as const)
    it(`is not acknowledged when the door ${name}, and the broker lives on (P2)`, async () => {
      const door = testDoor()
      const sound = door.receive
      door.receive = receive
      t = await startBroker({ door })
      const raw = t.raw()
      raw.send(connectPacket('c'), publishPacket('routed/1', 'a', { qos: 2, id: 1 }))
      await raw.closed
      expect(raw.bytes().toString('hex')).to.equal(CONNACK)
      door.receive = sound
      const client = await t.client('again')
      await client.mqtt.publishAsync('routed/1', 'b', { qos: 2 })
    })

  it('of QoS 2 counts as begun from when it is read: a burst is held off before any of it is stored (row 17)', async () => {
    const door = testDoor()
    const settle: ((outcome: Outcome) => void)[] = []
    door.receive = (_, submitted) => {
      submitted()
      return new Promise((resolve) => settle.push(resolve))
    }
    t = await startBroker({ door })
    const raw = t.raw()
    const burst = Array.from({ length: 1100 }, (_, each) =>
      publishPacket('routed/1', 'x', { qos: 2, id: each + 1 }),
    )
    raw.send(connectPacket('c'), ...burst)
    await eventually(() => settle.length >= 1000)
    for (let round = 0; round < 20; round++) await turn()
    expect(settle.length).to.equal(1000)
    for (const each of settle) each(STORED)
    await raw.closed
  })

  it('of QoS 2 that is repeated within its exchange goes through the door once', async () => {
    t = await startBroker()
    const raw = t.raw()
    const body = publishPacket('routed/1', 'a', { qos: 2, id: 9 })
    raw.send(connectPacket('c', { clean: false }), body)
    expect((await raw.got(8)).subarray(4).toString('hex')).to.equal('50020009')
    raw.socket.destroy()
    const again = t.raw()
    again.send(
      connectPacket('c', { clean: false }),
      publishPacket('routed/1', 'a', { qos: 2, id: 9, dup: true }),
    )
    expect((await again.got(8)).subarray(4).toString('hex')).to.equal('50020009')
    expect(t.door.received).to.have.length(1)
    again.send('62020009')
    await again.got(12)
    again.send(publishPacket('routed/1', 'b', { qos: 2, id: 9 }))
    expect((await again.got(16)).subarray(8).toString('hex')).to.equal('7002000950020009')
    expect(t.door.received).to.have.length(2)
  })

  it('still goes in when its sender disconnects behind it, at QoS 0', async () => {
    const door = testDoor()
    door.receive = async (publish, submitted) => {
      door.received.push(publish)
      await turn()
      submitted()
      return { kind: 'plain' }
    }
    t = await startBroker({ door })
    const sub = await t.client('sub')
    await sub.mqtt.subscribeAsync('x/#')
    const raw = t.raw()
    raw.send(connectPacket('c'), ...[1, 2, 3, 4].map((id) => publishPacket('x/y', `${id}`)), 'e000')
    await sub.got(4)
    expect(sub.texts()).to.deep.equal(['1', '2', '3', '4'])
  })

  it('that waits for its rate limit is told when its connection goes, and is not taken for silence', async () => {
    const clock = fakeClock()
    const door = testDoor()
    const signals: (AbortSignal | undefined)[] = []
    door.receive = (publish) => {
      signals.push(publish.signal)
      return new Promise(() => {})
    }
    t = await startBroker({ door, clock })
    const raw = t.raw()
    raw.send(connectPacket('c', { keepalive: 10 }), publishPacket('routed/1', 'a', { qos: 1, id: 1 }))
    await eventually(() => signals.length === 1)
    await clock.pass(120_000)
    expect(raw.socket.destroyed).to.equal(false)
    expect(signals[0]?.aborted).to.equal(false)
    raw.socket.destroy()
    await eventually(() => signals[0]?.aborted === true)
  })

  it('reads no more of a connection than one chunk while the door takes nothing', async () => {
    const door = testDoor()
    door.receive = () => new Promise(() => {})
    t = await startBroker({ door })
    const raw = t.raw()
    raw.send(connectPacket('c'))
    await raw.got(4)
    const body = publishPacket('routed/1', 'x'.repeat(60_000), { qos: 1, id: 1 })
    let sent = 0
    for (let round = 0; round < 2000 && raw.socket.writableLength < 1024 * 1024; round++) {
      raw.socket.write(body)
      sent += body.length
      await turn()
    }
    // 120 MB would have gone through; the kernel's buffers hold a few.
    expect(sent).to.be.below(60 * 1024 * 1024)
    expect(raw.socket.writableLength).to.be.at.least(1024 * 1024)
  })

  for (const [topic, name] of [
    ['$SYS/x/new/clients', 'that would end connections (A8b)'],
    ['$share/g/x', 'of a shared subscription'],
    ['$consumed/x', 'of its own'],
  ] as const)
    it(`to a $ topic ${name} is refused`, async () => {
      t = await startBroker()
      const raw = t.raw()
      raw.send(connectPacket('c'), publishPacket(topic, 'a', { qos: 1, id: 1 }))
      await raw.closed
      expect(raw.bytes().toString('hex')).to.equal(CONNACK)
      expect(t.log.some(({ code }) => code === 'publish.reserved_topic')).to.equal(true)
      expect(t.door.received).to.deep.equal([])
    })

  it('to $SYS/broker/connection/# is acknowledged and discarded', async () => {
    t = await startBroker()
    const raw = t.raw()
    raw.send(
      connectPacket('c', { will: { topic: '$SYS/broker/connection/x/state', payload: '0', retain: true } }),
      publishPacket('$SYS/broker/connection/x/state', '1', { qos: 1, id: 1, retain: true }),
    )
    expect((await raw.got(8)).toString('hex')).to.equal(`${CONNACK}40020001`)
    raw.socket.destroy()
    expect(t.door.received).to.deep.equal([])
  })

  for (const [name, topic] of [
    ['NUL', 'a\0b'],
    ['invalid UTF-8', Buffer.from([0x61, 0xff, 0x62])],
    ['an overlong form', Buffer.from([0xc0, 0x80])],
    ['a control character', 'a\u0007'],
    ['17 levels', 'a/'.repeat(16) + 'a'],
    ['101 levels', 'a/'.repeat(100) + 'a'],
    ['more than 512 bytes', 'x'.repeat(513)],
    ['a wildcard', 'a/+'],
    ['nothing', ''],
  ] as const)
    it(`with ${name} in its topic closes the connection (A14, security 13 and 14)`, async () => {
      t = await startBroker()
      const raw = t.raw()
      raw.send(connectPacket('c'), publishPacket(topic, 'a', { qos: 1, id: 1 }))
      await raw.closed
      expect(raw.bytes().toString('hex')).to.equal(CONNACK)
      expect(t.door.received).to.deep.equal([])
    })

  it('of more than 128 KB goes to the door, of more than 256 KB closes the connection (security 13)', async () => {
    t = await startBroker()
    const raw = t.raw()
    raw.send(connectPacket('c'), publishPacket('routed/1', 'x'.repeat(200 * 1024), { qos: 1, id: 1 }))
    await raw.got(8)
    expect(t.door.received[0]?.payload).to.have.length(200 * 1024)
    raw.send(publishPacket('routed/1', 'x'.repeat(257 * 1024), { qos: 1, id: 2 }).subarray(0, 100))
    await raw.closed
    expect(t.door.received).to.have.length(1)
  })

  it('may follow its CONNECT in one write, however many there are', async () => {
    t = await startBroker()
    const raw = t.raw()
    const ids = Array.from({ length: 200 }, (_, index) => index + 1)
    raw.send(connectPacket('c'), ...ids.map((id) => publishPacket('routed/1', 'a', { qos: 1, id })))
    await raw.got(4 + 200 * 4)
  })

  it('is forwarded from a subscriber to itself as to others', async () => {
    t = await startBroker()
    const raw = t.raw()
    raw.send(connectPacket('c'), subscribePacket(1, [['x/#', 0]]))
    await raw.got(9)
    raw.send(publishPacket('x/y', 'hi'))
    expect((await raw.got(18)).subarray(9).toString('hex')).to.equal(
      publishPacket('x/y', 'hi').toString('hex'),
    )
  })
})
