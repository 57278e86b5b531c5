import type { TenantId } from '../../../access/principal.ts'
import type { Notification, NotificationContent } from '../../../notification/notification.ts'
import type { InboxQuery, InboxReader, InboxSummaryQuery, NewNotification } from '../../store.ts'
import type { Database, Row, Statement } from '../file/database.ts'
import { inboxCountRead } from './inbox-count.ts'

/** States of an entry; of a broadcast, of one person's. */
export const UNREAD = 0
export const READ = 1
export const DELETED = 2
const LAST_SEQ = Number.MAX_SAFE_INTEGER

/** The values of `insert`, made on the caller's side so that flat rows cross the threads. */
export function notificationRow(notification: NewNotification): Row {
  const { audience, content, origin } = notification
  return [
    notification.id,
    notification.tenant,
    notification.userId,
    audience.length > 0 ? JSON.stringify(audience) : null,
    origin.principal,
    origin.messageId,
    origin.topic,
    content.category ?? null,
    content.customerId ?? null,
    notification.createdAt,
    JSON.stringify(content),
  ]
}

/** Columns that {@link readNotification} takes; `state` is the table that holds what the reader did. */
export const notificationColumns = (state: 'n' | 's') =>
  `n.seq, n.id, n.tenant, n.user_id, n.audience, n.principal, n.message_id, n.topic, n.content, n.created_at, ${state}.read_at`

export function readNotification(row: Row): Notification {
  const [seq, id, tenant, userId, audience, principal, messageId, topic, content, createdAt, readAt] =
    row as readonly [
      number,
      string,
      TenantId,
      string | null,
      string | null,
      string,
      string,
      string,
      string,
      number,
      number | null,
    ]
  return {
    seq,
    id,
    tenant,
    userId,
    audience: audience === null ? [] : (JSON.parse(audience) as string[]),
    origin: { principal, messageId, topic },
    content: JSON.parse(content) as NotificationContent,
    createdAt,
    readAt,
  }
}

/** Whether groups ?3 (JSON) are among those a broadcast is for. */
export const ADDRESSED = `(n.audience IS NULL OR EXISTS (
  SELECT 1 FROM json_each(n.audience) a JOIN json_each(?3) g ON g.value = a.value))`
/** What reader ?2 of tenant ?1 sees of broadcasts, in groups ?3. */
export const BROADCASTS = `notification n INDEXED BY notification_broadcast
  LEFT JOIN broadcast_state s ON s.tenant = n.tenant AND s.user_id = ?2 AND s.seq = n.seq
  WHERE n.tenant = ?1 AND n.user_id IS NULL AND coalesce(s.state, 0) < 2 AND ${ADDRESSED}`
/** What is in the inbox of reader ?2 of tenant ?1 alone. */
export const PERSONAL = `notification n INDEXED BY notification_inbox
  WHERE n.tenant = ?1 AND n.user_id = ?2 AND n.state < 2`

/** What a page is of: each choice has an index of its own. */
const CHOICES = {
  all: { personal: PERSONAL, broadcast: '' },
  category: {
    personal: `${PERSONAL.replace('notification_inbox', 'notification_category')} AND n.category = ?5`,
    broadcast: 'AND n.category = ?5',
  },
  customer: {
    personal: `${PERSONAL.replace('notification_inbox', 'notification_customer')} AND n.customer_id = ?6
      AND (?5 IS NULL OR n.category = ?5)`,
    broadcast: 'AND n.customer_id = ?6 AND (?5 IS NULL OR n.category = ?5)',
  },
} as const
type Choice = keyof typeof CHOICES

/** The statement of a page, for which tests look up how it is answered. Parameters as {@link inboxReads} gives them. */
export function inboxSql(
  order: 'newest' | 'oldest',
  status: 'read' | 'unread' | 'all',
  choice: Choice,
): string {
  const newest = order === 'newest'
  const direction = newest ? 'DESC' : 'ASC'
  const beyond = `AND n.seq ${newest ? '<' : '>'} ?4`
  const { personal, broadcast } = CHOICES[choice]
  // Each half is read in its index' own order and stops after ?7 rows, so a page costs a page at any depth.
  const tail = `ORDER BY n.seq ${direction} LIMIT ?7`
  const half = (state: number) =>
    `SELECT * FROM (SELECT ${notificationColumns('n')} FROM ${personal} AND n.state = ${state} ${beyond} ${tail})`
  const broadcastStatus =
    status === 'all' ? '' : `AND coalesce(s.state, 0) = ${status === 'read' ? READ : UNREAD}`
  const parts = [
    ...(status === 'read' ? [] : [half(UNREAD)]),
    ...(status === 'unread' ? [] : [half(READ)]),
    `SELECT * FROM (SELECT ${notificationColumns('s')} FROM ${BROADCASTS} ${broadcastStatus} ${broadcast} ${beyond} ${tail})`,
  ]
  return `${parts.join(' UNION ALL ')} ORDER BY 1 ${direction} LIMIT ?8 OFFSET ?9`
}

