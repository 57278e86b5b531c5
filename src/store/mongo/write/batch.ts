import type { Outgoing } from './effects.ts'

/** Writes that are under way together. */
export interface Batch {
  readonly node: string
  /** Counted by the node from 1. */
  readonly number: number
  readonly since: number
  /** What follows from the writes that happened, to be written out before they resolve. */
  readonly outgoing: Outgoing[]
  /** Anything was written. */
  wrote: boolean
}

/** A write's place in its batch. */
export interface Slot {
  readonly batch: Batch
  /** Names the write, different from all others of all times. */
  readonly id: string
  /** Of the notifications it makes. They may still change until the write resolves. */
  readonly seqs: number[]
}
