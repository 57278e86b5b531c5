/** A node as it announces itself. */
export interface NodeEntry {
  readonly node: string
  readonly version: string
  /** Of the configuration in force; the same on every node, or something is wrong. */
  readonly config: string
}

/** What a node learns by announcing itself. */
export interface RollCall {
  /** Everybody who is there, the caller included. */
  readonly present: readonly NodeEntry[]
  /** Nodes that have stopped announcing themselves, and of which something may be left to take over. */
  readonly gone: readonly string[]
  /** The caller was not on the roll: it is new, was away for too long, or the roll was lost. */
  readonly unknown: boolean
}

/** Who is there. */
export interface Roll {
  /** Announces the node, with how far it has heard the bus, until {@link LIFE_MS} from now. */
  call(entry: NodeEntry, position: string): Promise<RollCall>
  /** The node is gone from now on. */
  leave(node: string): Promise<void>
  /** Nothing is left of a node that is gone. */
  forget(node: string): Promise<void>
}

/** A node that was not heard of for so long is gone. */
export const LIFE_MS = 5000
/** How often nodes announce themselves. */
export const BEAT_MS = 1500