const COUNT = `count(*), count(*) FILTER (WHERE`
/** How many of one customer there are, and unread: total first. */
export const CUSTOMER_COUNT = {
  personal: `SELECT ${COUNT} n.state = ${UNREAD}) FROM
    ${PERSONAL.replace('notification_inbox', 'notification_customer')} AND n.customer_id = ?3`,
  broadcast: `SELECT ${COUNT} coalesce(s.state, 0) = ${UNREAD}) FROM ${BROADCASTS} AND n.customer_id = ?4`,
}
/** The same of all broadcasts. */
export const BROADCAST_COUNT = `SELECT ${COUNT} coalesce(s.state, 0) = ${UNREAD}) FROM ${BROADCASTS}`

/** The reader's statements on inboxes. */
export function inboxReads(db: Database) {
  const pages = new Map<string, Statement>()
  const personal = inboxCountRead(db)
  const broadcast = db.prepare(BROADCAST_COUNT)
  const personalOf = db.prepare(CUSTOMER_COUNT.personal)
  const broadcastOf = db.prepare(CUSTOMER_COUNT.broadcast)
  const version = db.prepare('SELECT commits FROM meta')
  const one = oneEntry(db)
  const subjectOf = anyEntry(db)
  return {
    inbox(query: InboxQuery): Row[] {
      const status = query.status ?? 'all'
      const choice =
        query.customerId !== undefined ? 'customer' : query.category !== undefined ? 'category' : 'all'
      const name = `${query.order} ${status} ${choice}`
      let page = pages.get(name)
      if (!page) pages.set(name, (page = db.prepare(inboxSql(query.order, status, choice))))
      const offset = query.offset ?? 0
      return page.all(
        ...scope(query),
        query.cursor ?? (query.order === 'newest' ? LAST_SEQ : -1),
        query.category ?? null,
        query.customerId ?? null,
        query.limit + offset,
        query.limit,
        offset,
      )
    },
    /** Total, unread, version, all of one instant. */
    inboxSummary(query: InboxSummaryQuery): Row {
      const { tenant, userId, customerId } = query
      db.exec('BEGIN')
      try {
        const [own, shared] =
          customerId === undefined
            ? [personal(tenant, userId), broadcast.get(...scope(query))]
            : [personalOf.get(tenant, userId, customerId), broadcastOf.get(...scope(query), customerId)]
        const [[total, unread], [totalShared, unreadShared]] = [counts(own), counts(shared)]
        return [total + totalShared, unread + unreadShared, Number(version.get()?.[0])]
      } finally {
        db.exec('COMMIT')
      }
    },
    notification: ({ reader, id }: { readonly reader: InboxReader; readonly id: string }): Row | null =>
      one(reader, id),
    anyNotification: (wanted: { readonly tenant: string; readonly id: string; readonly userId: string }) =>
      subjectOf(wanted.id, wanted.tenant, wanted.userId),
  }
}

function counts(row: Row | undefined): readonly [number, number] {
  return [Number(row?.[0] ?? 0), Number(row?.[1] ?? 0)]
}

/** Parameters ?1 to ?3 of {@link BROADCASTS}. */
export function scope(reader: InboxReader): readonly [string, string, string] {
  return [reader.tenant, reader.userId, JSON.stringify(reader.groups)]
}

/** The entry as one person sees it, with the columns of {@link readNotification} and its state after them. */
export function oneEntry(db: Database) {
  const personal = db.prepare(`
    SELECT ${notificationColumns('n')}, n.state FROM notification n
    WHERE n.id = ?3 AND n.tenant = ?1 AND n.user_id = ?2 AND n.state < 2`)
  const broadcast = db.prepare(`
    SELECT ${notificationColumns('s')}, coalesce(s.state, 0) FROM ${BROADCASTS.replace('INDEXED BY notification_broadcast', '')}
      AND n.id = ?4`)
  return (reader: InboxReader, id: string): Row | null =>
    personal.get(reader.tenant, reader.userId, id) ?? broadcast.get(...scope(reader), id) ?? null
}

/** The entry whoever it is for, deleted or not, with the state that this person has of what is for everybody. */
export function anyEntry(db: Database) {
  const personal = db.prepare(`
    SELECT ${notificationColumns('n')} FROM notification n WHERE n.id = ? AND n.tenant = ? AND n.user_id IS NOT NULL`)
  const shared = db.prepare(`
    SELECT ${notificationColumns('s')} FROM notification n
    LEFT JOIN broadcast_state s ON s.tenant = n.tenant AND s.user_id = ?3 AND s.seq = n.seq
    WHERE n.id = ?1 AND n.tenant = ?2`)
  return (id: string, tenant: string, userId: string | null): Row | null =>
    personal.get(id, tenant) ?? shared.get(id, tenant, userId) ?? null
}
