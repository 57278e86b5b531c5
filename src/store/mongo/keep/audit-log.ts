import type { mongo } from 'mongoose'
import type { TenantId } from '../../../access/principal.ts'
import { chained, NO_ENTRIES, type AuditEntry, type AuditHead, type AuditRow } from '../../../audit/entry.ts'
import type { FoundRow } from '../../../audit/verify.ts'
import { decodeCursor, pageOf } from '../../cursor.ts'
import type { AuditQuery, Page } from '../../store.ts'
import { ignoringDuplicates } from '../connection/store-error.ts'
import type { AuditDocument, KeepCollections } from './collections.ts'
import { gathering } from './gather.ts'
import { createLedger } from './ledger.ts'

function readFound({ _id, hash, ...entry }: AuditDocument): FoundRow {
  const { tenant, at, actor, via, action, subject, detail } = entry
  return { seq: _id, hash, row: [tenant, at, actor, via, action, subject, detail] }
}

function readEntry({
  _id,
  hash,
  tenant,
  at,
  actor,
  via,
  action,
  subject,
  detail,
}: AuditDocument): AuditEntry {
  return {
    seq: _id,
    hash,
    // What was stored is what the port gave.
    tenant: tenant as TenantId,
    at,
    actor,
    via,
    action,
    subject,
    detail: JSON.parse(detail) as Record<string, unknown>,
  }
}

function auditDocument(row: AuditRow, { seq, hash }: AuditHead, source: string | null): AuditDocument {
  const [tenant, at, actor, via, action, subject, detail] = row
  return {
    _id: seq,
    tenant,
    at,
    actor,
    via,
    action,
    subject,
    detail,
    hash,
    ...(source !== null && { source }),
  }
}

interface Append {
  readonly rows: readonly AuditRow[]
  /** Rows that came under it before are not added again; null adds them in any case. */
  readonly source: string | null
}

/** The log that only ever grows, in one chain over all nodes (security row 30). */
export function createAuditLog({ audit_head, audit }: Pick<KeepCollections, 'audit_head' | 'audit'>) {
  const ledger = createLedger<AuditDocument>({
    heads: audit_head,
    name: 'audit',
    start: NO_ENTRIES.hash,
    async writeOut(rows) {
      if (rows.length > 0) await ignoringDuplicates(() => audit.insertMany([...rows], { ordered: false }))
    },
  })
  const append = gathering<Append, void>(async (appends) => {
    const sources = appends.flatMap(({ source }) => (source === null ? [] : [source]))
    await ledger.add(async ({ version, hash }) => {
      const known = new Set(
        sources.length === 0 ? [] : await audit.distinct('source', { source: { $in: sources } }),
      )
      let end: AuditHead = { seq: version, hash }
      const documents: AuditDocument[] = []
      for (const { rows, source } of appends) {
        if (source !== null && known.has(source)) continue
        if (source !== null) known.add(source)
        for (const row of rows) {
          end = chained(end, row)
          documents.push(auditDocument(row, end, source))
        }
      }
      return documents.length === 0 ? null : { version: end.seq, hash: end.hash, rows: documents }
    })
    return appends.map(() => undefined)
  })
  return {
    append,
    async list(query: AuditQuery): Promise<Page<AuditEntry>> {
      const [before] = (decodeCursor(query.cursor, [0]) ?? []) as readonly number[]
      const filter: mongo.Filter<AuditDocument> = {
        tenant: query.tenant,
        ...(query.actor !== undefined && { actor: query.actor }),
        ...(query.action !== undefined && { action: query.action }),
        ...(query.since !== undefined && { at: { $gte: query.since } }),
        ...(before !== undefined && { _id: { $lt: before } }),
      }
      const rows = await audit
        .find(filter)
        .sort({ _id: -1 })
        .limit(query.limit + 1)
        .toArray()
      return pageOf(rows, query.limit, { item: readEntry, position: ({ _id }) => [_id] })
    },
    async chain(after: number, limit: number): Promise<readonly FoundRow[]> {
      await ledger.head()
      const rows = await audit
        .find({ _id: { $gt: after } })
        .sort({ _id: 1 })
        .limit(limit)
        .toArray()
      return rows.map(readFound)
    },
    async head(): Promise<AuditHead> {
      const { version, hash } = await ledger.head()
      return { seq: version, hash }
    },
  }
}
