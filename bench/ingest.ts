import { startAedes } from './contenders/aedes.ts'
import { startCarillon, type Carillon } from './contenders/carillon.ts'
import type { Contender } from './contenders/contender.ts'
import { startMosquitto } from './contenders/mosquitto.ts'
import { checkInbox, type InboxCheck } from './inbox-check.ts'
import { startLoad, type Load } from './load/load.ts'
import { SEQUENCE } from './load/packets.ts'
import { histogram, meanBetween } from './metrics-page.ts'
import { between, costOf, residentMegabytes } from './process-cost.ts'
import { median } from './statistics.ts'

const PUBLISHERS = 50
const IN_FLIGHT = 20
const PAYLOAD_BYTES = 300
const ROUNDS = 5
const MESSAGES = 10_000
/** Processor time is counted in steps of 10 ms, so whoever needs little of it gets more to do. */
const PEER_MESSAGES = 50_000
/** The first round only warms up: compilers, caches, and the files of the store. */
const WARM_UP_ROUNDS = 1
/** At a load that leaves room, to see what a single publish waits. */
const MODERATE = { perSecond: 1000, messages: 3000 }
const COMMIT_SIZE = 'carillon_store_commit_operations'
const SEQUENCES_EACH = 10_000_000

/** What one contender came to: medians over the rounds. */
export interface IngestRow {
  readonly contender: string
  /** Processor time of the whole server process for one acknowledged message. */
  readonly cpuMicroseconds: number
  readonly mainMicroseconds: number
  readonly busiestOtherMicroseconds: number
  readonly acknowledgedPerSecond: number
  /** From when a message was due to its PUBACK, at {@link MODERATE} load. */
  readonly p50Ms: number
  readonly p99Ms: number
  readonly residentMegabytes: number
  /** Processor time of ours for one of this contender's. */
  readonly ratio: number
}

export interface IngestResult {
  readonly rows: readonly IngestRow[]
  readonly messages: number
  readonly operationsPerCommit: number
  readonly inbox: InboxCheck
}

interface Sample {
  readonly cpu: number
  readonly main: number
  readonly other: number
  readonly perSecond: number
}

type Samples = ReadonlyMap<Contender, readonly Sample[]>

/**
 * Workload W1: 50 publishers with 20 messages of 300 bytes in flight at QoS 1, to the inboxes of 50 people. Ours stores
 * each before it acknowledges, with everything switched on; the peers keep nothing. All take turns within one run.
 * Prints a markdown table; throws when an acknowledged message is missing or doubled; about 30 s.
 */
export async function ingest(options: {
  readonly print?: (line: string) => void
  readonly nodeArguments?: readonly string[]
}): Promise<IngestResult> {
  const { print = console.log, nodeArguments = [] } = options
  const users = Array.from({ length: PUBLISHERS }, (_, index) => `user-${index}`)
  const load = startLoad()
  const stops: (() => Promise<void>)[] = []
  try {
    const ours = await startCarillon({ users, nodeArguments })
    stops.push(() => ours.stop())
    const mosquitto = await startMosquitto()
    if (mosquitto) stops.push(() => mosquitto.stop())
    else print('mosquitto is left out: it is not installed')
    const aedes = await startAedes()
    stops.push(() => aedes.stop())
    const contenders: Contender[] = [ours, ...(mosquitto ? [mosquitto] : []), aedes]
    for (const contender of contenders) await open(load, contender, users)
    const commits = await histogram(ours, COMMIT_SIZE)
    const samples = await rounds(load, contenders)
    const operationsPerCommit = meanBetween(commits, await histogram(ours, COMMIT_SIZE))
    const rows = await rowsOf(load, contenders, samples)
    const messages = (ROUNDS + WARM_UP_ROUNDS) * MESSAGES + MODERATE.messages
    const result = {
      rows,
      messages,
      operationsPerCommit,
      inbox: await checkAll(ours, users, messages / users.length),
    }
    report(result, print)
    return result
  } finally {
    load.end()
    await Promise.all(stops.map((stop) => stop()))
  }
}

async function open(load: Load, contender: Contender, users: readonly string[]): Promise<void> {
  await load.open({
    target: contender.name,
    publishers: users.map((user, index) => ({
      port: contender.mqttPort,
      clientId: `publisher-${index}`,
      credentials: contender.publisher,
      topic: `notifications/realtime/user/${user}`,
      body: payload(),
      firstSequence: index * SEQUENCES_EACH,
    })),
    subscribers: [],
  })
}

