import type { Claimed, Settlement } from '../../store/store.ts'
import { allowance } from './breaker.ts'
import { LEASE_MS } from '../plan.ts'
import { SEND_TIMEOUT_MS } from '../attempt/retry.ts'
import { createTargetHealth } from './target-health.ts'
import type { Perform, Performed, WorkerDeps } from './worker.ts'

/** Due work is looked for this often even when nothing said that there is any. */
const SAFETY_POLL_MS = 30_000
/** What is left of a lease has to cover one attempt and its settlement. */
const NEEDED_LEASE_MS = SEND_TIMEOUT_MS + 5_000
/** A store that calls work due and then gives none would otherwise be asked without end. */
const EMPTY_CLAIM_MS = 50
const FIRST_BACKOFF_MS = 200
const LONGEST_BACKOFF_MS = 30_000

/** One lane of the worker: its own slots, timer, store backoff and breaker, shared with no other lane. */
export interface Lane {
  start(): void
  wake(dueAt: number): void
  take(work: readonly Claimed[], leaseUntil: number): void
  /** How many pieces of work would start at once if they were taken now. */
  room(): number
  /** Nothing in flight, nothing due that may start. */
  settled(): boolean
  /** Nothing in flight, nothing waiting. */
  empty(): boolean
  stop(): void
}

export interface LaneDeps extends Omit<WorkerDeps, 'lanes' | 'perform'> {
  readonly name: string
  readonly concurrency: number
  readonly perform: Perform
  /** Called whenever `settled` or `empty` may have changed. */
  readonly changed: () => void
}

interface Waiting {
  readonly work: Claimed
  readonly leaseUntil: number
}

