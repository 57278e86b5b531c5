import type { Principal } from '../../access/principal.ts'
import type {
  PersistedPublish,
  PersistedPubrel,
  PersistedRetained,
  PersistedSession,
  PersistedWill,
  Persistence,
} from './persistence.ts'
import type { Sessions } from './sessions.ts'

/** Sessions that are read at once. */
const PORTION = 100

export interface RestoreOptions {
  readonly persistence: Persistence
  readonly sessions: Sessions
  /** Who a principal is by the present configuration; null for one that it does not know any more. */
  readonly recall: (principal: Principal) => Principal | null
  readonly maySubscribe: (principal: Principal, filter: string) => boolean
  readonly now: number
}

/**
 * Puts back what an earlier process has kept: the retained messages, and the sessions with their filters, queues and
 * hand-shakes, of everybody who is still known and has not been away for too long. Resolves with the wills of
 * connections that ended with their process.
 */
export async function restoreSessions(options: RestoreOptions): Promise<readonly PersistedWill[]> {
  const { persistence, sessions, now } = options
  for await (const packet of persistence.createRetainedStreamCombi(['#'])) {
    // The stream is untyped; these are what `storeRetained` was given.
    const { tenant, ...message } = packet as PersistedRetained
    if (tenant !== undefined) sessions.retained.store(message, tenant)
  }
  // Those whose process died under them were connected until now; the order is that in which they were left.
  const stored = (await persistence.sessions()).toSorted((a, b) => (a.leftAt ?? now) - (b.leftAt ?? now))
  for (let from = 0; from < stored.length; from += PORTION)
    await Promise.all(stored.slice(from, from + PORTION).map((one) => restoreOne(options, one)))
  sessions.expire(now)
  // As above, of `putWill`.
  return (await persistence.streamWill().toArray()) as PersistedWill[]
}

async function restoreOne(options: RestoreOptions, stored: PersistedSession): Promise<void> {
  const { persistence, sessions, recall, maySubscribe, now } = options
  const { id, leftAt } = stored
  const principal = recall(stored.principal)
  if (!principal || principal.tenant !== stored.principal.tenant) return persistence.dropSession({ id })
  const session = sessions.restore(id, principal, leftAt ?? now)
  const [subscriptions, queued, incoming] = await Promise.all([
    persistence.subscriptionsByClient({ id }),
    persistence.outgoingStream({ id }).toArray(),
    persistence.incomingIds({ id }),
    leftAt === null ? persistence.leaveSession({ id }, now) : null,
  ])
  const lost = subscriptions.filter(({ topic }) => !maySubscribe(principal, topic))
  if (lost.length > 0)
    await persistence.removeSubscriptions(
      { id },
      lost.map(({ topic }) => topic),
    )
  for (const { topic, qos } of subscriptions)
    if (maySubscribe(principal, topic)) sessions.subscribe(session, topic, qos)
  for (const messageId of incoming) session.incoming.add(messageId)
  // As above, of the queue.
  for (const packet of queued as (PersistedPublish | PersistedPubrel)[]) {
    const kept = keptOf(packet)
    if (kept) session.queue.restore(kept)
  }
}

/** What a stored packet is in the queue of a session. */
function keptOf(packet: PersistedPublish | PersistedPubrel) {
  if (packet.cmd === 'pubrel') {
    const message = { topic: '', payload: new Uint8Array(), qos: 2, retain: false } as const
    return { message, qos: 2, id: packet.messageId, released: true } as const
  }
  const { topic, payload, qos, retain, messageId } = packet
  if (qos === 0 || messageId === undefined) return null
  const message = { topic, payload: Buffer.from(payload), qos, retain }
  return { message, qos, id: messageId, released: false }
}
