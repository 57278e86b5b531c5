import type { TenantId } from '../../../access/principal.ts'
import type { StoredRecord } from '../../store.ts'
import type { Database, Row } from '../file/database.ts'
import { decodeCursor } from '../../cursor.ts'

const COLUMNS = 'tenant, kind, owner, key, doc, version, changed_at, seq'

/** A change on its way to the file: the record as JSON. */
export interface RecordRow {
  readonly tenant: string
  readonly kind: string
  readonly owner: string
  readonly key: string
  readonly doc: string | null
  readonly changedAt: number
  readonly expectVersion: number | null
}

/** Undoes what `put` stored. */
export function readRecord(row: Row): StoredRecord {
  // STRICT columns hold exactly these types; `readRecord` is only given rows of COLUMNS.
  const [tenant, kind, owner, key, doc, version, changedAt] = row as unknown as readonly [
    ...[TenantId, string, string, string, string | null],
    ...[number, number],
  ]
  return {
    tenant,
    kind,
    owner,
    key,
    doc: doc === null ? null : (JSON.parse(doc) as Record<string, unknown>),
    version,
    changedAt,
  }
}

/** The place of a row in the order of changes. */
export function recordSeq(row: Row): number {
  return row[7] as number
}

/** The reader's statement on records. */
export function recordReads(db: Database) {
  const after = db.prepare(`SELECT ${COLUMNS} FROM record WHERE seq > ? ORDER BY seq LIMIT ?`)
  return {
    records({ limit, cursor }: { readonly limit: number; readonly cursor?: string }): Row[] {
      const [seq] = decodeCursor(cursor, [0]) ?? [0]
      return after.all(seq ?? 0, limit)
    },
  }
}

/** The writer's statements on records. */
export function recordWrites(db: Database) {
  const place = 'WHERE tenant = ? AND kind = ? AND owner = ? AND key = ?'
  const get = db.prepare(`SELECT version, doc IS NULL FROM record ${place}`)
  // A row that is replaced comes last in the order of changes.
  const put = db.prepare(`
    INSERT OR REPLACE INTO record (tenant, kind, owner, key, doc, version, changed_at)
    VALUES (?, ?, ?, ?, ?, ?, ?)`)
  const prune = db.prepare(`
    DELETE FROM record WHERE seq IN (SELECT seq FROM record WHERE doc IS NULL AND changed_at < ? LIMIT ?)`)
  return {
    /** The version that the record has now. */
    put(row: RecordRow): number | 'stale' {
      const at = [row.tenant, row.kind, row.owner, row.key] as const
      const [version, removed] = (get.get(...at) ?? [0, 1]) as unknown as [number, number]
      if (row.expectVersion !== null && row.expectVersion !== (removed === 1 ? 0 : version)) return 'stale'
      put.run(...at, row.doc, version + 1, row.changedAt)
      return version + 1
    },
    prune: (changedBefore: number, limit: number): number => prune.run(changedBefore, limit).changes,
  }
}
