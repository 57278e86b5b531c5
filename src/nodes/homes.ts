import type { PersistedSession, PersistedWill } from '../broker/session/persistence.ts'
import type { BusMessage } from './bus.ts'

/** A session that has come home to this node. */
export interface Homecoming {
  /** The place of the message that says so: what was said before it, the old home has served, unless it died. */
  readonly position: string
  /** What was said up to here is stored with the session. Null when there is nothing stored. */
  readonly servedTo: string | null
  /** Its record; null when there is none. */
  readonly stored: PersistedSession | null
}

/**
 * Which node has which MQTT session. A session is at home on one node: the one that its client connects to, or the one
 * that took it over when its node died. Every node hears on the bus (`take`) when a session finds a new home, and serves
 * it no longer; what it would still write is refused.
 */
export interface Homes {
  /** Brings a session home for a CONNECT, from wherever it is. Rejects when nobody can say where that is. */
  take(id: string): Promise<Homecoming>
  /** Takes over what a node that is gone has left behind, session by session; each goes to one node. */
  takeFrom(node: string): AsyncIterable<Homecoming>
  /** The wills of connections that died with a node; each goes to one node. */
  takeWills(node: string): Promise<readonly PersistedWill[]>
  /** What was said after one place, as far as it is kept, oldest first. */
  said(after: string): Promise<readonly BusMessage[]>
}
