import type { Readable } from 'node:stream'
import type { Principal } from '../../access/principal.ts'

/** Whose state it is: a session id. */
export interface SessionRef {
  readonly id: string
}

export interface PersistedSubscription {
  readonly topic: string
  readonly qos: 0 | 1 | 2
}

/** One of the sessions that a message waits for. */
export interface Recipient {
  readonly clientId: string
  readonly topic: string
  /** Of the subscription; the lower one of it and the message's counts. */
  readonly qos: 0 | 1 | 2
  /** The packet identifier that the session has set aside for it. */
  readonly messageId?: number
}

/** A PUBLISH as it is kept. `brokerId` and `brokerCounter` name the message, `messageId` its delivery to one session. */
export interface PersistedPublish {
  readonly cmd: 'publish'
  readonly topic: string
  readonly payload: Uint8Array | string
  readonly qos: 0 | 1 | 2
  readonly retain: boolean
  readonly dup?: boolean
  brokerId?: string
  brokerCounter?: number
  messageId?: number | undefined
  /** Its place in what all nodes hear, where there are several. */
  readonly position?: string
}

export interface PersistedPubrel {
  readonly cmd: 'pubrel'
  readonly messageId: number
}

/** A retained message; without a tenant it is everybody's. */
export interface PersistedRetained {
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: 0 | 1 | 2
  readonly retain: boolean
  readonly tenant?: string
  /** Its place in what all nodes hear: what comes before the stored one changes nothing. */
  readonly position?: string
}

/** A last will, with what it takes to say it when its process has died. `putWill` adds the last two. */
export interface PersistedWill {
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: 0 | 1 | 2
  readonly retain: boolean
  readonly principal?: Principal
  brokerId?: string
  clientId?: string
}

export interface PersistedSession {
  readonly id: string
  /** As of its last connection. */
  readonly principal: Principal
  /** When its last connection ended; null when the process died first. */
  readonly leftAt: number | null
}

/**
 * Where MQTT session state outlives the process (decision 6): the interface of aedes-persistence 11, and below it what
 * that one cannot say. Every change resolves after its commit, and changes resolve in the order of the calls: Aedes
 * drops messages when they do not (`https://github.com/moscajs/aedes/issues/955`). Changes of one turn of the event
 * loop are one commit, so that a message and the identifier it came under are kept together or not at all.
 */
export interface Persistence {
  setup(broker: { readonly id: string }): Promise<void>
  /** Adds or replaces. */
  addSubscriptions(client: SessionRef, subscriptions: readonly PersistedSubscription[]): Promise<void>
  removeSubscriptions(client: SessionRef, filters: readonly string[]): Promise<void>
  cleanSubscriptions(client: SessionRef): Promise<void>
  subscriptionsByClient(client: SessionRef): Promise<PersistedSubscription[]>
  /** Those above QoS 0 that take the topic. */
  subscriptionsByTopic(topic: string): Promise<(PersistedSubscription & { readonly clientId: string })[]>
  /** Session ids with exactly this filter. */
  getClientList(filter: string): Readable
  countOffline(): Promise<{ readonly subsCount: number; readonly clientsCount: number }>

  outgoingEnqueue(recipient: Recipient, packet: PersistedPublish): Promise<void>
  /** One message for several sessions, stored once. */
  outgoingEnqueueCombi(recipients: readonly Recipient[], packet: PersistedPublish): Promise<void>
  /** Gives a message its identifier, or replaces it by its PUBREL. Rejects when there is no such packet. */
  outgoingUpdate(client: SessionRef, packet: PersistedPublish | PersistedPubrel): Promise<void>
  /** Resolves with what was waiting under the identifier, if anything was. */
  outgoingClearMessageId(
    client: SessionRef,
    packet: { readonly messageId?: number | undefined },
  ): Promise<PersistedPublish | PersistedPubrel | undefined>
  /** What a session has not confirmed, oldest first: publishes, or the PUBREL of what was received. */
  outgoingStream(client: SessionRef): Readable

  incomingStorePacket(client: SessionRef, packet: PersistedPublish): Promise<void>
  /** Rejects when there is none. */
  incomingGetPacket(client: SessionRef, packet: { readonly messageId: number }): Promise<PersistedPublish>
  /** Rejects when there is none. */
  incomingDelPacket(client: SessionRef, packet: { readonly messageId: number }): Promise<void>
  cleanIncoming(client: SessionRef): Promise<void>

  /** The last message of its topic; an empty payload clears it. */
  storeRetained(packet: PersistedRetained): Promise<void>
  createRetainedStream(filter: string): Readable
  createRetainedStreamCombi(filters: readonly string[]): Readable

  putWill(client: SessionRef, will: PersistedWill): Promise<void>
  getWill(client: SessionRef): Promise<PersistedWill | undefined>
  delWill(client: SessionRef): Promise<PersistedWill | undefined>
  /** Wills that were put under the id of a broker which is not among these. */
  streamWill(brokers?: Readonly<Record<string, unknown>>): Readable
  /** Nothing may be called afterwards; what was stored stays. */
  destroy(): Promise<void>

  /** A session has a connection. */
  keepSession(client: SessionRef, principal: Principal): Promise<void>
  /** A session has lost its connection. */
  leaveSession(client: SessionRef, at: number): Promise<void>
  /** Forgets a session with all that is kept for it, but for its will. */
  dropSession(client: SessionRef): Promise<void>
  sessions(): Promise<readonly PersistedSession[]>
  /** Identifiers of the QoS 2 publishes that were taken and not released. */
  incomingIds(client: SessionRef): Promise<readonly number[]>
}
