import type { Principal } from '../../access/principal.ts'
import type { Outbound } from './outbound.ts'
import { matchFilter } from '../../access/topic-filter.ts'
import { OutgoingQueue } from './outgoing-queue.ts'

/** What MQTT calls the session state of one client id (MQTT 3.1.1 section 4.1), as it is in memory. */
export class Session {
  /** `{principal}/{client id}`. */
  readonly id: string
  /** Outlives its connection. */
  readonly persistent: boolean
  readonly queue: OutgoingQueue
  /** Granted filters with their QoS. */
  readonly filters = new Map<string, 0 | 1 | 2>()
  /** Identifiers of QoS 2 publishes that were taken and not yet released. */
  readonly incoming = new Set<number>()
  /** As of the last connection; every message is checked against it. */
  principal: Principal
  outbound: Outbound | null = null
  disconnectedAt = 0
  /** Messages up to this place on the bus were given to it when it came here from another node. */
  servedTo: string | null = null

  constructor(id: string, principal: Principal, persistent: boolean, queue = new OutgoingQueue()) {
    this.id = id
    this.principal = principal
    this.persistent = persistent
    this.queue = queue
  }

  /** The highest QoS among the filters that take the topic; null when none does. */
  granted(topic: string): 0 | 1 | 2 | null {
    let best: 0 | 1 | 2 | null = null
    for (const [filter, qos] of this.filters)
      if ((best === null || qos > best) && matchFilter(filter, topic)) best = qos
    return best
  }
}

/**
 * Whether the topic is one that the live fan-out brings this person by itself (decision 6): such a topic reaches them
 * on no other way, and is never queued for them.
 */
export function isOwnLiveTopic(principal: Principal, topic: string): boolean {
  if (principal.kind !== 'user' || !topic.startsWith('users/')) return false
  const end = 6 + principal.id.length
  if (topic.charCodeAt(end) !== 0x2f || !topic.startsWith(principal.id, 6)) return false
  const rest = topic.slice(end + 1)
  return rest === 'notifications' || rest === 'alerts' || rest === 'unread'
}
