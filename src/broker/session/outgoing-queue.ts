import type { Message } from './frame.ts'

/** One message for one session above QoS 0. */
export interface Outgoing {
  readonly message: Message
  readonly qos: 1 | 2
  readonly retain: boolean
  readonly bytes: number
  /** A frame of the live fan-out: told when the device has it, and never kept beyond the connection. */
  readonly confirmed: (() => void) | null
  /** Packet identifier, 0 while it waits. */
  id: number
  /** PUBREC came: only PUBREL is repeated from here on. */
  released: boolean
}

/** What a session may hold while nobody is connected (promise P22). */
export const OFFLINE_MESSAGES = 1000
export const OFFLINE_BYTES = 8 * 1024 * 1024

/**
 * The messages above QoS 0 that a session has not had confirmed, oldest first: those in flight under a packet
 * identifier, then those that wait. Holds no connection and writes nothing.
 */
export class OutgoingQueue {
  readonly flying = new Map<number, Outgoing>()
  flyingBytes = 0
  waitingBytes = 0
  private waiting: Outgoing[] = []
  private head = 0
  private lastId = 0

  get waitingCount(): number {
    return this.waiting.length - this.head
  }

  push(message: Message, qos: 1 | 2, retain: boolean): void {
    const bytes = message.payload.length + message.topic.length
    this.waiting.push({ message, qos, retain, bytes, confirmed: null, id: 0, released: false })
    this.waitingBytes += bytes
  }

  /** The oldest that waits, without taking it. */
  peek(): Outgoing | undefined {
    return this.waiting[this.head]
  }

  /** Takes the oldest that waits. */
  shift(): Outgoing | undefined {
    const entry = this.waiting[this.head]
    if (!entry) return undefined
    this.head++
    if (this.head > 256 && this.head * 2 > this.waiting.length) {
      this.waiting = this.waiting.slice(this.head)
      this.head = 0
    }
    this.waitingBytes -= entry.bytes
    return entry
  }

  /** Gives the entry a packet identifier that nobody else in this session has. */
  launch(entry: Outgoing): void {
    do this.lastId = this.lastId >= 0xffff ? 1 : this.lastId + 1
    while (this.flying.has(this.lastId))
    entry.id = this.lastId
    this.flying.set(entry.id, entry)
    this.flyingBytes += entry.bytes
  }

  /** PUBACK ends QoS 1 and PUBCOMP QoS 2; any other confirmation is a stranger's and changes nothing. */
  confirm(by: 'puback' | 'pubcomp', id: number): Outgoing | undefined {
    const entry = this.flying.get(id)
    if (!entry || entry.qos !== (by === 'puback' ? 1 : 2)) return undefined
    this.land(entry)
    return entry
  }

  /** PUBREC: the receiver has a QoS 2 message and waits for its release. */
  release(id: number): void {
    const entry = this.flying.get(id)
    if (entry?.qos === 2) entry.released = true
  }

  /** Takes an entry out of flight unconfirmed. */
  land(entry: Outgoing): void {
    if (this.flying.delete(entry.id)) this.flyingBytes -= entry.bytes
  }

  /** Live frames end with their connection: the inbox is the truth, and replays them on the next one. */
  forgetLive(): void {
    for (const entry of this.flying.values()) if (entry.confirmed) this.land(entry)
  }

  /** Drops the oldest until the offline bounds hold; says how many. */
  trim(): number {
    let dropped = 0
    const over = () =>
      this.flying.size + this.waitingCount > OFFLINE_MESSAGES ||
      this.flyingBytes + this.waitingBytes > OFFLINE_BYTES
    for (const entry of this.flying.values()) {
      if (!over()) return dropped
      // Its payload has arrived; only the two bytes of its release are owed.
      if (entry.released) continue
      this.land(entry)
      dropped++
    }
    while (over() && this.shift()) dropped++
    return dropped
  }
}
