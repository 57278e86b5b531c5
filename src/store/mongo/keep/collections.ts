import type { mongo } from 'mongoose'

/**
 * The end of something that has one order over all nodes, `_id` its name: its last number, and the rows that were added
 * with it until they are written out.
 */
export interface HeadDocument<Row> {
  readonly _id: string
  readonly version: number
  /** Of the audit log; empty elsewhere. */
  readonly hash: string
  readonly pending: readonly Row[]
}

/** `_id`: tenant, kind, owner and key. */
export interface RecordDocument {
  readonly _id: string
  readonly tenant: string
  readonly kind: string
  readonly owner: string
  readonly key: string
  /** JSON; null when it was removed. */
  readonly doc: string | null
  readonly version: number
  readonly changedAt: number
  /** Its place in the order of changes. */
  readonly seq: number
}

/** `_id`: its number. */
export interface AuditDocument {
  readonly _id: number
  readonly tenant: string
  readonly at: number
  readonly actor: string
  readonly via: string
  readonly action: string
  readonly subject: string | null
  /** JSON. */
  readonly detail: string
  readonly hash: string
  /** What it came with, where that may be written again. */
  readonly source?: string
}

/** `_id`: its name. */
export interface SecretDocument {
  readonly _id: string
  readonly value: mongo.Binary
}

/** Marks of several entries that are under way: whoever finds one that was left behind finishes it. */
export interface MarkDocument {
  readonly _id: string
  readonly since: number
  /** JSON of the steps. */
  readonly steps: string
}

export interface KeepCollections {
  readonly record_head: mongo.Collection<HeadDocument<RecordDocument>>
  readonly audit_head: mongo.Collection<HeadDocument<AuditDocument>>
  readonly records: mongo.Collection<RecordDocument>
  readonly audit: mongo.Collection<AuditDocument>
  readonly secrets: mongo.Collection<SecretDocument>
  readonly marks: mongo.Collection<MarkDocument>
}

const NAMES: readonly (keyof KeepCollections)[] = [
  'record_head',
  'audit_head',
  'records',
  'audit',
  'secrets',
  'marks',
]

export function keepCollectionsOf(db: mongo.Db): KeepCollections {
  const writeConcern = { w: 'majority', journal: true } as const
  const entries = NAMES.map((name) => [name, db.collection(name, { writeConcern })])
  // Built from the list of all names.
  return Object.fromEntries(entries) as KeepCollections
}

/** The indexes behind every question but those for an `_id`. */
export const KEEP_INDEXES: Readonly<
  Partial<Record<keyof KeepCollections, readonly mongo.IndexDescription[]>>
> = {
  records: [
    { key: { seq: 1 } },
    { key: { changedAt: 1 }, partialFilterExpression: { doc: null }, name: 'removed' },
  ],
  audit: [
    { key: { tenant: 1, _id: -1 } },
    { key: { tenant: 1, actor: 1, _id: -1 } },
    { key: { tenant: 1, action: 1, _id: -1 } },
    { key: { source: 1 }, sparse: true },
  ],
  marks: [{ key: { since: 1 } }],
}
