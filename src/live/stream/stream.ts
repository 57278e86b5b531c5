import type { InboxReader } from '../../store/store.ts'
import type { Live, LiveAttachment, LiveFrame } from '../live.ts'
import type { EventLog, LoggedEvent } from './event-log.ts'
import { formatPosition, type Position } from './position.ts'

/** One message of a stream, as JSON WebSockets, event streams and long polling show it in their own ways. */
export interface StreamFrame {
  /** Where the device stands once it has this: what it resumes from. */
  readonly id: string
  /** `notification.created`, `unread`, `critical_alert`, … or the type of a domain event. */
  readonly type: string
  /** JSON. */
  readonly data: string
  /** Of a domain event: who emitted it, and when (epoch seconds). */
  readonly source?: string
  readonly timestamp?: number
}

export interface StreamSink {
  /**
   * Hands over one frame. False: there is no room and it was not taken; `roomy` of the stream follows once there is.
   * `flushed` is called when the bytes have left.
   */
  write(frame: StreamFrame, flushed: () => void): boolean
}

export interface Opening {
  readonly reader: InboxReader
  readonly sink: StreamSink
  /** Null: everything unread, and events from now on. */
  readonly from: Position | null
  /** Further fields of the first frame, `connected`; its `complete` is false when events were forgotten meanwhile. */
  readonly greeting?: Readonly<Record<string, unknown>>
}

/**
 * Everything that is for one person, in order, over one connection: their notifications, pages and unread count as the
 * fan-out gives them, and domain events. Keeps no message: what has no room is read again from where it stopped.
 */
export class Stream {
  readonly #reader: InboxReader
  readonly #log: EventLog
  readonly #sink: StreamSink
  readonly #attachment: LiveAttachment
  readonly #unwatch: () => void
  #seq: number
  #event: number
  /** Events wait in the log above the cursor. */
  #behind = true
  #closed = false

  constructor(
    host: { readonly live: Live; readonly log: EventLog },
    { reader, sink, from, greeting }: Opening,
  ) {
    this.#reader = reader
    this.#log = host.log
    this.#sink = sink
    this.#seq = from?.seq ?? -1
    // Of another run the device cannot have seen anything that this one has numbered.
    this.#event = from === null ? host.log.last : from.run === host.log.run ? from.event : 0
    const gap = !host.log.reaches(this.#event)
    this.#write(
      'connected',
      JSON.stringify({ status: 'connected', ...greeting, complete: !gap }),
      {},
      () => {},
    )
    this.#unwatch = host.log.watch(reader.userId, (event) => this.#offer(event))
    this.#attachment = host.live.attach(
      reader,
      { notifications: true, alerts: true, unread: true },
      { proves: false, send: (frame, confirmed) => this.#live(frame, confirmed) },
      from?.seq,
    )
    this.#readOn()
  }

  /** What a device that has everything so far resumes from. */
  get position(): string {
    return formatPosition({ seq: this.#seq, run: this.#log.run, event: this.#event })
  }

  /** The sink has room again. */
  roomy(): void {
    if (this.#closed) return
    this.#readOn()
    this.#attachment.roomy()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#unwatch()
    this.#attachment.detach()
  }

  #live(frame: LiveFrame, confirmed: () => void): boolean {
    const { notification } = frame
    if (notification === undefined) return this.#write(typeOf(frame), frame.payload, {}, confirmed)
    const before = this.#seq
    this.#seq = notification.seq
    // The names that the xynap document gives them (X16, contract section 7).
    const own = `"uuid":${JSON.stringify(notification.id)},"body":${JSON.stringify(notification.content.message)}`
    const data = `${frame.payload.slice(0, -1)},${own}}`
    if (this.#write('notification.created', data, {}, confirmed)) return true
    this.#seq = before
    return false
  }

  #offer(event: LoggedEvent): void {
    if (this.#behind || this.#closed) return
    if (!this.#hand(event)) this.#behind = true
  }

  #readOn(): void {
    if (!this.#behind) return
    for (const event of this.#log.after(this.#event)) if (!this.#hand(event)) return
    this.#behind = false
  }

  #hand(event: LoggedEvent): boolean {
    const before = this.#event
    this.#event = event.number
    if (event.tenant !== this.#reader.tenant) return true
    if (event.userId !== null && event.userId !== this.#reader.userId) return true
    const more = { ...(event.source !== null && { source: event.source }), timestamp: event.at / 1000 }
    if (this.#write(event.type, event.data, more, () => {})) return true
    this.#event = before
    return false
  }

  #write(
    type: string,
    data: string,
    more: Pick<StreamFrame, 'source' | 'timestamp'>,
    flushed: () => void,
  ): boolean {
    return !this.#closed && this.#sink.write({ id: this.position, type, data, ...more }, flushed)
  }
}

/** Pages say themselves what they are (R23). */
function typeOf({ kind, payload }: LiveFrame): string {
  if (kind === 'unread') return 'unread'
  const { type } = JSON.parse(payload) as { readonly type?: unknown }
  return typeof type === 'string' ? type : 'alert'
}
