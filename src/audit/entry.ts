import { createHash } from 'node:crypto'
import type { TenantId } from '../access/principal.ts'

/** Something that a person, a machine or the program did, for whoever asks later. People stand in it by their ids. */
export interface NewAuditEntry {
  readonly tenant: TenantId
  readonly at: number
  /** Principal id; `carillon` for what the program did by itself, `unknown` for whoever could not be identified. */
  readonly actor: string
  /** `mqtt`, `http`, `sms`, `timer`, `engine`, … */
  readonly via: string
  /** Stable, such as `alert.ack`. */
  readonly action: string
  /** What it was done to: the id of an alert, a delivery, a record; null where there is none. */
  readonly subject: string | null
  /** More about it: ids, codes and numbers, never addresses, texts or secrets. */
  readonly detail: Readonly<Record<string, unknown>>
}

/** The same as it is kept. */
export interface AuditEntry extends NewAuditEntry {
  /** Counted from 1 without gaps, over all tenants. */
  readonly seq: number
  /** Hexadecimal SHA-256; see {@link chained}. */
  readonly hash: string
}

/** The end of the chain: what an auditor writes down elsewhere, so that nobody can rewrite what came before. */
export interface AuditHead {
  readonly seq: number
  /** Hexadecimal. */
  readonly hash: string
}

/** The head of a log without entries. */
export const NO_ENTRIES: AuditHead = { seq: 0, hash: '0'.repeat(64) }

/** An entry as it is kept and hashed: `detail` as its JSON text. */
export type AuditRow = readonly [
  ...[tenant: string, at: number, actor: string, via: string],
  ...[action: string, subject: string | null, detail: string],
]

/** Of the entry, in the order in which it is hashed. */
export function auditRow({ tenant, at, actor, via, action, subject, detail }: NewAuditEntry): AuditRow {
  return [tenant, at, actor, via, action, subject, JSON.stringify(detail)]
}

/**
 * The head after one more row (security row 30): SHA-256 of the hash before it and the row, its number included, as
 * JSON. So no row can be changed, removed or moved without breaking every hash after it.
 */
export function chained(head: AuditHead, row: AuditRow): AuditHead {
  const seq = head.seq + 1
  const hash = createHash('sha256')
    .update(Buffer.from(head.hash, 'hex'))
    .update(JSON.stringify([seq, ...row]))
    .digest('hex')
  return { seq, hash }
}
