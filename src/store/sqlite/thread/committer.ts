import type { Clock } from '../../../clock.ts'
import { fault } from '../../../errors.ts'
import { failpoint } from '../../../failpoint.ts'
import type { Metrics } from '../../../metrics.ts'
import { CommitQueue, type Queued, type QueueLimits } from '../../commit-queue.ts'
import {
  pack,
  weigh,
  type BatchReply,
  type Operation,
  type Packed,
  type Replies,
  type Reply,
} from './operation.ts'
import { Room } from '../file/room.ts'
import type { Thread } from './thread.ts'
import { UnstorableError } from '../../unstorable-error.ts'

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
  /** The disk has become full, or has room again. */
  readonly onDisk: (full: boolean) => void
}

/** What distinguishes a call in the queue. */
export interface Precedence {
  readonly urgent: boolean
  readonly keys: readonly string[]
}

/**
 * Group commit (decisions 1 and 2): calls gather while the writer is busy, and everything that has gathered becomes
 * one message, one transaction, one fsync and one answer. Calls resolve in the order in which they take effect. On a
 * full disk what is not urgent is refused, so that the rest still commits (promise P25).
 */
export class Committer {
  readonly #options: CommitterOptions
  readonly #queue: CommitQueue<Call>
  readonly #room: Room
  #busySince: number | null = null
  #scheduled = false
  #refused: Error | null = null
  #idle: (() => void)[] = []

  constructor(options: CommitterOptions) {
    this.#options = options
    this.#queue = new CommitQueue(options.limits)
    this.#room = new Room({
      clock: options.clock,
      restock: () => this.write<'restock'>({ kind: 'restock', at: 0 }, { urgent: true, keys: [] }),
      onChange: options.onDisk,
    })
  }

  /** What ordinary publishes are refused with while the disk is full. */
  get shortage(): Error | null {
    return this.#room.shortage
  }

  /** What the writer said of the disk. */
  heard(full: boolean): void {
    this.#room.heard(full)
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
      if (!urgent && this.#room.shortage) return reject(this.#room.shortage)
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
    this.#room.stop()
    if (this.#queue.size === 0) return
    await new Promise<void>((resolve) => this.#idle.push(resolve))
  }

  /** Rejects everything, now and from now on. */
  abandon(reason: string): void {
    this.#refused = fault('store.unavailable', reason)
    this.#room.stop()
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
    const { metrics, clock } = this.#options
    const calls = this.#queue.take(LARGEST_COMMIT)
    if (calls.length === 0) return this.#settleIdle()
    metrics?.queued.set(this.#queue.size)
    this.#busySince = clock.now()
    try {
      await this.#perform(calls)
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

  /** When the disk turns out to be full, tries once more with the urgent calls alone. */
  async #perform(calls: readonly Call[]): Promise<void> {
    const wasFull = this.#room.shortage !== null
    let left = wasFull ? this.#refuseOrdinary(calls) : calls
    if (left.length === 0) return
    let reply = await this.#ask(left)
    if (reply.kind === 'failed' && !reply.fatal && this.#room.shortage && !wasFull) {
      left = this.#refuseOrdinary(left)
      if (left.length === 0) return
      reply = await this.#ask(left)
    }
    this.#answer(left, reply)
  }

  async #ask(calls: readonly Call[]): Promise<BatchReply> {
    const reply = await this.#options.thread.ask(pack(calls.map((call) => call.operation)))
    this.#room.heard(reply.full)
    return reply
  }

  /** The urgent ones are left. */
  #refuseOrdinary(calls: readonly Call[]): readonly Call[] {
    const shortage = this.#room.shortage
    if (shortage) for (const call of calls) if (!call.urgent) call.reject(shortage)
    return calls.filter((call) => call.urgent)
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
      else call.reject(new UnstorableError(failure))
    }
  }

  #fail(calls: readonly Call[], message: string): void {
    for (const call of calls) call.reject(fault('store.unavailable', message))
  }

  #settleIdle(): void {
    for (const resolve of this.#idle.splice(0)) resolve()
  }
}
