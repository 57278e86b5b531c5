/**
 * What a write touches and how: writes that touch the same `what` in the same way may happen together, all others one
 * after the other in the order of the calls. `alone`: not even with its like.
 */
export type Touch = readonly [what: string, how: string]

/** A write on its way. */
export interface Write<Reply> {
  /** The instant that it carries (promise P18). */
  readonly at: number
  /** Held in memory while it waits, about. */
  readonly bytes: number
  readonly urgent: boolean
  readonly touches: readonly Touch[]
  /** Resolves when a majority has it. Rejects with an `UnstorableError` when only this one cannot be held. */
  run(): Promise<Reply>
}

/**
 * Group commit: calls gather while a batch is under way, and what has gathered is the next one. Calls resolve in the order
 * in which they were made.
 */
export interface Pipeline {
  write<Reply>(write: Write<Reply>): Promise<Reply>
  /** Refuses what comes from now on; resolves when what is queued has been answered. */
  finish(): Promise<void>
  /** Throws a `store.unavailable` fault once the store is closed; what a read has to ask first. */
  demandOpen(): void
}
