import { randomUUID } from 'node:crypto'
import type { Principal } from '../../access/principal.ts'
import { failpoint, failpointArmed } from '../../failpoint.ts'
import type { BusMessage } from '../../nodes/bus.ts'
import { admit, credentialsOf, isUsableClientId, Refusal } from './admission.ts'
import { SESSION_MARK, type AedesClient, type AedesHooks, type AedesPublish } from '../aedes.ts'
import type { BrokerOptions } from '../broker-options.ts'
import type { ConnectionLimits } from './connection-limits.ts'
import { logFields, type ConnectFacts, type Connection } from './connection.ts'
import type { Message } from '../session/frame.ts'
import { silenceMs, watchSilence } from './idle.ts'
import { bodyOf, messageIn, tenantOf } from './roaming.ts'
import { Intake, type IntakeOptions } from './intake.ts'
import { LastingSessions } from './lasting-sessions.ts'
import { LiveTopics } from '../session/live-topics.ts'
import { topicFault } from '../mqtt-text.ts'
import { Outbound } from '../session/outbound.ts'
import type { Sessions } from '../session/sessions.ts'
import { decideSubscribe } from '../session/subscribing.ts'
import { Takeovers } from './takeovers.ts'

const MQTT5_HINT =
  "set the client's protocol version to MQTT 3.1.1 (mosquitto_pub -V mqttv311, mqtt.js protocolVersion: 4)"

/** For a publish that nobody has to remember. */
const KEPT = Promise.resolve(true)

/** Decides on everything that Aedes asks, and carries messages between the connections, the door and the sessions. */
export class Front {
  /** Connections by session id, as Aedes knows them. */
  clients: Readonly<Record<string, AedesClient>> = {}
  readonly hooks: AedesHooks = this.makeHooks()
  private readonly options: BrokerOptions
  private readonly counts: ConnectionLimits
  private readonly sessions: Sessions
  readonly lasting: LastingSessions
  private readonly takeovers: Takeovers
  private readonly connections = new WeakMap<AedesClient, Connection>()
  private readonly boot: string
  private correlation = 0
  private pending = 0
  private onSettled: (() => void) | null = null
  private sessionPresent = false

  constructor(options: BrokerOptions, counts: ConnectionLimits) {
    this.options = options
    this.counts = counts
    const { clock, limits } = options
    this.boot = clock.now().toString(36)
    this.takeovers = new Takeovers(limits.takeovers)
    this.lasting = new LastingSessions(options, this.boot, (will, by, sessionId, done) => {
      const intake = new Intake(this.intakeOptions(null))
      intake.begin(by, { sessionId, incoming: new Set(), remember: () => null })
      intake.takeWill(will, done)
    })
    this.sessions = this.lasting.sessions
    this.lasting.onRelease = (id) =>
      this.clients[id]?.conn.destroy(new Error('the client has connected to another node'))
    options.nodes?.bus.hear('message', (said) => this.deliver(said))
  }

  /** Takes over what a node that is gone has left. */
  takeOver(node: string): Promise<void> {
    return this.lasting.takeOver(node)
  }

  renew(lost: boolean): Promise<void> {
    return this.lasting.renew(
      lost,
      Object.values(this.clients).flatMap((client) => this.connections.get(client) ?? []),
    )
  }

  add(connection: Connection): void {
    this.connections.set(connection.client, connection)
  }

  /** The socket has closed. */
  end(connection: Connection): void {
    connection.intake.end()
    connection.leave()
    for (const ending of connection.endings) ending()
    connection.live?.detach()
    if (connection.principal)
      this.options.door.presence?.left(
        connection.principal,
        connection.client._disconnected === true ? 'goodbye' : 'lost',
      )
    if (connection.session)
      this.sessions.detach(connection.session, connection.outbound, this.options.clock.now())
    // Aedes publishes the will of whoever did not say goodbye on this same turn.
    setImmediate(() => {
      if (!connection.willSaid) this.lasting.forgetWill(connection)
    })
  }

