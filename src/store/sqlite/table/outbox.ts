import type { OutboxItem } from '../../../delivery/delivery.ts'
import type { OutboxQuery } from '../../store.ts'
import type { Database, Row } from '../file/database.ts'

/** Undoes what `insert` stored. */
export const readOutboxItem = (row: Row): OutboxItem => JSON.parse(row[0] as string) as OutboxItem

/** The reader's statements on captured messages. */
export function outboxReads(db: Database) {
  const one = db.prepare('SELECT doc FROM outbox WHERE id = ? AND tenant = ?')
  const list = db.prepare(`
    SELECT doc FROM outbox
    WHERE tenant = ?1 AND (?2 IS NULL OR channel = ?2) AND (?3 IS NULL OR user_id = ?3) AND created_at >= ?4
    ORDER BY row`)
  return {
    outboxItem: ({ tenant, id }: { tenant: string; id: string }): Row | null => one.get(id, tenant) ?? null,
    outbox: (query: OutboxQuery): Row[] =>
      list.all(query.tenant, query.channel ?? null, query.userId ?? null, query.since ?? 0),
  }
}

/** The writer's statements on captured messages. */
export function outboxWrites(db: Database) {
  const insert = db.prepare(`
    INSERT INTO outbox (tenant, id, channel, user_id, created_at, doc) VALUES (?, ?, ?, ?, ?, ?)`)
  const clear = db.prepare('DELETE FROM outbox WHERE tenant = ?')
  const prune = db.prepare(`
    DELETE FROM outbox WHERE row IN (SELECT row FROM outbox WHERE created_at < ? ORDER BY created_at LIMIT ?)`)
  return {
    insert(item: OutboxItem): void {
      insert.run(item.tenant, item.id, item.channel, item.userId, item.createdAt, JSON.stringify(item))
    },
    clear: (tenant: string) => void clear.run(tenant),
    prune: (before: number, limit: number) => prune.run(before, limit).changes,
  }
}
