/** MQTT 3.1.1 packets as bytes, made once so that generating load costs next to nothing. */

export interface Credentials {
  readonly username: string
  readonly password: string
}

const CONNECT = 0x10
const PUBLISH_QOS_1 = 0x32
const SUBSCRIBE = 0x82

/** A CONNECT with a clean session and without a keepalive. */
export function connectPacket(clientId: string, credentials: Credentials | null): Buffer {
  const flags = 0x02 | (credentials ? 0xc0 : 0)
  const header = Buffer.from([0, 4, 0x4d, 0x51, 0x54, 0x54, 4, flags, 0, 0])
  const texts = [clientId, ...(credentials ? [credentials.username, credentials.password] : [])]
  return packet(CONNECT, [header, ...texts.map(text)])
}

export function subscribePacket(filter: string, qos: 0 | 1): Buffer {
  return packet(SUBSCRIBE, [Buffer.from([0, 1]), text(filter), Buffer.from([qos])])
}

/** Digits of a sequence number; every payload has them, so that a loss shows. */
export const SEQUENCE_DIGITS = 12
/** Where the sequence number stands in the body of a template. */
export const SEQUENCE = '#'.repeat(SEQUENCE_DIGITS)

/** A PUBLISH with QoS 1 of which only the packet identifier and the sequence number differ. */
export class PublishTemplate {
  readonly bytes: Buffer
  readonly #idAt: number
  readonly #sequenceAt: number

  constructor(topic: string, body: string) {
    const sequence = body.indexOf(SEQUENCE)
    if (sequence < 0) throw new Error('the body has no place for the sequence number')
    const topicBytes = text(topic)
    const payload = Buffer.from(body)
    this.bytes = packet(PUBLISH_QOS_1, [topicBytes, Buffer.from([0, 0]), payload])
    const payloadAt = this.bytes.length - payload.length
    this.#idAt = payloadAt - 2
    this.#sequenceAt = payloadAt + Buffer.byteLength(body.slice(0, sequence))
  }

  writeTo(target: Buffer, offset: number, id: number, sequence: number): void {
    this.bytes.copy(target, offset)
    target.writeUInt16BE(id, offset + this.#idAt)
    let rest = sequence
    for (let digit = SEQUENCE_DIGITS - 1; digit >= 0; digit--) {
      target[offset + this.#sequenceAt + digit] = 0x30 + (rest % 10)
      rest = Math.floor(rest / 10)
    }
  }
}

/** Cuts a stream of bytes into packets; keeps what is not complete yet. */
export class PacketCutter {
  #rest: Buffer = Buffer.alloc(0)

  /** Calls `found` with the first byte of each packet's header and with what follows the header. */
  push(chunk: Buffer, found: (head: number, body: Buffer) => void): void {
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk
    let at = 0
    for (;;) {
      const header = headerAt(bytes, at)
      if (!header || header.end > bytes.length) break
      found(bytes[at] ?? 0, bytes.subarray(header.bodyAt, header.end))
      at = header.end
    }
    this.#rest = at === bytes.length ? Buffer.alloc(0) : Buffer.from(bytes.subarray(at))
  }
}

function headerAt(bytes: Buffer, at: number): { readonly bodyAt: number; readonly end: number } | null {
  let length = 0
  for (let index = 0; index < 4; index++) {
    const byte = bytes[at + 1 + index]
    if (byte === undefined) return null
    length += (byte & 0x7f) * 128 ** index
    const bodyAt = at + 2 + index
    if (byte < 0x80) return { bodyAt, end: bodyAt + length }
  }
  throw new Error('the server sent a packet length that is none')
}

function packet(head: number, parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  const length: number[] = []
  let rest = body.length
  do {
    const more = rest >= 128
    length.push((rest % 128) | (more ? 0x80 : 0))
    rest = Math.floor(rest / 128)
  } while (rest > 0)
  return Buffer.concat([Buffer.from([head, ...length]), body])
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes])
}
