import type { Duplex } from 'node:stream'
import type { Clock } from '../../clock.ts'
import { encodePublish, encodePubrel, type Message } from './frame.ts'
import { passingEntry, type Outgoing, type OutgoingQueue } from './outgoing-queue.ts'

/** Unconfirmed messages on one connection, and their bytes: MQTT 3.1.1 lets the receiver set no window of its own. */
const WINDOW_MESSAGES = 1000
const WINDOW_BYTES = 1024 * 1024
/** The socket's buffer above which a subscriber counts as slow (promise P22). */
const SLOW_BYTES = 1024 * 1024
/** The queue writes no further than this; a `drain` is then sure to come. */
const FULL_BYTES = 256 * 1024
/** What may wait for a subscriber that reads but confirms slowly. */
const BACKLOG_BYTES = 8 * 1024 * 1024
/** Retained messages that wait for their commit. */
const REPLAYS_AHEAD = 100
/** How long a full socket may take nothing at all. */
const FROZEN_MS = 10_000

export interface OutboundOptions {
  readonly clock: Clock
  /** Asked again for what was queued before this connection (security row 8). */
  readonly mayForward: (topic: string) => boolean
  /** A QoS 0 message had no room. */
  readonly onDrop: () => void
  /** Puts a retained message above QoS 0 into the queue of a session that outlives the process; absent for others. */
  readonly keep?: ((message: Message, qos: 1 | 2) => void) | undefined
}

/**
 * The writing side of one connection: every PUBLISH to a subscriber goes through here. QoS 0 is written or dropped,
 * above it the session's queue is written in order under a window. A subscriber that does not read is disconnected,
 * and holds up nobody else (promise P22).
 */
export class Outbound {
  /** Called when a live frame that was turned away has room now. */
  onRoomy: () => void = () => {}
  private readonly conn: Duplex
  private readonly queue: OutgoingQueue
  private readonly options: OutboundOptions
  private readonly replays: Iterator<Message & { readonly granted: 0 | 1 | 2 }>[] = []
  private readonly drained = () => this.pump()
  /** Bytes that waited before this connection and still do; not the connection's fault. */
  private inherited = 0
  /** How many entries at the head of the queue were put there before this connection. */
  private unchecked = 0
  private started = false
  private closed = false
  private corked = false
  private turnedAway = false
  private written = 0
  private cancelFrozen: (() => void) | null = null

  constructor(conn: Duplex, queue: OutgoingQueue, options: OutboundOptions) {
    this.conn = conn
    this.queue = queue
    this.options = options
    conn.on('drain', this.drained)
  }

  /** After CONNACK: repeats what was in flight, with DUP and the old identifiers [MQTT-4.4.0-1], then what waits. */
  start(): void {
    this.started = true
    this.inherited = this.queue.waitingBytes
    this.unchecked = this.queue.waitingCount
    for (const entry of this.queue.flying.values()) {
      if (entry.released) this.write([encodePubrel(entry.id)])
      else if (this.options.mayForward(entry.message.topic)) this.writeEntry(entry, true)
      else this.queue.drop(entry)
    }
    this.pump()
  }

  /** QoS 0: written now or dropped. `frame` may be shared between subscribers. */
  sendOnce(frame: readonly Uint8Array[]): void {
    if (this.closed) return
    if (this.conn.writableLength > SLOW_BYTES) {
      this.options.onDrop()
      this.watchFrozen()
    } else this.write(frame)
  }

  /** Above QoS 0, after the message was put into the queue and may be sent. */
  queued(): void {
    if (!this.started || this.closed) return
    this.pump()
    // What waits for the disk is not the subscriber's fault.
    if (this.queue.peek()?.stored === false) return
    const full = this.conn.writableLength >= FULL_BYTES
    if (full) this.watchFrozen()
    if (this.queue.waitingBytes - this.inherited > (full ? SLOW_BYTES : BACKLOG_BYTES))
      this.conn.destroy(new Error('the subscriber reads too slowly'))
  }

  /** Retained messages for new subscriptions: fetched one by one, as there is room for them. */
  replay(messages: Iterator<Message & { readonly granted: 0 | 1 | 2 }>): void {
    this.replays.push(messages)
    this.pump()
  }

