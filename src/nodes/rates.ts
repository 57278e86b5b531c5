import type { RateLimit } from '../access/principal.ts'
import type { Clock } from '../clock.ts'
import { fault } from '../errors.ts'
import type { Waiter } from '../router/waiting-lines.ts'

/** What became of one request for a place, and how long until the next place is free; 0 while there are some left. */
export interface Taken {
  readonly admitted: boolean
  readonly remaining: number
  readonly freeInMs: number
}

/** Sliding windows that all nodes count in together (R40). */
export interface SharedWindows {
  /** Admits one and counts it, or counts nothing. Null: they are out of reach, and this node counts for itself. */
  take(key: string, limit: RateLimit): Promise<Taken | null>
}

/** {@link SharedWindows} with a line for each key on this node, first come first served. */
export interface Rates extends SharedWindows {
  /** How many stand in the line of a key. */
  waiting(key: string): number
  /** Resolves when there is a place, which is taken then, or the windows are out of reach. Rejects with `server.stopping` when the signal is aborted. */
  wait(waiter: Waiter): Promise<void>
}

/** Makes the lines before shared windows. */
export function createRates(windows: SharedWindows): Rates {
  const lines = new Map<string, { count: number; tail: Promise<void> }>()
  const stand = async ({ key, limit, clock, signal }: Waiter) => {
    while (signal?.aborted !== true) {
      const taken = await windows.take(key, limit)
      if (taken === null || taken.admitted) return
      await passing(clock, Math.max(1, taken.freeInMs))
    }
    throw fault('server.stopping', 'The connection ended before there was a free place under the rate limit')
  }
  return {
    take: (key, limit) => windows.take(key, limit),
    waiting: (key) => lines.get(key)?.count ?? 0,
    wait(waiter) {
      const { key } = waiter
      const line = lines.get(key) ?? { count: 0, tail: Promise.resolve() }
      lines.set(key, line)
      line.count += 1
      const own = line.tail.then(() => stand(waiter))
      const leave = () => {
        line.count -= 1
        if (line.count === 0) lines.delete(key)
      }
      // Whoever gives up holds up nobody behind.
      line.tail = own.then(leave, leave)
      return own
    },
  }
}

function passing(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.at(clock.now() + ms, resolve))
}
