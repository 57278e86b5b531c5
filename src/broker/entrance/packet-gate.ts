import type { Duplex } from 'node:stream'

/** The largest packets before and after the CONNACK (security row 13). */
export const CONNECT_BYTES = 16 * 1024
/** With its fixed header. */
const FIRST_BYTES = CONNECT_BYTES + 4
export const PACKET_BYTES = 256 * 1024

/** Finds the packets in a stream of bytes by their fixed headers (MQTT 3.1.1 section 2.2), holding none of them. */
export class PacketGate {
  /** Whole packets seen so far. */
  packets = 0
  private readonly limit: () => number
  /** Bytes of the current packet that are still to come; below zero while its header is. */
  private left = -1
  private type = 0
  private length = 0
  private shift = -1
  private first = true

  constructor(limit: () => number) {
    this.limit = limit
  }

  /**
   * Follows a chunk up to the end of the first packet of all, or to its own end. Answers how many bytes that were, or
   * why the connection cannot go on.
   */
  follow(chunk: Uint8Array): number | string {
    let offset = 0
    while (offset < chunk.length) {
      if (this.left < 0) {
        const fault = this.header(chunk[offset++] ?? 0)
        if (fault !== null) return fault
        if (this.left !== 0) continue
      } else {
        const taken = Math.min(this.left, chunk.length - offset)
        this.left -= taken
        offset += taken
        if (this.left > 0) continue
      }
      this.left = -1
      this.packets++
      if (this.first) {
        this.first = false
        return offset
      }
    }
    return offset
  }

  private header(byte: number): string | null {
    if (this.shift < 0) {
      if (this.first && byte !== 0x10) return 'the first packet is not a CONNECT'
      this.type = byte >> 4
      this.length = 0
      this.shift = 0
      return null
    }
    if (this.shift > 21) return 'the packet length is malformed'
    this.length += (byte & 0x7f) * 2 ** this.shift
    this.shift += 7
    // Said as soon as it is announced, before a byte of it is buffered.
    if (this.length > this.limit()) return `a packet of type ${this.type} is over ${this.limit()} bytes`
    if (byte >= 0x80) return null
    this.shift = -1
    this.left = this.length
    return null
  }
}

export interface GateState {
  readonly gate: PacketGate
  /** Lets through what follows the CONNECT. */
  open(): void
}

/**
 * Puts a gate in front of a stream that is read by `read()`: the CONNECT passes, then nothing until `open`; what is too
 * large or out of place destroys the stream before it is buffered. `onPackets` hears of every read that ends a packet.
 * Nothing is read while `full` says so: Aedes reads on after one `readable` for each packet that waits, so that large
 * packets would pile up; it asks again whenever it is done with one.
 */
export function guardPackets(
  conn: Duplex,
  { onPackets, full }: { readonly onPackets: () => void; readonly full: () => boolean },
): GateState {
  let opened = false
  const gate = new PacketGate(() => (opened ? PACKET_BYTES : CONNECT_BYTES))
  const read: (size?: number) => Buffer | null = conn.read.bind(conn)
  conn.read = (size?: number): unknown => {
    // The rest stays in the socket, which takes no more than one chunk on top of its small buffer.
    if ((!opened && gate.packets > 0) || full()) return null
    // Of a longer chunk the rest stays where it is, so that no second one is fetched.
    const first = gate.packets === 0 && conn.readableLength > FIRST_BYTES
    const chunk = read(first ? FIRST_BYTES : size)
    if (chunk === null) return null
    const before = gate.packets
    const taken = gate.follow(chunk)
    if (typeof taken === 'string') {
      conn.destroy(new Error(taken))
      return null
    }
    if (gate.packets > before) onPackets()
    if (taken === chunk.length) return chunk
    // Only after the CONNECT: the rest waits until its sender is known.
    conn.unshift(chunk.subarray(taken))
    return opened ? chunk : chunk.subarray(0, taken)
  }
  return { gate, open: () => void (opened = true) }
}
