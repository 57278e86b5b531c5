import type { Principal } from '../../../access/principal.ts'
import type {
  PersistedPublish,
  PersistedPubrel,
  PersistedRetained,
  PersistedSession,
  PersistedSubscription,
  PersistedWill,
} from '../../../broker/session/persistence.ts'
import type { Row, SqlValue } from '../file/database.ts'

/** What a subscription says beside its filter and QoS: MQTT 5 knows several options. */
export function subscriptionOptions(subscription: PersistedSubscription): string {
  return JSON.stringify({ ...subscription, topic: undefined, qos: undefined, clientId: undefined })
}

export function readSubscription(row: Row): PersistedSubscription {
  const [, topic, qos, options] = row as unknown as readonly [string, string, 0 | 1 | 2, string]
  return { topic, qos, ...(JSON.parse(options) as object) }
}

/** The columns of `mqtt_message`. */
export function outgoingRow(packet: PersistedPublish): Row {
  const { topic, payload, retain, dup, brokerId, brokerCounter } = packet
  const bytes = typeof payload === 'string' ? payload : new Uint8Array(payload)
  return [topic, bytes, retain ? 1 : 0, dup === true ? 1 : 0, brokerId ?? null, brokerCounter ?? null]
}

/** A delivery to one session: the publish, or the PUBREL that is all that is left of it. */
export function readOutgoing(row: Row): PersistedPublish | PersistedPubrel {
  const [topic, payload, qos, retain, dup, brokerId, brokerCounter, messageId, released] =
    row as unknown as readonly [
      ...[string, Uint8Array | string, 0 | 1 | 2, number, number],
      ...[string | null, number | null, number | null, number],
    ]
  if (released === 1) return { cmd: 'pubrel', messageId: messageId ?? 0 }
  return {
    cmd: 'publish',
    topic,
    payload: bufferOf(payload),
    qos,
    retain: retain === 1,
    dup: dup === 1,
    brokerId: brokerId ?? '',
    brokerCounter: brokerCounter ?? 0,
    messageId: messageId ?? undefined,
  }
}

/** Everything of the packet but its payload, and the length that it had on the wire. */
export function incomingDoc(packet: PersistedPublish): string {
  return JSON.stringify({ ...packet, payload: undefined, length: undefined })
}

export function readIncoming([, doc, payload]: Row): PersistedPublish {
  return withPayload(doc, payload) as PersistedPublish
}

export function retainedDoc(packet: PersistedRetained): string {
  return JSON.stringify({ ...packet, payload: undefined })
}

export function readRetained([doc, payload]: Row): PersistedRetained {
  return withPayload(doc, payload) as PersistedRetained
}

export function willDoc(will: PersistedWill): string {
  return JSON.stringify({ ...will, payload: undefined })
}

export function readWill([doc, payload]: Row): PersistedWill {
  return withPayload(doc, payload) as PersistedWill
}

export function readSession(row: Row): PersistedSession {
  const [id, principal, leftAt] = row as unknown as readonly [string, string, number | null]
  return { id, principal: JSON.parse(principal) as Principal, leftAt }
}

/** The caller knows what it wrote there. */
function withPayload(doc: SqlValue | undefined, payload: SqlValue | undefined): unknown {
  return { ...(JSON.parse(doc as string) as object), payload: bufferOf(payload as Uint8Array | string) }
}

function bufferOf(payload: Uint8Array | string): Uint8Array | string {
  return typeof payload === 'string'
    ? payload
    : Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)
}
