import type { ChannelName } from '../../../delivery/delivery.ts'
import type { Digest, Hold } from '../../store.ts'
import type { Database, Row } from '../file/database.ts'
import { ALERT_COLUMNS } from './alert.ts'
import { notificationColumns } from './notification.ts'
import type { workWrites } from './work.ts'

/** Undoes what `hold` stored. */
export function readDigest(row: Row): Digest {
  // STRICT columns hold exactly these types.
  const [id, channel, userId, address, openedAt] = row as unknown as readonly [
    ...[string, ChannelName, string, string | null, number],
  ]
  return { id, channel, userId, address, openedAt }
}

/** The contents of a digest as rows; see `DigestContents` of the port. */
export interface DigestRows {
  readonly counts: Row
  readonly notifications: readonly Row[]
  readonly alerts: readonly Row[]
}

/** The reader's statements on what a digest holds. */
export function digestReads(db: Database) {
  const held = 'd.digest_id = ?1 AND d.tenant = ?2'
  const counts = db.prepare(`
    SELECT count(*), sum(subject_kind = 'notification'),
      count(DISTINCT CASE subject_kind WHEN 'alert' THEN subject_id END) FROM delivery d WHERE ${held}`)
  const notifications = db.prepare(`
    SELECT ${notificationColumns('n')} FROM notification n
    WHERE (n.id, n.tenant) IN (SELECT subject_id, tenant FROM delivery d WHERE ${held} AND subject_kind = 'notification')
    ORDER BY n.seq DESC LIMIT ?3`)
  const alerts = db.prepare(`
    SELECT ${ALERT_COLUMNS} FROM alert
    WHERE (id, tenant) IN (SELECT subject_id, tenant FROM delivery d WHERE ${held} AND subject_kind = 'alert')
    ORDER BY status <> 'firing', row DESC LIMIT ?3`)
  return {
    digestContents(input: {
      readonly tenant: string
      readonly digestId: string
      readonly limit: number
    }): DigestRows {
      const at = [input.digestId, input.tenant] as const
      return {
        counts: counts.get(...at) ?? [0, 0, 0],
        notifications: notifications.all(...at, input.limit),
        alerts: alerts.all(...at, input.limit),
      }
    },
  }
}

/** The writer's statements on digests. */
export function digestWrites(db: Database, work: ReturnType<typeof workWrites>) {
  const open = db.prepare('SELECT id, due_at FROM digest WHERE tenant = ? AND key = ? AND closed_at IS NULL')
  const add = db.prepare(`
    INSERT INTO digest (id, tenant, key, channel, user_id, address, opened_at, due_at, count)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1)`)
  const count = db.prepare('UPDATE digest SET count = count + 1 WHERE id = ? AND tenant = ?')
  const get = db.prepare(
    'SELECT id, channel, user_id, address, opened_at, count, closed_at FROM digest WHERE id = ? AND tenant = ?',
  )
  const close = db.prepare('UPDATE digest SET closed_at = ? WHERE id = ? AND tenant = ?')
  const prune = db.prepare(`
    DELETE FROM digest WHERE (id, tenant) IN (SELECT id, tenant FROM digest WHERE closed_at < ? LIMIT ?)`)
  return {
    /**
     * Counts one more onto the open digest of the key, opened with its work when there is none; its id. Null and nothing
     * written when its summary comes too late for the message.
     */
    hold(tenant: string, { key, open: fresh, expiresAt = Infinity }: Hold, at: number): string | null {
      const [known, knownDueAt] = (open.get(tenant, key) ?? []) as [string?, (number | null)?]
      if ((knownDueAt ?? fresh.dueAt) >= expiresAt) return null
      if (known !== undefined) {
        count.run(known, tenant)
        return known
      }
      const { id, channel, userId, address, dueAt } = fresh
      add.run(id, tenant, key, channel, userId, address, at, dueAt)
      const due = { ref: id, ordinal: null, rank: 0, dueAt, leaseUntil: null, doc: null } as const
      work.add({ tenant, kind: 'digest', lane: 'digest', ...due })
      return id
    },
    /** Null when it has ended. */
    get(id: string, tenant: string): Row | null {
      const row = get.get(id, tenant)
      return row && row[6] === null ? row : null
    },
    countOf: (row: Row) => row[5] as number,
    close: (id: string, tenant: string, at: number) => void close.run(at, id, tenant),
    prune: (closedBefore: number, limit: number): number => prune.run(closedBefore, limit).changes,
  }
}
