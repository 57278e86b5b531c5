import type { Claim, WorkId } from '../../store.ts'
import type { Database, Row } from '../file/database.ts'

export type WorkKind = 'deliver' | 'escalate' | 'release' | 'digest'

/**
 * What is taken first of a lane: 2 critical and of a kind that is not in a storm, 1 critical, 0 everything else. In the
 * column `critical`.
 */
export type Rank = 0 | 1 | 2
const RANKS = [2, 1, 0] as const

export interface NewWork {
  readonly tenant: string
  readonly kind: WorkKind
  readonly lane: string
  /** The delivery's subject, the alert, the digest, or the name of what is to be released. */
  readonly ref: string
  readonly ordinal: number | null
  readonly rank: Rank
  readonly dueAt: number
  readonly leaseUntil: number | null
  readonly doc: string | null
}

export interface HeldWork {
  readonly id: number
  readonly tenant: string
  readonly kind: WorkKind
  readonly ref: string
  readonly ordinal: number | null
  readonly token: number
}

export interface TakenWork extends HeldWork {
  readonly dueAt: number
  readonly crashes: number
  /** Its last holder never settled it. */
  readonly lost: boolean
  readonly doc: string | null
}

/** The writer's statements on due work. */
export function workWrites(db: Database) {
  const add = db.prepare(`
    INSERT INTO work (tenant, kind, lane, ref, ordinal, critical, due_at, token, leased, doc)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
  const due = db.prepare(`
    SELECT id, tenant, kind, ref, ordinal, due_at, token, crashes, leased, doc FROM work
    WHERE lane = ? AND critical = ? AND due_at <= ? ORDER BY due_at, id LIMIT ?`)
  const lease = db.prepare('UPDATE work SET due_at = ?, token = ?, crashes = ?, leased = 1 WHERE id = ?')
  // Each part is one look into the index.
  const earliest = (ranks: readonly Rank[]) =>
    db.prepare(`
      SELECT min(due_at) FROM (
        ${ranks.map((rank) => `SELECT min(due_at) AS due_at FROM work WHERE lane = ?1 AND critical = ${rank}`).join(' UNION ALL ')})`)
  const next = earliest(RANKS)
  const nextCritical = earliest([2, 1])
  const held = db.prepare(`
    SELECT tenant, kind, ref, ordinal FROM work WHERE id = ? AND token = ? AND leased = 1`)
  const defer = db.prepare('UPDATE work SET due_at = ?, leased = 0 WHERE id = ?')
  // Whoever holds it at this moment is fenced by the lease that is gone; what happened to the old instant is forgotten.
  const reset = db.prepare('UPDATE work SET due_at = ?, leased = 0, crashes = 0 WHERE id = ? AND ref = ?')
  const remove = db.prepare('DELETE FROM work WHERE id = ?')
  const reclaim = db.prepare(
    "UPDATE work SET due_at = ? WHERE leased = 1 AND due_at > ? AND kind = 'escalate'",
  )

  return {
    /** Answers with its id. Leased work starts at token 1, other work at 0. */
    add(work: NewWork): number {
      const leased = work.leaseUntil !== null ? 1 : 0
      return add.run(
        work.tenant,
        work.kind,
        work.lane,
        work.ref,
        work.ordinal,
        work.rank,
        work.leaseUntil ?? work.dueAt,
        leased,
        leased,
        work.doc,
      ).lastInsertRowid
    },
    /**
     * Critical work first: its retry must not wait behind what an outage has piled up, nor one alert behind the storm
     * of another kind.
     */
    take({ lane, now, limit, leaseUntil, criticalOnly }: Claim): TakenWork[] {
      const rows: Row[] = []
      for (const rank of RANKS)
        if (rows.length < limit && (rank > 0 || !criticalOnly))
          rows.push(...due.all(lane, rank, now, limit - rows.length))
      return rows.map((row) => {
        const [id, tenant, kind, ref, ordinal, dueAt, token, crashes, leased, doc] = row as unknown as [
          ...[number, string, WorkKind, string, number | null],
          ...[number, number, number, number, string | null],
        ]
        const lost = leased === 1
        const taken = {
          id,
          tenant,
          kind,
          ref,
          ordinal,
          dueAt,
          token: token + 1,
          crashes: crashes + leased,
          lost,
          doc,
        }
        lease.run(leaseUntil, taken.token, taken.crashes, id)
        return taken
      })
    },
    nextDueAt: ({ lane, criticalOnly }: Claim) =>
      ((criticalOnly ? nextCritical : next).get(lane)?.[0] ?? null) as number | null,
    /** The work, when this token still holds it. */
    held(workId: WorkId, token: number): HeldWork | null {
      const id = Number(workId)
      const row = held.get(id, token)
      if (!row) return null
      const [tenant, kind, ref, ordinal] = row as unknown as [string, WorkKind, string, number | null]
      return { id, tenant, kind, ref, ordinal, token }
    },
    defer: (id: number, dueAt: number) => void defer.run(dueAt, id),
    /** False when this work is not there. */
    reset: (id: number, ref: string, dueAt: number): boolean => reset.run(dueAt, id, ref).changes > 0,
    remove: (id: number) => void remove.run(id),
    /** Timers of alerts that are leased were lost with a process that is gone: they are due from `at` on. */
    reclaim: (at: number) => void reclaim.run(at, at),
  }
}

/** The reader's statements on due work. */
export function workReads(db: Database) {
  // Each lane is one look into the index, however much waits in it.
  const lanes = db.prepare(`
    WITH RECURSIVE lane (name) AS (
      SELECT min(lane) FROM work
      UNION ALL SELECT (SELECT min(lane) FROM work WHERE lane > name) FROM lane WHERE name IS NOT NULL)
    SELECT name FROM lane WHERE name IS NOT NULL`)
  return { lanes: () => lanes.all() }
}
