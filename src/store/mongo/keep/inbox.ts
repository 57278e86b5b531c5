import type { mongo } from 'mongoose'
import type { TenantId } from '../../../access/principal.ts'
import type { Clock } from '../../../clock.ts'
import type { Notification } from '../../../notification/notification.ts'
import type { InboxQuery, InboxReader, InboxSummary } from '../../store.ts'
import type { Collections, NotificationDocument, ReadingDocument } from '../collections.ts'
import { keyOf } from '../document/key.ts'
import { readingIdOf, readNotification } from '../document/notification.ts'

export const UNREAD = 0
export const READ = 1
export const DELETED = 2

/** Broadcasts are looked through in portions of this size, because people have states of their own for them. */
const PORTION = 200
/** So many numbers fit into one question. */
const NUMBERS_AT_ONCE = 1000
/** How long a reader waits for what is being written before its own place in the order; longer means a crash. */
const PATIENCE_MS = 3000
const LOOK_EVERY_MS = 5

type Tables = Pick<Collections, 'notifications' | 'reading' | 'counters' | 'nodes'>
type Filter = mongo.Filter<NotificationDocument>

/** Which broadcasts are for this person. */
export function broadcastsFor({ tenant, groups }: InboxReader): Filter {
  return {
    tenant,
    userId: null,
    state: UNREAD,
    $or: [{ audience: { $size: 0 } }, { audience: { $in: [...groups] } }],
  }
}

export function isAddressed(
  { tenant, userId, audience }: NotificationDocument,
  reader: InboxReader,
): boolean {
  if (tenant !== reader.tenant) return false
  if (userId !== null) return userId === reader.userId
  return audience.length === 0 || audience.some((group) => reader.groups.includes(group))
}

/** What this person did with these broadcasts, by their number. */
export async function readingsOf(
  { reading }: Tables,
  { tenant, userId }: InboxReader,
  seqs: readonly number[],
): Promise<ReadonlyMap<number, ReadingDocument>> {
  if (seqs.length === 0) return new Map()
  const found = await reading.find({ tenant, userId, seq: { $in: [...seqs] } }).toArray()
  return new Map(found.map((each) => [each.seq, each]))
}

