import type { Principal } from '../../access/principal.ts'
import { FilterTrie } from './filter-trie.ts'
import { isAfter } from '../../nodes/bus.ts'
import { encodePublish, type Message } from './frame.ts'
import type { Outbound } from './outbound.ts'
import { OutgoingQueue, type Outgoing } from './outgoing-queue.ts'
import { Retained } from './retained.ts'
import { isOwnLiveTopic, Session } from './session.ts'
import type { KeptEntry, SessionKeeper } from './session-keeper.ts'

/** How many sessions without a connection one principal may have (security row 17). */
export const OFFLINE_SESSIONS = 20

export interface SessionsOptions {
  readonly mayForward: (principal: Principal, topic: string) => boolean
  /** Messages above QoS 0 that fell out of a full offline queue. */
  readonly onOverflow: (session: Session, dropped: number) => void
  readonly onEvict: (session: Session) => void
  /** How long a session without a connection is kept. */
  readonly expiryMs: number
  /** Where sessions outlive the process; null when they do not. */
  readonly keeper: SessionKeeper | null
}

/** What became of one message. `kept` resolves once all of it that must outlive the process does; null when none must. */
export interface FannedOut {
  /** False when it was to be retained and the quota of its tenant is used up. */
  readonly retained: boolean
  readonly kept: Promise<void> | null
}

/** Every session, and the fan-out of messages to them, synchronous and therefore in order. */
export class Sessions {
  readonly retained = new Retained()
  private readonly options: SessionsOptions
  /** The persistent ones. */
  private readonly kept = new Map<string, Session>()
  /** Those of `kept` without a connection, in all and by principal, in the order in which they lost it. */
  private readonly offline = new Set<Session>()
  private readonly offlineOf = new Map<string, Set<Session>>()
  private readonly trie = new FilterTrie<Session>()
  /** Number of the current fan-out, so that overlapping filters bring one copy. */
  private round = 0
  private readonly marks = new WeakMap<Session, { round: number; qos: 0 | 1 | 2 }>()
  private reached: Session[] = []

  constructor(options: SessionsOptions) {
    this.options = options
  }

  /**
   * The session of a CONNECT. `clean` begins a new one and discards what was kept under the id [MQTT-3.1.2-6];
   * otherwise `present` says whether one was there, with or without subscriptions [MQTT-3.2.2-2]. `kept` resolves when
   * a restart would find it so.
   */
  open(
    id: string,
    principal: Principal,
    { clean, now }: { readonly clean: boolean; readonly now: number },
  ): { session: Session; present: boolean; kept: Promise<void> | null } {
    let before = this.kept.get(id)
    let kept: Promise<void> | null = null
    if (before && (clean || this.hasExpired(before, now))) {
      kept = this.discard(before)
      before = undefined
    }
    if (clean) return { session: new Session(id, principal, false), present: false, kept }
    if (before) this.awaken(before)
    const session = before ?? this.make(id, principal)
    kept = this.options.keeper?.came(id, principal) ?? null
    return { session, present: before !== undefined, kept }
  }

  /** Puts back a session that an earlier process has kept; it has no connection. */
  restore(id: string, principal: Principal, leftAt: number): Session {
    const session = this.make(id, principal)
    session.disconnectedAt = leftAt
    this.rest(session)
    return session
  }

  /** Discards what has no connection for too long. */
  expire(now: number): void {
    for (const old of this.offline) {
      if (!this.hasExpired(old, now)) break
      void this.discard(old)
    }
  }

  subscribe(session: Session, filter: string, qos: 0 | 1 | 2): void {
    session.filters.set(filter, qos)
    // The live fan-out serves these without a subscription here.
    if (!isOwnLiveTopic(session.principal, filter)) this.trie.set(filter, session, qos)
  }

  unsubscribe(session: Session, filter: string): void {
    if (session.filters.delete(filter)) this.trie.delete(filter, session)
  }

