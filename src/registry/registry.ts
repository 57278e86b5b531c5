import type { TenantId } from '../access/principal.ts'
import type { Clock } from '../clock.ts'
import { fault } from '../errors.ts'
import type { RecordChange, Store, StoredRecord } from '../store/store.ts'

/** A kind of record and the shape of its documents; declared once, by the module that owns the kind. */
export interface RecordKind<Doc extends object> {
  readonly name: string
  /** Never set: carries the type of the documents. */
  readonly doc?: Doc
}

/** Declares a kind of record. The name is stored with every record of the kind and never changes. */
export function recordKind<Doc extends object>(name: string): RecordKind<Doc> {
  return { name }
}

/** A record as it stands. Equal by identity as long as it was not changed. */
export interface Registered<Doc extends object> {
  readonly tenant: TenantId
  readonly owner: string
  readonly key: string
  readonly doc: Doc
  readonly version: number
  readonly changedAt: number
}

/** Which record: of this tenant, of this owner (empty for what belongs to nobody), under this key. */
export interface RecordPlace {
  readonly tenant: TenantId
  readonly owner: string
  readonly key: string
}

/**
 * Everything that people and operators change while the program runs, held in memory so that decisions about a
 * publish need no read, and written through to the store. A crash leaves what was committed; the next start reads it.
 */
export interface Registry {
  get<Doc extends object>(kind: RecordKind<Doc>, place: RecordPlace): Registered<Doc> | undefined
  /** All of one owner, in the order in which they were made. The same array as long as none of them changes. */
  list<Doc extends object>(kind: RecordKind<Doc>, tenant: TenantId, owner: string): readonly Registered<Doc>[]
  /** Every record of the kind, of every tenant and owner. */
  all<Doc extends object>(kind: RecordKind<Doc>): Iterable<Registered<Doc>>
  /**
   * Puts the document under the place; resolves after the commit, from when on it is read. `expectVersion` makes it a
   * compare-and-set, 0 for a record that must not be there yet; a `record.stale` fault when it is another by now.
   */
  put<Doc extends object>(
    kind: RecordKind<Doc>,
    place: RecordPlace,
    doc: Doc,
    expectVersion?: number,
  ): Promise<Registered<Doc>>
  /** Resolves after the commit with whether there was one. */
  remove<Doc extends object>(kind: RecordKind<Doc>, place: RecordPlace): Promise<boolean>
  /**
   * Calls with every record of the kind that there is, and from now on after every change of one: what it was before
   * and what it is now, undefined for none. For indexes over the records; must not throw.
   */
  watch<Doc extends object>(kind: RecordKind<Doc>, changed: RecordChanged<Doc>): void
  /** Reads what was changed since the last time, at first everything. */
  catchUp(): Promise<void>
}

export type RecordChanged<Doc extends object> = (
  now: Registered<Doc> | undefined,
  before: Registered<Doc> | undefined,
) => void

const PORTION = 1000

type AnyRegistered = Registered<object>
interface Owned {
  /** In the order in which they were made. */
  readonly byKey: Map<string, AnyRegistered>
  listed: readonly AnyRegistered[] | null
}

/** A registry that knows nothing before its first `catchUp`. */
export function createRegistry(
  store: Pick<Store, 'putRecord' | 'records'>,
  clock: Pick<Clock, 'now'>,
): Registry {
  const kinds = new Map<string, Map<string, Owned>>()
  const watchers = new Map<string, RecordChanged<object>[]>()

  const apply = ({ kind, tenant, owner, key, doc, version, changedAt }: StoredRecord) => {
    let owners = kinds.get(kind)
    if (!owners) kinds.set(kind, (owners = new Map()))
    const name = ownerName(tenant, owner)
    const owned: Owned = owners.get(name) ?? { byKey: new Map(), listed: null }
    const before = owned.byKey.get(key)
    // What this node wrote comes again with what others wrote.
    if (before && before.version >= version) return before
    if (!before && doc === null) return undefined
    const now = doc === null ? undefined : { tenant, owner, key, doc, version, changedAt }
    if (now) owned.byKey.set(key, now)
    else owned.byKey.delete(key)
    owned.listed = null
    if (owned.byKey.size > 0) owners.set(name, owned)
    else owners.delete(name)
    for (const changed of watchers.get(kind) ?? []) changed(now, before)
    return now
  }
  let cursor: string | undefined
  const catchUp = async () => {
    for (;;) {
      const page = await store.records(PORTION, cursor)
      for (const record of page.items) apply(record)
      cursor = page.nextCursor ?? cursor
      if (page.items.length < PORTION) return
    }
  }
  const write = async (change: RecordChange) => {
    const stored = await store.putRecord(change)
    if (stored === 'stale') throw fault('record.stale', `The ${change.kind} is another by now`)
    return apply(stored)
  }
  const ownedBy = (kind: RecordKind<object>, tenant: TenantId, owner: string) =>
    kinds.get(kind.name)?.get(ownerName(tenant, owner))

  // A kind's records are only ever written through its own RecordKind, so its documents have that type.
  const all = function* <Doc extends object>(kind: RecordKind<Doc>) {
    for (const { byKey } of kinds.get(kind.name)?.values() ?? [])
      yield* byKey.values() as Iterable<Registered<Doc>>
  }
  return {
    all,
    catchUp,
    get: <Doc extends object>(kind: RecordKind<Doc>, { tenant, owner, key }: RecordPlace) =>
      ownedBy(kind, tenant, owner)?.byKey.get(key) as Registered<Doc> | undefined,
    list: <Doc extends object>(kind: RecordKind<Doc>, tenant: TenantId, owner: string) => {
      const owned = ownedBy(kind, tenant, owner)
      if (!owned) return NONE
      owned.listed ??= [...owned.byKey.values()]
      return owned.listed as readonly Registered<Doc>[]
    },
    async put<Doc extends object>(
      kind: RecordKind<Doc>,
      place: RecordPlace,
      doc: Doc,
      expectVersion?: number,
    ) {
      const change = {
        ...place,
        kind: kind.name,
        doc: doc as Record<string, unknown>,
        changedAt: clock.now(),
        ...(expectVersion !== undefined && { expectVersion }),
      }
      return (await write(change)) as Registered<Doc>
    },
    async remove(kind, place) {
      if (!ownedBy(kind, place.tenant, place.owner)?.byKey.has(place.key)) return false
      await write({ ...place, kind: kind.name, doc: null, changedAt: clock.now() })
      return true
    },
    watch<Doc extends object>(kind: RecordKind<Doc>, changed: RecordChanged<Doc>) {
      const known = watchers.get(kind.name) ?? []
      watchers.set(kind.name, [...known, changed as RecordChanged<object>])
      for (const record of all(kind)) changed(record, undefined)
    },
  }
}

const NONE: readonly never[] = []

/** The length keeps apart what would read the same. */
function ownerName(tenant: TenantId, owner: string): string {
  return `${tenant.length} ${tenant}${owner}`
}