/** A notification of exactly {@link PAYLOAD_BYTES}. */
export function payload(): string {
  const body = (message: string) =>
    JSON.stringify({ title: 'Build finished', message, data: { sequence: SEQUENCE } })
  return body('x'.repeat(PAYLOAD_BYTES - Buffer.byteLength(body(''))))
}

async function rounds(load: Load, contenders: readonly Contender[]): Promise<Samples> {
  const samples = new Map<Contender, Sample[]>(contenders.map((contender) => [contender, []]))
  for (let round = 0; round < ROUNDS + WARM_UP_ROUNDS; round++)
    for (const [index, contender] of contenders.entries()) {
      const sample = await measure(load, contender, index === 0 ? MESSAGES : PEER_MESSAGES)
      if (round >= WARM_UP_ROUNDS) samples.get(contender)?.push(sample)
    }
  return samples
}

async function rowsOf(load: Load, contenders: readonly Contender[], samples: Samples): Promise<IngestRow[]> {
  const rows: Omit<IngestRow, 'ratio'>[] = []
  for (const contender of contenders) {
    const taken = samples.get(contender) ?? []
    const pace = { kind: 'rate', perSecond: MODERATE.perSecond } as const
    const { p50Ms, p99Ms } = await load.publish(contender.name, MODERATE.messages, pace)
    rows.push({
      contender: contender.name,
      cpuMicroseconds: median(taken.map(({ cpu }) => cpu)),
      mainMicroseconds: median(taken.map(({ main }) => main)),
      busiestOtherMicroseconds: median(taken.map(({ other }) => other)),
      acknowledgedPerSecond: median(taken.map(({ perSecond }) => perSecond)),
      p50Ms,
      p99Ms,
      residentMegabytes: residentMegabytes(contender.pid),
    })
  }
  const ours = rows[0]?.cpuMicroseconds ?? Number.NaN
  return rows.map((row) => ({ ...row, ratio: ours / row.cpuMicroseconds }))
}

async function measure(load: Load, { name, pid }: Contender, messages: number): Promise<Sample> {
  const before = costOf(pid)
  const { acknowledged, seconds } = await load.publish(name, messages, {
    kind: 'window',
    inFlight: IN_FLIGHT,
  })
  const { cpuMs, mainMs, busiestOtherMs } = between(pid, before, costOf(pid))
  const each = (ms: number) => (ms * 1000) / acknowledged
  return {
    cpu: each(cpuMs),
    main: each(mainMs),
    other: each(busiestOtherMs),
    perSecond: acknowledged / seconds,
  }
}

async function checkAll(ours: Carillon, users: readonly string[], each: number): Promise<InboxCheck> {
  let [lost, doubled] = [0, 0]
  for (const [index, user] of users.entries()) {
    const found = await checkInbox(ours, user, { first: index * SEQUENCES_EACH, count: each })
    lost += found.lost
    doubled += found.doubled
  }
  if (lost + doubled > 0)
    throw new Error(`${lost} acknowledged messages are missing and ${doubled} are there twice`)
  return { lost, doubled }
}

function report(
  { rows, messages, operationsPerCommit, inbox }: IngestResult,
  print: (line: string) => void,
): void {
  print(
    '| W1 ingest | CPU µs/message | main thread | busiest other | ours/its CPU | acked/s | p50 ms | p99 ms | RSS MB |',
  )
  print(`|---|${' ---: |'.repeat(8)}`)
  for (const row of rows) {
    const { cpuMicroseconds, mainMicroseconds, busiestOtherMicroseconds } = row
    const cells = [
      ...[cpuMicroseconds, mainMicroseconds, busiestOtherMicroseconds].map((value) => value.toFixed(1)),
      `${row.ratio.toFixed(2)}x`,
      row.acknowledgedPerSecond.toFixed(0),
      ...[row.p50Ms, row.p99Ms].map((value) => value.toFixed(2)),
      row.residentMegabytes.toFixed(0),
    ]
    print(`| ${row.contender} | ${cells.join(' | ')} |`)
  }
  print('')
  print(
    `Carillon: ${messages} messages, ${operationsPerCommit.toFixed(0)} in a commit on average, ` +
      `${inbox.lost} lost, ${inbox.doubled} doubled. The latencies are at ${MODERATE.perSecond} messages a second.`,
  )
}
