import type { Server as HttpServer } from 'node:http'
import type { Principal } from '../access/principal.ts'
import type { Live } from '../live/live.ts'
import type { Outcome, Publish } from '../router/publish.ts'

/** What the broker asks of the rest: who somebody is, what they may, and what becomes of a publish. */
export interface BrokerDoor {
  /** Resolves to null for wrong credentials; the CONNACK says 4 for given ones, 5 for missing ones. */
  authenticate(credentials: MqttCredentials): Promise<Principal | null>
  /**
   * Takes one publish. `submitted` is called exactly once, as soon as a later publish of the same connection may
   * follow without overtaking this one. Never rejects.
   */
  receive(publish: Publish, submitted: () => void): Promise<Outcome>
  mayPublish(principal: Principal, topic: string): boolean
  maySubscribe(principal: Principal, filter: string): boolean
  /** Who a principal is by the present configuration; null for one that it does not know. Without it nobody changes. */
  recall?(principal: Principal): Principal | null
  /** Asked for every single message before it goes to a subscriber. */
  mayForward(principal: Principal, topic: string): boolean
  /** A last will: a publish in the name of somebody who is gone. */
  readonly live: Live
  /** Told of every connection that was let in, and of its end. */
  readonly presence?: {
    came(principal: Principal): void
    left(principal: Principal, how: 'goodbye' | 'lost'): void
  }
}

export interface MqttCredentials {
  readonly username: string | null
  readonly password: string | null
  readonly remoteAddress: string
  /** Ticket of the upgrade request's URL, and its cookie header, when it came over WebSocket. */
  readonly ticket: string | null
  readonly cookie: string | null
}

export interface PublishOptions {
  readonly retain?: boolean
  readonly qos?: 0 | 1 | 2
  readonly tenant?: string
  /** Only for who is connected now: sessions that are away do not find it when they come back. */
  readonly passing?: boolean
}

/** The embedded MQTT broker: decision 11, everything that is Aedes' own stays behind this. */
export interface Broker {
  /**
   * Publishes in the engine's name to whoever subscribes and may: receipts, `state/…`, events; with `tenant` only to
   * principals of that one. Nothing is stored by it but retained messages and the queues of offline sessions.
   */
  publish(topic: string, payload: string | Uint8Array, options?: PublishOptions): void
  /**
   * The same, and resolves when every session that outlives the process has it kept; false when it could not be kept,
   * and only those that are connected have it.
   */
  publishKept(topic: string, payload: string | Uint8Array, options?: PublishOptions): Promise<boolean>
  /** Whether any connection or stored session could receive this topic; lets callers skip work. May say yes too often, never no wrongly. */
  wanted(topic: string): boolean
  /** Whether a connection of this principal is open that subscribes to the topic and may have it. */
  hears(principalId: string, topic: string): boolean
  /** Ends every connection and every stored session of a principal whose access has ended. */
  revoke(principalId: string): void
  /** Where there are several nodes: takes over the sessions and wills of one that is gone. */
  takeOver(node: string): Promise<void>
  /** Where there are several nodes: keeps sessions anew that may not be kept; all of them when all was `lost`. */
  renew(lost: boolean): Promise<void>
  /** Up to where on the bus sessions that are here have everything kept for them. */
  readonly servedTo: string
  /** Listens for MQTT over TCP. Resolves with the port. */
  listen(host: string, port: number): Promise<number>
  /** Takes the upgrade requests for `/mqtt` of this server. */
  attachTo(server: HttpServer): void
  readonly connections: number
  /** Stops accepting, waits for what is in flight, closes every connection. */
  close(graceMs: number): Promise<void>
}
