import type { Database, Row } from '../file/database.ts'

/** What an inbox has, without broadcasts, which belong to nobody. */
export interface InboxCount {
  readonly total: number
  readonly unread: number
}

const NOTHING: InboxCount = { total: 0, unread: 0 }

/** Of every inbox, from the rows themselves. */
export const COUNT_OF_ROWS = `
  SELECT tenant, user_id, count(*) AS total, count(*) FILTER (WHERE state = 0) AS unread FROM notification
  WHERE user_id IS NOT NULL AND state < 2 GROUP BY tenant, user_id`

/**
 * How many entries each inbox has, kept beside the rows in the transactions that change them, because counting half a
 * million takes 90 ms. Gathered in memory and written once per transaction, as the counts of deliveries are.
 */
export function inboxCounts(db: Database) {
  const add = db.prepare(`
    INSERT INTO inbox_count (tenant, user_id, total, unread) VALUES (?, ?, ?, ?)
    ON CONFLICT (tenant, user_id) DO UPDATE SET total = total + excluded.total, unread = unread + excluded.unread`)
  let changes = new Map<string, InboxCount>()
  return {
    changed(tenant: string, userId: string, by: InboxCount): void {
      const key = JSON.stringify([tenant, userId])
      const { total, unread } = changes.get(key) ?? NOTHING
      changes.set(key, { total: total + by.total, unread: unread + by.unread })
    },
    /** What was gathered so far, to be restored when what follows is undone. */
    mark: (): ReadonlyMap<string, InboxCount> => new Map(changes),
    restore(mark: ReadonlyMap<string, InboxCount> = new Map()): void {
      changes = new Map(mark)
    },
    /** From the rows themselves. */
    recount(): void {
      db.exec(`
        BEGIN IMMEDIATE;
        DELETE FROM inbox_count;
        INSERT INTO inbox_count ${COUNT_OF_ROWS};
        COMMIT`)
    },
    /** Before the commit. */
    write(): void {
      for (const [key, { total, unread }] of changes) {
        if (total === 0 && unread === 0) continue
        // Made above.
        const [tenant, userId] = JSON.parse(key) as [string, string]
        add.run(tenant, userId, total, unread)
      }
      changes.clear()
    },
  }
}

export type InboxCounts = ReturnType<typeof inboxCounts>

/** Total and unread of one inbox, as {@link inboxCounts} keeps them. */
export function inboxCountRead(db: Database): (tenant: string, userId: string) => Row | undefined {
  const read = db.prepare('SELECT total, unread FROM inbox_count WHERE tenant = ? AND user_id = ?')
  return (tenant, userId) => read.get(tenant, userId)
}