  /** Resolves with whether it is kept for whom it must outlive the process; at once when there is nobody. */
  publish(message: Message, tenant: string | null): Promise<boolean> {
    const { nodes } = this.options
    // What the engine retains every node says itself.
    if (nodes && (tenant !== null || !message.retain))
      return nodes.bus.send('message', bodyOf(message, tenant), message.payload).then(
        () => true,
        (error: unknown) => {
          this.lasting.noteUnkept(error)
          this.sessions.fanOut(message, tenant).kept?.catch(() => {})
          return false
        },
      )
    const { kept } = this.sessions.fanOut(message, tenant)
    if (kept === null) return KEPT
    return kept.then(
      () => true,
      (error: unknown) => {
        this.lasting.noteUnkept(error)
        return false
      },
    )
  }

  wanted(topic: string): boolean {
    // Nobody knows what is wanted elsewhere.
    if (this.options.nodes) return true
    return this.sessions.wanted(topic)
  }

  hears(principalId: string, topic: string): boolean {
    return this.sessions.hears(principalId, topic)
  }

  revoke(principalId: string): void {
    this.sessions.revoke(principalId)
  }

  /** Resolves when no publish waits for its outcome. */
  settled(): Promise<void> {
    if (this.pending === 0) return Promise.resolve()
    return new Promise((resolve) => (this.onSettled = resolve))
  }

  intakeOptions(client: AedesClient | null): IntakeOptions {
    const { door, metrics, log } = this.options
    return {
      receive: (publish, submitted) => door.receive(publish, submitted),
      correlate: () => `mqtt-${this.boot}-${(++this.correlation).toString(36)}`,
      forward: (packet, by) => this.forward(packet, by),
      onPending: (by) => {
        this.pending += by
        if (this.pending === 0) this.onSettled?.()
      },
      onRefused: (packet, { code, message }) => {
        metrics.refusals.inc({ reason: code })
        const connection = client ? this.connections.get(client) : undefined
        if (connection) connection.explained = true
        const fields = { ...(connection && logFields(connection)), topic: packet.topic, code }
        log.warn(fields, `publish refused, the connection is closed: ${message}`)
      },
    }
  }

