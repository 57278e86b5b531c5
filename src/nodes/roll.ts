import type { Clock } from '../clock.ts'

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

/** A {@link Roll} in the memory of one process. */
export function createRoll(clock: Pick<Clock, 'now'>): Roll {
  const entries = new Map<string, NodeEntry & { until: number }>()
  return {
    async call(entry) {
      const now = clock.now()
      const unknown = (entries.get(entry.node)?.until ?? 0) <= now
      entries.set(entry.node, { ...entry, until: now + LIFE_MS })
      const all = [...entries.values()]
      const strip = ({ node, version, config }: NodeEntry) => ({ node, version, config })
      return {
        unknown,
        present: all.filter(({ until }) => until > now).map(strip),
        gone: all.filter(({ until }) => until <= now).map(({ node }) => node),
      }
    },
    async leave(node) {
      const entry = entries.get(node)
      if (entry) entry.until = 0
    },
    async forget(node) {
      entries.delete(node)
    },
  }
}
