import type { Database } from '../sqlite/file/database.ts'
import type { Rank, WorkPart } from '../mongo/collections.ts'
import { newWork } from '../mongo/document/work.ts'
import { number, rowsOf, text } from './rows.ts'

/** A piece of due work with its fencing token. */
export interface MovedWork {
  readonly work: WorkPart
  readonly token: number
}

/** The due work of a folder, by its number there. */
export type WorkOf = (workId: number | null, _id: string) => MovedWork | null

/**
 * Work keeps its instant and its token. What is leased stays so, and counts as lost with its holder once the lease has run
 * out; timers of alerts are due at once, as they are whenever the folder is opened.
 */
export function workOf(db: Database, now: number): WorkOf {
  const find = db.prepare(
    'SELECT kind, lane, critical, due_at, token, crashes, leased FROM work WHERE id = ?',
  )
  return (workId, _id) => {
    const row = workId === null ? undefined : find.get(workId)
    if (!row || workId === null) return null
    const [kind, lane, critical, dueAt, token, crashes, leased] = row as unknown as readonly [
      ...[string, string, Rank],
      ...[number, number, number, 0 | 1],
    ]
    const due = kind === 'escalate' && leased === 1 ? Math.min(now, dueAt) : dueAt
    const work = newWork(_id, { lane, rank: critical, dueAt: due, order: workId })
    return { token, work: { ...work, crashes, leased: leased === 1 } }
  }
}

/** The numbers of work of a kind, by what it is about. */
export function* workAbout(
  db: Database,
  kind: 'digest' | 'release',
): Generator<{
  readonly id: number
  readonly tenant: string
  readonly ref: string
  readonly doc: string
}> {
  const columns = ['id', 'tenant', 'ref', 'doc', 'kind'] as const
  for (const row of rowsOf(db, 'work', { key: ['id'], columns }))
    if (row.kind === kind)
      yield { id: number(row.id), tenant: text(row.tenant), ref: text(row.ref), doc: text(row.doc) }
}
