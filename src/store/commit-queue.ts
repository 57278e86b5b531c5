/** What waits for its commit. */
export interface Queued {
  readonly bytes: number
  /** May use the part of the queue that is kept free for it, and go before what waits and is not urgent. */
  readonly urgent: boolean
  /** Calls that share one of these keep their order. */
  readonly keys: readonly string[]
}

export interface QueueLimits {
  readonly operations: number
  readonly bytes: number
}

/** The share of both limits that only urgent entries may use (contract section 4). */
const RESERVED = 0.1

/**
 * The bounded queue in front of the disk, as a value that is pushed into and taken from (promise P25). Inside the
 * limits, order is that of the calls. What finds no room waits outside; urgent entries are let in first, but never
 * past one they share a key with.
 */
export class CommitQueue<T extends Queued> {
  readonly #limits: QueueLimits
  #admitted: T[] = []
  #inHand: readonly T[] = []
  #operations = 0
  #bytes = 0
  readonly #urgent: T[] = []
  readonly #ordinary: T[] = []
  /** How many entries of `#ordinary` carry a key. */
  readonly #keys = new Map<string, number>()

  constructor(limits: QueueLimits) {
    this.#limits = limits
  }

  /** Everything that has not been released. */
  get size(): number {
    return this.#operations + this.#urgent.length + this.#ordinary.length
  }

  push(entry: T): void {
    const behind = this.#ordinary.length > 0 && entry.keys.some((key) => this.#keys.has(key))
    if (entry.urgent && !behind) {
      if (this.#urgent.length === 0 && this.#hasRoom(entry)) this.#admit(entry)
      else this.#urgent.push(entry)
    } else if (this.size === this.#operations && this.#hasRoom(entry)) this.#admit(entry)
    else {
      this.#ordinary.push(entry)
      for (const key of entry.keys) this.#keys.set(key, (this.#keys.get(key) ?? 0) + 1)
    }
  }

  /** The next commit: everything admitted, at most `limit`. It counts against the limits until it is released. */
  take(limit: number): readonly T[] {
    this.#inHand = this.#admitted.slice(0, limit)
    this.#admitted = this.#admitted.slice(limit)
    return this.#inHand
  }

  /** The commit is over: makes room, and lets in what waited. */
  release(): void {
    this.#operations -= this.#inHand.length
    for (const entry of this.#inHand) this.#bytes -= entry.bytes
    this.#inHand = []
    this.#letIn()
  }

  /** Takes everything out, in order. */
  drain(): readonly T[] {
    const all = [...this.#inHand, ...this.#admitted, ...this.#urgent, ...this.#ordinary]
    this.#inHand = []
    this.#admitted = []
    this.#urgent.length = 0
    this.#ordinary.length = 0
    this.#keys.clear()
    this.#operations = 0
    this.#bytes = 0
    return all
  }

  #letIn(): void {
    let urgent = 0
    while (this.#urgent[urgent] && this.#hasRoom(this.#urgent[urgent]!)) this.#admit(this.#urgent[urgent++]!)
    this.#urgent.splice(0, urgent)
    if (this.#urgent.length > 0) return
    let ordinary = 0
    while (this.#ordinary[ordinary] && this.#hasRoom(this.#ordinary[ordinary]!)) {
      const entry = this.#ordinary[ordinary++]!
      this.#admit(entry)
      for (const key of entry.keys) {
        const left = (this.#keys.get(key) ?? 0) - 1
        if (left > 0) this.#keys.set(key, left)
        else this.#keys.delete(key)
      }
    }
    this.#ordinary.splice(0, ordinary)
  }

  /** An empty queue takes anything: one entry over the limit must not wait for ever. */
  #hasRoom(entry: T): boolean {
    if (this.#operations === 0) return true
    const share = entry.urgent ? 1 : 1 - RESERVED
    return (
      this.#operations + 1 <= this.#limits.operations * share &&
      this.#bytes + entry.bytes <= this.#limits.bytes * share
    )
  }

  #admit(entry: T): void {
    this.#admitted.push(entry)
    this.#operations++
    this.#bytes += entry.bytes
  }
}