  attach(session: Session, principal: Principal, outbound: Outbound): void {
    session.outbound?.close()
    this.awaken(session)
    session.principal = principal
    session.outbound = outbound
    outbound.start()
  }

  /** The connection has ended. A persistent session stays, within the bounds of promise P22. */
  detach(session: Session, outbound: Outbound | null, now: number): void {
    if (session.outbound !== outbound) return
    outbound?.close()
    session.outbound = null
    session.disconnectedAt = now
    if (!session.persistent || this.kept.get(session.id) !== session) {
      void this.discard(session)
      return
    }
    this.options.keeper?.left(session.id, now)
    const siblings = this.rest(session)
    this.trim(session)
    this.expire(now)
    for (const old of siblings) {
      if (siblings.size <= OFFLINE_SESSIONS) break
      this.options.onEvict(old)
      void this.discard(old)
    }
  }

  /**
   * Stores what is retained and hands the message to everybody who subscribed and may have it. A message of a tenant
   * stays in it, because topics carry no tenant (security row 18); null is the engine's, which `mayForward` knows.
   * `position` is the place of the message on the bus, where there are several nodes.
   */
  fanOut(message: Message, tenant: string | null, position?: string): FannedOut {
    const { keeper } = this.options
    const retained = !message.retain || this.retained.store(message, tenant)
    // What the engine retains it says again after every start.
    const keptRetained =
      retained && message.retain && tenant !== null && keeper
        ? keeper.retained(message, tenant, position)
        : null
    this.round++
    const reached = this.reached
    this.trie.match(message.topic, (session, qos) => {
      let mark = this.marks.get(session)
      if (!mark) this.marks.set(session, (mark = { round: 0, qos: 0 }))
      if (mark.round === this.round) mark.qos = qos > mark.qos ? qos : mark.qos
      else {
        mark.round = this.round
        mark.qos = qos
        reached.push(session)
      }
    })
    if (reached.length > 0) {
      this.reached = []
      let frame: readonly Uint8Array[] | null = null
      let durable: KeptEntry[] | null = null
      for (const session of reached) {
        const { principal } = session
        if (tenant !== null && tenant !== principal.tenant) continue
        if (position !== undefined && session.servedTo !== null) {
          if (!isAfter(position, session.servedTo)) continue
          session.servedTo = null
        }
        if (isOwnLiveTopic(principal, message.topic)) continue
        if (!this.options.mayForward(principal, message.topic)) continue
        const granted = this.marks.get(session)?.qos ?? 0
        const qos = granted < message.qos ? granted : message.qos
        if (qos !== 0) {
          const entry = this.queue(session, message, { qos, retain: false })
          if (entry?.durable) (durable ??= []).push({ session, entry })
        } else if (session.outbound) {
          frame ??= encodePublish(message, { qos: 0, retain: false, dup: false, id: 0 })
          session.outbound.sendOnce(frame)
        }
      }
      if (durable && keeper) {
        const kept = keeper.queued(message, durable, position)
        return { retained, kept: keptRetained ? both(keptRetained, kept) : kept }
      }
    }
    return { retained, kept: keptRetained }
  }

  /** A message that was said while the session was on its way here from another node. */
  serve(session: Session, message: Message, tenant: string | null, position: string): void {
    const { principal } = session
    const granted = session.granted(message.topic) ?? 0
    const qos = granted < message.qos ? granted : message.qos
    if (qos === 0 || (tenant !== null && tenant !== principal.tenant)) return
    if (isOwnLiveTopic(principal, message.topic) || !this.options.mayForward(principal, message.topic)) return
    const entry = this.queue(session, message, { qos, retain: false })
    if (entry?.durable)
      void this.options.keeper?.queued(message, [{ session, entry }], position).catch(() => {})
  }

  /** Puts a retained message into the queue of one session that outlives the process. */
  keepReplay(session: Session, message: Message, qos: 1 | 2): void {
    const entry = this.queue(session, message, { qos, retain: true })
    if (entry?.durable)
      this.options.keeper?.queued({ ...message, retain: true }, [{ session, entry }]).catch(() => {})
  }

