/** How long a session lives after its last heartbeat (R26, R38). */
export const SESSION_LIFE_MS = 3_600_000
/** Sessions of one person; beyond it the one that was silent longest ends. */
const SESSIONS_PER_USER = 20

/** One device of a person, as it announced itself (R26). */
export interface Session {
  readonly userId: string
  readonly sessionId: string
  readonly deviceInfo: Readonly<Record<string, unknown>>
  readonly connectedAt: number
  readonly lastHeartbeatAt: number
}

/**
 * Who is there, as a value of time: every method takes `now` and asks no clock. Bounded: twenty sessions per person.
 * All sessions live equally long, so the order of the heartbeats is the order in which they end.
 */
export class SessionBook {
  readonly #byAge = new Map<string, Session>()
  readonly #byUser = new Map<string, Set<string>>()

  /** Opens a session, or takes it up again under its id; the time of connecting then stays. */
  connect(now: number, userId: string, sessionId: string, deviceInfo: Session['deviceInfo']): Session {
    const key = keyOf(userId, sessionId)
    const connectedAt = this.#byAge.get(key)?.connectedAt ?? now
    const session = { userId, sessionId, deviceInfo, connectedAt, lastHeartbeatAt: now }
    this.#put(key, session)
    this.#shed(userId)
    return session
  }

  /** Prolongs a session; null when there is none under this id. */
  beat(now: number, userId: string, sessionId: string): Session | null {
    const key = keyOf(userId, sessionId)
    const session = this.#byAge.get(key)
    if (!session) return null
    const prolonged = { ...session, lastHeartbeatAt: now }
    this.#put(key, prolonged)
    return prolonged
  }

  /** Ends a session; false when there was none. */
  disconnect(userId: string, sessionId: string): boolean {
    return this.#drop(keyOf(userId, sessionId), userId)
  }

  /** Ends every session whose heartbeats are missing at `now`, and answers with them. */
  expire(now: number): readonly Session[] {
    const ended: Session[] = []
    for (const [key, session] of this.#byAge) {
      if (session.lastHeartbeatAt + SESSION_LIFE_MS > now) break
      ended.push(session)
      this.#drop(key, session.userId)
    }
    return ended
  }

  /** When the next session ends unless it is prolonged; null when there is none. */
  get nextEndAt(): number | null {
    for (const session of this.#byAge.values()) return session.lastHeartbeatAt + SESSION_LIFE_MS
    return null
  }

  /** A person's sessions, the one that was silent longest first. */
  sessions(userId: string): readonly Session[] {
    const keys = this.#byUser.get(userId) ?? []
    return [...keys].flatMap((key) => this.#byAge.get(key) ?? [])
  }

  /** Everybody with at least one session. */
  get users(): readonly string[] {
    return [...this.#byUser.keys()]
  }

  has(userId: string): boolean {
    return this.#byUser.has(userId)
  }

  #put(key: string, session: Session): void {
    this.#byAge.delete(key)
    this.#byAge.set(key, session)
    const keys = this.#byUser.get(session.userId) ?? new Set()
    keys.delete(key)
    keys.add(key)
    this.#byUser.set(session.userId, keys)
  }

  #shed(userId: string): void {
    const keys = this.#byUser.get(userId)
    for (const key of keys ?? []) {
      if ((keys?.size ?? 0) <= SESSIONS_PER_USER) return
      this.#drop(key, userId)
    }
  }

  #drop(key: string, userId: string): boolean {
    if (!this.#byAge.delete(key)) return false
    const keys = this.#byUser.get(userId)
    keys?.delete(key)
    if (keys?.size === 0) this.#byUser.delete(userId)
    return true
  }
}

/** User ids hold no NUL (the topic they stand in cannot), so no two pairs share a key. */
function keyOf(userId: string, sessionId: string): string {
  return `${userId}\0${sessionId}`
}
