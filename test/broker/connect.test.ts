import { expect } from 'chai'
import { createServer as createHttpServer } from 'node:http'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import type { Outcome } from '../../src/router/publish.ts'
import type { ProtocolRefusal } from '../../src/broker/broker-options.ts'
import { guardPackets } from '../../src/broker/entrance/packet-gate.ts'
import { fakeClock } from '../support/fake-clock.ts'
import {
  connectPacket,
  eventually,
  packet,
  principal,
  publishPacket,
  startBroker,
  testDoor,
  type TestBroker,
} from './harness.ts'

describe('a CONNECT', () => {
  let t: TestBroker
  afterEach(() => t.close())

  /** The return code, or null when the connection is closed without a CONNACK. */
  const answer = async (bytes: Uint8Array): Promise<number | null> => {
    const raw = t.raw()
    raw.send(bytes)
    await Promise.race([raw.closed, raw.got(4).catch(() => {})])
    return raw.bytes()[3] ?? null
  }

  for (const [name, bytes, code] of [
    ['good credentials', connectPacket('c'), 0],
    ['MQTT 3.1', connectPacket('c', { level: 3 }), 0],
    ['a wrong password', connectPacket('c', { password: 'bad' }), 4],
    ['no credentials', packet(0x10, Buffer.from('00044d51545404020000000163', 'hex')), 5],
    ['an empty client id and a clean session', connectPacket('', { clean: true }), 0],
    ['an empty client id and no clean session (defect 6)', connectPacket('', { clean: false }), 2],
    ['a client id of 257 characters', connectPacket('c'.repeat(257)), 2],
    ['a client id of 24 characters in MQTT 3.1', connectPacket('c'.repeat(24), { level: 3 }), 2],
    ['NUL in the client id (A14)', connectPacket('a\0b'), null],
    ['a client id that is not UTF-8 (A14)', connectPacket(Buffer.from([0x61, 0xff])), null],
    ['a will', connectPacket('c', { will: { topic: 'routed/w', payload: 'x' } }), 0],
    ['a will of more than 4 KB', connectPacket('c', { will: { topic: 'w', payload: 'x'.repeat(4097) } }), 5],
    [
      'a will to a foreign topic (A7)',
      connectPacket('c', { username: 'eve', will: { topic: 'no', payload: '' } }),
      5,
    ],
    ['a will with a wildcard', connectPacket('c', { will: { topic: 'a/#', payload: '' } }), 5],
    ['a will to $SYS', connectPacket('c', { will: { topic: '$SYS/x', payload: '' } }), 5],
    [
      "a bridge's will",
      connectPacket('c', { will: { topic: '$SYS/broker/connection/b/state', payload: '0' } }),
      0,
    ],
    ['another first packet', publishPacket('a', 'b'), null],
    ['16 KB announced and one byte more', Buffer.from([0x10, 0x81, 0x80, 0x01]), null],
  ] as const)
    it(`with ${name} is answered with ${code ?? 'nothing, and closed'}`, async () => {
      t = await startBroker({ door: testDoor([principal('eve', { publish: ['mine/#'] })]) })
      expect(await answer(bytes)).to.equal(code)
      if (code === null || code > 0) {
        await eventually(() => t.broker.connections === 0)
        expect(t.log.filter(({ level }) => level >= 30)).to.have.length(1)
      }
    })

  it('of a person beyond their connections over one transport is answered with 3, until one ends or under an id that is taken over', async () => {
    t = await startBroker({
      door: testDoor([principal('anna', { kind: 'user' })]),
      limits: { streams_per_user: 2 },
    })
    const code = (id: string, username = 'anna') => answer(connectPacket(id, { username }))
    const first = t.raw()
    first.send(connectPacket('one', { username: 'anna' }))
    await first.got(4)
    expect(await code('two')).to.equal(0)
    expect(await code('three')).to.equal(3)
    expect(await code('two')).to.equal(0)
    expect(await code('three')).to.equal(3)
    const server = createHttpServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.broker.attachTo(server)
    const { port } = server.address() as AddressInfo
    const web = await t.client('anna', { url: `ws://127.0.0.1:${port}/mqtt` })
    expect(web.mqtt.connected).to.equal(true)
    for (const id of ['a', 'b', 'c']) expect(await code(id, 'machine')).to.equal(0)
    const { values } = await t.metrics.refusals.get()
    expect(values.map(({ labels, value }) => [labels['reason'], value])).to.deep.equal([
      ['stream.too_many', 2],
    ])
    await eventually(() => t.broker.connections === 6)
    first.socket.destroy()
    await eventually(() => t.broker.connections === 5)
    expect(await code('three')).to.equal(0)
    web.mqtt.end(true)
    server.close()
  })

  it('of MQTT 5 is refused with 1, one log line that says what to do, and a figure', async () => {
    const refused: ProtocolRefusal[] = []
    t = await startBroker({ more: { onRefused: (refusal) => refused.push(refusal) } })
    const raw = t.raw()
    raw.send(connectPacket('five', { level: 5 }))
    await raw.closed
    expect(raw.bytes().toString('hex')).to.equal('20020001')
    const lines = t.log.filter(({ level }) => level >= 30)
    expect(lines).to.have.length(1)
    expect(lines[0]?.['hint']).to.match(/mosquitto_pub -V mqttv311, mqtt.js protocolVersion: 4/)
    expect(refused).to.have.length(1)
    expect(refused[0]).to.deep.include({ clientId: 'five', reason: 'mqtt5', remoteAddress: '127.0.0.1' })
    const { values } = await t.metrics.refusals.get()
    expect(values.map(({ labels, value }) => [labels['reason'], value])).to.deep.equal([['mqtt5', 1]])
  })

  it('is answered with 3 when the door cannot tell who it is', async () => {
    const door = testDoor()
    door.authenticate = () => Promise.reject(new Error('directory is broken'))
    t = await startBroker({ door })
    expect(await answer(connectPacket('c'))).to.equal(3)
  })

  it('is given to the door as it came, the password in no log line', async () => {
    const door = testDoor()
    const asked: unknown[] = []
    door.authenticate = async (credentials) => {
      asked.push(credentials)
      return null
    }
    t = await startBroker({ door })
    await answer(connectPacket('c', { username: 'anna', password: 'hunter2' }))
    await answer(packet(0x10, Buffer.from('00044d51545404020000000163', 'hex')))
    expect(asked).to.deep.equal([
      { username: 'anna', password: 'hunter2', remoteAddress: '127.0.0.1', ticket: null, cookie: null },
      { username: null, password: null, remoteAddress: '127.0.0.1', ticket: null, cookie: null },
    ])
    expect(JSON.stringify(t.log)).not.to.contain('hunter2')
  })

  it('that drips in has to be complete after ten seconds (security 15)', async () => {
    const clock = fakeClock()
    t = await startBroker({ clock })
    const silent = t.raw()
    const slow = t.raw()
    const bytes = connectPacket('c')
    for (let index = 0; index < 10; index++) {
      slow.send(bytes.subarray(index, index + 1))
      await eventually(() => t.broker.connections === 2)
      await clock.pass(999)
    }
    expect(slow.socket.destroyed).to.equal(false)
    await clock.pass(11)
    await Promise.all([slow.closed, silent.closed])
    expect(t.log.filter(({ reason }) => reason === 'no CONNECT came in time')).to.have.length(2)
  })

  it('may be followed by no more than one chunk before it is answered (A6)', async () => {
    t = await startBroker()
    const accepted = new Promise<Socket>((resolve) => {
      const server = createServer((socket) => {
        server.close()
        guardPackets(socket, { onPackets: () => {}, full: () => false })
        socket.on('readable', () => void socket.read())
        resolve(socket)
      }).listen(0, '127.0.0.1', () => {
        const client = connect((server.address() as { port: number }).port, '127.0.0.1')
        client.on('error', () => {})
        client.write(connectPacket('c'))
        for (let round = 0; round < 20; round++) client.write(Buffer.alloc(1024 * 1024))
      })
    })
    const socket = await accepted
    await eventually(() => socket.readableLength > 0)
    for (let round = 0; round < 200; round++) await new Promise((resolve) => setImmediate(resolve))
    expect(socket.bytesRead).to.be.at.most(64 * 1024)
    socket.destroy()
  })

  it('twice on one connection closes it', async () => {
    t = await startBroker()
    const raw = t.raw()
    raw.send(connectPacket('c'))
    await raw.got(4)
    raw.send(connectPacket('c'))
    await raw.closed
    expect(raw.bytes()).to.have.length(4)
  })

  it('lasts no longer than the credentials (security 4)', async () => {
    const clock = fakeClock()
    const expiresAt = clock.now() + 3_600_000
    t = await startBroker({ clock, door: testDoor([principal('anna', { kind: 'user', expiresAt })]) })
    const raw = t.raw()
    raw.send(connectPacket('c', { username: 'anna' }))
    await raw.got(4)
    for (let minute = 0; minute < 59; minute++) {
      raw.send('c000')
      await raw.got(4 + (minute + 1) * 2)
      await clock.pass(60_000)
    }
    expect(raw.socket.destroyed).to.equal(false)
    await clock.pass(60_000)
    await raw.closed
  })

  for (const [keepalive, limitMs] of [
    [10, 15_000],
    [0, 1_800_000],
    [65_000, 1_800_000],
  ] as const)
    it(`with keepalive ${keepalive} ends after ${limitMs} ms of silence, with its will (security 15)`, async () => {
      const clock = fakeClock()
      t = await startBroker({ clock })
      const raw = t.raw()
      raw.send(connectPacket('c', { keepalive, will: { topic: 'routed/will', payload: 'gone' } }))
      await raw.got(4)
      await clock.pass(limitMs - 1)
      raw.send('c000')
      await raw.got(6)
      await clock.pass(limitMs - 1)
      expect(raw.socket.destroyed).to.equal(false)
      await clock.pass(1)
      await raw.closed
      await eventually(() => t.door.received.length === 1)
    })

  it('beyond the limit of connections is turned away at once', async () => {
    t = await startBroker({ limits: { connections: 2 } })
    const open = [t.raw(), t.raw()]
    for (const raw of open) raw.send(connectPacket(`c${open.indexOf(raw)}`))
    await Promise.all(open.map((raw) => raw.got(4)))
    const third = t.raw()
    await third.closed
    open[0]?.socket.destroy()
    await eventually(() => t.broker.connections === 1)
    expect(await answer(connectPacket('c3'))).to.equal(0)
  })

  it('is not possible on a port that another server has, and that is said', async () => {
    t = await startBroker()
    const taken = createServer()
    const port = await new Promise<number>((resolve) =>
      taken.listen(0, '127.0.0.1', () => resolve((taken.address() as { port: number }).port)),
    )
    let failure: unknown = null
    await t.broker.listen('127.0.0.1', port).catch((error: unknown) => (failure = error))
    expect(failure).to.have.property('code', 'EADDRINUSE')
    taken.close()
  })
})

