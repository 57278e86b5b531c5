/** One message of the live stream. */
export interface Frame {
  readonly type: string
  /** Where the receiver stands once it has this. */
  readonly id: string
  readonly data: unknown
  /** Of domain events. */
  readonly source?: string
  readonly timestamp?: number
}

/** How far a device has come: the parts of a frame's `id`. */
export interface Position {
  readonly seq: number
  readonly run: string
  readonly event: number
}

/** Pages that are remembered, so that a new connection does not ring for them again. */
const MOST_PAGES = 500

/**
 * What has been seen, so that whatever arrives twice (over a new connection, or from another tab) is told once. Exact
 * for notifications and domain events, which are numbered; pages of alerts are known by their alert and step.
 */
export class Seen {
  #last: Position | null = null
  readonly #pages = new Set<string>()
  #unreadVersion = -1

  /** What a connection resumes from; null before anything came. */
  get position(): string | null {
    return this.#last === null ? null : `${this.#last.seq}.${this.#last.run}.${this.#last.event}`
  }

  /** Takes over how far another tab is, where it is further. */
  skipTo(id: string): void {
    const position = positionOf(id)
    if (position) this.#advance(position)
  }

  /** Whether this is new; remembers it if so. */
  take(frame: Frame): boolean {
    const position = positionOf(frame.id)
    if (position === null) return true
    const last = this.#last
    const fresh = last === null || this.#isNew(frame, position, last)
    this.#advance(position)
    return fresh
  }

  #isNew(frame: Frame, position: Position, last: Position): boolean {
    if (frame.timestamp !== undefined) return position.run !== last.run || position.event > last.event
    if (frame.type === 'notification.created') return position.seq > last.seq
    if (frame.type === 'unread') return this.#newerCount(frame.data)
    return frame.type.endsWith('_alert') ? this.#newPage(frame.data) : true
  }

  #advance(position: Position): void {
    const last = this.#last
    const event =
      last === null || last.run !== position.run ? position.event : Math.max(last.event, position.event)
    this.#last = { seq: Math.max(last?.seq ?? -1, position.seq), run: position.run, event }
  }

  #newerCount(data: unknown): boolean {
    const { version } = data as { readonly version?: unknown }
    if (typeof version !== 'number') return true
    if (version <= this.#unreadVersion) return false
    this.#unreadVersion = version
    return true
  }

  #newPage(data: unknown): boolean {
    const { alert } = data as { readonly alert?: Readonly<Record<string, unknown>> }
    if (alert === undefined) return true
    const key = [alert['id'], alert['status'], alert['step'], alert['next_step_at']].join(' ')
    if (this.#pages.has(key)) return false
    this.#pages.add(key)
    if (this.#pages.size > MOST_PAGES) {
      const [oldest] = this.#pages
      if (oldest !== undefined) this.#pages.delete(oldest)
    }
    return true
  }
}

/** Null for an id that tells no position. */
export function positionOf(id: string): Position | null {
  const [seq, run, event] = id.split('.')
  if (seq === undefined || run === undefined || event === undefined) return null
  return { seq: Number(seq), run, event: Number(event) }
}

/** A frame of what came over a wire or from another tab; null for what is none. */
export function frameOf(value: unknown): Frame | null {
  if (typeof value !== 'object' || value === null) return null
  const { type, id, data, source, timestamp } = value as Readonly<Record<string, unknown>>
  if (typeof type !== 'string' || typeof id !== 'string') return null
  return {
    type,
    id,
    data,
    ...(typeof source === 'string' && { source }),
    ...(typeof timestamp === 'number' && { timestamp }),
  }
}
