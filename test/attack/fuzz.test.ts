import { expect } from 'chai'
import { Installation, type Program } from '../support/program.ts'
import { seededRandom } from '../support/seeded-random.ts'
import { residentKb, servesTheGood } from './attacked.ts'
import { connectPacket, field, packet, publishPacket, RawMqtt, subscribePacket, word } from './raw-mqtt.ts'

const SEED = Number(process.env['FUZZ_SEED'] ?? 20260105)
/** Mutated packets before and after the CONNACK; `FUZZ_PACKETS=500000` for a night. */
const PACKETS = Number(process.env['FUZZ_PACKETS'] ?? 8000)
const AT_ONCE = 20
const DRIFT_KB = 64 * 1024

const CONFIG = `
users: { anna: { password: anna-password, email: anna@example.org, roles: [admin] } }
clients:
  device: { token: device-token, publish: ["#"], subscribe: ["#"], rate_limit: { max_requests: 1000000, window_seconds: 1 } }
  watcher: { token: watcher-token, subscribe: ["#"] }
`
const LOGIN = { username: 'device', password: 'device-token' }
const levels = (count: number) => Array.from({ length: count }, () => 'a').join('/')

const VALID: readonly Buffer[] = [
  connectPacket({ clientId: 'fuzz', ...LOGIN, will: { topic: 'plain/will', payload: 'x', qos: 1 } }),
  publishPacket('plain/a', 'payload', 0),
  publishPacket('plain/a', 'payload', 1, 7),
  publishPacket('plain/a', 'payload', 2, 8),
  publishPacket('notifications/realtime/user/anna', '{"message":"x"}', 1, 9),
  publishPacket('alerts/info/x', '{"message":"x"}', 2, 10),
  packet(0x40, word(7)),
  packet(0x50, word(8)),
  packet(0x62, word(8)),
  packet(0x70, word(8)),
  subscribePacket(
    [
      ['plain/+', 1],
      ['#', 2],
    ],
    11,
  ),
  packet(0xa2, word(12), field('plain/+')),
  packet(0xc0),
]

interface Case {
  readonly what: string
  readonly bytes: readonly Buffer[]
  /** What the protocol or the product asks for; null where either is right as long as others are served. */
  readonly closes: boolean | null
}

const CASES: readonly Case[] = [
  { what: 'QoS 3', bytes: [packet(0x36, field('plain/a'), word(1), Buffer.from('x'))], closes: true },
  { what: 'a topic with NUL (A14)', bytes: [publishPacket('plain/\0a', 'x', 1)], closes: true },
  {
    what: 'a topic that is no UTF-8 (A14)',
    bytes: [publishPacket(Buffer.from([0x70, 0xc0, 0xaf]), 'x', 1)],
    closes: true,
  },
  {
    what: 'a topic with half a surrogate pair',
    bytes: [publishPacket(Buffer.from([0x70, 0xed, 0xa0, 0x80]), 'x', 1)],
    closes: true,
  },
  { what: 'a topic with a wildcard', bytes: [publishPacket('plain/#', 'x', 1)], closes: true },
  { what: 'an empty topic', bytes: [publishPacket('', 'x', 1)], closes: true },
  { what: 'a topic of 101 levels', bytes: [publishPacket(levels(101), 'x', 1)], closes: true },
  { what: 'a topic of 60 KB', bytes: [publishPacket('t'.repeat(60_000), 'x', 1)], closes: true },
  { what: 'a filter of 101 levels', bytes: [subscribePacket([[levels(101), 1]])], closes: null },
  { what: 'a filter with NUL', bytes: [subscribePacket([['plain/\0', 1]])], closes: true },
  {
    what: 'filters that are none',
    bytes: [
      subscribePacket([
        ['a#', 1],
        ['#/a', 1],
        ['a+/b', 1],
      ]),
    ],
    closes: null,
  },
  { what: 'a SUBSCRIBE without filters', bytes: [packet(0x82, word(1))], closes: null },
  { what: 'a SUBSCRIBE with QoS 3', bytes: [subscribePacket([['plain/a', 3]])], closes: null },
  {
    what: '1,000 filters in one SUBSCRIBE, ten times',
    bytes: Array.from({ length: 10 }, (_, i) =>
      subscribePacket(Array.from({ length: 1000 }, (_, k) => [`plain/${i}/${k}/+`, 1] as const)),
    ),
    closes: false,
  },
  {
    what: 'an UNSUBSCRIBE of what it never had',
    bytes: [packet(0xa2, word(1), field('nothing'), field('#'), field(''))],
    closes: null,
  },
  { what: 'an UNSUBSCRIBE without filters', bytes: [packet(0xa2, word(1))], closes: null },
  { what: 'a PUBREL without a PUBLISH', bytes: [packet(0x62, word(77))], closes: false },
  {
    what: 'a PUBACK and PUBCOMP without a PUBLISH',
    bytes: [packet(0x40, word(77)), packet(0x50, word(77)), packet(0x70, word(77))],
    closes: null,
  },
  { what: 'packet id 0', bytes: [publishPacket('plain/a', 'x', 1, 0)], closes: null },
  { what: 'a second CONNECT', bytes: [connectPacket({ clientId: 'again', ...LOGIN })], closes: true },
  {
    what: 'what only servers send',
    bytes: [packet(0x20, word(0)), packet(0x90, word(1)), packet(0xd0)],
    closes: null,
  },
  { what: 'reserved packet types', bytes: [packet(0x00), packet(0xf0)], closes: true },
  {
    what: 'a length of five bytes',
    bytes: [Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 0x7f])],
    closes: true,
  },
  {
    what: 'a packet of 257 KB',
    bytes: [publishPacket('plain/a', Buffer.alloc(257 * 1024), 1)],
    closes: true,
  },
  {
    what: 'a topic length beyond its packet',
    bytes: [packet(0x30, word(60_000), Buffer.from('x'))],
    closes: true,
  },
  {
    what: '100,000 levels of JSON',
    bytes: [publishPacket('alerts/info/x', '['.repeat(100_000), 1)],
    closes: false,
  },
  {
    what: 'JSON that would reach into prototypes',
    bytes: [
      publishPacket(
        'alerts/info/x',
        '{"message":"x","__proto__":{"polluted":1},"data":{"constructor":{"prototype":{"polluted":1}}}}',
        1,
      ),
    ],
    closes: false,
  },
]