  private makeHooks(): AedesHooks {
    const of = (client: AedesClient) => this.connections.get(client)
    return {
      preConnect: (client, packet, done) => {
        const connection = of(client)
        if (!connection || connection.connect) return done(new Error('a second CONNECT'), false)
        connection.inTime()
        const { clientId, clean, keepalive, protocolVersion, will = null } = packet
        connection.connect = { clientId, clean, keepalive, protocolVersion, will }
        if (packet.protocolVersion === 5) this.noteMqtt5(connection)
        else if (!isUsableClientId(packet.clientId))
          return done(new Error('the client id has control characters or is not UTF-8'), false)
        // Until it is known whose id this is, it stands for nobody; and silence is watched here, not by Aedes.
        packet.clientId = '?'
        packet.keepalive = 0
        done(null, true)
      },
      authenticate: (client, username, password, done) => {
        const connection = of(client)
        if (!connection?.connect) return done(new Refusal(5, 'server.internal', 'unknown connection'), false)
        this.authenticate(connection, connection.connect, username, password).then(
          (present) => {
            // Asked for while `done` runs.
            this.sessionPresent = present
            done(null, true)
          },
          (error: unknown) => done(this.refusalOf(connection, error), false),
        )
      },
      authorizePublish: (client, packet, done) => {
        // A will of another node; there are none.
        const connection = client && of(client)
        if (!connection) return done(new Error('nobody answers for this publish'))
        const isWill = connection.will === packet
        const fault = topicFault(packet.topic)
        if (fault !== null) return done(new Error(fault))
        if (isWill) {
          connection.willSaid = true
          connection.intake.takeWill(packet, (error) => {
            this.lasting.forgetWill(connection)
            done(error)
          })
        } else connection.intake.take(packet, done)
      },
      authorizeSubscribe: (client, subscription, done) => {
        const connection = of(client)
        if (!connection?.principal || subscription === SESSION_MARK) return done(null, null)
        const { claimed } = connection
        const held = claimed.has(subscription.topic) ? 0 : claimed.size
        const { door, log, metrics } = this.options
        const decision = decideSubscribe(door, connection.principal, subscription.topic, held)
        if (decision.kind === 'granted') {
          claimed.add(subscription.topic)
          return done(null, subscription)
        }
        if (decision.kind === 'unusable') return done(new Error(decision.reason), null)
        metrics.refusals.inc({ reason: 'subscribe.forbidden' })
        const { reason, hint } = decision
        log.warn(
          { ...logFields(connection), filter: subscription.topic, hint },
          `subscription refused: ${reason}`,
        )
        done(null, null)
      },
      onAcknowledged: () => {
        if (failpointArmed) failpoint('after-puback')
      },
      onAccepted: (client) => {
        const connection = of(client)
        connection?.gate.open()
        connection?.peer.onAccepted?.()
      },
      onReady: (client) => this.ready(of(client)),
      onSubscribed: (client, subscriptions) => {
        const connection = of(client)
        if (!connection?.session || connection.conn.destroyed) return
        // What follows the CONNECT may be read a turn before Aedes calls the connection ready.
        this.ready(connection)
        const granted = new Map<string, 0 | 1 | 2>()
        for (const { topic, qos } of subscriptions) if (qos !== 128) granted.set(topic, qos)
        for (const [filter, qos] of granted) this.sessions.subscribe(connection.session, filter, qos)
        this.sessions.replayRetained(connection.session, granted)
        connection.live?.update()
      },
      onUnsubscribed: (client, filters) => {
        const connection = of(client)
        // Aedes also reports the end of a clean session; `end` sees to that.
        if (!connection?.session || client.closed) return
        for (const filter of filters) {
          this.sessions.unsubscribe(connection.session, filter)
          connection.claimed.delete(filter)
        }
        connection.live?.update()
      },
      onConfirmed: (client, by, id) => of(client)?.outbound?.confirmed(by, id),
      onReceived: (client, id) => this.lasting.received(of(client), id),
      keepSubscriptions: (client, subscriptions) => this.lasting.keepSubscriptions(of(client), subscriptions),
      dropSubscriptions: (client, filters) => this.lasting.dropSubscriptions(of(client), filters),
      onReleased: (client, id) => this.lasting.released(of(client), id),
      incoming: (client) => of(client)?.session?.incoming ?? new Set(),
      sessionPresent: () => this.sessionPresent,
      onError: (client, error) => {
        const connection = client ? of(client) : undefined
        if (connection?.explained) return
        if (connection) connection.explained = true
        const fields = { ...(connection && logFields(connection)), reason: error.message }
        this.options.log.info(fields, 'mqtt connection ended with an error')
      },
    }
  }

  private async authenticate(
    connection: Connection,
    connect: ConnectFacts,
    username: string | undefined,
    password: Buffer | undefined,
  ): Promise<boolean> {
    const { client, peer, intake } = connection
    const admission = await admit(
      {
        door: this.options.door,
        takeovers: this.takeovers,
        connected: (id) => id in this.clients || this.lasting.contested(id),
        now: () => this.options.clock.now(),
        anonymousId: () => `auto-${randomUUID()}`,
      },
      connect,
      credentialsOf(username, password, peer),
    )
    if (!client.closed) await this.lasting.bring(admission.sessionId, connect.clean)
    // Aedes gives up on a connection that has closed meanwhile, and so does this.
    if (client.closed) return false
    const { principal, sessionId, will } = admission
    const { door } = this.options
    this.takePlace(connection, principal, sessionId)
    const { session, present, kept } = this.lasting.open(connection, admission, connect.clean)
    client.id = sessionId
    client._will = will ?? undefined
    connection.will = will
    connection.principal = principal
    connection.session = session
    const remember = (messageId: number) => this.lasting.took(session, messageId)
    intake.begin(principal, { sessionId, incoming: session.incoming, remember })
    door.presence?.came(principal)
    this.watch(connection, connect.keepalive)
    await kept
    return present
  }

  /** Among the connections of its person over this transport. Throws a {@link Refusal} when there is none left. */
  private takePlace(connection: Connection, principal: Principal, sessionId: string): void {
    const { transport } = connection.peer
    const client = this.clients[sessionId]
    const before = client && this.connections.get(client)
    // Whoever comes back under the same id ends the connection that it had.
    if (before?.peer.transport === transport) before.leave()
    const leave = this.counts.enterPerson(principal, transport)
    // MQTT 3.1.1 knows no quota; "unavailable" is the code that clients come back after.
    if (!leave)
      throw new Refusal(3, 'stream.too_many', 'this person has too many connections over this transport')
    connection.leave = leave
  }

