import { Aedes } from 'aedes'
import { Readable, type Duplex } from 'node:stream'
import { MOST_LEVELS } from '../access/topic-filter.ts'

/**
 * The only place that knows what Aedes 1.2.0 hides or types too thinly; the version is pinned because of it. Aedes
 * speaks the protocol with the publisher's side of a connection: parser, CONNECT, acknowledgements, take-over, wills.
 * Its fan-out, persistence and topic matcher are replaced: they lose and overwrite messages, and one slow subscriber
 * holds up the others.
 */
export interface AedesClient {
  id: string
  readonly conn: Duplex
  readonly clean: boolean
  readonly closed: boolean
  /** Whether it has said DISCONNECT. */
  readonly _disconnected?: boolean
  /** The will of the CONNECT that is being answered, and the one in force. */
  _will: AedesPublish | undefined
  will: AedesPublish | null | undefined
  readonly _connectTimer: NodeJS.Timeout | null
  readonly _parser: { parse(chunk: Buffer): number }
  pause(): void
  close(done?: () => void): void
}

export interface AedesPublish {
  topic: string
  readonly payload: Buffer
  readonly qos: 0 | 1 | 2
  retain: boolean
  readonly dup?: boolean
  readonly messageId?: number
}

export interface AedesConnect {
  clientId: string
  readonly protocolVersion: number
  readonly clean: boolean
  keepalive: number
  readonly will?: AedesPublish
}

export interface AedesSubscription {
  readonly topic: string
  readonly qos: 0 | 1 | 2 | 128
}

/** An error that ends a CONNECT with this return code (MQTT 3.1.1 section 3.2.2.3). */
export type ConnectError = Error & { readonly returnCode: 2 | 3 | 4 | 5 }

export interface AedesHooks {
  readonly preConnect: (
    client: AedesClient,
    packet: AedesConnect,
    done: (error: Error | null, ok: boolean) => void,
  ) => void
  readonly authenticate: (
    client: AedesClient,
    username: string | undefined,
    password: Buffer | undefined,
    done: (error: ConnectError | null, ok: boolean) => void,
  ) => void
  /** Without a client for the will of another node. */
  readonly authorizePublish: (
    client: AedesClient | null,
    packet: AedesPublish,
    done: (error?: Error | null) => void,
  ) => void
  readonly authorizeSubscribe: (
    client: AedesClient,
    subscription: AedesSubscription,
    done: (error: Error | null, granted: AedesSubscription | null) => void,
  ) => void
  /** The acknowledgement of a QoS 1 publish was written. */
  onAcknowledged(): void
  /** CONNACK with code 0 was written. */
  onAccepted(client: AedesClient): void
  /** The session is in force: what is queued may be sent. */
  onReady(client: AedesClient): void
  onSubscribed(client: AedesClient, subscriptions: readonly AedesSubscription[]): void
  onUnsubscribed(client: AedesClient, filters: readonly string[]): void
  /** PUBACK and PUBCOMP of a subscriber. */
  onConfirmed(client: AedesClient, by: 'puback' | 'pubcomp', id: number): void
  /** PUBREC of a subscriber; PUBREL follows when this has resolved. */
  onReceived(client: AedesClient, id: number): Promise<void> | null
  /** SUBACK follows when this has resolved; what was denied is among the subscriptions. */
  keepSubscriptions(client: AedesClient, subscriptions: readonly AedesSubscription[]): Promise<void> | null
  /** UNSUBACK follows when this has resolved. */
  dropSubscriptions(client: AedesClient, filters: readonly string[]): Promise<void> | null
  /** QoS 2 publishes that were taken and not yet released. */
  incoming(client: AedesClient): Set<number>
  /** One of these was released; PUBCOMP follows when this has resolved. */
  onReleased(client: AedesClient, id: number): Promise<void> | null
  /** Whether CONNACK has to say that there is a session; asked while `authenticate` calls back. */
  sessionPresent(clientId: string): boolean
  onError(client: AedesClient | null, error: Error): void
}

export interface AedesBroker {
  readonly clients: Readonly<Record<string, AedesClient>>
  handle(conn: Duplex): AedesClient
  close(): Promise<void>
}

/** Stands for "there is a session" where Aedes concludes that from its subscriptions. It is never granted. */
export const SESSION_MARK: AedesSubscription = { topic: '$session', qos: 0 }

type Done = (error?: Error) => void

interface Inner extends Omit<AedesBroker, 'close'> {
  close(done: () => void): void
  publish: (packet: AedesPublish, client: AedesClient | null | Done, done?: Done) => void
  subscribe: (filter: string, listener: unknown, done?: () => void) => void
  unsubscribe: (filter: string, listener: unknown, done?: () => void) => void
  unregisterClient: (client: AedesClient) => void
  _finishRegisterClient: (client: AedesClient) => void
  connectedClients: number
  on(event: string, listener: (...args: never[]) => void): void
}

