import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import type { TenantId } from '../src/access/principal.ts'
import { openStore } from '../src/store/open.ts'
import type { Acceptance, InboxReader, NewNotification, Store } from '../src/store/store.ts'
import { startCarillon, type Carillon } from './contenders/carillon.ts'
import { costOf } from './process-cost.ts'
import { percentile } from './statistics.ts'

const SIZES = [10_000, 100_000, 1_000_000] as const
const TENANT = 'default' as TenantId
/** Everybody but the collector, who alone has half of everything. */
const PEOPLE = 1000
const COLLECTOR = 'collector'
/** One in so many is for everybody, every second of them only for a group. */
const BROADCAST_EVERY = 1000
const AT_ONCE = 500
const UNDER_WAY = 20
const QUESTIONS = 1000
const LONGEST_MS = 2000
const CATEGORIES = ['system', 'payment', 'dunning', 'crm', 'security', 'mail'] as const
/** Of a category that almost nothing has: a page of it must not read the whole inbox. */
const RARE = 'rare'
const RARE_EVERY = 50_000
const CUSTOMERS = 20
const NOON = Date.UTC(2026, 0, 5, 12)

export interface InboxCost {
  readonly stored: number
  readonly reader: 'typical' | 'collector'
  readonly question: string
  readonly p50Ms: number
  readonly p99Ms: number
  /** Processor time of everything that answers it, which a busy machine does not change. */
  readonly cpuMs: number
}

export interface InboxResult {
  readonly fillPerSecond: number
  readonly costs: readonly InboxCost[]
}

/**
 * Workload W7: what a page of an inbox and its summary cost when there are 10k, 100k and a million notifications, for
 * somebody who has a thousandth of one half of them and for somebody who has the other half; at a million over HTTP as
 * well. The first row of each is the cheapest question there is: what the way there and back costs on this machine.
 * Prints a markdown table; about three minutes.
 */
export async function inbox(options: { readonly print?: (line: string) => void } = {}): Promise<InboxResult> {
  const { print = console.log } = options
  const path = mkdtempSync(join(tmpdir(), 'carillon-bench-'))
  try {
    const { fillPerSecond, costs } = await inStore(path)
    const result = { fillPerSecond, costs: [...costs, ...(await overHttp(path))] }
    report(result, print)
    return result
  } finally {
    rmSync(path, { recursive: true, force: true })
  }
}

async function inStore(path: string): Promise<InboxResult> {
  const store = await openStore({
    path,
    log: pino({ level: 'silent' }),
    limits: { operations: 10_000, bytes: 64 * 1024 * 1024 },
    ballastBytes: 0,
  })
  try {
    const costs: InboxCost[] = []
    let stored = 0
    let fillingMs = 0
    for (const size of SIZES) {
      const startedAt = performance.now()
      await fill(store, stored, size)
      fillingMs += performance.now() - startedAt
      stored = size
      for (const reader of READERS)
        for (const [question, ask] of QUESTIONS_ASKED)
          costs.push({
            stored,
            reader,
            question,
            ...(await timed((index) => ask(store, who(reader, index)), ownCpuMs)),
          })
    }
    return { fillPerSecond: (stored * 1000) / fillingMs, costs }
  } finally {
    await store.close()
  }
}

/** The same folder under the program itself: sign-in, scope, query and JSON are in these figures. */
async function overHttp(data: string): Promise<readonly InboxCost[]> {
  const server = await startCarillon({ users: [COLLECTOR, 'user-0'], data })
  try {
    const costs: InboxCost[] = []
    for (const reader of READERS) {
      const authorization = `Bearer ${await signIn(server, reader === 'collector' ? COLLECTOR : 'user-0')}`
      for (const path of PATHS) {
        const once = async () => {
          const response = await fetch(`${server.url}${path}`, { headers: { authorization } })
          if (!response.ok) throw new Error(`GET ${path} was answered with ${response.status}`)
          await response.arrayBuffer()
        }
        const cost = await timed(once, () => costOf(server.pid).cpuMs)
        costs.push({ stored: SIZES[2], reader, question: `GET ${path}`, ...cost })
      }
    }
    return costs
  } finally {
    await server.stop()
  }
}

