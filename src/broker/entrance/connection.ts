import type { Duplex } from 'node:stream'
import type { Principal } from '../../access/principal.ts'
import type { AedesClient, AedesPublish } from '../aedes.ts'
import type { Intake } from './intake.ts'
import type { LiveTopics } from '../session/live-topics.ts'
import type { Outbound } from '../session/outbound.ts'
import type { GateState } from './packet-gate.ts'
import type { Session } from '../session/session.ts'

/** What the adapter knows of one socket. */
export interface Connection {
  readonly client: AedesClient
  readonly conn: Duplex
  readonly peer: Peer
  readonly gate: GateState
  readonly intake: Intake
  /** Ends timers when the connection does. */
  readonly endings: (() => void)[]
  /** Gives back its place among the connections of its person; idempotent. */
  leave: () => void
  /** Ends the wait for the CONNECT. */
  inTime: () => void
  /** The CONNECT packet, once it came. */
  connect: ConnectFacts | null
  /** The will that was admitted. */
  will: AedesPublish | null
  principal: Principal | null
  session: Session | null
  /** Filters that were granted, also those whose SUBACK is still to come. */
  claimed: Set<string>
  /** QoS of the filters that the session has, or is about to have, stored. */
  storedFilters: Map<string, number>
  /** Its will was published, or is about to be. */
  willSaid: boolean
  outbound: Outbound | null
  live: LiveTopics | null
  lastPacketAt: number
  /** Why it ends is already in the log. */
  explained: boolean
}

/** What a CONNECT asked for, without its credentials. */
export interface ConnectFacts {
  readonly clientId: string
  readonly clean: boolean
  /** Seconds. */
  readonly keepalive: number
  readonly protocolVersion: number
  readonly will: AedesPublish | null
}

/** Where a connection comes from. */
export interface Peer {
  readonly transport: 'mqtt' | 'mqtt_ws'
  readonly remoteAddress: string
  /** From the upgrade request. */
  readonly ticket: string | null
  readonly cookie: string | null
  /** Told when the peer was let in; may lift limits of the transport. */
  readonly onAccepted?: () => void
}

/** What every log line about a connection carries. */
export function logFields(connection: Connection): Readonly<Record<string, unknown>> {
  return {
    mqtt_client: connection.connect?.clientId ?? null,
    principal: connection.principal?.id ?? null,
    remote_address: connection.peer.remoteAddress,
  }
}
