import type { TenantId } from '../../../access/principal.ts'
import { decodeCursor, encodeCursor } from '../../cursor.ts'
import type { Page, RecordChange, StoredRecord } from '../../store.ts'
import { ignoringDuplicates } from '../connection/store-error.ts'
import { keyOf } from '../document/key.ts'
import type { KeepCollections, RecordDocument } from './collections.ts'
import { gathering } from './gather.ts'
import { createLedger } from './ledger.ts'

type Put = StoredRecord | 'stale'

function readRecord({ tenant, kind, owner, key, doc, version, changedAt }: RecordDocument): StoredRecord {
  return {
    // What was stored is what the port gave.
    tenant: tenant as TenantId,
    kind,
    owner,
    key,
    doc: doc === null ? null : (JSON.parse(doc) as Record<string, unknown>),
    version,
    changedAt,
  }
}

const idOf = ({ tenant, kind, owner, key }: RecordChange) => keyOf(tenant, kind, owner, key)

/** What becomes of the records by these changes, one after the other, and what each of them is answered. */
function applyChanges(
  known: ReadonlyMap<string, RecordDocument>,
  changes: readonly RecordChange[],
  after: number,
): { readonly rows: readonly RecordDocument[]; readonly replies: readonly Put[]; readonly seq: number } {
  const now = new Map(known)
  const rows = new Map<string, RecordDocument>()
  let seq = after
  const replies = changes.map((change): Put => {
    const _id = idOf(change)
    const before = now.get(_id)
    const { expectVersion, tenant, kind, owner, key, doc, changedAt } = change
    const held = before && before.doc !== null ? before.version : 0
    if (expectVersion !== undefined && expectVersion !== held) return 'stale'
    const version = (before?.version ?? 0) + 1
    const row = {
      ...{ _id, tenant, kind, owner, key, version, changedAt },
      ...{ doc: doc && JSON.stringify(doc), seq: ++seq },
    }
    now.set(_id, row)
    rows.set(_id, row)
    return { tenant, kind, owner, key, doc, version, changedAt }
  })
  return { rows: [...rows.values()], replies, seq }
}

/** What is changed while the program runs, in the order of its changes over all nodes. */
export function createRecords({ record_head, records }: KeepCollections) {
  const ledger = createLedger<RecordDocument>({
    heads: record_head,
    name: 'records',
    async writeOut(rows) {
      if (rows.length === 0) return
      const operations = rows.map(({ _id, ...row }) => ({
        // A row that has moved on meanwhile is a duplicate, and stays.
        updateOne: { filter: { _id, seq: { $lt: row.seq } }, update: { $set: row }, upsert: true },
      }))
      await ignoringDuplicates(() => records.bulkWrite(operations, { ordered: false }))
    },
  })
  const put = gathering<RecordChange, Put>(async (changes) => {
    let replies: readonly Put[] = []
    await ledger.add(async ({ version }) => {
      const found = await records.find({ _id: { $in: [...new Set(changes.map(idOf))] } }).toArray()
      const made = applyChanges(new Map(found.map((row) => [row._id, row])), changes, version)
      replies = made.replies
      return made.rows.length === 0 ? null : { version: made.seq, rows: made.rows }
    })
    return replies
  })
  return {
    put,
    async list(limit: number, cursor?: string): Promise<Page<StoredRecord>> {
      const [after = 0] = (decodeCursor(cursor, [0]) ?? []) as readonly number[]
      // What comes after this end may be there in part.
      const { version } = await ledger.head()
      const rows = await records
        .find({ seq: { $gt: after, $lte: version } })
        .sort({ seq: 1 })
        .limit(limit)
        .toArray()
      const last = rows.at(-1)
      return { items: rows.map(readRecord), nextCursor: last ? encodeCursor([last.seq]) : (cursor ?? null) }
    },
    async prune(changedBefore: number, limit: number): Promise<number> {
      const old = { doc: null, changedAt: { $lt: changedBefore } }
      const found = await records
        .find(old, { projection: { _id: 1 } })
        .sort({ changedAt: 1 })
        .limit(limit)
        .toArray()
      if (found.length === 0) return 0
      const { deletedCount } = await records.deleteMany({ _id: { $in: found.map(({ _id }) => _id) }, ...old })
      return deletedCount
    },
  }
}
