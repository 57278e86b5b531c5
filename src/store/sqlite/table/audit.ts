import type { TenantId } from '../../../access/principal.ts'
import { chained, NO_ENTRIES, type AuditEntry, type AuditHead, type AuditRow } from '../../../audit/entry.ts'
import type { FoundRow } from '../../../audit/verify.ts'
import type { AuditQuery } from '../../store.ts'
import type { Database, Row, SqlValue } from '../file/database.ts'
import { decodeCursor } from '../../cursor.ts'

const COLUMNS = 'tenant, at, actor, via, action, subject, detail, seq, hash'

type Stored = readonly [...AuditRow, seq: number, hash: string]

/** Undoes what `append` stored. */
export function readAuditEntry(row: Row): AuditEntry {
  const { row: stored, seq, hash } = readFoundRow(row)
  const [tenant, at, actor, via, action, subject, detail] = stored
  return {
    seq,
    hash,
    tenant: tenant as TenantId,
    at,
    actor,
    via,
    action,
    subject,
    detail: JSON.parse(detail) as Record<string, unknown>,
  }
}

/** The row as it stands in the file, whatever it is. */
export function readFoundRow(row: Row): FoundRow {
  // STRICT columns hold exactly these types; only rows of COLUMNS are given.
  const [tenant, at, actor, via, action, subject, detail, seq, hash] = row as unknown as Stored
  return { seq, hash, row: [tenant, at, actor, via, action, subject, detail] }
}

export const auditPosition = (row: Row): readonly SqlValue[] => [row[7]!]

/** The reader's statements on the audit log. */
export function auditReads(db: Database) {
  const chain = db.prepare(`SELECT ${COLUMNS} FROM audit WHERE seq > ? ORDER BY seq LIMIT ?`)
  const head = db.prepare('SELECT seq, hash FROM audit_head')
  return {
    auditLog(query: AuditQuery): Row[] {
      const where = ['tenant = ?']
      const values: SqlValue[] = [query.tenant]
      const conditions = [
        ['actor = ?', query.actor],
        ['action = ?', query.action],
        ['at >= ?', query.since],
        ['seq < ?', decodeCursor(query.cursor, [0])?.[0]],
      ] as const
      for (const [condition, value] of conditions) {
        if (value === undefined) continue
        where.push(condition)
        values.push(value)
      }
      const sql = `SELECT ${COLUMNS} FROM audit WHERE ${where.join(' AND ')} ORDER BY seq DESC LIMIT ?`
      return db.prepare(sql).all(...values, query.limit + 1)
    },
    auditChain: ({ after, limit }: { readonly after: number; readonly limit: number }): Row[] =>
      chain.all(after, limit),
    auditHead: (): AuditHead => headOf(head.get()),
  }
}

/** The writer's statements on the audit log: it only ever grows. */
export function auditWrites(db: Database) {
  const head = db.prepare('SELECT seq, hash FROM audit_head')
  const setHead = db.prepare('UPDATE audit_head SET seq = ?, hash = ?')
  const insert = db.prepare(`INSERT INTO audit (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`)
  return {
    append(rows: readonly AuditRow[]): void {
      if (rows.length === 0) return
      let end = headOf(head.get())
      for (const row of rows) {
        end = chained(end, row)
        insert.run(...row, end.seq, end.hash)
      }
      setHead.run(end.seq, end.hash)
    },
  }
}

function headOf(row: Row | undefined): AuditHead {
  if (!row) return NO_ENTRIES
  const [seq, hash] = row as unknown as readonly [number, string]
  return { seq, hash }
}
