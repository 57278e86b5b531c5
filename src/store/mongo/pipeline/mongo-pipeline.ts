import { Fault, fault } from '../../../errors.ts'
import { failpoint } from '../../../failpoint.ts'
import type { Metrics } from '../../../metrics.ts'
import { CommitQueue, type QueueLimits } from '../../commit-queue.ts'
import { storeError } from '../connection/store-error.ts'
import type { MongoContext } from '../context.ts'
import type { Batch, Slot } from './batch.ts'
import { inTime } from './in-time.ts'
import { levelsOf } from './levels.ts'
import { countBatch } from './count.ts'
import type { Group, Outcome, Pipeline, Touch, Write } from './pipeline.ts'
import { land, takeNumbers } from './sequence.ts'
import { aloneOrThrow } from './server-error.ts'
import { clear, writeOut } from '../effect/write-out.ts'

/** More would make the first caller of a batch wait for the thousandth. */
const LARGEST_BATCH = 1000
const BYTES = 500
/** The driver may lose a call with its socket: what has no answer by then is given up, or all others would wait for it. */
const GIVEN_UP_MS = 15_000
/** Touched by every write, so that one may stand apart from all others. */
const EVERYTHING = 'everything'
const NORMALLY: Touch = [EVERYTHING, 'normal']

interface Call {
  readonly bytes: number
  readonly urgent: boolean
  readonly keys: readonly string[]
  readonly touches: Write<unknown, unknown>['touches']
  readonly write: Write<unknown, unknown>
  resolve(reply: unknown): void
  reject(error: Error): void
}

/** A call of a batch that is under way. */
interface Running extends Call {
  readonly slot: Slot
  outcome: Outcome<unknown> | null
}

export interface PipelineOptions extends Pick<
  MongoContext,
  'collections' | 'clock' | 'node' | 'appendAudit'
> {
  readonly limits: QueueLimits
  readonly metrics: Metrics | undefined
}

/** The one line of writes of an opened store. */
export class MongoPipeline implements Pipeline {
  readonly #options: PipelineOptions
  readonly #queue: CommitQueue<Call>
  #number = 0
  #scheduled = false
  #busySince: number | null = null
  #refused: Error | null = null
  #reads = 0
  #idle: (() => void)[] = []

  constructor(options: PipelineOptions) {
    this.#options = options
    this.#queue = new CommitQueue(options.limits)
  }

  get busySince(): number | null {
    return this.#busySince
  }