  private watch(connection: Connection, keepaliveSeconds: number): void {
    const { clock } = this.options
    const { conn, endings, intake, principal } = connection
    endings.push(
      watchSilence({
        clock,
        silenceMs: silenceMs(keepaliveSeconds),
        lastAt: () => connection.lastPacketAt,
        excused: () => intake.busy,
        onSilent: () => conn.destroy(new Error('nothing came within one and a half keepalive times')),
      }),
    )
    if (principal?.expiresAt !== undefined)
      endings.push(
        clock.at(principal.expiresAt, () => conn.destroy(new Error('the credentials have expired'))),
      )
  }

  private refusalOf(connection: Connection, error: unknown): Refusal {
    const known = error instanceof Refusal
    const refusal = known ? error : new Refusal(3, 'server.internal', 'the credentials could not be checked')
    connection.explained = true
    this.options.metrics.refusals.inc({ reason: refusal.reason })
    const fields = { ...logFields(connection), code: refusal.returnCode, ...(!known && { err: error }) }
    this.options.log.warn(fields, `mqtt connection refused: ${refusal.message}`)
    return refusal
  }

  private ready(connection: Connection | undefined): void {
    if (!connection?.session || !connection.principal || connection.outbound || connection.conn.destroyed)
      return
    const { session, principal, conn } = connection
    const { door, clock, metrics, readerOf } = this.options
    const outbound = new Outbound(conn, session.queue, {
      clock,
      mayForward: (topic) => door.mayForward(principal, topic),
      onDrop: () => metrics.drops.inc({ reason: 'slow_subscriber' }),
      keep: this.sessions.outlives(session)
        ? (message, qos) => this.sessions.keepReplay(session, message, qos)
        : undefined,
    })
    connection.outbound = outbound
    this.sessions.attach(session, principal, outbound)
    if (principal.kind !== 'user') return
    connection.live = new LiveTopics({ live: door.live, reader: readerOf(principal), session, outbound })
    connection.live.update()
  }

  private forward(packet: AedesPublish, { tenant }: Principal): Promise<void> | null {
    const { topic, qos, retain } = packet
    // The payload may be a small part of what the socket delivered, which it must not keep alive.
    const payload = Buffer.from(packet.payload)
    const { nodes } = this.options
    if (nodes) {
      const message = { topic, payload, qos, retain }
      const sent = nodes.bus.send('message', bodyOf(message, tenant), payload)
      if (qos > 0) return sent
      sent.catch(() => this.sessions.fanOut(message, tenant).kept?.catch(() => {}))
      return null
    }
    const { retained, kept } = this.sessions.fanOut({ topic, payload, qos, retain }, tenant)
    if (!retained) this.noteQuota(tenant, topic)
    return kept
  }

  /** A message that some node has said, perhaps this one: to everybody whose session is here. */
  private deliver(said: BusMessage): void {
    const message = messageIn(said)
    const tenant = tenantOf(said)
    const { retained, kept } = this.sessions.fanOut(message, tenant, said.position)
    if (!retained && tenant !== null) this.noteQuota(tenant, message.topic)
    kept?.catch((error: unknown) => this.lasting.noteUnkept(error))
  }

  private noteQuota(tenant: string, topic: string): void {
    this.options.metrics.drops.inc({ reason: 'retained_quota' })
    this.options.log.warn({ tenant, topic }, 'retained message not kept: the quota of the tenant is used up')
  }

  private noteMqtt5(connection: Connection): void {
    const { clock, log, metrics, onRefused } = this.options
    connection.explained = true
    metrics.refusals.inc({ reason: 'mqtt5' })
    log.warn(
      { ...logFields(connection), hint: MQTT5_HINT },
      'mqtt connection refused: MQTT 5 is not spoken here',
    )
    onRefused?.({
      at: clock.now(),
      clientId: connection.connect?.clientId ?? '',
      remoteAddress: connection.peer.remoteAddress,
      reason: 'mqtt5',
      hint: MQTT5_HINT,
    })
  }
}
