import type { NotificationContent } from '../../../notification/notification.ts'
import type { InboxMark, InboxRewording } from '../../store.ts'
import type { Database, Row, SqlValue } from '../file/database.ts'
import { inboxCounts, type InboxCount, type InboxCounts } from './inbox-count.ts'
import {
  ADDRESSED,
  anyEntry,
  BROADCASTS,
  DELETED,
  oneEntry,
  PERSONAL,
  READ,
  scope,
  UNREAD,
} from './notification.ts'

/** The writer's statements on notifications. */
export function notificationWrites(db: Database) {
  const insert = db.prepare(`
    INSERT INTO notification (id, tenant, user_id, audience, principal, message_id, topic, category, customer_id,
      created_at, content, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ${UNREAD})`)
  const counts = inboxCounts(db)
  return {
    counts,
    /** Answers with the row's seq. */
    insert(row: Row): number {
      const seq = insert.run(...row).lastInsertRowid
      const [, tenant, userId] = row
      if (typeof userId === 'string') counts.changed(tenant as string, userId, { total: 1, unread: 1 })
      return seq
    },
    /** What a delivery is about, as its recipient sees it, deleted or not. */
    subject: anyEntry(db),
    mark: markWrites(db, counts),
    reword: rewordWrites(db),
  }
}

function rewordWrites(db: Database) {
  const find = db.prepare(
    'SELECT seq, content FROM notification WHERE id = ? AND tenant = ? AND user_id = ? AND state < 2',
  )
  const set = db.prepare('UPDATE notification SET content = ?, category = ?, customer_id = ? WHERE seq = ?')
  return ({ tenant, userId, id, content }: InboxRewording): boolean => {
    const [seq, before] = find.get(id, tenant, userId) ?? []
    if (seq === undefined || before === undefined) return false
    // What `insert` has put there.
    const after = { ...(JSON.parse(before as string) as NotificationContent), ...content }
    set.run(JSON.stringify(after), after.category ?? null, after.customerId ?? null, seq)
    return true
  }
}

/** From which states each mark moves an entry, and where to. */
const MARKS = {
  read: { from: [UNREAD], to: READ },
  unread: { from: [READ], to: UNREAD },
  deleted: { from: [UNREAD, READ], to: DELETED },
  restored: { from: [DELETED], to: null },
} as const

function markWrites(db: Database, counts: InboxCounts) {
  const one = oneEntry(db)
  const personal = db.prepare(
    `SELECT n.seq, n.id, n.user_id, n.read_at, n.state FROM ${PERSONAL} AND n.state IN (?3, ?4)`,
  )
  const shared = db.prepare(
    `SELECT n.seq, n.id, n.user_id, s.read_at, coalesce(s.state, 0) FROM ${BROADCASTS}`,
  )
  const deletedPersonal = db.prepare(`
    SELECT n.seq, n.id, n.user_id, n.read_at, n.state FROM notification n
    WHERE n.id = ?3 AND n.tenant = ?1 AND n.user_id = ?2 AND n.state = ${DELETED}`)
  const deletedShared = db.prepare(`
    SELECT n.seq, n.id, n.user_id, s.read_at, s.state FROM notification n
    JOIN broadcast_state s ON s.tenant = n.tenant AND s.user_id = ?2 AND s.seq = n.seq
    WHERE n.id = ?4 AND n.tenant = ?1 AND n.user_id IS NULL AND s.state = ${DELETED} AND ${ADDRESSED}`)
  const setPersonal = db.prepare('UPDATE notification SET state = ?, read_at = ? WHERE seq = ?')
  const setShared = db.prepare(`
    INSERT INTO broadcast_state (tenant, user_id, seq, state, read_at) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET state = excluded.state, read_at = excluded.read_at`)

  function entries(mark: InboxMark): readonly MarkedEntry[] {
    if (mark.ids === 'all') {
      const { from } = MARKS[mark.as]
      return [
        ...personal.all(mark.tenant, mark.userId, from[0], from.at(-1) ?? from[0]),
        ...shared.all(...scope(mark)),
      ]
        .map((row) => row as unknown as MarkedEntry)
        .toSorted((a, b) => a[0] - b[0])
    }
    if (mark.as === 'restored')
      return [...new Set(mark.ids)].flatMap((id) => {
        const row = deletedPersonal.get(mark.tenant, mark.userId, id) ?? deletedShared.get(...scope(mark), id)
        return row ? [row as unknown as MarkedEntry] : []
      })
    const found = [...new Set(mark.ids)].map((id) => one(mark, id))
    return found
      .filter((row) => row !== null)
      .map((row) => [row[0], row[1], row[3], row[10], row[11]] as MarkedEntry)
  }

  /** Ids that changed, in the order asked for, with `all` in that of the inbox. */
  return (mark: InboxMark): string[] => {
    const { from, to: target } = MARKS[mark.as]
    const changed: string[] = []
    for (const [seq, id, userId, readAt, state] of entries(mark)) {
      if (!(from as readonly number[]).includes(state)) continue
      const to = target ?? (readAt === null ? UNREAD : READ)
      const nextReadAt: SqlValue = mark.as === 'read' ? mark.at : mark.as === 'unread' ? null : readAt
      if (userId === null) setShared.run(mark.tenant, mark.userId, seq, to, nextReadAt)
      else {
        setPersonal.run(to, nextReadAt, seq)
        counts.changed(mark.tenant, userId, difference(state, to))
      }
      changed.push(id)
    }
    return changed
  }
}

/** What becomes of the counts of an inbox when an entry moves from one state to another. */
function difference(from: number, to: number): InboxCount {
  const is = (yes: boolean) => (yes ? 1 : 0)
  return {
    total: is(to !== DELETED) - is(from !== DELETED),
    unread: is(to === UNREAD) - is(from === UNREAD),
  }
}

type MarkedEntry = readonly [
  seq: number,
  id: string,
  userId: string | null,
  readAt: number | null,
  state: number,
]
