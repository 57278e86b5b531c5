import type { Principal } from '../../access/principal.ts'
import { parseDuration } from '../../duration.ts'
import type { AedesPublish, AedesSubscription } from '../aedes.ts'
import type { BrokerOptions } from '../broker-options.ts'
import type { PersistedSubscription } from '../session/persistence.ts'
import { restoreSessions } from '../session/restore-sessions.ts'
import { SessionKeeper } from '../session/session-keeper.ts'
import type { Session } from '../session/session.ts'
import { Sessions } from '../session/sessions.ts'
import type { Connection } from './connection.ts'
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

  /** @param boot Differs from start to start. @param say Publishes a will whose connection is gone. */
  constructor(options: BrokerOptions, boot: string, say: WillsOptions['say']) {
    const { persistence, door, clock, limits, log, metrics } = options
    this.options = options
    this.boot = boot
    const onFailure = (error: unknown) => this.noteUnkept(error)
    this.keeper = persistence ? new SessionKeeper({ persistence, boot, onFailure }) : null
    const recall = (principal: Principal) => this.recall(principal)
    this.wills = this.keeper && new Wills({ keeper: this.keeper, clock, recall, say })
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
  }

  /** Puts back what an earlier process has kept. Before anybody may connect. */
  async restore(): Promise<void> {
    const { door, clock, persistence } = this.options
    if (!persistence) return
    await persistence.setup({ id: this.boot })
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
