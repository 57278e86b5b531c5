import type { Principal } from '../../access/principal.ts'
import { parseDuration } from '../../duration.ts'
import { BEGINNING } from '../../nodes/bus.ts'
import type { AedesPublish, AedesSubscription } from '../aedes.ts'
import type { BrokerOptions } from '../broker-options.ts'
import type { PersistedSubscription, Persistence } from '../session/persistence.ts'
import { restoreRetained, restoreSessions } from '../session/restore-sessions.ts'
import { SessionKeeper } from '../session/session-keeper.ts'
import type { Session } from '../session/session.ts'
import { Sessions } from '../session/sessions.ts'
import type { Connection } from './connection.ts'
import { Roaming } from './roaming.ts'
import { Wills, type WillsOptions } from './wills.ts'

/** One line about each of two kinds of trouble, at most this often. */
const TROUBLE_LOG_MS = 10_000

/**
 * The sessions of the broker, and how they outlive the process: what a connection is told waits for the commit of what
 * it says. Without a persistence nothing waits and nothing lasts.
 */
export class LastingSessions {
  readonly sessions: Sessions
  private readonly options: BrokerOptions
  private readonly boot: string
  private readonly keeper: SessionKeeper | null
  private readonly wills: Wills | null
  private nextOverflowLogAt = 0
  private nextUnkeptLogAt = 0
  private readonly roaming: Roaming | null
  /** Something may be missing from what is kept for the sessions that are here. */
  private incomplete = false
  private retainedKnown = false
  /** Up to where everything that was said is kept. */
  private completeTo = BEGINNING

  /** @param boot Differs from start to start. @param say Publishes a will whose connection is gone. */
  constructor(options: BrokerOptions, boot: string, say: WillsOptions['say']) {
    const { persistence, door, clock, limits, log, metrics } = options
    this.options = options
    this.boot = boot
    const onFailure = (error: unknown) => this.noteUnkept(error)
    const { nodes } = options
    const lenient = nodes !== undefined
    this.keeper = persistence ? new SessionKeeper({ persistence, boot, onFailure, lenient }) : null
    const recall = (principal: Principal) => this.recall(principal)
    this.wills = this.keeper && new Wills({ keeper: this.keeper, clock, recall, say, roaming: lenient })
    this.sessions = new Sessions({
      keeper: this.keeper,
      expiryMs: parseDuration(limits.session_expiry) ?? Infinity,
      mayForward: (principal, topic) => door.mayForward(principal, topic),
      onOverflow: ({ id }, dropped) => {
        metrics.drops.inc({ reason: 'offline_queue' }, dropped)
        this.noteOverflow(id, dropped)
      },
      onEvict: ({ id }) =>
        log.warn({ session: id }, 'too many sessions without a connection, the oldest ended'),
    })
    const { sessions } = this
    const maySubscribe = (principal: Principal, filter: string) => door.maySubscribe(principal, filter)
    this.roaming =
      nodes && persistence
        ? new Roaming({
            nodes,
            persistence,
            sessions,
            clock,
            log,
            recall,
            maySubscribe,
            release: (id) => this.release(id),
          })
        : null
  }

  /** Puts back what an earlier process has kept. Before anybody may connect. */
  async restore(): Promise<void> {
    const { door, clock, persistence } = this.options
    if (!persistence) return
    await persistence.setup({ id: this.options.nodes?.bus.node ?? this.boot })
    // Sessions of nodes that are gone come when the roll is called.
    if (this.roaming) return this.restoreRetained(persistence)
    const wills = await restoreSessions({
      persistence,
      sessions: this.sessions,
      recall: (principal) => this.recall(principal),
      maySubscribe: (principal, filter) => door.maySubscribe(principal, filter),
      now: clock.now(),
    })
    this.wills?.adopt(wills)
  }

  close(): void {
    this.wills?.close()
  }

  /** Brings a session here from wherever it is; see {@link Roaming.bring}. */
  async bring(id: string, clean: boolean): Promise<void> {
    await this.roaming?.bring(id, clean)
  }

  contested(id: string): boolean {
    return this.roaming?.contested(id) ?? false
  }

  /** Takes over the sessions and the wills of a node that is gone. */
  async takeOver(node: string): Promise<void> {
    const { nodes } = this.options
    if (!nodes || !this.roaming) return
    await this.roaming.takeOver(node)
    this.wills?.adopt(await nodes.homes.takeWills(node))
  }

  /** Keeps everything that is here anew when some of it may be missing there: after an outage, or because all was lost. */
  async renew(lost: boolean, wills: Iterable<Connection>): Promise<void> {
    const { nodes, persistence } = this.options
    if (!nodes || !persistence || !this.keeper) return
    if (!this.retainedKnown) await this.restoreRetained(persistence)
    if (!lost && !this.incomplete) {
      this.completeTo = nodes.bus.position
      return
    }
    this.incomplete = false
    const { position } = nodes.bus
    for (const session of this.sessions.all()) {
      await this.keeper.renew(session, position).catch((error: unknown) => {
        if (!nodes.bus.up) throw error
        // It is at home elsewhere by now.
        this.release(session.id)
      })
    }
    for (const [message, tenant] of this.sessions.retained.all())
      await this.keeper.retained(message, tenant, position)
    for (const { session, will, principal } of wills)
      if (session && will && principal) {
        const { topic, payload, qos, retain } = will
        await this.keeper.willPut(session.id, { topic, payload, qos, retain, principal })
      }
    if (!this.incomplete) this.completeTo = position
  }