  write<Item, Reply>(write: Write<Item, Reply>): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.#refused) return reject(this.#refused)
      const { bytes = BYTES, urgent = true } = write
      const touches = [
        ...write.touches,
        ...(write.touches.some(([what]) => what === EVERYTHING) ? [] : [NORMALLY]),
      ]
      this.#queue.push({
        bytes,
        urgent,
        keys: write.keys ?? [],
        touches,
        // A call is answered with the reply of its own write.
        write: write as Write<unknown, unknown>,
        resolve: resolve as (reply: unknown) => void,
        reject,
      })
      this.#schedule()
    })
  }

  async read<T>(work: () => Promise<T>): Promise<T> {
    if (this.#refused) throw this.#refused
    this.#reads++
    try {
      return await inTime(this.#options.clock, GIVEN_UP_MS, work())
    } catch (error) {
      throw storeError(error)
    } finally {
      this.#reads--
      this.#settleIdle()
    }
  }

  async finish(): Promise<void> {
    this.#refused ??= fault('store.unavailable', 'The store is closed')
    if (this.#isIdle()) return
    await new Promise<void>((resolve) => this.#idle.push(resolve))
  }

  /** One turn of the event loop later, so that everything this turn has read from its sockets is in the batch. */
  #schedule(): void {
    if (this.#scheduled || this.#busySince !== null) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      void this.#work()
    })
  }

  async #work(): Promise<void> {
    const { clock, metrics } = this.#options
    for (
      let calls = this.#queue.take(LARGEST_BATCH);
      calls.length > 0;
      calls = this.#queue.take(LARGEST_BATCH)
    ) {
      metrics?.queued.set(this.#queue.size)
      const startedAt = performance.now()
      this.#busySince = clock.now()
      await this.#commit(calls)
      metrics?.commitSize.observe(calls.length)
      metrics?.commitSeconds.observe((performance.now() - startedAt) / 1000)
      this.#busySince = null
      this.#queue.release()
    }
    metrics?.queued.set(this.#queue.size)
    this.#settleIdle()
  }

  async #commit(calls: readonly Call[]): Promise<void> {
    const { node, clock } = this.#options
    const batch: Batch = { node, number: ++this.#number, since: clock.now(), outgoing: [], wrote: false }
    const running = calls.map((call, index): Running => {
      const slot = { batch, id: `${node}.${batch.number}.${index}`, seqs: [] }
      return { ...call, slot, outcome: null }
    })
    try {
      await inTime(clock, GIVEN_UP_MS, this.#perform(batch, running))
    } catch (error) {
      // Some of it may be stored: who sends it again finds out, and what follows from it is written out later.
      for (const call of running) call.reject(unavailable(error))
      return
    }
    failpoint('after-commit-before-puback')
    for (const call of running)
      if (call.outcome === null) call.reject(new Error('A write was passed over'))
      else if ('error' in call.outcome) call.reject(call.outcome.error)
      else call.resolve(call.outcome.reply)
  }

  async #perform(batch: Batch, running: readonly Running[]): Promise<void> {
    const numbered = await this.#giveNumbers(batch, running)
    const levels = levelsOf(running)
    let out = 0
    for (const [index, level] of levels.entries()) {
      await this.#runLevel(batch, level)
      const outgoing = batch.outgoing.slice(out)
      out = batch.outgoing.length
      const last = index === levels.length - 1
      await Promise.all([writeOut(this.#options, outgoing), ...(last ? [this.#count(batch, running)] : [])])
    }
    await Promise.all([
      clear(this.#options, batch.outgoing),
      ...numbered.map((tenant) => this.#land(batch, tenant, running)),
    ])
  }

  /** Gives the notifications of all calls their places, in the order of the calls; answers with their tenants. */
  async #giveNumbers(batch: Batch, running: readonly Running[]): Promise<readonly string[]> {
    const counts = new Map<string, number>()
    for (const { write } of running)
      if (write.numbers !== undefined && write.numbers.count > 0)
        counts.set(write.numbers.tenant, (counts.get(write.numbers.tenant) ?? 0) + write.numbers.count)
    const tenants = [...counts.keys()]
    await Promise.all(
      tenants.map(async (tenant) => {
        // `counts` has every tenant of the list.
        const count = counts.get(tenant)!
        assign(running, tenant, await takeNumbers(this.#options, batch, { tenant, count }))
      }),
    )
    return tenants
  }

  /** Numbers that readers may have passed by are given anew. */
  async #land(batch: Batch, tenant: string, running: readonly Running[]): Promise<void> {
    const { collections } = this.#options
    while (!(await land(this.#options, batch, tenant))) {
      const rows = batch.outgoing.flatMap(({ effects }) =>
        (effects.notifications ?? []).filter((row) => row.tenant === tenant),
      )
      const ofTenant = running.filter(({ write }) => write.numbers?.tenant === tenant)
      const count = ofTenant.reduce((sum, { slot }) => sum + slot.seqs.length, 0)
      const before = ofTenant.flatMap(({ slot }) => slot.seqs)
      assign(running, tenant, await takeNumbers(this.#options, batch, { tenant, count }))
      const after = ofTenant.flatMap(({ slot }) => slot.seqs)
      const moved = new Map(before.map((seq, index) => [seq, after[index]]))
      const updates = rows.flatMap(({ _id, seq }) => {
        const to = moved.get(seq)
        return to === undefined ? [] : [{ updateOne: { filter: { _id }, update: { $set: { seq: to } } } }]
      })
      if (updates.length > 0) await collections.notifications.bulkWrite(updates)
    }
  }

  async #runLevel(batch: Batch, level: readonly Running[]): Promise<void> {
    const groups = new Map<Group<unknown, unknown>, Running[]>()
    const work: Promise<void>[] = []
    for (const call of level)
      if ('group' in call.write) groups.set(call.write.group, [...(groups.get(call.write.group) ?? []), call])
      else work.push(runSingle(call))
    for (const [group, calls] of groups) work.push(runGroup(batch, group, calls))
    for (const { write } of level) if (write.mayBeIdle !== true) batch.wrote = true
    // All of them have ended before anything else is done, also when one fails.
    const ends = await Promise.allSettled(work)
    for (const end of ends) if (end.status === 'rejected') throw end.reason
  }

  /** What the batch adds to what this node has done; once, whoever else tries. */
  async #count(batch: Batch, running: readonly Running[]): Promise<void> {
    if (!batch.wrote) return
    const highWaterAt = running.reduce((latest, { write }) => Math.max(latest, write.at), 0)
    await countBatch(this.#options, { ...batch, highWaterAt }, batch.outgoing)
  }

  #isIdle(): boolean {
    return this.#queue.size === 0 && this.#busySince === null && this.#reads === 0
  }

  #settleIdle(): void {
    if (!this.#isIdle()) return
    for (const resolve of this.#idle.splice(0)) resolve()
  }
}

function assign(running: readonly Running[], tenant: string, first: number): void {
  let next = first
  for (const { write, slot } of running) {
    if (write.numbers?.tenant !== tenant) continue
    slot.seqs.splice(0, slot.seqs.length, ...Array.from({ length: write.numbers.count }, () => next++))
  }
}

async function runSingle(call: Running): Promise<void> {
  if ('group' in call.write) return
  try {
    call.outcome = { reply: await call.write.run(call.slot) }
  } catch (error) {
    call.outcome = { error: aloneOrThrow(error) }
  }
}

async function runGroup(
  batch: Batch,
  group: Group<unknown, unknown>,
  calls: readonly Running[],
): Promise<void> {
  const items = calls.map(({ write, slot }) => ({ item: 'item' in write ? write.item : null, slot }))
  const outcomes = await group.run(batch, items)
  for (const [index, call] of calls.entries()) call.outcome = outcomes[index] ?? null
}

/** Nobody knows what of it is stored, whatever went wrong. */
function unavailable(error: unknown): Fault {
  const known = storeError(error)
  if (known instanceof Fault) return known
  return fault('store.unavailable', `MongoDB: ${error instanceof Error ? error.message : String(error)}`)
}
