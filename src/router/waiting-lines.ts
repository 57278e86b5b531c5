import type { RateLimit } from '../access/principal.ts'
import type { Clock } from '../clock.ts'
import { fault, type Fault } from '../errors.ts'
import type { SlidingWindow } from './sliding-window.ts'

/** Somebody who waits for a place in a sliding window. */
export interface Waiter {
  readonly key: string
  readonly limit: RateLimit
  readonly clock: Clock
  /** Aborted when the wait has no sense any more. */
  readonly signal: AbortSignal | undefined
}

interface Line {
  /** Insertion order is the order of admission; leaving from the middle costs nothing. */
  readonly admit: Set<() => void>
  cancelTimer: () => void
}

/** Everybody who waits under one signal. */
interface Leaving {
  readonly leave: Set<() => void>
  readonly abort: () => void
}

/** Waiting for a sliding window, one line per key, first come first served. A line exists while somebody stands in it. */
export class WaitingLines {
  readonly #window: SlidingWindow
  readonly #lines = new Map<string, Line>()
  readonly #leaving = new Map<AbortSignal, Leaving>()

  constructor(window: SlidingWindow) {
    this.#window = window
  }

  /** How many stand in the line of a key. Whoever takes a place past them overtakes them. */
  waiting(key: string): number {
    return this.#lines.get(key)?.admit.size ?? 0
  }

  /**
   * Resolves when everybody before has been admitted and a place is free, which is taken then. Rejects with
   * `server.stopping` as soon as the signal is aborted; the others move up.
   */
  join(waiter: Waiter): Promise<void> {
    const { key, signal } = waiter
    if (signal?.aborted) return Promise.reject(gone())
    return new Promise((resolve, reject) => {
      const known = this.#lines.get(key)
      const line: Line = known ?? { admit: new Set(), cancelTimer: () => {} }
      const forget = this.#onAbort(signal, () => {
        line.admit.delete(admit)
        if (line.admit.size === 0) this.#close(key, line)
        reject(gone())
      })
      const admit = () => {
        forget()
        resolve()
      }
      line.admit.add(admit)
      if (known) return
      this.#lines.set(key, line)
      this.#arm(line, waiter)
    })
  }

  #arm(line: Line, waiter: Waiter): void {
    const { key, limit, clock } = waiter
    const { freeAt } = this.#window.standing(key, limit, clock.now())
    line.cancelTimer = clock.at(freeAt, () => {
      for (const admit of line.admit) {
        if (!this.#window.take(key, limit, clock.now())) break
        line.admit.delete(admit)
        admit()
      }
      if (line.admit.size === 0) this.#close(key, line)
      else this.#arm(line, waiter)
    })
  }

  #close(key: string, line: Line): void {
    line.cancelTimer()
    this.#lines.delete(key)
  }

  /** One listener per signal, however many wait: a connection may have a hundred publishes in flight. */
  #onAbort(signal: AbortSignal | undefined, leave: () => void): () => void {
    if (!signal) return () => {}
    const all = this.#leaving.get(signal) ?? this.#listen(signal)
    all.leave.add(leave)
    return () => {
      all.leave.delete(leave)
      if (all.leave.size > 0) return
      signal.removeEventListener('abort', all.abort)
      this.#leaving.delete(signal)
    }
  }

  #listen(signal: AbortSignal): Leaving {
    const leave = new Set<() => void>()
    const abort = () => {
      this.#leaving.delete(signal)
      for (const each of leave) each()
    }
    const all = { leave, abort }
    this.#leaving.set(signal, all)
    signal.addEventListener('abort', abort, { once: true })
    return all
  }
}

function gone(): Fault {
  return fault('server.stopping', 'The connection ended before there was a free place under the rate limit')
}