  /** One frame of the live fan-out; false when there is no room, `onRoomy` follows. */
  sendLive(message: Message, qos: 0 | 1, confirmed: () => void): boolean {
    if (this.closed) return false
    if (!this.hasRoom(SLOW_BYTES)) {
      this.turnedAway = true
      this.watchFrozen()
      return false
    }
    if (qos === 0) {
      this.write(encodePublish(message, { qos, retain: message.retain, dup: false, id: 0 }), confirmed)
      return true
    }
    this.launch(passingEntry({ message, qos, retain: message.retain, confirmed }))
    return true
  }

  /** PUBACK or PUBCOMP from the peer. */
  confirmed(by: 'puback' | 'pubcomp', id: number): void {
    const entry = this.queue.confirm(by, id)
    if (!entry) return
    entry.confirmed?.()
    this.pump()
  }

  /** The connection is gone; the queue stays with the session. */
  close(): void {
    this.closed = true
    this.conn.off('drain', this.drained)
    this.cancelFrozen?.()
    this.cancelFrozen = null
    this.replays.length = 0
    this.queue.forgetLive()
  }

  private hasRoom(socketBytes: number): boolean {
    return (
      this.queue.flying.size < WINDOW_MESSAGES &&
      this.queue.flyingBytes < WINDOW_BYTES &&
      this.conn.writableLength < socketBytes
    )
  }

  private pump(): void {
    if (!this.started || this.closed) return
    while (this.hasRoom(FULL_BYTES)) {
      const entry = this.queue.shift()
      if (!entry) {
        if (this.replayOne()) continue
        break
      }
      this.inherited = Math.min(this.inherited, this.queue.waitingBytes)
      if (this.unchecked > 0) {
        this.unchecked--
        if (!this.options.mayForward(entry.message.topic)) {
          this.queue.drop(entry)
          continue
        }
      }
      this.launch(entry)
    }
    if (this.turnedAway && this.hasRoom(FULL_BYTES)) {
      this.turnedAway = false
      // Not from within a fan-out, which the callback may well start again.
      queueMicrotask(() => {
        if (!this.closed) this.onRoomy()
      })
    }
  }

  private replayOne(): boolean {
    if (this.queue.waitingCount >= REPLAYS_AHEAD) return false
    const next = this.replays[0]?.next()
    if (!next) return false
    if (next.done === true) {
      this.replays.shift()
      return true
    }
    const message = next.value
    const qos = message.qos < message.granted ? message.qos : message.granted
    if (qos === 0) this.write(encodePublish(message, { qos, retain: true, dup: false, id: 0 }))
    else if (this.options.keep) this.options.keep(message, qos)
    else this.launch(passingEntry({ message, qos, retain: true, confirmed: null }))
    return true
  }

  private launch(entry: Outgoing): void {
    this.queue.launch(entry)
    this.writeEntry(entry, entry.again)
  }

  private writeEntry(entry: Outgoing, dup: boolean): void {
    this.write(encodePublish(entry.message, { qos: entry.qos, retain: entry.retain, dup, id: entry.id }))
  }

  private write(chunks: readonly Uint8Array[], done?: () => void): void {
    const { conn } = this
    if (conn.destroyed || conn.writableEnded) return
    // One system call for all that is written in one turn.
    if (!this.corked) {
      this.corked = true
      conn.cork()
      process.nextTick(() => {
        this.corked = false
        conn.uncork()
      })
    }
    const last = chunks.length - 1
    for (const [index, chunk] of chunks.entries()) {
      this.written += chunk.length
      if (index < last || !done) conn.write(chunk)
      else
        conn.write(chunk, (error) => {
          if (!error) done()
        })
    }
  }

  /** Disconnects when not one byte left the socket in ten seconds. */
  private watchFrozen(): void {
    if (this.cancelFrozen || this.closed) return
    const left = () => this.written - this.conn.writableLength
    const before = left()
    this.cancelFrozen = this.options.clock.at(this.options.clock.now() + FROZEN_MS, () => {
      this.cancelFrozen = null
      if (this.conn.writableLength >= FULL_BYTES && left() <= before)
        this.conn.destroy(new Error('the subscriber has not read for ten seconds'))
    })
  }
}
