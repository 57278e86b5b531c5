import type { Clock } from '../../clock.ts'
import { fault } from '../../errors.ts'
import { failpoint } from '../../failpoint.ts'
import type { Metrics } from '../../metrics.ts'
import { CommitQueue, type Queued, type QueueLimits } from './commit-queue.ts'
import {
  pack,
  weigh,
  type BatchReply,
  type Operation,
  type Packed,
  type Replies,
  type Reply,
} from './operation.ts'
import type { Thread } from './thread.ts'

/** More would make the first caller of a commit wait for the thousandth. */
const LARGEST_COMMIT = 1000

interface Call extends Queued {
  readonly operation: Operation
  resolve(reply: Reply): void
  reject(error: Error): void
}

export interface CommitterOptions {
  readonly thread: Thread<Packed, BatchReply, unknown>
  readonly clock: Clock
  readonly metrics: Metrics | undefined
  readonly limits: QueueLimits
  /** Nobody can know any more what is on the disk; called at most once. */
  readonly onFatal: (error: Error) => void
}

/** What distinguishes a call in the queue. */
export interface Precedence {
  readonly urgent: boolean
  readonly keys: readonly string[]
}

/**
 * Group commit (decisions 1 and 2): calls gather while the writer is busy, and everything that has gathered becomes
 * one message, one transaction, one fsync and one answer. Calls resolve in the order in which they take effect.
 */
export class Committer {
  readonly #options: CommitterOptions
  readonly #queue: CommitQueue<Call>
  #busySince: number | null = null
  #scheduled = false
  #refused: Error | null = null
  #idle: (() => void)[] = []

  constructor(options: CommitterOptions) {
    this.#options = options
    this.#queue = new CommitQueue(options.limits)
  }

  /** Since when the commit that is under way is; null when none is. */
  get busySince(): number | null {
    return this.#busySince
  }

  /** Resolves when the operation is on the disk. */
  write<Kind extends keyof Replies>(
    operation: Extract<Operation, { kind: Kind }>,
    { urgent, keys }: Precedence,
  ): Promise<Replies[Kind]> {
    return new Promise((resolve, reject) => {
      if (this.#refused) return reject(this.#refused)
      this.#queue.push({
        operation,
        bytes: weigh(operation),
        urgent,
        keys,
        // The writer answers an operation with the reply of its kind.
        resolve: resolve as (reply: Reply) => void,
        reject,
      })
      this.#schedule()
    })
  }

  /** Refuses what comes from now on; resolves when what is queued has been answered. */
  async finish(): Promise<void> {
    this.#refused ??= fault('store.unavailable', 'The store is closed')
    if (this.#queue.size === 0) return
    await new Promise<void>((resolve) => this.#idle.push(resolve))
  }

  /** Rejects everything, now and from now on. */
  abandon(reason: string): void {
    this.#refused = fault('store.unavailable', reason)
    for (const call of this.#queue.drain()) call.reject(this.#refused)
    this.#settleIdle()
  }

  /** One turn of the event loop later, so that everything this turn has read from its sockets is in the commit. */
  #schedule(): void {
    if (this.#scheduled || this.#busySince !== null) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      void this.#commit()
    })
  }

  async #commit(): Promise<void> {
    const { thread, metrics, clock } = this.#options
    const calls = this.#queue.take(LARGEST_COMMIT)
    if (calls.length === 0) return this.#settleIdle()
    metrics?.queued.set(this.#queue.size)
    this.#busySince = clock.now()
    try {
      this.#answer(calls, await thread.ask(pack(calls.map((call) => call.operation))))
    } catch (error) {
      // The thread is gone, or could not be asked: whoever watches it ends the process.
      this.#fail(calls, error instanceof Error ? error.message : String(error))
    }
    this.#busySince = null
    this.#queue.release()
    metrics?.queued.set(this.#queue.size)
    if (this.#queue.size === 0) this.#settleIdle()
    else void this.#commit()
  }

  #answer(calls: readonly Call[], reply: BatchReply): void {
    const { metrics, onFatal } = this.#options
    if (reply.kind === 'failed') {
      this.#fail(calls, reply.message)
      if (!reply.fatal) return
      this.abandon(reply.message)
      onFatal(new Error(`The disk failed during a commit: ${reply.message}`))
      return
    }
    failpoint('after-commit-before-puback')
    metrics?.commitSize.observe(calls.length)
    metrics?.commitSeconds.observe(reply.seconds)
    for (const [index, call] of calls.entries()) {
      const failure = reply.failures.get(index)
      // The writer answers every operation of the batch, in order.
      if (failure === undefined) call.resolve(reply.replies[index]!)
      else call.reject(fault('store.unavailable', failure))
    }
  }

  #fail(calls: readonly Call[], message: string): void {
    for (const call of calls) call.reject(fault('store.unavailable', message))
  }

  #settleIdle(): void {
    for (const resolve of this.#idle.splice(0)) resolve()
  }
}
