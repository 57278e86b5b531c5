import type { TenantId } from '../access/principal.ts'
import type { Notification } from '../notification/notification.ts'
import type { Attachment } from './attachment.ts'

/** Connections that one turn of the event loop serves: about five milliseconds of frames. */
const CHUNK = 500

/** Sends notifications that are for many (R21, decision 5) round all connections of their tenant. */
export interface Broadcasts {
  start(notification: Notification): void
  /** Number of the tenant's last broadcast; a connection that joins now finds it in the inbox. */
  last(tenant: TenantId): number
  join(tenant: TenantId, attachment: Attachment): void
  leave(tenant: TenantId, attachment: Attachment): void
  /** Offers a connection what is still on its way round to it. */
  catchUp(tenant: TenantId, attachment: Attachment): void
  close(): void
}

interface Round {
  readonly connections: Set<Attachment>
  /** Broadcasts that have not reached everybody yet, oldest first; `last` is the number of the newest. */
  active: { readonly number: number; readonly notification: Notification; readonly payload: string | null }[]
  last: number
  walking: boolean
}

/**
 * One encoding for everybody, a chunk of connections per turn of the event loop, so that ten thousand receivers hold
 * up nobody else. Broadcasts that come while one is under way share its walk.
 */
export function createBroadcasts(options: {
  readonly encode: (notification: Notification) => string | null
  /** A person's connection was served: their unread count may have changed. */
  readonly reached: (userId: string) => void
}): Broadcasts {
  const rounds = new Map<TenantId, Round>()
  let closed = false

  const roundOf = (tenant: TenantId): Round => {
    let round = rounds.get(tenant)
    if (!round) {
      round = { connections: new Set(), active: [], last: 0, walking: false }
      rounds.set(tenant, round)
    }
    return round
  }

  const offerActive = (round: Round, attachment: Attachment) => {
    if (attachment.broadcastsSeen >= round.last) return
    const seen = attachment.broadcastsSeen
    attachment.broadcastsSeen = round.last
    for (const { number, notification, payload } of round.active)
      if (number > seen) attachment.offer(notification, payload)
    if (attachment.interest.unread) options.reached(attachment.reader.userId)
  }

  const walk = (round: Round) => {
    round.walking = true
    const upTo = round.last
    const each = round.connections.values()
    const chunk = () => {
      for (let served = 0; served < CHUNK && !closed; served += 1) {
        const next = each.next()
        if (next.done) {
          finish()
          return
        }
        offerActive(round, next.value)
      }
      if (!closed) setImmediate(chunk)
    }
    const finish = () => {
      // Those that came meanwhile reached only the connections behind the point where they came.
      round.active = round.active.filter((broadcast) => broadcast.number > upTo)
      if (round.active.length > 0) setImmediate(() => walk(round))
      else round.walking = false
    }
    chunk()
  }

  return {
    start(notification) {
      const round = rounds.get(notification.tenant)
      if (!round || round.connections.size === 0 || closed) return
      round.last += 1
      round.active.push({ number: round.last, notification, payload: options.encode(notification) })
      if (!round.walking) walk(round)
    },
    last: (tenant) => rounds.get(tenant)?.last ?? 0,
    join(tenant, attachment) {
      roundOf(tenant).connections.add(attachment)
    },
    leave(tenant, attachment) {
      rounds.get(tenant)?.connections.delete(attachment)
    },
    catchUp(tenant, attachment) {
      const round = rounds.get(tenant)
      if (round && round.active.length > 0) offerActive(round, attachment)
    },
    close() {
      closed = true
      rounds.clear()
    },
  }
}
