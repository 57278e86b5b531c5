import type { Clock } from '../../clock.ts'
import type { Log } from '../../log.ts'
import type { Metrics } from '../../metrics.ts'
import type { Claimed, Store } from '../../store/store.ts'
import type { OperatorAlarm } from '../../alert/operator-alarm.ts'
import type { Breaker, ProviderSign } from './breaker.ts'
import { createLane, type Lane } from './lane.ts'

/** What the worker learns from one performed piece of work. */
export interface Performed {
  /** Absent on lanes without a provider. */
  readonly provider?: ProviderSign
  /** When the same lane has to be looked at again for it. */
  readonly nextDueAt?: number | null
}

/**
 * Does one claimed piece of work and settles it. What it throws is logged; the lease brings the work back. `trouble` is
 * that of the lane's provider while this is the probe of it.
 */
export type Perform = (work: Claimed, trouble?: Breaker['cause']) => Promise<Performed | void>

export interface LaneSettings {
  readonly name: string
  /** How many pieces of work may be in flight; 20 by default. */
  readonly concurrency?: number
}

export interface WorkerDeps {
  readonly store: Pick<Store, 'claim' | 'settle'>
  readonly lanes: readonly LaneSettings[]
  /** One for each lane. */
  readonly perform: Readonly<Record<string, Perform>>
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
  readonly metrics: Metrics
  readonly alarm: OperatorAlarm
  /** How often work is looked for that nobody spoke of: short where other nodes make some. */
  readonly pollMs?: number
}

/**
 * Performs due work, each lane by itself: a lane whose provider is slow, paused or gone delays no other (promise
 * P24). Nothing is performed before it is due (promise P12). In-process timers only say when to look next: what is
 * lost here with the process is found in the store again.
 */
export interface Worker {
  /** Begins to look for work, what an earlier process left included. Before it only `take` and `wake` are noted. */
  start(): void
  /** Work of this lane is due at the given instant: called after the commit that made it. Unknown lanes are ignored. */
  wake(lane: string, dueAt: number): void
  /**
   * Work that its commit leased until `leaseUntil`: performed at once, or as soon as a slot is free. What finds none
   * in time is handed back to the store.
   */
  take(lane: string, work: readonly Claimed[], leaseUntil: number): void
  /**
   * How many deliveries of this lane would start at once: what is due now and finds room should be leased with its
   * commit, the rest is better claimed.
   */
  room(lane: string): number
  /** Resolves when nothing is in flight and nothing is due. Work behind a paused provider does not count as due. */
  settled(): Promise<void>
  /**
   * Takes nothing new, hands back what waits, and resolves when nothing is in flight any more: true; or false after
   * `graceMs`, and the leases of the rest bring it back after the next start.
   */
  stop(graceMs: number): Promise<boolean>
}

export function createWorker(deps: WorkerDeps): Worker {
  const waiting = new Set<() => void>()
  const changed = () => {
    for (const look of waiting) look()
  }
  const lanes = new Map<string, Lane>()
  for (const { name, concurrency = 20 } of deps.lanes) {
    const perform = deps.perform[name]
    if (!perform) throw new Error(`nothing performs the work of lane ${name}`)
    if (lanes.has(name)) throw new Error(`lane ${name} is listed twice`)
    lanes.set(name, createLane({ ...deps, name, concurrency, perform, changed }))
  }
  const all = [...lanes.values()]

  /** Resolves at the first moment at which every lane answers true. */
  const once = (idle: (lane: Lane) => boolean) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!all.every(idle)) return
        waiting.delete(look)
        resolve()
      }
      waiting.add(look)
      look()
    })

  return {
    start: () => all.forEach((lane) => lane.start()),
    wake: (name, dueAt) => lanes.get(name)?.wake(dueAt),
    take: (name, work, leaseUntil) => lanes.get(name)?.take(work, leaseUntil),
    room: (name) => lanes.get(name)?.room() ?? 0,
    settled: () => once((lane) => lane.settled()),
    async stop(graceMs) {
      for (const lane of all) lane.stop()
      let cancel = () => {}
      const late = new Promise<boolean>((resolve) => {
        cancel = deps.clock.at(deps.clock.now() + graceMs, () => resolve(false))
      })
      const finished = once((lane) => lane.empty()).then(() => true)
      return Promise.race([finished, late]).finally(() => cancel())
    },
  }
}
