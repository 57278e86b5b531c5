import type { Store, StoredRecord } from '../../src/store/store.ts'

/** The part of the store that keeps records, in memory; in the order of their last change. */
export function memoryRecords(): Pick<Store, 'putRecord' | 'records'> & { readonly rows: StoredRecord[] } {
  const rows: StoredRecord[] = []
  const changes: number[] = []
  let seq = 0
  return {
    rows,
    async putRecord({ expectVersion, ...change }) {
      const at = rows.findIndex(
        (row) =>
          row.tenant === change.tenant &&
          row.kind === change.kind &&
          row.owner === change.owner &&
          row.key === change.key,
      )
      const known = rows[at]
      const version = known?.version ?? 0
      if (expectVersion !== undefined && expectVersion !== (known?.doc ? version : 0)) return 'stale'
      if (known) {
        rows.splice(at, 1)
        changes.splice(at, 1)
      }
      const stored = { ...change, version: version + 1 }
      rows.push(stored)
      changes.push(++seq)
      return stored
    },
    async records(limit, cursor = '0') {
      const from = changes.findIndex((each) => each > Number(cursor))
      if (from < 0) return { items: [], nextCursor: cursor }
      const items = rows.slice(from, from + limit)
      return { items, nextCursor: String(changes[from + items.length - 1]) }
    },
  }
}
