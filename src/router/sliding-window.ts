import type { RateLimit } from '../access/principal.ts'

export interface Standing {
  /** How many more would be admitted now. */
  readonly remaining: number
  /** When the next one will be admitted; `now` while there are some left. */
  readonly freeAt: number
}

interface Hits {
  /** A ring of instants, oldest at `head`; its length is a power of two. */
  times: Float64Array
  head: number
  count: number
  windowMs: number
}

const FIRST_RING = 16

/**
 * An exact sliding window per key: within no half-open span of `windowMs` are more than `maxRequests` admitted (R40,
 * fault 11). Pure: time is a parameter and must not go backwards.
 *
 * Memory is bounded: the least recently used of more than `maxKeys` keys is forgotten and starts afresh, windows that
 * have run out are dropped in passing, and a ring holds no more instants than were admitted in its window.
 */
export class SlidingWindow {
  readonly #keys = new Map<string, Hits>()
  readonly #maxKeys: number
  /** The last key in order: moving it there again would only make the map grow. */
  #latest: string | null = null

  constructor(options: { readonly maxKeys?: number } = {}) {
    this.#maxKeys = options.maxKeys ?? 100_000
  }

  /** How many keys are remembered. */
  get size(): number {
    return this.#keys.size
  }

  /** Admits one and counts it, or says false and counts nothing. */
  take(key: string, limit: RateLimit, now: number): boolean {
    const hits = this.#touch(key, limit.windowMs)
    expire(hits, now)
    const admitted = hits.count < limit.maxRequests
    if (admitted) push(hits, now)
    this.#forget(now)
    return admitted
  }

  /** Where a key stands, with `waiting` others in front that will take the next free places. Changes nothing. */
  standing(key: string, limit: RateLimit, now: number, waiting = 0): Standing {
    const hits = this.#keys.get(key)
    if (hits) {
      hits.windowMs = limit.windowMs
      expire(hits, now)
    }
    const count = hits?.count ?? 0
    const remaining = Math.max(0, limit.maxRequests - count - waiting)
    // The place number k is free one window after the place number k - maxRequests was taken, and so on backwards.
    let place = count + waiting
    let windows = 0
    while (place >= count && place >= limit.maxRequests) {
      place -= limit.maxRequests
      windows += 1
    }
    const taken = hits && place < count ? hits.times[(hits.head + place) & (hits.times.length - 1)]! : now
    return { remaining, freeAt: windows === 0 ? now : taken + windows * limit.windowMs }
  }

  #touch(key: string, windowMs: number): Hits {
    const known = this.#keys.get(key)
    if (known && this.#latest === key) {
      known.windowMs = windowMs
      return known
    }
    this.#latest = key
    if (known) this.#keys.delete(key)
    const hits = known ?? { times: new Float64Array(FIRST_RING), head: 0, count: 0, windowMs }
    hits.windowMs = windowMs
    this.#keys.set(key, hits)
    return hits
  }

  /** Drops what has run out, two at a time, so that no single call pays for many. */
  #forget(now: number): void {
    let looked = 0
    for (const [key, hits] of this.#keys) {
      const newest = hits.times[(hits.head + hits.count - 1) & (hits.times.length - 1)]!
      const over = this.#keys.size > this.#maxKeys
      const ended = hits.count === 0 || newest <= now - hits.windowMs
      if (!over && !ended) return
      this.#keys.delete(key)
      looked += 1
      if (looked === 2) return
    }
  }
}

function expire(hits: Hits, now: number): void {
  const mask = hits.times.length - 1
  while (hits.count > 0 && hits.times[hits.head]! <= now - hits.windowMs) {
    hits.head = (hits.head + 1) & mask
    hits.count -= 1
  }
  if (hits.count === 0 && hits.times.length > FIRST_RING) hits.times = new Float64Array(FIRST_RING)
  if (hits.count === 0) hits.head = 0
}

function push(hits: Hits, at: number): void {
  if (hits.count === hits.times.length) {
    const wider = new Float64Array(hits.times.length * 2)
    wider.set(hits.times.subarray(hits.head))
    wider.set(hits.times.subarray(0, hits.head), hits.times.length - hits.head)
    hits.times = wider
    hits.head = 0
  }
  hits.times[(hits.head + hits.count) & (hits.times.length - 1)] = at
  hits.count += 1
}
