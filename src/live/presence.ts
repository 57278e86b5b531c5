import type { Clock } from '../clock.ts'
import type { Ids } from '../ids.ts'
import type { PresenceDecision } from '../notification/decision.ts'
import { SESSION_LIFE_MS, SessionBook, type Session } from './session-book.ts'

/** Longer descriptions of a device, as JSON, are not kept. */
const DEVICE_INFO_LENGTH = 4096

export interface Presence {
  /** Does what the decision says and answers as R26, R27 or R38 do. */
  apply(decision: PresenceDecision): Readonly<Record<string, unknown>>
  /** Whether the person has a session. */
  online(userId: string): boolean
  sessions(userId: string): readonly Session[]
  /** Everybody who has one, in the order in which they came. */
  users(): readonly string[]
  close(): void
}

/**
 * The sessions that devices announce with `websocket/{connect,disconnect,heartbeat}/{user_id}` (R26, R27, R38). They live
 * for an hour after their last heartbeat, in memory, on this node: after a restart a heartbeat opens its session anew.
 */
export function createPresence(options: {
  readonly clock: Clock
  readonly ids: Ids
  /** Told when a person's first session begins and their last one ends. */
  readonly changed?: (userId: string, online: boolean) => void
}): Presence {
  const { clock, ids, changed } = options
  const book = new SessionBook()
  let cancel: (() => void) | null = null

  // One timer for the session that ends next; one that was prolonged meanwhile is simply not due when it fires.
  const arm = () => {
    if (cancel || book.nextEndAt === null) return
    cancel = clock.at(book.nextEndAt, () => {
      cancel = null
      const gone = new Set(book.expire(clock.now()).map((session) => session.userId))
      for (const userId of gone) if (!book.has(userId)) changed?.(userId, false)
      arm()
    })
  }

  const connect = (userId: string, sessionId: string | null, deviceInfo: Session['deviceInfo']) => {
    const now = clock.now()
    const came = !book.has(userId)
    const session = book.connect(now, userId, sessionId ?? ids.next(now), kept(deviceInfo))
    arm()
    if (came) changed?.(userId, true)
    return session
  }

  const disconnect = (userId: string, sessionId: string | null) => {
    const open = book.sessions(userId)
    // Without an id only a single session is meant beyond doubt; ending the others would make people unreachable.
    const named = sessionId ?? (open.length === 1 ? open[0]?.sessionId : undefined)
    if (named !== undefined && book.disconnect(userId, named) && !book.has(userId)) changed?.(userId, false)
  }

  const beat = (userId: string, sessionId: string | null, deviceInfo: Session['deviceInfo']) => {
    const now = clock.now()
    const named = sessionId === null ? book.sessions(userId) : [{ sessionId }]
    const prolonged = named.flatMap((session) => book.beat(now, userId, session.sessionId) ?? [])
    const last = prolonged.at(-1) ?? connect(userId, sessionId, deviceInfo)
    return { status: 'alive', session_id: last.sessionId, expires_in: SESSION_LIFE_MS / 1000 }
  }

  return {
    apply({ verb, userId, sessionId, deviceInfo }) {
      switch (verb) {
        case 'connect':
          return { status: 'connected', session_id: connect(userId, sessionId, deviceInfo).sessionId }
        case 'disconnect':
          disconnect(userId, sessionId)
          return { status: 'disconnected' }
        case 'heartbeat':
          return beat(userId, sessionId, deviceInfo)
      }
    },
    online: (userId) => book.has(userId),
    sessions: (userId) => book.sessions(userId),
    users: () => book.users,
    close() {
      cancel?.()
      cancel = null
    },
  }
}

function kept(deviceInfo: Session['deviceInfo']): Session['deviceInfo'] {
  return JSON.stringify(deviceInfo).length <= DEVICE_INFO_LENGTH ? deviceInfo : {}
}
