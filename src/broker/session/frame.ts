/** One message on its way to subscribers. Payloads are shared between them and never changed. */
export interface Message {
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: 0 | 1 | 2
  readonly retain: boolean
  /** Not kept for sessions without a connection. */
  readonly passing?: boolean
}

export interface FrameOptions {
  readonly qos: 0 | 1 | 2
  readonly retain: boolean
  readonly dup: boolean
  /** Packet identifier; only above QoS 0. */
  readonly id: number
}

/** From here on the payload is written by itself, so that a thousand subscribers share one copy. */
const SHARED_PAYLOAD_BYTES = 4096

/** A PUBLISH packet (MQTT 3.1.1 section 3.3) in one buffer, or head and payload in two. */
export function encodePublish(message: Message, options: FrameOptions): readonly Uint8Array[] {
  const { payload } = message
  const topicBytes = Buffer.byteLength(message.topic)
  const variable = 2 + topicBytes + (options.qos > 0 ? 2 : 0)
  const remaining = variable + payload.length
  const lengthBytes = remaining < 0x80 ? 1 : remaining < 0x4000 ? 2 : remaining < 0x200000 ? 3 : 4
  const shared = payload.length >= SHARED_PAYLOAD_BYTES
  const frame = Buffer.allocUnsafe(1 + lengthBytes + variable + (shared ? 0 : payload.length))
  frame[0] = 0x30 | (options.dup ? 8 : 0) | (options.qos << 1) | (options.retain ? 1 : 0)
  let offset = 1
  for (let rest = remaining; offset <= lengthBytes; rest >>= 7)
    frame[offset++] = (rest & 0x7f) | (offset <= lengthBytes ? 0x80 : 0)
  offset = frame.writeUInt16BE(topicBytes, offset)
  offset += frame.write(message.topic, offset)
  if (options.qos > 0) offset = frame.writeUInt16BE(options.id, offset)
  if (shared) return [frame, payload]
  frame.set(payload, offset)
  return [frame]
}

/** A PUBREL packet (MQTT 3.1.1 section 3.6). */
export function encodePubrel(id: number): Uint8Array {
  return Uint8Array.of(0x62, 2, id >> 8, id & 0xff)
}
