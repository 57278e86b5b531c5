import { expect } from 'chai'
import { once } from 'node:events'
import { createServer, request, type Server } from 'node:http'
import { WebSocket } from 'ws'
import type { MqttCredentials } from '../../src/broker/broker.ts'
import {
  connectPacket,
  eventually,
  publishPacket,
  startBroker,
  testDoor,
  type TestBroker,
} from './harness.ts'

describe('MQTT over WebSocket', () => {
  let t: TestBroker
  let server: Server
  let url: string
  const asked: MqttCredentials[] = []
  beforeEach(async () => {
    asked.length = 0
    const door = testDoor()
    const known = door.authenticate
    door.authenticate = async (credentials) => {
      asked.push(credentials)
      return known(credentials)
    }
    t = await startBroker({
      door,
      limits: { connections_per_address: 2 },
      more: {
        originAllowed: (origin) => origin === 'http://good.example',
        addressOf: ({ headers }) => String(headers['x-forwarded-for'] ?? '127.0.0.1'),
      },
    })
    server = createServer((_, response) => response.end('page'))
    t.broker.attachTo(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `127.0.0.1:${(server.address() as { port: number }).port}`
  })
  afterEach(async () => {
    await t.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })

  /** Status of an upgrade request that may fail; 101 when it does not. */
  const upgrade = (path: string, headers: Record<string, string>) =>
    new Promise<number>((resolve, reject) => {
      const ws = new WebSocket(`ws://${url}${path}`, headers['protocol'] ?? 'mqtt', { headers })
      ws.on('open', () => resolve((ws.terminate(), 101)))
      ws.on('unexpected-response', (_, response) => resolve((ws.terminate(), response.statusCode ?? 0)))
      ws.on('error', reject)
    })

  it('carries the same as TCP, on /mqtt with subprotocol mqtt', async () => {
    const sub = await t.client('a', { url: `ws://${url}/mqtt?ticket=t-1` })
    await sub.mqtt.subscribeAsync('x/#', { qos: 1 })
    const pub = await t.client('b')
    await pub.mqtt.publishAsync('x/small', 'hello', { qos: 1 })
    await pub.mqtt.publishAsync('x/large', 'z'.repeat(120_000), { qos: 1 })
    await sub.mqtt.publishAsync('x/back', 'y'.repeat(120_000), { qos: 2 })
    await sub.got(3)
    expect(sub.messages.map(({ payload }) => payload.length)).to.deep.equal([5, 120_000, 120_000])
    expect(asked[0]).to.deep.include({ ticket: 't-1', cookie: null, remoteAddress: '127.0.0.1' })
    const gauge = await t.metrics.connections.get()
    expect(gauge.values.find(({ labels }) => labels['transport'] === 'mqtt_ws')?.value).to.equal(1)
    await sub.mqtt.endAsync()
    await eventually(() => t.broker.connections === 1)
  })

  for (const [name, path, headers, status] of [
    ['a cookie and a foreign origin', '/mqtt', { cookie: 's=1', origin: 'http://evil.example' }, 403],
    ['a cookie and no origin', '/mqtt', { cookie: 's=1' }, 403],
    ['a cookie and an allowed origin', '/mqtt', { cookie: 's=1', origin: 'http://good.example' }, 101],
    ['a foreign origin and no cookie', '/mqtt', { origin: 'http://evil.example' }, 101],
    ['another subprotocol', '/mqtt', { protocol: 'chat' }, 400],
    ['MQTT 3.1', '/mqtt', { protocol: 'mqttv3.1' }, 101],
  ] as const)
    it(`answers ${status} to an upgrade with ${name} (security 32)`, async () => {
      expect(await upgrade(path, headers)).to.equal(status)
    })

  it('leaves other paths to others', async () => {
    server.on('upgrade', (req, socket) => {
      if (req.url === '/ws') socket.end('HTTP/1.1 418 Other\r\n\r\n')
    })
    expect(await upgrade('/ws', {})).to.equal(418)
    const page = await new Promise<number>((resolve) =>
      request(`http://${url}/`, (response) => resolve(response.resume().statusCode ?? 0)).end(),
    )
    expect(page).to.equal(200)
  })

  it('counts connections by the address behind the proxy (security 16)', async () => {
    const headers = { 'x-forwarded-for': '192.0.2.9' }
    const open = [0, 1].map(() => new WebSocket(`ws://${url}/mqtt`, 'mqtt', { headers }))
    await Promise.all(open.map((ws) => once(ws, 'open')))
    expect(await upgrade('/mqtt', headers)).to.equal(503)
    for (const ws of open) ws.terminate()
    await eventually(() => t.broker.connections === 0)
    expect(await upgrade('/mqtt', headers)).to.equal(101)
  })

  it('takes packets that are cut anywhere, and several in one message', async () => {
    const ws = new WebSocket(`ws://${url}/mqtt`, 'mqtt')
    await once(ws, 'open')
    const received: Buffer[] = []
    ws.on('message', (data: Buffer) => received.push(data))
    const bytes = Buffer.concat([
      connectPacket('c'),
      publishPacket('routed/1', 'a', { qos: 1, id: 1 }),
      publishPacket('routed/2', 'b', { qos: 1, id: 2 }),
    ])
    ws.send(bytes.subarray(0, 5))
    ws.send(bytes.subarray(5))
    await eventually(() => Buffer.concat(received).length === 12)
    expect(Buffer.concat(received).toString('hex')).to.equal('200200004002000140020002')
    ws.terminate()
  })

  it('takes no message over 64 KB before the CONNACK and none over 256 KB after it (security 13)', async () => {
    const early = new WebSocket(`ws://${url}/mqtt`, 'mqtt')
    await once(early, 'open')
    early.on('error', () => {})
    early.send(Buffer.alloc(70 * 1024))
    await once(early, 'close')
    const late = new WebSocket(`ws://${url}/mqtt`, 'mqtt')
    await once(late, 'open')
    late.on('error', () => {})
    late.send(connectPacket('c'))
    await once(late, 'message')
    late.send(publishPacket('routed/1', 'x'.repeat(200 * 1024), { qos: 1, id: 1 }))
    await once(late, 'message')
    late.send(Buffer.alloc(300 * 1024))
    await once(late, 'close')
    await eventually(() => t.broker.connections === 0)
    expect(t.door.received).to.have.length(1)
  })
})
