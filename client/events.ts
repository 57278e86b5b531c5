import type { Frame } from './live/frame.ts'

/** What a handler gets (X20). */
export interface StreamEvent<Data = unknown> {
  readonly type: string
  readonly data: Data
  /** Of domain events: who emitted it, and when (epoch seconds). */
  readonly source?: string
  readonly timestamp?: number
}

export type Handler<Data = unknown> = (event: StreamEvent<Data>) => void

/**
 * Whether an event type is meant by a pattern: `order.completed` is itself, `order.*` is everything below `order`, `*` is
 * everything; a star between dots stands for one word.
 */
export function matches(pattern: string, type: string): boolean {
  if (pattern === type || pattern === '*') return true
  if (!pattern.includes('*')) return false
  const wanted = pattern.split('.')
  const given = type.split('.')
  const open = wanted.at(-1) === '*'
  if (open ? given.length < wanted.length : given.length !== wanted.length) return false
  return wanted.every((word, at) => word === '*' || word === given[at])
}

/** Handlers by pattern. */
export class Handlers {
  readonly #byPattern = new Map<string, Set<Handler>>()

  /** Answers with how to take it back; the same handler may stand under several patterns. */
  on(pattern: string, handler: Handler): () => void {
    const handlers = this.#byPattern.get(pattern) ?? new Set()
    this.#byPattern.set(pattern, handlers)
    // One of its own for each call, so that taking one back leaves the other.
    const own: Handler = (event) => handler(event)
    handlers.add(own)
    return () => {
      handlers.delete(own)
      if (handlers.size === 0 && this.#byPattern.get(pattern) === handlers) this.#byPattern.delete(pattern)
    }
  }

  /** Tells all that it concerns; one that throws keeps it from none of the others. */
  tell({ type, data, source, timestamp }: Omit<Frame, 'id'>): void {
    const event: StreamEvent = {
      type,
      data,
      ...(source !== undefined && { source }),
      ...(timestamp !== undefined && { timestamp }),
    }
    for (const [pattern, handlers] of Array.from(this.#byPattern)) {
      if (!matches(pattern, type)) continue
      for (const handler of Array.from(handlers)) {
        try {
          handler(event)
        } catch (error) {
          // Reaches the page's own error handling without stopping here.
          queueMicrotask(() => {
            throw error
          })
        }
      }
    }
  }
}
