import type { TenantId } from '../../../access/principal.ts'
import { DELIVERY_STATES, type DeliveryState } from '../../../delivery/delivery.ts'
import type { Dispatch, DispatchQuery, SentDispatch } from '../../store.ts'
import type { Database, Row, SqlValue, Statement } from '../file/database.ts'

export function dispatchRow({ id, tenant, owner, topic, createdAt, doc }: Dispatch): Row {
  return [id, tenant, owner, topic, createdAt, JSON.stringify(doc)]
}

const COLUMNS = 'id, tenant, owner, topic, created_at, doc'

/** The deliveries that stand for a dispatch: the newest to each address. */
const STANDING = `
  FROM delivery AS d WHERE d.subject_id = dispatch.id AND d.tenant = dispatch.tenant AND NOT EXISTS (
    SELECT 1 FROM delivery AS later WHERE later.subject_id = d.subject_id AND later.tenant = d.tenant
      AND later.address IS d.address AND later.ordinal > d.ordinal)`

export interface DispatchRows {
  readonly total: number
  readonly rows: readonly Row[]
}

export function readDispatch(row: Row): SentDispatch {
  // STRICT columns and a list of states; `readDispatch` is only given rows of the statement below.
  const [id, tenant, owner, topic, createdAt, doc, states] = row as unknown as readonly [
    ...[string, TenantId, string, string],
    ...[number, string, string | null],
  ]
  return {
    id,
    tenant,
    owner,
    topic,
    createdAt,
    doc: JSON.parse(doc) as Dispatch['doc'],
    states: (states?.split(',') ?? []) as readonly DeliveryState[],
  }
}

/** The reader's statements on dispatches. */
export function dispatchReads(db: Database) {
  const statements = new Map<string, Statement>()
  const prepared = (sql: string) => {
    const known = statements.get(sql) ?? db.prepare(sql)
    statements.set(sql, known)
    return known
  }
  return {
    dispatches(query: DispatchQuery): DispatchRows {
      const where = ['tenant = ?', 'owner = ?']
      const values: SqlValue[] = [query.tenant, query.owner]
      for (const name of ['topic', 'id'] as const) {
        const value = query[name]
        if (value === undefined) continue
        where.push(`${name} = ?`)
        values.push(value)
      }
      if (query.any) where.push(`EXISTS (SELECT 1 ${STANDING} AND ${stateIn(query.any)})`)
      if (query.none) where.push(`NOT EXISTS (SELECT 1 ${STANDING} AND ${stateIn(query.none)})`)
      const from = `FROM dispatch WHERE ${where.join(' AND ')}`
      const [total] = prepared(`SELECT count(*) ${from}`).get(...values) ?? [0]
      const list = prepared(`
        SELECT ${COLUMNS}, (SELECT group_concat(d.state) ${STANDING}) ${from} ORDER BY seq DESC LIMIT ? OFFSET ?`)
      return { total: Number(total), rows: list.all(...values, query.limit, query.offset) }
    },
  }
}

/** Written out, because there are only so many lists of states that anybody asks for. */
function stateIn(states: readonly DeliveryState[]): string {
  const known = DELIVERY_STATES.filter((state) => states.includes(state))
  return `d.state IN (${known.map((state) => `'${state}'`).join(', ')})`
}

/** The writer's statement on dispatches. */
export function dispatchWrites(db: Database) {
  const insert = db.prepare(`INSERT INTO dispatch (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)`)
  return { insert: (row: Row) => void insert.run(...row) }
}
