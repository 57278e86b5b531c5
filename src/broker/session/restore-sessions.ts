import type { Principal } from '../../access/principal.ts'
import type {
  PersistedPublish,
  PersistedPubrel,
  PersistedRetained,
  PersistedSession,
  PersistedSubscription,
  PersistedWill,
  Persistence,
} from './persistence.ts'
import type { Session } from './session.ts'
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
  await restoreRetained(options)
  // Those whose process died under them were connected until now; the order is that in which they were left.
  const stored = (await persistence.sessions()).toSorted((a, b) => (a.leftAt ?? now) - (b.leftAt ?? now))
  for (let from = 0; from < stored.length; from += PORTION)
    await Promise.all(stored.slice(from, from + PORTION).map((one) => restoreOne(options, one)))
  sessions.expire(now)
  // As above, of `putWill`.
  return (await persistence.streamWill().toArray()) as PersistedWill[]
}

/** Puts back the retained messages. */
export async function restoreRetained({
  persistence,
  sessions,
}: Pick<RestoreOptions, 'persistence' | 'sessions'>): Promise<void> {
  for await (const packet of persistence.createRetainedStreamCombi(['#'])) {
    // The stream is untyped; these are what `storeRetained` was given.
    const { tenant, ...message } = packet as PersistedRetained
    if (tenant !== undefined) sessions.retained.store(message, tenant)
  }
}

async function restoreOne(options: RestoreOptions, stored: PersistedSession): Promise<void> {
  const loaded = await loadSession(options, stored)
  if (loaded) placeSession(options, loaded)
}

/** A session as it is stored, ready to be put into memory. */
export interface LoadedSession {
  readonly id: string
  readonly principal: Principal
  readonly leftAt: number
  readonly subscriptions: readonly PersistedSubscription[]
  readonly queued: readonly (PersistedPublish | PersistedPubrel)[]
  readonly incoming: readonly number[]
}

/** Reads a session; null, and forgotten, when its principal is not known any more. */
export async function loadSession(
  options: Omit<RestoreOptions, 'sessions'>,
  stored: PersistedSession,
): Promise<LoadedSession | null> {
  const { persistence, recall, maySubscribe, now } = options
  const { id, leftAt } = stored
  const principal = recall(stored.principal)
  if (!principal || principal.tenant !== stored.principal.tenant) {
    await persistence.dropSession({ id })
    return null
  }
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
  return {
    id,
    principal,
    leftAt: leftAt ?? now,
    subscriptions: subscriptions.filter(({ topic }) => maySubscribe(principal, topic)),
    // As above, of the queue.
    queued: queued as (PersistedPublish | PersistedPubrel)[],
    incoming,
  }
}

/** Puts a session that was read into memory; it has no connection. */
export function placeSession({ sessions }: Pick<RestoreOptions, 'sessions'>, loaded: LoadedSession): Session {
  const { id, principal, leftAt, subscriptions, queued, incoming } = loaded
  const session = sessions.restore(id, principal, leftAt)
  for (const { topic, qos } of subscriptions) sessions.subscribe(session, topic, qos)
  for (const messageId of incoming) session.incoming.add(messageId)
  for (const packet of queued) {
    const kept = keptOf(packet)
    if (kept) session.queue.restore(kept)
  }
  return session
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