/** Starts an Aedes whose decisions and deliveries are the hooks'. Nothing that a client sends makes it throw or exit. */
export async function createAedes(hooks: AedesHooks): Promise<AedesBroker> {
  const options = {
    concurrency: 1000,
    drainTimeout: 10_000,
    // The adapter keeps this time itself, on the injected clock.
    connectTimeout: 2 ** 31 - 1,
    maxTopicLevels: MOST_LEVELS,
    // Packets wait in the socket until CONNACK, so this queue stays empty.
    queueLimit: 42,
    // The rule for MQTT 3.1 is applied to the id as the client gave it.
    maxClientsIdLength: 65_535,
    preConnect: hooks.preConnect,
    authenticate: hooks.authenticate,
    authorizePublish: hooks.authorizePublish,
    authorizeSubscribe: hooks.authorizeSubscribe,
    authorizeForward: () => null,
    persistence: sessionState(hooks),
  }
  const inner = (await Aedes.createBroker(options as never)) as unknown as Inner
  replaceFanOut(inner, hooks)
  guardRegistration(inner)
  inner.on('connackSent', (packet: { returnCode: number }, client: AedesClient) => {
    if (packet.returnCode === 0) hooks.onAccepted(client)
  })
  inner.on('clientReady', (client: AedesClient) => hooks.onReady(client))
  inner.on('subscribe', (subscriptions: AedesSubscription[], client: AedesClient) =>
    hooks.onSubscribed(client, subscriptions),
  )
  inner.on('unsubscribe', (filters: string[], client: AedesClient) => hooks.onUnsubscribed(client, filters))
  inner.on('clientError', (client: AedesClient, error: Error) => hooks.onError(client, error))
  inner.on('connectionError', (client: AedesClient, error: Error) => hooks.onError(client, error))
  // Without a listener a failing persistence would end the process.
  inner.on('error', (error: Error) => hooks.onError(null, error))
  return {
    clients: inner.clients,
    handle(conn) {
      const client = inner.handle(conn)
      if (client._connectTimer) clearTimeout(client._connectTimer)
      return client
    },
    close: () => new Promise((resolve) => inner.close(resolve)),
  }
}

/** What was published has been handed on before Aedes was told to acknowledge it. */
function replaceFanOut(inner: Inner, hooks: AedesHooks): void {
  inner.publish = (packet, client, done) => {
    if (packet.qos === 1) hooks.onAcknowledged()
    if (typeof client === 'function') client()
    else done?.()
  }
  inner.subscribe = (_filter, _listener, done) => done?.()
  inner.unsubscribe = (_filter, _listener, done) => done?.()
}

/**
 * A client id that reconnects while its last connection is still closing: Aedes would strike the new connection off
 * its list when the old one ends, or put one on it that has ended meanwhile.
 */
function guardRegistration(inner: Inner): void {
  const unregister = inner.unregisterClient.bind(inner)
  inner.unregisterClient = (client) => {
    if (inner.clients[client.id] === client) unregister(client)
  }
  const register = inner._finishRegisterClient.bind(inner)
  inner._finishRegisterClient = (client) => {
    if (!client.closed) register(client)
  }
}

/** Aedes' persistence, answered from the sessions of this adapter. Shapes as in aedes-persistence 11. */
function sessionState(hooks: AedesHooks) {
  return {
    // Aedes insists on a function that is declared async.
    setup: async () => {},
    storeRetained: async () => {},
    createRetainedStreamCombi: () => Readable.from([]),
    // Takes effect in `onSubscribed`, for what was granted alone.
    addSubscriptions: async (client: AedesClient, subscriptions: readonly AedesSubscription[]) => {
      await hooks.keepSubscriptions(client, subscriptions)
    },
    removeSubscriptions: async (client: AedesClient, filters: readonly string[]) => {
      await hooks.dropSubscriptions(client, filters)
    },
    cleanSubscriptions: async () => {},
    subscriptionsByTopic: async () => [],
    subscriptionsByClient: async (client: { id: string }) =>
      hooks.sessionPresent(client.id) ? [SESSION_MARK] : [],
    outgoingEnqueue: async () => {},
    outgoingEnqueueCombi: async () => {},
    outgoingStream: () => Readable.from([]),
    outgoingClearMessageId: async (client: AedesClient, packet: { cmd?: string; messageId?: number }) => {
      if ((packet.cmd === 'puback' || packet.cmd === 'pubcomp') && packet.messageId !== undefined)
        hooks.onConfirmed(client, packet.cmd, packet.messageId)
    },
    outgoingUpdate: async (client: AedesClient, packet: { cmd?: string; messageId?: number }) => {
      if (packet.cmd === 'pubrel' && packet.messageId !== undefined)
        await hooks.onReceived(client, packet.messageId)
    },
    // An exchange has begun before Aedes hears of it, so this is never asked.
    incomingStorePacket: async () => {},
    incomingGetPacket: async (client: AedesClient, packet: { messageId: number }) => {
      if (!hooks.incoming(client).has(packet.messageId)) throw new Error('no such packet')
      return packet
    },
    incomingDelPacket: async (client: AedesClient, packet: { messageId: number }) => {
      if (!hooks.incoming(client).delete(packet.messageId)) throw new Error('no such packet')
      await hooks.onReleased(client, packet.messageId)
    },
    cleanIncoming: async (client: AedesClient) => hooks.incoming(client).clear(),
    putWill: async () => {},
    delWill: async () => undefined,
    // Kept by this adapter: Aedes would take the will of a connection back when the one that it took over from ends.
    streamWill: () => Readable.from([]),
    destroy: async () => {},
  }
}
