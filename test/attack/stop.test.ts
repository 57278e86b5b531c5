import { expect } from 'chai'
import { Installation, type Program } from '../support/program.ts'
import { call, login, servesTheGood } from './attacked.ts'
import { publishPacket, RawMqtt } from './raw-mqtt.ts'

const CONFIG = `
users: { anna: { password: anna-password, email: anna@example.org, roles: [admin] } }
clients: { device: { token: device-token, publish: ["notifications/#", "alerts/#"], rate_limit: { max_requests: 1000000, window_seconds: 1 } } }
`
const PUBLISHERS = 4
const WINDOW = 50

describe('a process that is stopped under load', function () {
  this.timeout(60_000)
  const installation = new Installation(CONFIG)
  let program: Program

  before(async () => {
    program = await installation.start()
  })
  after(() => installation.remove())

  /** Publishers that keep a window open and note what was acknowledged, by the name of the message. */
  async function load(tag: string) {
    const acknowledged = new Set<string>()
    const clients: RawMqtt[] = []
    let stopped = false
    const runs: Promise<void>[] = []
    for (let publisher = 0; publisher < PUBLISHERS; publisher++) {
      const raw = await RawMqtt.open(program.mqttPort)
      await raw.connect({ clientId: `${tag}-${publisher}`, username: 'device', password: 'device-token' })
      clients.push(raw)
      runs.push(run(raw, `${tag}-${publisher}`))
    }
    async function run(raw: RawMqtt, name: string): Promise<void> {
      const flying = new Map<number, string>()
      for (let count = 1; ; count++) {
        const id = (count % 60_000) + 1
        const key = `${name}-${count}`
        flying.set(id, key)
        raw.send(
          publishPacket(
            'notifications/realtime/user/anna',
            JSON.stringify({ id: key, message: key, data: { key } }),
            1,
            id,
          ),
        )
        while (flying.size >= WINDOW || (stopped && flying.size > 0)) {
          const ack = await raw.next(4)
          if (ack === null) return
          const acked = ack.readUInt16BE(2)
          acknowledged.add(flying.get(acked) ?? '')
          flying.delete(acked)
        }
        if (stopped) return
      }
    }
    return {
      acknowledged,
      async reach(count: number) {
        while (acknowledged.size < count) await new Promise((resolve) => setTimeout(resolve, 5))
      },
      async stop() {
        stopped = true
        await Promise.all(runs)
        for (const raw of clients) raw.end()
      },
    }
  }

  async function inbox(): Promise<Map<string, number>> {
    const token = await login(program, 'anna')
    const found = new Map<string, number>()
    for (let offset = 0; ; offset += 1000) {
      const { text } = await call(program, token, 'GET', `/v1/notifications?limit=1000&offset=${offset}`)
      const { notifications } = JSON.parse(text) as { notifications: { data?: { key?: string } }[] }
      for (const { data } of notifications)
        if (data?.key !== undefined) found.set(data.key, (found.get(data.key) ?? 0) + 1)
      if (notifications.length < 1000) return found
    }
  }

  it('by SIGTERM ends in order within ten seconds, and has everything that it acknowledged, once (P27)', async () => {
    const sending = await load('term')
    await sending.reach(500)
    const began = performance.now()
    const code = await program.end('SIGTERM')
    expect(code).to.equal(0)
    expect(performance.now() - began).to.be.below(12_000)
    await sending.stop()
    program = await installation.start()
    const found = await inbox()
    expect(
      [...sending.acknowledged].filter((key) => !found.has(key)),
      'lost',
    ).to.deep.equal([])
    expect(
      [...found].filter(([, count]) => count > 1),
      'doubled',
    ).to.deep.equal([])
    if (process.env['ATTACK_FIGURES'] !== undefined)
      process.stdout.write(
        `      ${sending.acknowledged.size} acknowledged, stopped in ${Math.round(performance.now() - began)} ms with restart\n`,
      )
  })

  it('by SIGTERM while clients send nothing, half a packet or half a request still ends in order (P27)', async () => {
    const silent = await RawMqtt.open(program.mqttPort)
    const half = await RawMqtt.open(program.mqttPort)
    await half.connect({ clientId: 'half', username: 'device', password: 'device-token' })
    half.send(publishPacket('notifications/realtime/user/anna', '{"message":"x"}', 1).subarray(0, 20))
    const request = await RawMqtt.open(program.httpPort)
    request.send(
      Buffer.from(
        'POST /v1/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{',
      ),
    )
    const upgraded = await RawMqtt.open(program.httpPort)
    upgraded.send(
      Buffer.from(
        'GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
      ),
    )
    await servesTheGood(program)
    const began = performance.now()
    expect(await program.end('SIGTERM')).to.equal(0)
    expect(performance.now() - began).to.be.below(12_000)
    for (const raw of [silent, half, request, upgraded]) raw.end()
    program = await installation.start()
  })

  it('by SIGSTOP for three seconds goes on by itself, and has lost nothing (P25)', async () => {
    const sending = await load('pause')
    await sending.reach(200)
    process.kill(program.pid, 'SIGSTOP')
    const paused = sending.acknowledged.size
    await new Promise((resolve) => setTimeout(resolve, 3000))
    process.kill(program.pid, 'SIGCONT')
    await sending.reach(paused + 1000)
    await sending.stop()
    const found = await inbox()
    expect(
      [...sending.acknowledged].filter((key) => !found.has(key)),
      'lost',
    ).to.deep.equal([])
    expect((await fetch(`${program.url}/readyz`)).status).to.equal(200)
    expect(await servesTheGood(program)).to.equal(true)
  })
})
