import type { TenantId } from '../../../access/principal.ts'
import type { DeadLetter, PageQuery } from '../../store.ts'
import { decodeCursor } from '../../cursor.ts'
import type { Database, Row, SqlValue } from '../file/database.ts'

export function deadLetterRow(letter: DeadLetter): Row {
  const { tenant, id, topic, payload, principal, code, reason, createdAt, replays } = letter
  return [tenant, id, topic, payload, principal, code, reason, createdAt, replays]
}

const COLUMNS = 'tenant, id, topic, payload, principal, code, reason, created_at, replays'

export function readDeadLetter(row: Row): DeadLetter {
  const [tenant, id, topic, payload, principal, code, reason, createdAt, replays] = row as unknown as [
    ...[TenantId, string, string, Uint8Array],
    ...[string, string, string, number, number],
  ]
  return { id, tenant, topic, payload, principal, code, reason, createdAt, replays }
}

export const deadLetterPosition = (row: Row): readonly SqlValue[] => [row[9]!]

/** The reader's statements on dead letters. */
export function deadLetterReads(db: Database) {
  const one = db.prepare(`SELECT ${COLUMNS} FROM dead_letter WHERE id = ? AND tenant = ?`)
  const list = db.prepare(`
    SELECT ${COLUMNS}, row FROM dead_letter WHERE tenant = ? AND row < ? ORDER BY row DESC LIMIT ?`)
  return {
    deadLetter: ({ tenant, id }: { tenant: string; id: string }): Row | null => one.get(id, tenant) ?? null,
    deadLetters: ({ tenant, page }: { tenant: string; page: PageQuery }): Row[] =>
      list.all(tenant, ...(decodeCursor(page.cursor, [0]) ?? [Number.MAX_SAFE_INTEGER]), page.limit + 1),
  }
}

/** The writer's statements on dead letters. */
export function deadLetterWrites(db: Database) {
  const remove = db.prepare('DELETE FROM dead_letter WHERE id = ? AND tenant = ?')
  const insert = db.prepare(`INSERT INTO dead_letter (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`)
  const again = db.prepare(
    'UPDATE dead_letter SET code = ?, reason = ?, replays = ? WHERE id = ? AND tenant = ?',
  )
  const prune = db.prepare(`
    DELETE FROM dead_letter WHERE row IN (SELECT row FROM dead_letter WHERE created_at < ? ORDER BY created_at LIMIT ?)`)
  return {
    /** A letter that fails again on replay stays in its place, with its new reason; answers whether it was there. */
    put(row: Row): boolean {
      const [tenant, id, , , , code, reason, , replays] = row
      const replaced = again.run(code!, reason!, replays!, id!, tenant!).changes > 0
      if (!replaced) insert.run(...row)
      return replaced
    },
    remove: (id: string, tenant: string): boolean => remove.run(id, tenant).changes > 0,
    prune: (before: number, limit: number) => prune.run(before, limit).changes,
  }
}
