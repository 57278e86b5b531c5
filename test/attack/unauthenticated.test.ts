import { expect } from 'chai'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { Installation, type Program } from '../support/program.ts'
import { residentKb, servesTheGood } from './attacked.ts'
import { connectPacket, field, packet } from './raw-mqtt.ts'

const SOCKETS = 500
/** Twice the promise: what the process holds resident counts garbage as well, which no socket holds. */
const LIMIT_KB = 2 * SOCKETS * 64

const CONFIG = `
users: { anna: { password: anna-password, email: anna@example.org, roles: [admin] } }
clients: { device: { token: device-token, publish: ["notifications/#"] } }
`

interface Attack {
  readonly title: string
  readonly door: 'mqtt' | 'http'
  readonly bytes: Buffer
  /** Whether the server has to close at once, or when its time for a greeting is over. */
  readonly closes: 'at once' | 'in time' | 'later'
}

const upgrade = (path: string) =>
  Buffer.from(
    `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n',
  )

function frame(bytes: number): Buffer {
  const head = Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
  head.writeBigUInt64BE(BigInt(bytes), 2)
  return Buffer.concat([head, Buffer.alloc(bytes, 0x10)])
}

const LARGE_CONNECT = packet(
  0x10,
  field('MQTT'),
  Buffer.from([4, 0xc2, 0, 60]),
  field('x'),
  field('u'.repeat(8000)),
  field('p'.repeat(8000)),
)

const ATTACKS: readonly Attack[] = [
  { title: 'say nothing', door: 'mqtt', bytes: Buffer.alloc(0), closes: 'in time' },
  {
    title: 'send half a CONNECT',
    door: 'mqtt',
    bytes: connectPacket({ clientId: 'half' }).subarray(0, 9),
    closes: 'in time',
  },
  {
    title: 'send 16,000 bytes of a CONNECT and no more',
    door: 'mqtt',
    bytes: LARGE_CONNECT.subarray(0, 16_000),
    closes: 'in time',
  },
  {
    title: 'announce a CONNECT of 268 MB and send 100 KB of it (A6)',
    door: 'mqtt',
    bytes: Buffer.concat([Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f]), Buffer.alloc(100_000)]),
    closes: 'at once',
  },
  { title: 'send garbage', door: 'mqtt', bytes: Buffer.alloc(1000, 0xa5), closes: 'at once' },
  {
    title: 'say hello in TLS',
    door: 'mqtt',
    bytes: Buffer.from(`1603010200010001fc0303${'00'.repeat(300)}`, 'hex'),
    closes: 'at once',
  },
  {
    title: 'speak HTTP to the MQTT port',
    door: 'mqtt',
    bytes: Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
    closes: 'at once',
  },
  {
    title: 'ask for a WebSocket and then say nothing',
    door: 'http',
    bytes: upgrade('/mqtt'),
    closes: 'in time',
  },
  {
    title: 'send 300 KB in one WebSocket frame',
    door: 'http',
    bytes: Buffer.concat([upgrade('/mqtt'), frame(300_000)]),
    closes: 'at once',
  },
  {
    title: 'ask for a WebSocket where there is none',
    door: 'http',
    bytes: upgrade('/elsewhere'),
    closes: 'at once',
  },
  {
    title: 'ask for a WebSocket that may never be answered',
    door: 'http',
    bytes: upgrade('/ws'),
    closes: 'in time',
  },
  {
    title: 'never end their HTTP headers',
    door: 'http',
    bytes: Buffer.from(`GET / HTTP/1.1\r\n${'X-A: b\r\n'.repeat(50)}`),
    closes: 'in time',
  },
  {
    title: 'begin to log in with 150 KB',
    door: 'http',
    bytes: Buffer.from(
      `POST /v1/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 200000\r\n\r\n${'x'.repeat(150_000)}`,
    ),
    closes: 'later',
  },
]

/** CONNECT_MS and the HTTP times of 10 s, noticed at most two seconds late, on a busy machine. */
const IN_TIME_MS = 18_000

describe('sockets that have not said who they are', function () {
  this.timeout(60_000)
  const installation = new Installation(CONFIG)
  let program: Program
  const held: { attack: Attack; sockets: Socket[]; closed: Promise<unknown>; kb: number }[] = []

  before(async () => {
    program = await installation.start()
    // What a process needs for its first busy second is no socket's.
    await assault(ATTACKS[4])
    await assault(ATTACKS[0])
  })

  after(async () => {
    for (const { sockets } of held) for (const socket of sockets) socket.destroy()
    await installation.remove()
  })

  async function assault(attack: Attack | undefined): Promise<number> {
    if (!attack) return 0
    const port = attack.door === 'mqtt' ? program.mqttPort : program.httpPort
    const before = residentKb(program.pid)
    const sockets: Socket[] = []
    const closings: Promise<unknown>[] = []
    for (let count = 0; count < SOCKETS; count++) {
      const socket = connect({ port, host: '127.0.0.1' })
      socket.on('error', () => {})
      socket.resume()
      closings.push(new Promise((resolve) => socket.once('close', resolve)))
      await once(socket, 'connect')
      socket.write(attack.bytes)
      sockets.push(socket)
    }
    // An answer proves that what came before it was read.
    expect(await servesTheGood(program), 'a good client is served').to.equal(true)
    const now = residentKb(program.pid)
    const kb = before === null || now === null ? 0 : now - before
    held.push({ attack, sockets, closed: Promise.all(closings), kb })
    return kb
  }

  for (const attack of ATTACKS)
    it(`hold no more than they may when ${SOCKETS} of them ${attack.title} (rows 13 and 15)`, async () => {
      // What sockets hold is there every time; what the collector has not come round to yet is not.
      const costs: number[] = []
      while (costs.length < 3 && Math.min(...costs) > LIMIT_KB) costs.push(await assault(attack))
      expect(Math.min(...costs)).to.be.at.most(LIMIT_KB)
    })

  for (const attack of ATTACKS.filter(({ closes }) => closes !== 'later'))
    it(`are closed ${attack.closes} when they ${attack.title} (row 15)`, async () => {
      const entry = held.findLast((each) => each.attack === attack)
      const late = new Promise<string>((resolve) => setTimeout(resolve, IN_TIME_MS, 'still open').unref())
      expect(await Promise.race([entry?.closed.then(() => 'closed'), late])).to.equal('closed')
    })

  it('leave the process alive and a good client served (row 14)', async () => {
    expect(await servesTheGood(program)).to.equal(true)
    expect((await fetch(`${program.url}/healthz`)).status).to.equal(200)
  })
})