  /** Sends the retained messages that the new filters of a session take. */
  replayRetained(session: Session, filters: ReadonlyMap<string, 0 | 1 | 2>): void {
    const permitted = (topic: string) =>
      !isOwnLiveTopic(session.principal, topic) && this.options.mayForward(session.principal, topic)
    const found = this.retained.matching(filters, session.principal.tenant)
    session.outbound?.replay(
      (function* () {
        for (const message of found) if (permitted(message.topic)) yield message
      })(),
    )
  }

  /** Whether the session is in memory. */
  has(id: string): boolean {
    return this.kept.has(id)
  }

  /** Every session that outlives its connection. */
  all(): readonly Session[] {
    return [...this.kept.values()]
  }

  /** The session is at home on another node from now on, with all that is stored for it. */
  release(id: string): void {
    const session = this.kept.get(id)
    if (!session) return
    this.kept.delete(id)
    void this.discard(session)
  }

  /** Whether an open connection of the principal subscribes to the topic and may have it. */
  hears(principalId: string, topic: string): boolean {
    let heard = false
    this.trie.match(topic, ({ principal, outbound }) => {
      if (outbound !== null && principal.id === principalId && this.options.mayForward(principal, topic))
        heard = true
    })
    return heard
  }

  /** Whether any session subscribes to the topic. */
  wanted(topic: string): boolean {
    return this.trie.any(topic)
  }

  /** Discards every stored session of a principal. */
  revoke(principalId: string): void {
    for (const session of this.kept.values())
      if (session.principal.id === principalId) void this.discard(session)
  }

  /** Null when the message is not for later and nobody is there. */
  private queue(
    session: Session,
    message: Message,
    { qos, retain }: { readonly qos: 1 | 2; readonly retain: boolean },
  ): Outgoing | null {
    if (message.passing && session.outbound === null) return null
    const durable = this.outlives(session) && !message.passing
    const entry = session.queue.push(message, qos, retain, durable)
    if (!session.outbound || session.queue.full) this.trim(session)
    else if (entry.stored) session.outbound.queued()
    return entry
  }

  private make(id: string, principal: Principal): Session {
    const { keeper } = this.options
    const queue: OutgoingQueue = new OutgoingQueue(
      keeper ? (entry) => this.kept.get(id)?.queue === queue && keeper.ended(id, entry) : undefined,
    )
    const session = new Session(id, principal, true, queue)
    this.kept.set(id, session)
    return session
  }

  /** Counts the session among those without a connection; gives all of its principal. */
  private rest(session: Session): Set<Session> {
    this.offline.add(session)
    const { id } = session.principal
    const siblings = this.offlineOf.get(id) ?? new Set()
    this.offlineOf.set(id, siblings.add(session))
    return siblings
  }

  /** Whether the session is one that a restart would find. */
  outlives(session: Session): boolean {
    return this.options.keeper !== null && this.kept.get(session.id) === session
  }

  private hasExpired(session: Session, now: number): boolean {
    return this.offline.has(session) && now - session.disconnectedAt >= this.options.expiryMs
  }

  private trim(session: Session): void {
    const dropped = session.queue.trim()
    if (dropped > 0) this.options.onOverflow(session, dropped)
  }

  private discard(session: Session): Promise<void> | null {
    this.awaken(session)
    const kept = this.kept.get(session.id) === session
    if (kept) this.kept.delete(session.id)
    for (const filter of session.filters.keys()) this.trie.delete(filter, session)
    session.filters.clear()
    session.incoming.clear()
    return (kept && this.options.keeper?.dropped(session.id)) || null
  }

  private awaken(session: Session): void {
    const { id } = session.principal
    const siblings = this.offlineOf.get(id)
    this.offline.delete(session)
    if (siblings?.delete(session) && siblings.size === 0) this.offlineOf.delete(id)
  }
}

async function both(one: Promise<void>, other: Promise<void>): Promise<void> {
  await Promise.all([one, other])
}
