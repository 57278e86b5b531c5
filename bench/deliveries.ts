import { setTimeout as pause } from 'node:timers/promises'
import { startCarillon, type Carillon } from './contenders/carillon.ts'
import { startLoad, type Load } from './load/load.ts'
import { SEQUENCE } from './load/packets.ts'
import { counter } from './metrics-page.ts'
import { between, costOf, residentMegabytes } from './process-cost.ts'
import { median } from './statistics.ts'

const PUBLISHERS = 50
const IN_FLIGHT = 20
const ROUNDS = 3
/** The first round only warms up: compilers, caches, and the files of the store. */
const WARM_UP_ROUNDS = 1
const MESSAGES = 10_000
const SEQUENCES_EACH = 10_000_000
const LOOK_MS = 20
const PATIENCE_MS = 60_000
const SENT = 'carillon_deliveries_total{channel="email",state="sent"}'

export interface DeliveriesResult {
  /** Captured, with their record and the copy in the outbox on the disk; medians over the rounds. */
  readonly settledPerSecond: number
  /** Processor time of the whole process for one message: publish, inbox, delivery, capture. */
  readonly cpuMicroseconds: number
  readonly mainMicroseconds: number
  readonly busiestOtherMicroseconds: number
  readonly residentMegabytes: number
  readonly messages: number
}

/**
 * Workload W9: notifications of priority high from 50 publishers to 50 people, each of which is also an e-mail that is
 * captured. Counted from the first publish to the last settled delivery. Prints a markdown table; throws when a
 * message is missing in the outbox or there twice; about 20 s.
 */
export async function deliveries(options: {
  readonly print?: (line: string) => void
  readonly nodeArguments?: readonly string[]
}): Promise<DeliveriesResult> {
  const { print = console.log, nodeArguments = [] } = options
  const users = Array.from({ length: PUBLISHERS }, (_, index) => `user-${index}`)
  const load = startLoad()
  const server = await startCarillon({ users, nodeArguments })
  try {
    await open(load, server, users)
    const samples = []
    for (let round = 0; round < ROUNDS + WARM_UP_ROUNDS; round++) {
      const sample = await measure(load, server, (round + 1) * MESSAGES)
      if (round >= WARM_UP_ROUNDS) samples.push(sample)
    }
    const messages = (ROUNDS + WARM_UP_ROUNDS) * MESSAGES
    const resident = residentMegabytes(server.pid)
    // The whole outbox in one answer takes memory of its own.
    await checkOutbox(server, messages)
    const result = {
      settledPerSecond: median(samples.map(({ perSecond }) => perSecond)),
      cpuMicroseconds: median(samples.map(({ cpu }) => cpu)),
      mainMicroseconds: median(samples.map(({ main }) => main)),
      busiestOtherMicroseconds: median(samples.map(({ other }) => other)),
      residentMegabytes: resident,
      messages,
    }
    report(result, print)
    return result
  } finally {
    load.end()
    await server.stop()
  }
}

async function open(load: Load, server: Carillon, users: readonly string[]): Promise<void> {
  await load.open({
    target: server.name,
    publishers: users.map((user, index) => ({
      port: server.mqttPort,
      clientId: `publisher-${index}`,
      credentials: server.publisher,
      topic: `notifications/realtime/user/${user}`,
      body: JSON.stringify({
        title: 'Build failed',
        message: 'The build of the main branch failed after four minutes',
        priority: 'high',
        data: { sequence: SEQUENCE },
      }),
      firstSequence: index * SEQUENCES_EACH,
    })),
    subscribers: [],
  })
}

/** One round, which ends when `total` deliveries have been settled since the start. */
async function measure(load: Load, server: Carillon, total: number) {
  const before = costOf(server.pid)
  const startedAt = performance.now()
  await load.publish(server.name, MESSAGES, { kind: 'window', inFlight: IN_FLIGHT })
  while ((await counter(server, SENT)) < total) {
    if (performance.now() - startedAt > PATIENCE_MS) throw new Error('deliveries are not settled in time')
    await pause(LOOK_MS)
  }
  const seconds = (performance.now() - startedAt) / 1000
  const { cpuMs, mainMs, busiestOtherMs } = between(server.pid, before, costOf(server.pid))
  const each = (ms: number) => (ms * 1000) / MESSAGES
  return { perSecond: MESSAGES / seconds, cpu: each(cpuMs), main: each(mainMs), other: each(busiestOtherMs) }
}

async function checkOutbox(server: Carillon, messages: number): Promise<void> {
  const response = await fetch(`${server.url}/v1/outbox?channel=email`, {
    headers: { authorization: `Bearer ${server.operatorToken}` },
  })
  // The API's own answer, as its document describes it.
  const { items } = (await response.json()) as { items: readonly { notification_id: string }[] }
  const different = new Set(items.map((item) => item.notification_id)).size
  if (items.length !== messages || different !== messages)
    throw new Error(`${messages} messages came to ${items.length} e-mails about ${different} of them`)
}

function report(result: DeliveriesResult, print: (line: string) => void): void {
  print('| W9 captured deliveries | settled/s | CPU µs/message | main thread | busiest other | RSS MB |')
  print(`|---|${' ---: |'.repeat(5)}`)
  const cells = [
    result.settledPerSecond.toFixed(0),
    ...[result.cpuMicroseconds, result.mainMicroseconds, result.busiestOtherMicroseconds].map((value) =>
      value.toFixed(1),
    ),
    result.residentMegabytes.toFixed(0),
  ]
  print(`| Carillon | ${cells.join(' | ')} |`)
  print('')
  print(`${result.messages} messages, each an inbox entry and an e-mail in the outbox; 0 lost, 0 doubled.`)
}
