import { createHmac } from 'node:crypto'
import { startCarillon, type Carillon } from './contenders/carillon.ts'
import { counter } from './metrics-page.ts'
import { keptMemory } from './kept-memory.ts'
import { startLiveLoad, type Heard, type LiveLoad } from './load/live-load.ts'
import type { LiveConsumerOptions, LiveKind } from './load/live-consumer.ts'
import { startLoad } from './load/load.ts'
import { SEQUENCE } from './load/packets.ts'

/** As many as one person may have by default. */
const DEVICES = 20
/** Of all connections, cut again and again while messages are published. */
const DROPPED_SHARE = 0.1
const DROP_EVERY_MS = 1000
const PATIENCE_MS = 30_000
/** Above this an idle consumer is too dear (checked only where there are enough to tell). */
const MOST_KILOBYTES = 30
const ENOUGH_TO_TELL = 1000
const WARM_UP_ROUNDS = 20
const SECRET = 'a-secret-of-the-load-that-is-long-enough'

export interface ConsumersOptions {
  /** Of each kind. */
  readonly each: number
  /** To each person. */
  readonly messages: number
  readonly publishesPerSecond: number
  readonly print?: (line: string) => void
}

export interface ConsumersResult extends Heard {
  /** Resident memory, garbage aside, for one consumer that hears nothing. */
  readonly idleKilobytes: Readonly<Record<LiveKind, number>>
  readonly publishes: number
  readonly seconds: number
}

/**
 * Workload W10: so many consumers of `/v1/events` and of `/ws`, twenty of each kind for one person, of whose connections
 * a tenth is cut every second while notifications are published to everybody. Each consumer has to hear each of its
 * notifications once and in order. Measures before that what an idle consumer costs. Prints a markdown table; throws
 * when one was lost, doubled or out of order, or a consumer is too dear; about 40 s with 2,000 of each kind.
 */
export async function consumers(options: ConsumersOptions): Promise<ConsumersResult> {
  const { each, messages, publishesPerSecond, print = console.log } = options
  const users = Array.from({ length: Math.ceil(each / DEVICES) }, (_, index) => `user-${index}`)
  const server = await startCarillon({
    users,
    config: `auth: { jwt: { secret: ${SECRET} } }`,
    nodeArguments: ['--inspect=127.0.0.1:0'],
  })
  const live = startLiveLoad()
  const load = startLoad()
  try {
    const idleKilobytes = await openAll(server, live, users, each)
    await load.open({
      target: server.name,
      publishers: users.map((user, index) => ({
        port: server.mqttPort,
        clientId: `publisher-${index}`,
        credentials: server.publisher,
        topic: `notifications/realtime/user/${user}`,
        body: JSON.stringify({ title: 'Build', message: 'It failed', data: { sequence: SEQUENCE } }),
        firstSequence: 0,
      })),
      subscribers: [],
    })
    await live.ask({ kind: 'churn', share: DROPPED_SHARE, everyMs: DROP_EVERY_MS, seed: 7 })
    const publishes = messages * users.length
    const startedAt = performance.now()
    await load.publish(server.name, publishes, { kind: 'rate', perSecond: publishesPerSecond })
    const heard = await live.ask({ kind: 'settle', messages, withinMs: PATIENCE_MS })
    const seconds = (performance.now() - startedAt) / 1000
    const result = { ...heard, idleKilobytes, publishes, seconds }
    report(result, print)
    check(result, messages)
    return result
  } finally {
    live.end()
    load.end()
    await server.stop()
  }
}

/** Opens them kind by kind; answers with what one of each keeps. */
async function openAll(server: Carillon, live: LiveLoad, users: readonly string[], each: number) {
  const memory = await keptMemory(server.pid, server.inspector ?? '')
  const tokens = users.map(tokenOf)
  const port = Number(new URL(server.url).port)
  const open = async (kind: LiveKind, count: number) => {
    const made = Array.from({ length: count }, (_, index): LiveConsumerOptions => ({
      kind,
      port,
      token: tokens[Math.floor(index / DEVICES)] ?? '',
    }))
    await live.ask({ kind: 'open', consumers: made })
  }
  // Compiled code, and a heap that has grown to what so many requests need.
  for (let round = 0; round < WARM_UP_ROUNDS; round++) {
    for (const kind of ['sse', 'ws'] as const) await open(kind, Math.min(each, DEVICES * 5))
    await live.ask({ kind: 'close' })
    await gone(server)
  }
  const kilobytes = { sse: 0, ws: 0 }
  for (const kind of ['sse', 'ws'] as const) {
    const before = await memory.read()
    await open(kind, each)
    kilobytes[kind] = ((await memory.read()) - before) / each
  }
  memory.close()
  return kilobytes
}

/** Resolves when the places of those that have closed are free. */
async function gone(server: Carillon): Promise<void> {
  const until = performance.now() + PATIENCE_MS
  const open = (kind: LiveKind) => counter(server, `carillon_connections{transport="${kind}"}`)
  while ((await open('sse')) + (await open('ws')) > 0)
    if (performance.now() > until) throw new Error('connections that were closed still count')
}

/** What a login would give, without the time that passwords cost (contract section 3). */
function tokenOf(user: string): string {
  const now = Math.floor(Date.now() / 1000)
  const claims = { sub: user, iss: 'carillon', aud: 'carillon', iat: now, nbf: now, exp: now + 3000 }
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`
  return `${signed}.${createHmac('sha256', SECRET).update(signed).digest('base64url')}`
}

function check({ idleKilobytes, ...heard }: ConsumersResult, messages: number): void {
  const { consumers: all, complete, frames, doubled, missing, drops } = heard
  if (complete !== all || frames !== all * messages || doubled > 0 || missing > 0)
    throw new Error(
      `of ${all} consumers ${complete} heard everything; ${missing} lost or late, ${doubled} doubled`,
    )
  if (drops === 0) throw new Error('no connection was cut')
  if (all < 2 * ENOUGH_TO_TELL) return
  for (const [kind, kilobytes] of Object.entries(idleKilobytes))
    if (kilobytes > MOST_KILOBYTES)
      throw new Error(`an idle ${kind} consumer costs ${kilobytes.toFixed(1)} KB`)
}

function report(result: ConsumersResult, print: (line: string) => void): void {
  const { idleKilobytes, consumers: all, frames, drops, refused, publishes, seconds } = result
  print(
    '| W10 live consumers | KB/idle SSE | KB/idle WebSocket | publishes | frames | drops | tried again | seconds |',
  )
  print(`|---|${' ---: |'.repeat(7)}`)
  const cells = [
    idleKilobytes.sse.toFixed(1),
    idleKilobytes.ws.toFixed(1),
    ...[publishes, frames, drops, refused].map(String),
    seconds.toFixed(1),
  ]
  print(`| ${all / 2} + ${all / 2} | ${cells.join(' | ')} |`)
  print('')
}
