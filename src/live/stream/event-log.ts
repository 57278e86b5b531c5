import type { TenantId } from '../../access/principal.ts'

/** Events that a device may have missed, and the memory they may take. */
const MOST_EVENTS = 10_000
const MOST_CHARACTERS = 32 * 1024 * 1024

/** A domain event as the streams of people get it (X18, X20). */
export interface StreamEvent {
  readonly tenant: TenantId
  /** Whom it is for; null is everybody in the tenant. */
  readonly userId: string | null
  readonly type: string
  /** JSON of `data`. */
  readonly data: string
  readonly source: string | null
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** An event with its place in the log. */
export interface LoggedEvent extends StreamEvent {
  readonly number: number
}

/**
 * The latest domain events, so that a device that lost its connection misses none [X20]. In memory and bounded: events
 * are of the moment, and a restart forgets them. Numbers start at 1 and rise by one.
 */
export class EventLog {
  /** Tells this run's numbers from those of another. */
  readonly run: string
  #events: LoggedEvent[] = []
  #head = 0
  #characters = 0
  #last = 0
  readonly #watchers = new Map<string, Set<(event: LoggedEvent) => void>>()

  constructor(run: string) {
    this.run = run
  }

  /** Number of the latest event. */
  get last(): number {
    return this.#last
  }

  /** Keeps the event and tells whoever watches for its people. Answers with what names it: `{run}.{number}`. */
  add(event: StreamEvent): string {
    this.#last += 1
    const logged = { ...event, number: this.#last }
    this.#events.push(logged)
    this.#characters += event.data.length
    this.#forget()
    if (event.userId !== null) this.#watchers.get(event.userId)?.forEach((tell) => tell(logged))
    else for (const watchers of this.#watchers.values()) watchers.forEach((tell) => tell(logged))
    return `${this.run}.${logged.number}`
  }

  /** Tells of every event for the person from now on, and of those for everybody of any tenant. */
  watch(userId: string, tell: (event: LoggedEvent) => void): () => void {
    const watchers = this.#watchers.get(userId) ?? new Set()
    this.#watchers.set(userId, watchers)
    watchers.add(tell)
    return () => {
      watchers.delete(tell)
      if (watchers.size === 0) this.#watchers.delete(userId)
    }
  }

  /** Whether everything after this number is still here. */
  reaches(number: number): boolean {
    return number >= this.#last - (this.#events.length - this.#head)
  }

  /** What came after this number, oldest first; what was forgotten is not among it. */
  *after(number: number): Generator<LoggedEvent> {
    const first = this.#last - (this.#events.length - this.#head) + 1
    for (let at = this.#head + Math.max(0, number + 1 - first); at < this.#events.length; at += 1) {
      const event = this.#events[at]
      if (event) yield event
    }
  }

  #forget(): void {
    while (this.#events.length - this.#head > MOST_EVENTS || this.#characters > MOST_CHARACTERS) {
      this.#characters -= this.#events[this.#head]?.data.length ?? 0
      this.#head += 1
    }
    // Cutting the front off now and then keeps a long log linear.
    if (this.#head > MOST_EVENTS) {
      this.#events = this.#events.slice(this.#head)
      this.#head = 0
    }
  }
}