describe('a last will', () => {
  let t: TestBroker
  afterEach(() => t.close())
  const will = { topic: 'x/will', payload: 'gone', qos: 1, retain: true }

  it('goes through the door when its client vanishes, and not when it says goodbye', async () => {
    t = await startBroker()
    const polite = t.raw()
    polite.send(connectPacket('a', { will: { ...will, topic: 'x/polite' } }), 'e000')
    await polite.closed
    const raw = t.raw()
    raw.send(connectPacket('b', { username: 'dev', will }))
    await raw.got(4)
    raw.socket.destroy()
    await eventually(() => t.door.received.length > 0)
    const [publish] = t.door.received
    expect(publish).to.deep.include({ topic: 'x/will', qos: 1, via: 'mqtt', fingerprint: null, dup: false })
    expect(publish?.principal.id).to.equal('dev')
    expect(publish?.signal).to.equal(undefined)
    const sub = await t.client('sub')
    await sub.mqtt.subscribeAsync('x/#', { qos: 1 })
    await sub.got(1)
    expect(sub.messages[0]).to.deep.include({ topic: 'x/will', retain: true, qos: 1 })
    expect(t.door.received).to.have.length(1)
  })

  for (const outcome of [
    { kind: 'stored', id: 'm', result: {}, duplicate: false },
    { kind: 'refused', code: 'publish.forbidden', message: 'no longer' },
  ] as readonly Outcome[])
    it(`that is ${outcome.kind} at its time is not forwarded and not retained (A7, security 11)`, async () => {
      const door = testDoor()
      const receive = door.receive
      door.receive = async (publish, submitted) => {
        await receive(publish, submitted)
        return outcome
      }
      t = await startBroker({ door })
      const sub = await t.client('sub')
      await sub.mqtt.subscribeAsync('x/#')
      const raw = t.raw()
      raw.send(connectPacket('b', { will }))
      await raw.got(4)
      raw.socket.destroy()
      await eventually(() => t.door.received.length === 1)
      await sub.mqtt.subscribeAsync('x/will')
      t.broker.publish('x/end', '')
      await sub.got(1)
      expect(sub.messages.map(({ topic }) => topic)).to.deep.equal(['x/end'])
    })

  it('follows what its client published before', async () => {
    const door = testDoor()
    const topics: string[] = []
    door.receive = async ({ topic }, submitted) => {
      topics.push(topic)
      await new Promise((resolve) => setImmediate(resolve))
      submitted()
      return { kind: 'plain' }
    }
    t = await startBroker({ door })
    const raw = t.raw()
    raw.send(
      connectPacket('b', { will }),
      publishPacket('x/1', ''),
      publishPacket('x/2', ''),
      Buffer.from([0xf0, 0]),
    )
    await eventually(() => topics.length === 3)
    expect(topics).to.deep.equal(['x/1', 'x/2', 'x/will'])
  })

  it('stays unsaid when the server stops', async () => {
    t = await startBroker()
    const raw = t.raw()
    raw.send(connectPacket('b', { will }))
    await raw.got(4)
    await t.broker.close(1000)
    await raw.closed
    expect(t.door.received).to.deep.equal([])
  })
})