export function createLane(deps: LaneDeps): Lane {
  const { name, store, clock, log, metrics } = deps
  const health = createTargetHealth(name, deps)
  let phase: 'new' | 'running' | 'stopped' = 'new'
  /** When to claim next; in the past until the store was asked what an earlier process left. */
  let dueAt = 0
  /** The same for critical work alone, during a pause that does not hold it. */
  let urgentDueAt = 0
  /** The earliest wake-up during a claim, which the claim may not have seen. */
  let wokenAt = Infinity
  let holdUntil = 0
  let storeFailures = 0
  let inFlight = 0
  /** Slots kept for what a claim under way may bring. */
  let reserved = 0
  let handingBack = 0
  let pumping = false
  let timer = { at: Infinity, cancel: () => {} }
  const waiting = { urgent: [] as Waiting[], other: [] as Waiting[] }

  const allowed = (critical: boolean) =>
    allowance(health.breaker, {
      now: clock.now(),
      room: deps.concurrency - inFlight - reserved,
      inFlight: inFlight + reserved,
      critical,
    })
  const queued = () => waiting.urgent.length + waiting.other.length

  /** Everything that ends together is followed by one claim, not by one each. */
  function schedule(): void {
    if (pumping) return
    pumping = true
    queueMicrotask(() => {
      pumping = false
      pump()
      deps.changed()
    })
  }

  function pump(): void {
    if (phase === 'new') return
    handBackLate()
    while (waiting.urgent[0] && allowed(true) > 0)
      waiting.urgent.splice(0, 1).forEach(({ work }) => run(work))
    while (waiting.other[0] && allowed(false) > 0) waiting.other.splice(0, 1).forEach(({ work }) => run(work))
    const now = clock.now()
    if (phase === 'running' && reserved === 0 && holdUntil <= now) {
      const room = allowed(false)
      if (room > 0 && dueAt <= now) void claim(room)
      else if (room === 0 && allowed(true) > 0 && urgentDueAt <= now) void claim(1, true)
    }
    arm()
  }

  function run(work: Claimed): void {
    inFlight++
    const { cause } = health.breaker
    const done = (performed: Performed | void) => {
      if (performed?.provider) {
        health.heed(performed.provider)
        health.tell()
      }
      if (typeof performed?.nextDueAt === 'number') wake(performed.nextDueAt)
    }
    const failed = (error: unknown) => {
      metrics.workFailures.inc({ lane: name })
      log.error({ err: error, lane: name, work: work.workId }, 'work failed, its lease brings it back')
    }
    const release = () => {
      inFlight--
      schedule()
    }
    // Started in this tick: what was just committed should not wait for a turn of the loop.
    void new Promise<Performed | void>((resolve) => resolve(deps.perform(work, cause)))
      .then(done, failed)
      .then(release)
  }

  async function claim(limit: number, criticalOnly = false): Promise<void> {
    const now = clock.now()
    reserved = limit
    wokenAt = Infinity
    try {
      const leaseUntil = now + LEASE_MS
      const { items, nextDueAt } = await store.claim({ lane: name, now, limit, leaseUntil, criticalOnly })
      storeFailures = 0
      const nextAt = nextDueAt ?? Infinity
      const fruitless = items.length === 0 && nextAt <= now
      const lookAt = Math.min(fruitless ? now + EMPTY_CLAIM_MS : nextAt, wokenAt, now + SAFETY_POLL_MS)
      urgentDueAt = lookAt
      if (!criticalOnly) dueAt = lookAt
      reserved = 0
      // A process that slept meanwhile must not begin what is somebody else's by now.
      const current = clock.now() + NEEDED_LEASE_MS <= leaseUntil
      for (const work of items) {
        if (phase === 'running' && current) run(work)
        else handBack(work)
      }
    } catch (error) {
      const ceiling = Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.min(storeFailures++, 20))
      holdUntil = clock.now() + Math.ceil((0.5 + deps.random() / 2) * ceiling)
      log.error({ err: error, lane: name, failures: storeFailures }, 'claiming work failed')
    } finally {
      reserved = 0
      schedule()
    }
  }

  function handBackLate(): void {
    const latest = clock.now() + NEEDED_LEASE_MS
    const late = (entry: Waiting | undefined) =>
      entry !== undefined && (phase === 'stopped' || entry.leaseUntil <= latest)
    for (const queue of [waiting.urgent, waiting.other]) {
      while (late(queue[0])) queue.splice(0, 1).forEach(({ work }) => handBack(work))
    }
  }

  /** Ends a lease early, so that work nobody began does not look as if it was lost with its holder (P9, P10). */
  function handBack(work: Claimed): void {
    const at = clock.now()
    const nextDueAt = Math.max(at, health.breaker.pausedUntil)
    const pending = {
      state: 'pending',
      reason: null,
      providerId: null,
      sentAt: null,
      deliveredAt: null,
    } as const
    const settlement: Settlement = {
      workId: work.workId,
      token: work.token,
      at,
      delivery:
        work.kind === 'deliver' ? { id: work.delivery.id, error: work.delivery.error, ...pending } : null,
      nextDueAt,
      outbox: null,
      untried: true,
    }
    handingBack++
    const failed = (error: unknown) => log.warn({ err: error, lane: name }, 'work could not be handed back')
    void store
      .settle(settlement)
      .then(() => wake(nextDueAt), failed)
      .then(() => {
        handingBack--
        schedule()
      })
  }

  /** One timer: for the next claim, the end of a pause, or the next piece of work that has waited too long. */
  function arm(): void {
    const now = clock.now()
    const { cause, pausedUntil: until } = health.breaker
    const pausedUntil = cause === null ? 0 : until
    const oldest = [waiting.urgent[0], waiting.other[0]].map(
      (entry) => (entry?.leaseUntil ?? Infinity) - NEEDED_LEASE_MS,
    )
    const instants = [...oldest]
    if (phase === 'running') instants.push(Math.max(dueAt, holdUntil, pausedUntil))
    if (phase === 'running' && cause === 'failing') instants.push(Math.max(urgentDueAt, holdUntil))
    if (queued() > 0) instants.push(pausedUntil)
    const at = Math.min(...instants.filter((instant) => instant > now))
    if (at === timer.at) return
    timer.cancel()
    timer = { at, cancel: at === Infinity ? () => {} : clock.at(at, ring) }
  }

  function ring(): void {
    timer = { at: Infinity, cancel: () => {} }
    schedule()
  }

  function wake(at: number): void {
    dueAt = Math.min(dueAt, at)
    urgentDueAt = Math.min(urgentDueAt, at)
    wokenAt = Math.min(wokenAt, at)
    schedule()
  }

  return {
    wake,
    start() {
      if (phase === 'new') phase = 'running'
      schedule()
    },
    take(work, leaseUntil) {
      for (const piece of work) {
        const urgent = piece.kind === 'deliver' && piece.delivery.critical
        const queue = urgent ? waiting.urgent : waiting.other
        queue.push({ work: piece, leaseUntil })
      }
      pump()
      deps.changed()
    },
    room: () => (phase === 'running' ? Math.max(0, allowed(false) - queued()) : 0),
    settled() {
      if (pumping || reserved > 0 || inFlight > 0 || handingBack > 0) return false
      if (phase !== 'running') return queued() === 0
      const now = clock.now()
      const { cause, pausedUntil } = health.breaker
      return (cause !== null && pausedUntil > now) || (queued() === 0 && dueAt > now)
    },
    empty: () => reserved === 0 && inFlight === 0 && handingBack === 0 && queued() === 0,
    stop() {
      phase = 'stopped'
      pump()
      deps.changed()
    },
  }
}
