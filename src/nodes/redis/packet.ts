import type { PersistedPublish, PersistedPubrel } from '../../broker/session/persistence.ts'

/** Something with a payload as one run of bytes: the length of the rest as JSON, that JSON, the payload. */
export function encodePacket(packet: { readonly payload: Uint8Array | string }): Buffer {
  const { payload, ...rest } = packet
  const text = typeof payload === 'string'
  const head = Buffer.from(JSON.stringify({ ...rest, ...(text && { text }) }))
  const length = Buffer.alloc(4)
  length.writeUInt32BE(head.length)
  return Buffer.concat([length, head, Buffer.from(payload as string)])
}

/** What {@link encodePacket} was given. */
export function decodePacket<T>(bytes: Buffer): T {
  const end = 4 + bytes.readUInt32BE(0)
  const { text, ...rest } = JSON.parse(bytes.subarray(4, end).toString()) as { readonly text?: boolean }
  const payload = bytes.subarray(end)
  // Only what was encoded is decoded.
  return { ...rest, payload: text === true ? payload.toString() : Buffer.from(payload) } as T
}

/** A queued packet as it was stored, under the identifier that it has now; nothing is left of what was released but that. */
export function readQueued(bytes: Buffer, messageId: number | undefined): PersistedPublish | PersistedPubrel {
  if (bytes.length === 0) return { cmd: 'pubrel', messageId: messageId ?? 0 }
  return { ...decodePacket<PersistedPublish>(bytes), messageId }
}