  /** Up to where on the bus everything that was said to the sessions here is kept for them. */
  get servedTo(): string {
    return this.completeTo
  }

  private async restoreRetained(persistence: Persistence): Promise<void> {
    try {
      await restoreRetained({ persistence, sessions: this.sessions })
      this.retainedKnown = true
    } catch (error) {
      this.options.log.warn({ err: error }, 'retained messages could not be read yet')
    }
  }

  private release(id: string): void {
    this.sessions.release(id)
    this.wills?.release(id)
    this.onRelease(id)
  }

  /** Ends the connection of a session that is served elsewhere. */
  onRelease: (id: string) => void = () => {}

  /**
   * The session of a CONNECT, with what is still granted of its filters. CONNACK may follow when `kept` has resolved:
   * the session and the will are in one commit.
   */
  open(
    connection: Connection,
    who: { readonly sessionId: string; readonly principal: Principal; readonly will: AedesPublish | null },
    clean: boolean,
  ): { readonly session: Session; readonly present: boolean; readonly kept: Promise<unknown> | null } {
    const { clock, door } = this.options
    const { sessionId, principal } = who
    const opened = this.sessions.open(sessionId, principal, { clean, now: clock.now() })
    const { session, present } = opened
    const lost = [...session.filters.keys()].filter((filter) => !door.maySubscribe(principal, filter))
    for (const filter of lost) this.sessions.unsubscribe(session, filter)
    connection.claimed = new Set(session.filters.keys())
    connection.storedFilters = new Map(session.filters)
    if (!this.keeper) return { session, present, kept: null }
    const unsubscribed = lost.length > 0 ? this.keeper.unsubscribed(sessionId, lost) : null
    const kept = Promise.all([opened.kept, unsubscribed, this.wills?.came(connection, sessionId, who)])
    return { session, present, kept }
  }

  /** Keeps a QoS 2 exchange; null when the session does not outlive the process. */
  took(session: Session, messageId: number): Promise<void> | null {
    return this.keeper && this.sessions.outlives(session) ? this.keeper.took(session.id, messageId) : null
  }

  /** PUBREL of a publisher. */
  released(connection: Connection | undefined, messageId: number): Promise<void> | null {
    const session = this.lastingOf(connection)
    return (session && this.keeper?.finished(session.id, messageId)) || null
  }

  /** PUBREC of a subscriber. */
  received(connection: Connection | undefined, messageId: number): Promise<void> | null {
    const { session } = connection ?? {}
    const entry = session?.queue.release(messageId)
    return (session && entry?.durable && this.keeper?.released(session.id, entry)) || null
  }

  keepSubscriptions(
    connection: Connection | undefined,
    subscriptions: readonly AedesSubscription[],
  ): Promise<void> | null {
    const session = this.lastingOf(connection)
    const { claimed, storedFilters } = connection ?? {}
    if (!session || !claimed || !storedFilters || !this.keeper) return null
    // Aedes asks once for each filter of a SUBSCRIBE, with all of them, as soon as that one was decided upon.
    const fresh: PersistedSubscription[] = []
    for (const { topic, qos } of subscriptions) {
      if (qos === 128 || !claimed.has(topic) || storedFilters.get(topic) === qos) continue
      storedFilters.set(topic, qos)
      fresh.push({ topic, qos })
    }
    return this.keeper.subscribed(session.id, fresh)
  }

  dropSubscriptions(connection: Connection | undefined, filters: readonly string[]): Promise<void> | null {
    const session = this.lastingOf(connection)
    if (!session || !this.keeper) return null
    for (const filter of filters) connection?.storedFilters.delete(filter)
    return this.keeper.unsubscribed(session.id, filters)
  }

  /** The will of this connection was said, or never will be. */
  forgetWill(connection: Connection): void {
    if (connection.session) this.wills?.done(connection, connection.session.id)
  }

  noteUnkept(error: unknown): void {
    this.incomplete = true
    const now = this.options.clock.now()
    if (now < this.nextUnkeptLogAt) return
    this.nextUnkeptLogAt = now + TROUBLE_LOG_MS
    this.options.log.warn(
      { err: error },
      'session state could not be stored, and would not survive a restart',
    )
  }

  /** The first of a flood, and then one line now and again (promise P22: the drops are counted). */
  private noteOverflow(session: string, dropped: number): void {
    const now = this.options.clock.now()
    if (now < this.nextOverflowLogAt) return
    this.nextOverflowLogAt = now + TROUBLE_LOG_MS
    const hint = 'connect the client more often, or end its session: connect once with a clean one'
    this.options.log.warn(
      { session, dropped, hint },
      'the queue of a session is full, its oldest messages are dropped',
    )
  }

  /** The session of a connection, if a restart would find it. */
  private lastingOf(connection: Connection | undefined): Session | null {
    const { session } = connection ?? {}
    return session && this.sessions.outlives(session) ? session : null
  }

  private recall(principal: Principal): Principal | null {
    return this.options.door.recall ? this.options.door.recall(principal) : principal
  }
}
