import { connect as connectTcp, type Socket } from 'node:net'
import mqtt, { type IClientOptions, type IPublishPacket, type MqttClient } from 'mqtt'
import type { Principal, TenantId } from '../../src/access/principal.ts'
import type { Broker, BrokerDoor, MqttCredentials } from '../../src/broker/broker.ts'
import type { BrokerOptions } from '../../src/broker/broker-options.ts'
import { createBroker } from '../../src/broker/create-broker.ts'
import { matchFilter } from '../../src/access/topic-filter.ts'
import { systemClock } from '../../src/clock.ts'
import type { Config } from '../../src/config/schema/schema.ts'
import type { Live, LiveAttachment, LiveInterest, LiveSink } from '../../src/live/live.ts'
import { createMetrics, type Metrics } from '../../src/metrics.ts'
import type { Outcome, Publish } from '../../src/router/publish.ts'
import type { InboxReader } from '../../src/store/store.ts'
import type { FakeClock } from '../support/fake-clock.ts'
import { silentLog, type LogLine } from '../support/silent-log.ts'

export interface Attached {
  readonly reader: InboxReader
  readonly sink: LiveSink
  interest: LiveInterest
  attached: boolean
  roomy: number
}

/** A door that answers at once and keeps what it was given; every answer can be replaced. */
export interface TestDoor extends BrokerDoor {
  readonly received: Publish[]
  readonly attachments: Attached[]
  authenticate: (credentials: MqttCredentials) => Promise<Principal | null>
  receive: (publish: Publish, submitted: () => void) => Promise<Outcome>
  mayPublish: (principal: Principal, topic: string) => boolean
  maySubscribe: (principal: Principal, filter: string) => boolean
  mayForward: (principal: Principal, topic: string) => boolean
}

export const STORED: Outcome = { kind: 'stored', id: 'm1', result: {}, duplicate: false }

export function principal(id: string, more: Partial<Principal> = {}): Principal {
  return {
    kind: 'client',
    id,
    tenant: 'default' as TenantId,
    roles: ['service'],
    publish: ['#'],
    subscribe: ['#'],
    rateLimit: { maxRequests: 1000, windowMs: 60_000 },
    ...more,
  }
}

/** Whether one of the grants covers a filter that is at least as narrow; enough for the filters of these tests. */
const granted = (grants: readonly string[], filter: string) =>
  grants.includes(filter) || grants.some((grant) => matchFilter(grant, filter))

/** Password `good` lets everybody in under their user name; topics below `routed/` are stored, others are plain. */
export function testDoor(people: readonly Principal[] = []): TestDoor {
  const received: Publish[] = []
  const attachments: Attached[] = []
  const live: Live = {
    attach(reader, interest, sink): LiveAttachment {
      const entry: Attached = { reader, sink, interest, attached: true, roomy: 0 }
      attachments.push(entry)
      return {
        roomy: () => void entry.roomy++,
        want: (next) => void (entry.interest = next),
        detach: () => void (entry.attached = false),
      }
    },
    online: () => false,
    stored: () => {},
    arrived: () => {},
    page: () => {},
    outcome: () => {},
    changed: () => {},
    close: () => {},
  }
  return {
    live,
    received,
    attachments,
    authenticate: async ({ username, password }) =>
      password === 'good' && username !== null
        ? (people.find(({ id }) => id === username) ?? principal(username))
        : null,
    receive: async (publish, submitted) => {
      received.push(publish)
      submitted()
      return publish.topic.startsWith('routed/') ? STORED : { kind: 'plain' }
    },
    mayPublish: (who, topic) => granted(who.publish, topic),
    maySubscribe: (who, filter) => granted(who.subscribe, filter),
    mayForward: (who, topic) => who.subscribe.some((grant) => matchFilter(grant, topic)),
  }
}

export interface TestBroker {
  readonly broker: Broker
  readonly port: number
  readonly door: TestDoor
  readonly log: LogLine[]
  readonly metrics: Metrics
  client(username: string, options?: IClientOptions & { url?: string }): Promise<TestClient>
  raw(): RawClient
  close(): Promise<void>
}

export interface TestClient {
  readonly mqtt: MqttClient
  readonly messages: IPublishPacket[]
  readonly sessionPresent: boolean
  /** Resolves with the messages once there are so many. */
  got(count: number): Promise<IPublishPacket[]>
  texts(): string[]
}

const LIMITS: Config['limits'] = {
  connections: 10_000,
  connections_per_address: 100,
  streams_per_user: 20,
  takeovers: 1000,
  session_expiry: '7d',
  commit_queue: 1000,
  commit_queue_bytes: 1024 * 1024,
}

