import type { Message } from './frame.ts'

/** One message for one session above QoS 0. */
export interface Outgoing {
  readonly message: Message
  readonly qos: 1 | 2
  readonly retain: boolean
  readonly bytes: number
  /** A frame of the live fan-out: told when the device has it, and never kept beyond the connection. */
  readonly confirmed: (() => void) | null
  /** Packet identifier; 0 while it waits, unless it outlives the process. */
  id: number
  /** It outlives the process, under an identifier that it has from the beginning [MQTT-4.4.0-1]. */
  readonly durable: boolean
  /**
   * May be sent. Only durable QoS 2 waits for its commit: after a crash its publisher repeats it, and it must come
   * under the identifier it had, for the subscriber to know it again [MQTT-4.3.3].
   */
  stored: boolean
  /** It may have been sent before. */
  readonly again: boolean
  /** PUBREC came: only PUBREL is repeated from here on. */
  released: boolean
}

/** An entry that nobody has to remember beyond the connection or the process. */
export function passingEntry(entry: Pick<Outgoing, 'message' | 'qos' | 'retain' | 'confirmed'>): Outgoing {
  const { message, qos, retain, confirmed } = entry
  const bytes = message.payload.length + message.topic.length
  const ofOneConnection = { durable: false, stored: true, again: false, released: false }
  return { message, qos, retain, bytes, confirmed, id: 0, ...ofOneConnection }
}

/** What a session may hold while nobody is connected (promise P22). */
export const OFFLINE_MESSAGES = 1000
export const OFFLINE_BYTES = 8 * 1024 * 1024
/** Of the 65,535 packet identifiers; the rest is for what does not outlive the process. */
const MOST_IDENTIFIERS = 60_000

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
  /** Identifiers in flight or set aside. */
  private readonly taken = new Set<number>()
  private readonly onEnd: (entry: Outgoing) => unknown

  /** @param onEnd Told of every durable entry that is confirmed or dropped. */
  constructor(onEnd: (entry: Outgoing) => unknown = () => {}) {
    this.onEnd = onEnd
  }

  /** Whether no more can be given an identifier of its own. */
  get full(): boolean {
    return this.taken.size >= MOST_IDENTIFIERS
  }

  get waitingCount(): number {
    return this.waiting.length - this.head
  }

  /** Puts a message at the end. */
  push(message: Message, qos: 1 | 2, retain: boolean, durable = false): Outgoing {
    const entry = passingEntry({ message, qos, retain, confirmed: null })
    return this.add(durable ? { ...entry, durable, stored: qos === 1, id: this.takeId() } : entry)
  }

  /** Puts back at the end what an earlier process had kept. */
  restore(kept: Pick<Outgoing, 'message' | 'qos' | 'id' | 'released'>): void {
    const { message, qos, id, released } = kept
    const entry = passingEntry({ message, qos, retain: message.retain, confirmed: null })
    const restored = { ...entry, durable: true, again: true, id, released }
    this.taken.add(id)
    this.lastId = id
    if (released) this.fly(restored)
    else this.add(restored)
  }

  /** Everything that outlives the process, oldest first. */
  durable(): readonly Outgoing[] {
    return [...this.flying.values(), ...this.waiting.slice(this.head)].filter((entry) => entry.durable)
  }

  /** The oldest that waits, without taking it. */
  peek(): Outgoing | undefined {
    return this.waiting[this.head]
  }

  /** Takes the oldest that waits, if it may be sent. */
  shift(): Outgoing | undefined {
    return this.peek()?.stored === true ? this.next() : undefined
  }

  private add(entry: Outgoing): Outgoing {
    this.waiting.push(entry)
    this.waitingBytes += entry.bytes
    return entry
  }

  private next(): Outgoing | undefined {
    const entry = this.peek()
    if (!entry) return undefined
    this.head++
    if (this.head > 256 && this.head * 2 > this.waiting.length) {
      this.waiting = this.waiting.slice(this.head)
      this.head = 0
    }
    this.waitingBytes -= entry.bytes
    return entry
  }

  /** Gives the entry a packet identifier that nobody else in this session has, unless it has one. */
  launch(entry: Outgoing): void {
    if (!entry.durable) entry.id = this.takeId()
    this.fly(entry)
  }

  /** PUBACK ends QoS 1 and PUBCOMP QoS 2; any other confirmation is a stranger's and changes nothing. */
  confirm(by: 'puback' | 'pubcomp', id: number): Outgoing | undefined {
    const entry = this.flying.get(id)
    if (!entry || entry.qos !== (by === 'puback' ? 1 : 2)) return undefined
    this.drop(entry)
    return entry
  }

  /** PUBREC: the receiver has a QoS 2 message and waits for its release. Null when there is no such message. */
  release(id: number): Outgoing | null {
    const entry = this.flying.get(id)
    if (entry?.qos !== 2) return null
    entry.released = true
    return entry
  }

  /** Forgets an entry that was taken, in flight or not. */
  drop(entry: Outgoing): void {
    if (this.flying.get(entry.id) === entry) {
      this.flying.delete(entry.id)
      this.flyingBytes -= entry.bytes
    }
    this.taken.delete(entry.id)
    if (entry.durable) this.onEnd(entry)
  }

  /** Live frames end with their connection: the inbox is the truth, and replays them on the next one. */
  forgetLive(): void {
    for (const entry of this.flying.values()) if (entry.confirmed) this.drop(entry)
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
      this.drop(entry)
      dropped++
    }
    while (over()) {
      const entry = this.next()
      if (!entry) break
      this.drop(entry)
      dropped++
    }
    return dropped
  }

  private fly(entry: Outgoing): void {
    this.flying.set(entry.id, entry)
    this.flyingBytes += entry.bytes
  }

  private takeId(): number {
    do this.lastId = this.lastId >= 0xffff ? 1 : this.lastId + 1
    while (this.taken.has(this.lastId))
    this.taken.add(this.lastId)
    return this.lastId
  }
}
