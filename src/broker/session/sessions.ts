import type { Principal } from '../../access/principal.ts'
import { FilterTrie } from './filter-trie.ts'
import { encodePublish, type Message } from './frame.ts'
import type { Outbound } from './outbound.ts'
import { Retained } from './retained.ts'
import { isOwnLiveTopic, Session } from './session.ts'

/** How long a session without a connection is kept, and how many of one principal (security row 17). */
export const SESSION_EXPIRY_MS = 7 * 24 * 60 * 60 * 1000
export const OFFLINE_SESSIONS = 20

export interface SessionsOptions {
  readonly mayForward: (principal: Principal, topic: string) => boolean
  /** Messages above QoS 0 that fell out of a full offline queue. */
  readonly onOverflow: (session: Session, dropped: number) => void
  readonly onEvict: (session: Session) => void
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
   * otherwise `present` says whether one was there, with or without subscriptions [MQTT-3.2.2-2].
   */
  open(id: string, principal: Principal, clean: boolean): { session: Session; present: boolean } {
    const before = this.kept.get(id)
    if (clean) {
      if (before) this.discard(before)
      return { session: new Session(id, principal, false), present: false }
    }
    if (before) {
      this.awaken(before)
      return { session: before, present: true }
    }
    const session = new Session(id, principal, true)
    this.kept.set(id, session)
    return { session, present: false }
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
      this.discard(session)
      return
    }
    this.offline.add(session)
    const { id } = session.principal
    const siblings = this.offlineOf.get(id) ?? new Set()
    this.offlineOf.set(id, siblings.add(session))
    this.trim(session)
    for (const old of this.offline) {
      if (now - old.disconnectedAt < SESSION_EXPIRY_MS) break
      this.discard(old)
    }
    for (const old of siblings) {
      if (siblings.size <= OFFLINE_SESSIONS) break
      this.options.onEvict(old)
      this.discard(old)
    }
  }

  /**
   * Stores what is retained and hands the message to everybody who subscribed and may have it. A message of a tenant
   * stays in it, because topics carry no tenant (security row 18); null is the engine's, which `mayForward` knows.
   */
  fanOut(message: Message, tenant: string | null): boolean {
    const stored = !message.retain || this.retained.store(message, tenant)
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
      for (const session of reached) {
        const { principal } = session
        if (tenant !== null && tenant !== principal.tenant) continue
        if (isOwnLiveTopic(principal, message.topic)) continue
        if (!this.options.mayForward(principal, message.topic)) continue
        const granted = this.marks.get(session)?.qos ?? 0
        const qos = granted < message.qos ? granted : message.qos
        if (qos !== 0) this.queue(session, message, qos)
        else if (session.outbound) {
          frame ??= encodePublish(message, { qos: 0, retain: false, dup: false, id: 0 })
          session.outbound.sendOnce(frame)
        }
      }
    }
    return stored
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
    for (const session of this.kept.values()) if (session.principal.id === principalId) this.discard(session)
  }

  private queue(session: Session, message: Message, qos: 1 | 2): void {
    if (message.passing && session.outbound === null) return
    session.queue.push(message, qos, false)
    if (session.outbound) session.outbound.queued()
    else this.trim(session)
  }

  private trim(session: Session): void {
    const dropped = session.queue.trim()
    if (dropped > 0) this.options.onOverflow(session, dropped)
  }

  private discard(session: Session): void {
    this.awaken(session)
    if (this.kept.get(session.id) === session) this.kept.delete(session.id)
    for (const filter of session.filters.keys()) this.trie.delete(filter, session)
    session.filters.clear()
    session.incoming.clear()
  }

  private awaken(session: Session): void {
    const { id } = session.principal
    const siblings = this.offlineOf.get(id)
    this.offline.delete(session)
    if (siblings?.delete(session) && siblings.size === 0) this.offlineOf.delete(id)
  }
}