describe(`packets that are wrong (seed ${SEED})`, function () {
  this.timeout(120_000)
  const installation = new Installation(CONFIG)
  let program: Program
  let clients = 0

  before(async () => {
    program = await installation.start()
  })
  after(() => installation.remove())

  async function authenticated(): Promise<RawMqtt> {
    const raw = await RawMqtt.open(program.mqttPort)
    await raw.connect({ clientId: `fuzz-${clients++}`, ...LOGIN })
    return raw
  }

  for (const { what, bytes, closes } of CASES)
    it(`end at most their own connection: ${what} (rows 13 and 14)`, async () => {
      const raw = await authenticated()
      raw.send(...bytes, packet(0xc0))
      const pong = await raw.next(13)
      if (closes !== null) expect(pong === null, 'closed').to.equal(closes)
      expect(await servesTheGood(program)).to.equal(true)
      raw.end()
    })

  it('bring no hostile topic to a subscriber (A14, row 14)', async () => {
    const watcher = await RawMqtt.open(program.mqttPort)
    await watcher.connect({ clientId: 'watcher', username: 'watcher', password: 'watcher-token' })
    watcher.send(subscribePacket([['#', 1]]))
    await watcher.next(9)
    for (const topic of ['plain/\0a', Buffer.from([0x70, 0xff]), 'plain/\u0085', 'plain/\u0001']) {
      const raw = await authenticated()
      raw.send(publishPacket(topic, 'hostile', 0))
      await raw.closed
    }
    watcher.send(packet(0xc0))
    await watcher.next(13)
    expect(watcher.packets.filter((each) => each.includes('hostile'))).to.deep.equal([])
    watcher.end()
  })

  it('are held off when 65,535 QoS 2 exchanges are begun and none is finished (row 17)', async () => {
    const before = residentKb(program.pid) ?? 0
    const raw = await authenticated()
    for (let id = 1; id <= 0xffff && !raw.socket.destroyed; id++) {
      raw.send(publishPacket('plain/half', 'x'.repeat(100), 2, id))
      if (id % 4096 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    raw.send(packet(0xc0))
    await raw.next(13)
    expect(raw.packets.filter((each) => each[0] === 0x50).length).to.be.at.most(1001)
    expect(await servesTheGood(program)).to.equal(true)
    expect((residentKb(program.pid) ?? 0) - before).to.be.below(DRIFT_KB)
    raw.end()
  })

  for (const stage of ['before', 'after'] as const)
    it(`leave the process alive and its memory as it was, ${PACKETS} of them ${stage} the CONNACK (row 14)`, async () => {
      const random = seededRandom(SEED + stage.length)
      const round = async (count: number) => {
        const one = async () => {
          const raw = stage === 'after' ? await authenticated() : await RawMqtt.open(program.mqttPort)
          for (let each = 0; each < 3 && !raw.socket.destroyed; each++) raw.send(mutated())
          if (random.chance(0.2)) raw.socket.resetAndDestroy()
          else raw.socket.end(packet(0xe0))
          await raw.closed
        }
        for (let done = 0; done < count; done += AT_ONCE * 3)
          await Promise.all(Array.from({ length: AT_ONCE }, one))
      }
      const mutated = () => {
        const bytes = Buffer.from(random.pick(VALID))
        for (let flips = 1 + random.below(4); flips > 0; flips--) {
          const at = random.below(bytes.length)
          bytes[at] = random.chance(0.5) ? random.below(256) : (bytes[at] ?? 0) ^ (1 << random.below(8))
        }
        if (random.chance(0.2)) return bytes.subarray(0, random.below(bytes.length) + 1)
        return random.chance(0.1) ? Buffer.concat([bytes, random.pick(VALID)]) : bytes
      }
      await round(PACKETS / 2)
      const before = residentKb(program.pid) ?? 0
      await round(PACKETS / 2)
      const drift = (residentKb(program.pid) ?? 0) - before
      if (process.env['ATTACK_FIGURES'] !== undefined)
        process.stdout.write(`      drift ${drift} KB of ${before} KB\n`)
      expect(await servesTheGood(program)).to.equal(true)
      expect(drift).to.be.below(DRIFT_KB)
    })

  it('have logged no bug', () => {
    const bugs = program.lines.filter((line) => Number(line['level']) >= 50)
    expect(bugs).to.deep.equal([])
  })
})