/** The reads of inboxes. */
export function createInbox(tables: Tables, clock: Clock) {
  const { notifications, reading, counters, nodes } = tables

  /**
   * Upwards nobody reads past a number whose entry may still come: it would never be seen. Waits for what is on its way
   * now, so that it does not hide what was committed behind it.
   */
  const visibleBelow = async (tenant: TenantId): Promise<number> => {
    const until = clock.now() + PATIENCE_MS
    let target: number | undefined
    for (;;) {
      const counter = await counters.findOne({ _id: tenant })
      const flying = Object.values(counter?.inflight ?? {}).map(({ from }) => from)
      const lowest = Math.min(...flying, Number.MAX_SAFE_INTEGER)
      target ??= counter?.next ?? 0
      if (lowest >= target || clock.now() >= until) return lowest
      await new Promise<void>((resolve) => clock.at(clock.now() + LOOK_EVERY_MS, resolve))
    }
  }

  const personal = (query: InboxQuery, seq: Filter, most: number): Promise<NotificationDocument[]> => {
    const { tenant, userId, status = 'all' } = query
    const states = status === 'all' ? [UNREAD, READ] : [status === 'read' ? READ : UNREAD]
    return notifications
      .find({ tenant, userId, state: { $in: states as (0 | 1)[] }, ...seq, ...contentOf(query) })
      .sort({ seq: query.order === 'newest' ? -1 : 1 })
      .limit(most)
      .toArray()
  }

  const broadcasts = async (query: InboxQuery, seq: Filter, most: number): Promise<Notification[]> => {
    const status = query.status ?? 'all'
    const wanted = (state: number) =>
      state !== DELETED && (status === 'all' || (state === READ) === (status === 'read'))
    const found: Notification[] = []
    const cursor = notifications
      .find({ ...broadcastsFor(query), ...seq, ...contentOf(query) })
      .sort({ seq: query.order === 'newest' ? -1 : 1 })
      .batchSize(Math.min(most, PORTION) + 1)
    let portion: NotificationDocument[] = []
    const look = async () => {
      const readings = await readingsOf(
        tables,
        query,
        portion.map((each) => each.seq),
      )
      for (const each of portion.splice(0)) {
        const own = readings.get(each.seq)
        if (wanted(own?.state ?? UNREAD)) found.push(readNotification(each, own))
      }
    }
    for await (const each of cursor) {
      portion.push(each)
      if (portion.length >= Math.min(most, PORTION)) await look()
      if (found.length >= most) break
    }
    await look()
    return found
  }

  const one = async (id: string, tenant: TenantId) => notifications.findOne({ _id: keyOf(tenant, id) })
  const readingOf = async (document: NotificationDocument, userId: string) =>
    document.userId === null
      ? await reading.findOne({ _id: readingIdOf(document.tenant, userId, document.id) })
      : null

  return {
    async list(query: InboxQuery): Promise<readonly Notification[]> {
      const { limit, offset = 0, cursor, order, tenant } = query
      const below = order === 'oldest' ? await visibleBelow(tenant) : (cursor ?? Number.MAX_SAFE_INTEGER)
      const seq = { seq: { $lt: below, ...(order === 'oldest' && { $gt: cursor ?? -1 }) } }
      const most = limit + offset
      const [own, shared] = await Promise.all([personal(query, seq, most), broadcasts(query, seq, most)])
      const upwards = order === 'oldest' ? 1 : -1
      return [...own.map((each) => readNotification(each)), ...shared]
        .toSorted((a, b) => upwards * (a.seq - b.seq))
        .slice(offset, most)
    },

    async summary(reader: InboxReader): Promise<InboxSummary> {
      const { tenant, userId } = reader
      // First, so that a version never promises more than was counted.
      const version = await commitsOf(nodes)
      const [unreadOwn, readOwn, shared, gone] = await Promise.all([
        notifications.countDocuments({ tenant, userId, state: UNREAD }),
        notifications.countDocuments({ tenant, userId, state: READ }),
        notifications.countDocuments(broadcastsFor(reader)),
        reading
          .find({ tenant, userId, state: { $in: [READ, DELETED] } }, { projection: { seq: 1, state: 1 } })
          .toArray(),
      ])
      const seen = { [READ]: 0, [DELETED]: 0 }
      for (const state of [READ, DELETED] as const)
        seen[state] = await countAddressed(
          notifications,
          reader,
          gone.flatMap((each) => (each.state === state ? [each.seq] : [])),
        )
      return {
        total: unreadOwn + readOwn + shared - seen[DELETED],
        unread: unreadOwn + shared - seen[DELETED] - seen[READ],
        version,
      }
    },

    async one(reader: InboxReader, id: string): Promise<Notification | null> {
      const found = await one(id, reader.tenant)
      if (!found || !isAddressed(found, reader) || found.state === DELETED) return null
      const own = await readingOf(found, reader.userId)
      return own?.state === DELETED ? null : readNotification(found, own)
    },

    async any(tenant: TenantId, id: string, userId: string): Promise<Notification | null> {
      const found = await one(id, tenant)
      return found && readNotification(found, await readingOf(found, userId))
    },
  }
}

const contentOf = ({ category, customerId }: InboxQuery): Filter => ({
  ...(category !== undefined && { category }),
  ...(customerId !== undefined && { customerId }),
})

/** How many of the broadcasts with these numbers are for this person. */
async function countAddressed(
  notifications: Collections['notifications'],
  reader: InboxReader,
  seqs: readonly number[],
): Promise<number> {
  let count = 0
  for (let start = 0; start < seqs.length; start += NUMBERS_AT_ONCE) {
    const seq = { $in: seqs.slice(start, start + NUMBERS_AT_ONCE) }
    count += await notifications.countDocuments({ ...broadcastsFor(reader), seq })
  }
  return count
}

/** Grows with every commit of every node. */
async function commitsOf(nodes: Collections['nodes']): Promise<number> {
  const [sum] = await nodes
    .aggregate<{ commits: number }>([
      { $match: { _id: { $gte: '' } } },
      { $group: { _id: null, commits: { $sum: '$commits' } } },
    ])
    .toArray()
  return sum?.commits ?? 0
}