async function signIn(server: Carillon, user: string): Promise<string> {
  const response = await fetch(`${server.url}/v1/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ user, password: server.password }),
  })
  // The API's own answer, as its document describes it.
  return ((await response.json()) as { readonly token: string }).token
}

/** The first four fifths are read when the last fifth comes. */
async function fill(store: Store, from: number, to: number): Promise<void> {
  const readUntil = from + Math.floor((to - from) * 0.8)
  await insert(store, from, readUntil)
  const readers = [COLLECTOR, ...Array.from({ length: PEOPLE }, (_, index) => `user-${index}`)]
  for (const userId of readers)
    await store.mark({ ...readerOf(userId), ids: 'all', as: 'read', at: NOON + readUntil })
  await insert(store, readUntil, to)
}

async function insert(store: Store, from: number, to: number): Promise<void> {
  const open = new Set<Promise<unknown>>()
  for (let index = from; index < to; index += AT_ONCE) {
    const notifications = Array.from({ length: Math.min(AT_ONCE, to - index) }, (_, more) =>
      entry(index + more),
    )
    const accepted: Promise<unknown> = store
      .accept(acceptance(index, notifications))
      .finally(() => open.delete(accepted))
    open.add(accepted)
    if (open.size >= UNDER_WAY) await Promise.race(open)
  }
  await Promise.all(open)
}

function acceptance(index: number, notifications: readonly NewNotification[]): Acceptance {
  return {
    tenant: TENANT,
    at: NOON + index,
    principal: 'load',
    topic: 'notifications/realtime/user/x',
    once: null,
    result: {},
    notifications,
    deliveries: [],
    alert: null,
    deadLetter: null,
    release: null,
    urgent: false,
  }
}

function entry(index: number): NewNotification {
  const isBroadcast = index % BROADCAST_EVERY === 0
  return {
    id: idOf(index),
    tenant: TENANT,
    userId: isBroadcast ? null : index % 2 === 0 ? COLLECTOR : `user-${((index - 1) / 2) % PEOPLE}`,
    audience: isBroadcast && (index / BROADCAST_EVERY) % 2 === 0 ? ['ops'] : [],
    origin: { principal: 'load', messageId: String(index), topic: 'notifications/realtime/user/x' },
    content: {
      title: 'Build failed',
      message: 'The build of the main branch failed after four minutes',
      type: 'info',
      priority: 'normal',
      data: { sequence: index },
      category: index % RARE_EVERY < 2 ? RARE : (CATEGORIES[index % CATEGORIES.length] ?? RARE),
      customerId: `customer-${index % CUSTOMERS}`,
      channels: ['realtime'],
    },
    createdAt: NOON + index,
  }
}

function idOf(index: number): string {
  return `00000000-0000-7000-8000-${index.toString(16).padStart(12, '0')}`
}

function readerOf(userId: string): InboxReader {
  return { tenant: TENANT, userId, groups: ['ops', 'eu'] }
}

const READERS = ['typical', 'collector'] as const
function who(reader: (typeof READERS)[number], index: number): InboxReader {
  return readerOf(reader === 'typical' ? `user-${(index * 7) % PEOPLE}` : COLLECTOR)
}

const PATHS = [
  '/healthz',
  '/api/v1/notifications/summary',
  '/api/v1/notifications?limit=20&unread_only=true&category=payment',
  '/v1/notifications?limit=20',
  '/v1/notifications?limit=50&customer_id=customer-2',
]

const page = { order: 'newest', limit: 20, status: 'all' } as const
type Ask = (store: Store, reader: InboxReader) => Promise<unknown>
const QUESTIONS_ASKED: readonly (readonly [name: string, ask: Ask])[] = [
  ['one entry by its id', (store, reader) => store.notification(reader, idOf(1))],
  ['summary', (store, reader) => store.inboxSummary(reader)],
  ['page', (store, reader) => store.inbox({ ...reader, ...page })],
  ['page of 50, offset 50', (store, reader) => store.inbox({ ...reader, ...page, limit: 50, offset: 50 })],
  [
    'unread page of a category',
    (store, reader) => store.inbox({ ...reader, ...page, status: 'unread', category: 'payment' }),
  ],
  ['page of a rare category', (store, reader) => store.inbox({ ...reader, ...page, category: RARE })],
  ['page of a customer', (store, reader) => store.inbox({ ...reader, ...page, customerId: 'customer-2' })],
  ['page of nobody’s customer', (store, reader) => store.inbox({ ...reader, ...page, customerId: 'none' })],
]

async function timed(
  ask: (index: number) => Promise<unknown>,
  cpuSoFar: () => number,
): Promise<Pick<InboxCost, 'p50Ms' | 'p99Ms' | 'cpuMs'>> {
  // Compilers and pages of the file.
  for (let index = 0; index < 50; index++) await ask(index)
  const took: number[] = []
  const cpuBefore = cpuSoFar()
  const until = performance.now() + LONGEST_MS
  for (let index = 0; index < QUESTIONS && performance.now() < until; index++) {
    const startedAt = performance.now()
    await ask(index)
    took.push(performance.now() - startedAt)
  }
  const cpuMs = (cpuSoFar() - cpuBefore) / took.length
  return { p50Ms: percentile(took, 0.5), p99Ms: percentile(took, 0.99), cpuMs }
}

/** With the threads of the store. */
function ownCpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

function report({ fillPerSecond, costs }: InboxResult, print: (line: string) => void): void {
  print('| W7 inbox | reader | stored | p50 ms | p99 ms | CPU ms |')
  print(`|---|---|${' ---: |'.repeat(4)}`)
  for (const { question, reader, stored, p50Ms, p99Ms, cpuMs } of costs) {
    const figures = [p50Ms, p99Ms, cpuMs].map((ms) => ms.toFixed(2))
    print(`| ${question} | ${reader} | ${stored} | ${figures.join(' | ')} |`)
  }
  print('')
  print(`Filled with ${fillPerSecond.toFixed(0)} notifications a second.`)
}
