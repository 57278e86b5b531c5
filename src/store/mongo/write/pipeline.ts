import type { Batch, Slot } from './batch.ts'

/**
 * What a write touches and how: writes that touch the same `what` in the same way may happen together, all others one
 * after the other in the order of the calls. `alone`: not even with its like.
 */
export type Touch = readonly [what: string, how: string]

/** A write on its way. */
export interface WriteOptions {
  /** The instant that it carries (promise P18). */
  readonly at: number
  /** Held in memory while it waits, about. */
  readonly bytes?: number
  /** Everything but accepts is, unless told: what acts on stored things frees room, accepts only take it. */
  readonly urgent?: boolean
  readonly touches: readonly Touch[]
  /** Where the queue is full, urgent writes overtake others, but none with which they share one of these. */
  readonly keys?: readonly string[]
  /** How many notifications of a tenant it makes. */
  readonly numbers?: { readonly tenant: string; readonly count: number }
  /** It says by itself whether it wrote anything ({@link Batch.wrote}). */
  readonly mayBeIdle?: boolean
}

/** A write that happens by itself. Rejects with an `UnstorableError` when only this one cannot be held. */
export interface SingleWrite<Reply> extends WriteOptions {
  run(slot: Slot): Promise<Reply>
}

/** A write that happens in one go with others of its group. */
export interface GroupedWrite<Item, Reply> extends WriteOptions {
  readonly group: Group<Item, Reply>
  readonly item: Item
}

export interface Group<Item, Reply> {
  /** One outcome per item, in their order. */
  run(
    batch: Batch,
    items: readonly { readonly item: Item; readonly slot: Slot }[],
  ): Promise<readonly Outcome<Reply>[]>
}

export type Outcome<Reply> = { readonly reply: Reply } | { readonly error: Error }

export type Write<Item, Reply> = SingleWrite<Reply> | GroupedWrite<Item, Reply>

/**
 * Group commit: calls gather while a batch is under way, and what has gathered is the next one. Calls take effect and
 * resolve in the order in which they were made; they resolve when a majority of the servers has them and everything that
 * follows from them is written out. Rejects with `store.unavailable` when nobody knows.
 */
export interface Pipeline {
  write<Item, Reply>(write: Write<Item, Reply>): Promise<Reply>
  /** A read: refused once the store is closed, and waited for by its end. What the server refuses is `store.unavailable`. */
  read<T>(work: () => Promise<T>): Promise<T>
  /** Since when the batch that is under way is; null when none is. */
  readonly busySince: number | null
  /** Refuses what comes from now on; resolves when what is under way has been answered. */
  finish(): Promise<void>
}
