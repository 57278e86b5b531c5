/** Slows guessing down: after some free failures a key must wait, each time twice as long (security row 2). */
export interface Backoff {
  /** Milliseconds until this key may try again; 0 when it may now. */
  waitMs(key: string, now: number): number
  failed(key: string, now: number): void
  succeeded(key: string): void
}

export interface BackoffOptions {
  /** Failures that cost nothing: people mistype. */
  readonly free: number
  readonly firstMs: number
  readonly longestMs: number
  /** A key that has not failed for so long is forgotten. */
  readonly forgetMs: number
  /** How many keys are remembered; the one that failed longest ago gives way. */
  readonly capacity: number
}

const DEFAULTS: BackoffOptions = {
  free: 10,
  firstMs: 1000,
  longestMs: 60_000,
  forgetMs: 15 * 60_000,
  capacity: 100_000,
}

/** Keys are address and user together, so that nobody can lock another person out from elsewhere. */
export function createBackoff(options: BackoffOptions = DEFAULTS): Backoff {
  const kept = new Map<string, { readonly failures: number; readonly at: number }>()
  const recall = (key: string, now: number) => {
    const held = kept.get(key)
    return held !== undefined && now - held.at < options.forgetMs ? held : undefined
  }
  return {
    waitMs(key, now) {
      const held = recall(key, now)
      if (held === undefined || held.failures < options.free) return 0
      const doublings = Math.min(held.failures - options.free, 30)
      return Math.max(0, held.at + Math.min(options.firstMs * 2 ** doublings, options.longestMs) - now)
    },
    failed(key, now) {
      const failures = (recall(key, now)?.failures ?? 0) + 1
      // Deleted first, so that the map stays in order of the last failure.
      kept.delete(key)
      const [oldest] = kept.keys()
      if (kept.size >= options.capacity && oldest !== undefined) kept.delete(oldest)
      kept.set(key, { failures, at: now })
    },
    succeeded(key) {
      kept.delete(key)
    },
  }
}
