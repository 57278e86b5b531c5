import { expect } from 'chai'
import { setImmediate as turn } from 'node:timers/promises'
import {
  connectPacket,
  eventually,
  packet,
  publishPacket,
  startBroker,
  subscribePacket,
  type TestBroker,
} from './harness.ts'
import { randomOf } from './random.ts'

const CONNECTIONS = 1500

describe('malformed packets (security 14)', () => {
  let t: TestBroker
  const rejections: unknown[] = []
  const onRejection = (error: unknown) => void rejections.push(error instanceof Error ? error.stack : error)
  beforeEach(async () => {
    t = await startBroker()
    rejections.length = 0
    process.on('unhandledRejection', onRejection)
  })
  afterEach(async () => {
    process.off('unhandledRejection', onRejection)
    await t.close()
  })

  const alive = async () => {
    const client = await t.client('alive')
    await client.mqtt.subscribeAsync('alive/#', { qos: 1 })
    await client.mqtt.publishAsync('alive/x', 'yes', { qos: 2 })
    await client.got(1)
    await client.mqtt.endAsync()
    await turn()
    expect(rejections).to.deep.equal([])
  }

  for (const seed of [1, 2])
    it(`end at most their own connection: ${CONNECTIONS} connections of mutated packets, seed ${seed}`, async () => {
      const random = randomOf(seed)
      const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T
      const sound = [
        () =>
          publishPacket('routed/x', 'a'.repeat(random() * 300), { qos: 1, id: 1 + Math.floor(random() * 9) }),
        () => publishPacket('x/y', 'b', { qos: 2, id: 1 + Math.floor(random() * 9), dup: random() < 0.5 }),
        () => publishPacket('x/y', '', { retain: true }),
        () =>
          subscribePacket(3, [
            ['x/#', 2],
            ['#', 1],
            ['$share/g/x', 0],
          ]),
        () => packet(0xa2, Buffer.from('0004000378' + '2f23', 'hex')),
        () => packet(0x62, Buffer.from([0, Math.floor(random() * 9)])),
        () => packet(pick([0x40, 0x50, 0x70]), Buffer.from([0, Math.floor(random() * 9)])),
        () => packet(0xc0, Buffer.alloc(0)),
        () => packet(0xe0, Buffer.alloc(0)),
        () => packet(pick([0x00, 0x20, 0x90, 0xb0, 0xd0, 0xf0]), Buffer.from([0, 1, 2])),
        () => connectPacket('again'),
      ]
      const mutate = (bytes: Buffer): Buffer => {
        const copy = Buffer.from(bytes)
        for (let count = Math.floor(random() * 4); count > 0; count--)
          copy[Math.floor(random() * copy.length)] = Math.floor(random() * 256)
        return random() < 0.1 ? copy.subarray(0, Math.floor(random() * copy.length)) : copy
      }
      for (let count = 0; count < CONNECTIONS; count++) {
        const raw = t.raw()
        const clean = random() < 0.5
        const opening = connectPacket(`f${count % 20}`, {
          clean,
          ...(random() < 0.3 && { will: { topic: 'x/will', payload: 'w', qos: 1 } }),
        })
        raw.send(
          random() < 0.3 ? mutate(opening) : opening,
          ...Array.from({ length: 1 + Math.floor(random() * 6) }, () => mutate(pick(sound)())),
        )
        raw.socket.end()
        if (count % 50 === 0) await eventually(() => t.broker.connections < 60)
      }
      await eventually(() => t.broker.connections === 0)
      await alive()
    })

  for (const [name, hex] of [
    ['a SUBSCRIBE without filters', '82020001'],
    ['a SUBSCRIBE with a filter that is cut off', '8205000100ff61'],
    ['an UNSUBSCRIBE without filters', 'a2020001'],
    ['a PUBLISH whose topic is longer than the packet', '3004ffff6161'],
    ['a PUBLISH of QoS 1 without an identifier', '3203000161'],
    ['a PUBLISH with both QoS bits', '360500016100010a'],
    ['a PUBLISH with identifier 0', '32050001610000'],
    ['an empty PUBACK', '4000'],
    ['a PUBREL with wrong flags', '60020001'],
    ['a run of reserved packets', '0000f000f0000000'],
    ['a SUBSCRIBE to an empty filter', '820500010000' + '01'],
    ['a SUBSCRIBE asking for QoS 3', '82060001000161' + '03'],
  ] as const)
    it(`such as ${name} leave the broker alive`, async () => {
      const raw = t.raw()
      raw.send(connectPacket('c'), hex)
      raw.socket.end()
      await raw.closed
      await alive()
    })

  it('that are random bytes from the start leave the broker alive', async () => {
    const random = randomOf(99)
    for (let count = 0; count < 300; count++) {
      const raw = t.raw()
      raw.send(Buffer.from(Array.from({ length: 1 + Math.floor(random() * 200) }, () => random() * 256)))
      raw.socket.end()
    }
    await eventually(() => t.broker.connections === 0)
    await alive()
  })

  it('and prototype names as client ids, topics and filters change nothing (security 28)', async () => {
    for (const name of ['__proto__', 'constructor', 'hasOwnProperty']) {
      const client = await t.client(name, { clientId: name, clean: false })
      await client.mqtt.subscribeAsync([name, `${name}/#`], { qos: 1 })
      await client.mqtt.publishAsync(name, 'x', { qos: 1, retain: true })
      await client.got(1)
      await client.mqtt.endAsync()
    }
    expect(({} as Record<string, unknown>)['x']).to.equal(undefined)
    await alive()
  })
})
