import { expect } from 'chai'
import { Installation, type Program } from '../support/program.ts'
import { call, login, published, residentKb, servesTheGood } from './attacked.ts'
import { packet, publishPacket, RawMqtt, subscribePacket, word } from './raw-mqtt.ts'

const NOISY_PER_SECOND = 50
const CONFIG = `
users:
  anna: { password: anna-password, email: anna@example.org, roles: [admin] }
  bob: { password: bob-password, email: bob@example.org }
  eve: { password: eve-password, email: eve@example.org }
clients:
  device: { token: device-token, publish: ["notifications/#", "alerts/#", "plain/#"], subscribe: ["plain/#"], rate_limit: { max_requests: 1000000, window_seconds: 1 } }
  noisy: { token: noisy-token, publish: ["notifications/#", "alerts/#"], rate_limit: { max_requests: ${NOISY_PER_SECOND}, window_seconds: 1 } }
  acker: { token: acker-token, publish: ["alerts/+/ack"] }
teams:
  platform: { alert_types: ["*"], schedule: { layers: [{ rotate: [bob] }] }, escalation: { steps: [{ notify: [oncall], wait: 1h }] } }
`

describe('somebody who may do something and wants more', function () {
  this.timeout(60_000)
  const installation = new Installation(CONFIG)
  let program: Program

  before(async () => {
    program = await installation.start()
  })
  after(() => installation.remove())

  async function client(
    username: string,
    clientId = `${username}-1`,
    password = `${username}-token`,
  ): Promise<RawMqtt> {
    const raw = await RawMqtt.open(program.mqttPort)
    expect(await raw.connect({ username, password, clientId })).to.equal(0)
    return raw
  }

  async function raise(source: string): Promise<string> {
    const { text } = await call(program, 'device-token', 'POST', '/v1/publish/alerts/critical/fire', {
      message: 'fire',
      source,
    })
    return (JSON.parse(text) as { result: { alert_id: string } }).result.alert_id
  }

  async function statusOf(id: string): Promise<string> {
    const { text } = await call(program, 'device-token', 'GET', `/v1/alerts/${id}`)
    return (JSON.parse(text) as { status: string }).status
  }

  describe('silences an alert', () => {
    for (const verb of ['ack', 'resolve', 'snooze', 'escalate', 'note', 'unack', 'reassign'])
      for (const prefix of ['alerts', 'notifications/alerts'])
        it(`in vain: a device with alerts/# publishes ${prefix}/{id}/${verb} and is closed (row 38)`, async () => {
          const id = await raise(`${prefix}-${verb}`)
          const raw = await client('device', 'silencer')
          raw.send(publishPacket(`${prefix}/${id}/${verb}`, '{"for":"1h","user":"eve"}', 1))
          expect(await raw.next(4)).to.equal(null)
          expect(
            (await call(program, 'device-token', 'POST', `/v1/publish/${prefix}/${id}/${verb}`, {})).status,
          ).to.equal(403)
          if (prefix === 'alerts')
            expect(
              (
                await call(program, 'device-token', 'POST', `/v1/alerts/${id}/${verb}`, {
                  for: '1h',
                  user: 'eve',
                })
              ).status,
            ).to.equal(403)
          expect(await statusOf(id)).to.equal('firing')
        })

    it('in vain: a person whom it does not concern acknowledges it on every way (row 38, P16)', async () => {
      const id = await raise('stranger')
      const eve = await login(program, 'eve')
      for (const verb of ['ack', 'resolve', 'note', 'escalate'])
        expect((await call(program, eve, 'POST', `/v1/alerts/${id}/${verb}`, {})).status, verb).to.equal(403)
      expect((await call(program, eve, 'POST', `/v1/publish/alerts/${id}/ack`, {})).status).to.equal(403)
      const raw = await client('eve', 'eve-1', 'eve-password')
      raw.send(publishPacket(`alerts/${id}/ack`, '{"user":"bob"}', 1))
      await raw.next(4)
      expect(await statusOf(id)).to.equal('firing')
      for (const path of ['/v1/outbox', '/v1/dead-letters'])
        expect((await call(program, eve, 'GET', path)).status).to.equal(403)
      raw.end()
    })

    it('in vain: a client with the verb ack uses another, while ack itself works (row 38)', async () => {
      const id = await raise('acker')
      expect((await call(program, 'acker-token', 'POST', `/v1/alerts/${id}/resolve`, {})).status).to.equal(
        403,
      )
      expect(
        (await call(program, 'acker-token', 'POST', '/v1/publish/alerts/critical/fire', { message: 'x' }))
          .status,
      ).to.equal(403)
      expect((await call(program, 'acker-token', 'POST', `/v1/alerts/${id}/ack`, {})).status).to.equal(200)
      expect(await statusOf(id)).to.equal('acknowledged')
    })

    it('in vain: a report that resolves needs no verb, but a foreign alert type is another alert', async () => {
      const id = await raise('keep')
      await call(program, 'device-token', 'POST', '/v1/publish/alerts/critical/other', {
        message: 'x',
        source: 'keep',
        status: 'resolved',
      })
      expect(await statusOf(id)).to.equal('firing')
    })
  })

  describe('speaks in the engine’s name', () => {
    for (const topic of [
      'state/alerts/x',
      'state/oncall/platform',
      'receipts/device/x',
      'receipts/bob/x',
      'dlq/x',
      'users/bob/notifications/x/read',
      'users/bob/notifications',
      '$SYS/x',
      'websocket/connect/bob',
    ])
      it(`in vain: ${topic} is refused to a device and to another person (rows 6 and 9)`, async () => {
        expect((await call(program, 'device-token', 'POST', `/v1/publish/${topic}`, {})).status).to.equal(403)
        expect(
          (await call(program, await login(program, 'eve'), 'POST', `/v1/publish/${topic}`, {})).status,
        ).to.equal(403)
        const raw = await client('device', 'forger')
        raw.send(publishPacket(topic, '{}', 1))
        expect(await raw.next(4)).to.equal(null)
      })
  })

  it('floods at ten times its limit, and slows down itself and nobody else (P23)', async () => {
    const quiet = await client('device', 'quiet')
    const typical = async () => {
      const took: number[] = []
      for (let id = 1; id <= 60; id++) {
        const began = performance.now()
        quiet.send(publishPacket('notifications/realtime/user/bob', '{"message":"quiet"}', 1, id))
        await quiet.next(4)
        took.push(performance.now() - began)
      }
      return took.toSorted((a, b) => a - b)[45] ?? Infinity
    }
    await typical()
    const alone = await typical()
    const noisy = await client('noisy')
    for (let id = 1; id <= NOISY_PER_SECOND * 10; id++)
      noisy.send(publishPacket('notifications/realtime/user/bob', '{"message":"noise"}', 1, id))
    const together = await typical()
    if (process.env['ATTACK_FIGURES'] !== undefined)
      process.stdout.write(
        `      PUBACK p75 alone ${alone.toFixed(1)} ms, beside the flood ${together.toFixed(1)} ms\n`,
      )
    // Two times, and what a busy machine adds.
    expect(together).to.be.below(alone * 2 + 20)
    expect(noisy.packets.filter((each) => each[0] === 0x40).length).to.be.below(NOISY_PER_SECOND * 5)
    expect(noisy.socket.destroyed).to.equal(false)
    noisy.end()
    quiet.end()
  })

  it('floods over HTTP and is told 429 with the time to wait (P23, R47)', async () => {
    let limited = 0
    for (let count = 0; count < NOISY_PER_SECOND * 3; count += 25) {
      const answers = await Promise.all(
        Array.from({ length: 25 }, () =>
          call(program, 'noisy-token', 'POST', '/v1/publish/notifications/realtime/user/bob', {
            message: 'x',
          }),
        ),
      )
      for (const { status, headers, text } of answers) {
        if (status === 202) continue
        expect(status).to.equal(429)
        expect(Number(headers.get('retry-after'))).to.be.at.least(1)
        expect(text).to.include('rate_limit_exceeded')
        limited++
      }
    }
    expect(limited).to.be.greaterThan(0)
  })

  for (const qos of [0, 1] as const)
    it(`subscribes with QoS ${qos} and never reads: memory stays, the others get everything (P22)`, async () => {
      const MESSAGES = 800
      const payload = Buffer.alloc(100_000, 'x')
      const slow = await client('device', `slow-${qos}`)
      slow.send(subscribePacket([['plain/#', qos]]))
      await slow.next(9)
      slow.socket.pause()
      const reader = await client('device', `reader-${qos}`)
      reader.send(subscribePacket([['plain/#', 0]]))
      await reader.next(9)
      const sender = await client('device', `sender-${qos}`)
      const before = residentKb(program.pid) ?? 0
      let peak = 0
      for (let id = 1; id <= MESSAGES; id++) {
        sender.send(publishPacket('plain/flood', payload, 1, id))
        expect(await sender.next(4)).not.to.equal(null)
        await reader.next(3)
        if (id % 50 === 0) peak = Math.max(peak, (residentKb(program.pid) ?? 0) - before)
      }
      if (process.env['ATTACK_FIGURES'] !== undefined)
        process.stdout.write(`      80 MB past a subscriber that does not read: ${peak} KB more at most\n`)
      expect(peak).to.be.below(64 * 1024)
      expect(await servesTheGood(program)).to.equal(true)
      for (const raw of [slow, reader, sender]) raw.end()
    })

  it('subscribes, reads and never confirms: its window is bounded and it is cut off, not served without end (P22)', async () => {
    const slow = await client('device', 'never-confirms')
    slow.send(subscribePacket([['plain/#', 1]]))
    await slow.next(9)
    const sender = await client('device', 'sender')
    const before = residentKb(program.pid) ?? 0
    for (let id = 1; id <= 400; id++) {
      sender.send(publishPacket('plain/flood', Buffer.alloc(50_000, 'y'), 1, id))
      await sender.next(4)
    }
    expect(published(slow).length).to.be.below(400)
    expect((residentKb(program.pid) ?? 0) - before).to.be.below(64 * 1024)
    slow.end()
    sender.end()
  })

  it('confirms what it was never sent, and changes nothing', async () => {
    const raw = await client('device', 'confirmer')
    for (let id = 1; id < 2000; id++) raw.send(packet(0x40, word(id)))
    raw.send(packet(0xc0))
    expect(await raw.next(13)).not.to.equal(null)
    raw.end()
  })
})