export async function startBroker(
  options: {
    door?: TestDoor
    clock?: FakeClock
    limits?: Partial<Config['limits']>
    more?: Partial<BrokerOptions>
  } = {},
): Promise<TestBroker> {
  const door = options.door ?? testDoor()
  const { log, lines } = silentLog()
  const metrics = createMetrics()
  const broker = await createBroker({
    door,
    clock: options.clock ?? systemClock(),
    log,
    metrics,
    limits: { ...LIMITS, ...options.limits },
    readerOf: ({ tenant, id }) => ({ tenant, userId: id, groups: [] }),
    ...options.more,
  })
  const port = await broker.listen('127.0.0.1', 0)
  const clients: MqttClient[] = []
  const raws: RawClient[] = []
  return {
    broker,
    port,
    door,
    log: lines,
    metrics,
    async client(username, { url, ...more } = {}) {
      const client = await connectClient(url ?? `mqtt://127.0.0.1:${port}`, { username, ...more })
      clients.push(client.mqtt)
      return client
    },
    raw() {
      const client = rawClient(port)
      raws.push(client)
      return client
    },
    async close() {
      for (const client of clients) client.end(true)
      for (const { socket } of raws) socket.destroy()
      const closed = broker.close(0)
      await Promise.race([closed, options.clock?.pass(10_000)])
      await closed
    },
  }
}

/** Resolves when connected; rejects with the CONNACK's error. */
export async function connectClient(url: string, options: IClientOptions): Promise<TestClient> {
  const client = mqtt.connect(url, {
    password: 'good',
    protocolVersion: 4,
    reconnectPeriod: 0,
    keepalive: 0,
    ...options,
  })
  const messages: IPublishPacket[] = []
  let wake = () => {}
  client.on('message', (_topic, _payload, packet) => {
    messages.push(packet)
    wake()
  })
  const connack = await new Promise<{ sessionPresent?: boolean }>((resolve, reject) => {
    client.once('connect', resolve)
    client.once('error', (error) => {
      client.end(true)
      reject(error)
    })
    client.once('close', () => reject(new Error('closed')))
  })
  client.on('error', () => {})
  return {
    mqtt: client,
    messages,
    sessionPresent: connack.sessionPresent === true,
    async got(count) {
      while (messages.length < count) await new Promise<void>((resolve) => (wake = resolve))
      return messages
    },
    texts: () => messages.map(({ payload }) => payload.toString()),
  }
}

export interface RawClient {
  readonly socket: Socket
  /** Everything that came so far. */
  readonly bytes: () => Buffer
  /** Resolves once so many bytes have come, or rejects when the connection ends first. */
  got(count: number): Promise<Buffer>
  readonly closed: Promise<unknown>
  send(...packets: readonly (Uint8Array | string)[]): void
}

function rawClient(port: number): RawClient {
  const socket = connectTcp(port, '127.0.0.1')
  let received = Buffer.alloc(0)
  socket.on('data', (chunk) => (received = Buffer.concat([received, chunk])))
  socket.on('error', () => {})
  const closed = new Promise((resolve) => socket.once('close', resolve))
  return {
    socket,
    closed,
    bytes: () => received,
    async got(count) {
      while (received.length < count) {
        if (socket.destroyed) throw new Error(`closed after ${received.toString('hex')}`)
        await Promise.race([new Promise((resolve) => socket.once('data', resolve)), closed])
      }
      return received
    },
    send: (...packets) =>
      void socket.write(Buffer.concat(packets.map((packet) => Buffer.from(packet as string, 'hex')))),
  }
}

/** Resolves when the condition holds; checked once a turn, so that a test that fails runs into mocha's limit. */
export async function eventually(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2))
}

const text = (value: string | Uint8Array) => {
  const bytes = Buffer.from(value as string)
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes])
}

/** A packet with its fixed header. */
export function packet(first: number, body: Uint8Array): Buffer {
  const length: number[] = []
  let rest = body.length
  do {
    length.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0))
    rest >>= 7
  } while (rest > 0)
  return Buffer.concat([Buffer.from([first, ...length]), body])
}

export function connectPacket(
  clientId: string | Uint8Array,
  options: {
    username?: string
    password?: string
    clean?: boolean
    level?: number
    keepalive?: number
    will?: { topic: string; payload: string; qos?: number; retain?: boolean }
  } = {},
): Buffer {
  const { username = 'dev', password = 'good', clean = true, level = 4, keepalive = 0, will } = options
  const flags =
    0xc0 | (clean ? 2 : 0) | (will ? 4 | ((will.qos ?? 0) << 3) | (will.retain === true ? 0x20 : 0) : 0)
  return packet(
    0x10,
    Buffer.concat([
      text(level === 3 ? 'MQIsdp' : 'MQTT'),
      Buffer.from([level, flags, keepalive >> 8, keepalive & 0xff, ...(level === 5 ? [0] : [])]),
      text(clientId),
      ...(will ? [text(will.topic), text(will.payload)] : []),
      text(username),
      text(password),
    ]),
  )
}

export function publishPacket(
  topic: string | Uint8Array,
  payload: string | Uint8Array,
  options: { qos?: number; id?: number; dup?: boolean; retain?: boolean } = {},
): Buffer {
  const { qos = 0, id = 1, dup = false, retain = false } = options
  return packet(
    0x30 | (dup ? 8 : 0) | (qos << 1) | (retain ? 1 : 0),
    Buffer.concat([
      text(topic),
      ...(qos > 0 ? [Buffer.from([id >> 8, id & 0xff])] : []),
      Buffer.from(payload as string),
    ]),
  )
}

export function subscribePacket(id: number, filters: readonly (readonly [string, number])[]): Buffer {
  return packet(
    0x82,
    Buffer.concat([
      Buffer.from([id >> 8, id & 0xff]),
      ...filters.map(([filter, qos]) => Buffer.concat([text(filter), Buffer.from([qos])])),
    ]),
  )
}
