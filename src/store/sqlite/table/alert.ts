import type { Alert, TimelineEntry } from '../../../alert/alert.ts'
import type { AlertChange, AlertQuery, PageQuery } from '../../store.ts'
import { decodeCursor } from '../../cursor.ts'
import {
  isUniqueViolation,
  type Database,
  type Row,
  type SqlValue,
  type Statement,
} from '../file/database.ts'
import type { workWrites } from './work.ts'

/** The alert as it is stored: columns that are searched or compared, and the whole as JSON. */
export function alertRow(alert: Alert): Row {
  return [
    alert.tenant,
    alert.id,
    alert.dedupKey,
    alert.status,
    alert.severity,
    alert.team,
    alert.createdAt,
    alert.version,
    alert.nextStepAt,
    alert.count,
    alert.lastAt,
    JSON.stringify(alert),
  ]
}

/** Columns that {@link readAlert} takes. */
export const ALERT_COLUMNS = 'doc, count, last_at, row, created_at'

/**
 * `count` and `lastAt` come from their columns: repeats do not rewrite the document. Documents of earlier versions do
 * not know `pagesFrom`.
 */
export function readAlert(row: Row): Alert {
  const [doc, count, lastAt] = row as unknown as readonly [string, number, number]
  return { pagesFrom: 0, ...(JSON.parse(doc) as Omit<Alert, 'pagesFrom'>), count, lastAt }
}

export const alertPosition = (row: Row): readonly SqlValue[] => [row[3]!]
export const openAlertPosition = (row: Row): readonly SqlValue[] => [row[4]!, row[3]!]

/** The reader's statements on alerts. */
export function alertReads(db: Database) {
  const one = db.prepare(`SELECT ${ALERT_COLUMNS} FROM alert WHERE id = ? AND tenant = ?`)
  const held = db.prepare(
    `SELECT ${ALERT_COLUMNS} FROM alert WHERE tenant = ? AND dedup_key = ? AND status <> 'resolved'`,
  )
  const timeline = db.prepare('SELECT entry FROM timeline WHERE alert_id = ? AND tenant = ? ORDER BY row')
  const referred = `FROM timeline WHERE tenant = ? AND entry ->> '$.ref' = ? AND entry ->> '$.ref' IS NOT NULL`
  const referringCount = db.prepare(`SELECT count(DISTINCT alert_id) ${referred}`)
  const referring = db.prepare(`SELECT alert_id ${referred} GROUP BY alert_id ORDER BY max(row) DESC LIMIT ?`)
  const open = db.prepare(`
    SELECT ${ALERT_COLUMNS} FROM alert WHERE status <> 'resolved' AND (created_at, row) > (?, ?)
    ORDER BY created_at, row LIMIT ?`)
  const lists = new Map<string, Statement>()
  return {
    alert: ({ tenant, id }: { tenant: string; id: string }): Row | null => one.get(id, tenant) ?? null,
    openAlert: ({ tenant, dedupKey }: { tenant: string; dedupKey: string }): Row | null =>
      held.get(tenant, dedupKey) ?? null,
    alerts(query: AlertQuery): Row[] {
      const where = ['tenant = ?']
      const values: SqlValue[] = [query.tenant]
      const after = decodeCursor(query.cursor, [0])
      const filters = { status: query.status, severity: query.severity, team: query.team }
      for (const [column, value] of Object.entries(filters)) {
        if (value === undefined) continue
        where.push(`${column} = ?`)
        values.push(value)
      }
      if (after) {
        where.push('row < ?')
        values.push(...after)
      }
      const sql = `SELECT ${ALERT_COLUMNS} FROM alert WHERE ${where.join(' AND ')} ORDER BY row DESC LIMIT ?`
      let list = lists.get(sql)
      if (!list) lists.set(sql, (list = db.prepare(sql)))
      return list.all(...values, query.limit + 1)
    },
    timeline: ({ tenant, alertId }: { tenant: string; alertId: string }): Row[] =>
      timeline.all(alertId, tenant),
    referring({ tenant, ref, limit }: { tenant: string; ref: string; limit: number }) {
      return {
        count: Number(referringCount.get(tenant, ref)?.[0] ?? 0),
        ids: referring.all(tenant, ref, limit).map((row) => row[0] as string),
      }
    },
    openAlerts: ({ limit, cursor }: PageQuery): Row[] =>
      open.all(...(decodeCursor(cursor, [0, 0]) ?? [-1, 0]), limit + 1),
  }
}

/** A change with its rows ready to be written. */
export interface ChangeRows {
  readonly change: Pick<
    AlertChange,
    'tenant' | 'alertId' | 'expectVersion' | 'claimed' | 'cancelPages' | 'cancelPagesOf'
  > & {
    /** When the publish came that this change stands for; null when it stands for none. */
    readonly countedAt: number | null
  }
  readonly alert: Row
  readonly timeline: readonly string[]
}

export const timelineRows = (entries: readonly TimelineEntry[]): readonly string[] =>
  entries.map((entry) => JSON.stringify(entry))

/** The writer's statements on alerts and their timers. */
export function alertWrites(db: Database, work: ReturnType<typeof workWrites>) {
  const insert = db.prepare(`
    INSERT INTO alert (tenant, id, dedup_key, status, severity, team, created_at, version, next_step_at, count, last_at,
      doc, work_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
  const update = db.prepare(`
    UPDATE alert SET dedup_key = ?, status = ?, severity = ?, team = ?, version = ?, next_step_at = ?, doc = ?,
      count = count + ?, last_at = max(last_at, ?)
    WHERE id = ? AND tenant = ?`)
  const endTimer = db.prepare(`
    UPDATE alert SET work_id = NULL, next_step_at = NULL, doc = json_set(doc, '$.nextStepAt', NULL)
    WHERE id = ? AND tenant = ?`)
  const setWork = db.prepare('UPDATE alert SET work_id = ? WHERE id = ? AND tenant = ?')
  const state = db.prepare('SELECT version, work_id FROM alert WHERE id = ? AND tenant = ?')
  const holder = db.prepare(`SELECT 1 FROM alert WHERE tenant = ? AND dedup_key = ? AND status <> 'resolved'`)
  const repeat = db.prepare(`
    UPDATE alert SET count = count + 1, last_at = max(last_at, ?)
    WHERE id = ? AND tenant = ? AND status <> 'resolved'`)
  const get = db.prepare(`SELECT ${ALERT_COLUMNS} FROM alert WHERE id = ? AND tenant = ?`)
  const append = db.prepare('INSERT INTO timeline (tenant, alert_id, entry) VALUES (?, ?, ?)')

  function timer(tenant: string, id: string, workId: number | null, dueAt: number | null): number | null {
    if (dueAt === null) {
      if (workId !== null) work.remove(workId)
      return null
    }
    // A timer that is not there any more is made anew.
    if (workId !== null && work.reset(workId, id, dueAt)) return workId
    const lane = 'escalate'
    const due = { dueAt, rank: 0, leaseUntil: null } as const
    return work.add({ tenant, kind: lane, lane, ref: id, ordinal: null, doc: null, ...due })
  }

  function note(tenant: string, id: string, entries: readonly string[]): void {
    for (const entry of entries) append.run(tenant, id, entry)
  }

  return {
    get: (id: string, tenant: string): Row | null => get.get(id, tenant) ?? null,
    /** False, and nothing written, when an open alert holds the dedup key. */
    open(row: Row, timeline: readonly string[]): boolean {
      const [tenant, id, dedupKey] = row as unknown as [string, string, string]
      if (holder.get(tenant, dedupKey)) return false
      insert.run(...row, timer(tenant, id, null, row[8] as number | null))
      note(tenant, id, timeline)
      return true
    },
    /** False when it is resolved or unknown. */
    repeat: (id: string, tenant: string, at: number): boolean => repeat.run(at, id, tenant).changes > 0,
    /** Writes the new state, its timer and timeline; anything but `done` wrote nothing. */
    change({ change, alert, timeline }: ChangeRows): 'done' | 'stale' | 'fenced' {
      const { tenant, alertId, claimed, countedAt } = change
      const counted = countedAt === null ? 0 : 1
      if (claimed) {
        const held = work.held(claimed.workId, claimed.token)
        if (held?.kind !== 'escalate' || held.ref !== alertId || held.tenant !== tenant) return 'fenced'
      }
      const current = state.get(alertId, tenant) as [number, number | null] | undefined
      if (current?.[0] !== change.expectVersion) return 'stale'
      const [, , dedupKey, status, severity, team, , version, nextStepAt, , , doc] = alert as SqlValue[]
      try {
        const values = [dedupKey!, status!, severity!, team!, version!, nextStepAt!, doc!] as const
        update.run(...values, counted, countedAt ?? 0, alertId, tenant)
      } catch (error) {
        // Another alert has taken the dedup key since this one was resolved.
        if (isUniqueViolation(error)) return 'stale'
        throw error
      }
      const workId = timer(tenant, alertId, current[1], nextStepAt as number | null)
      if (workId !== current[1]) setWork.run(workId, alertId, tenant)
      note(tenant, alertId, timeline)
      return 'done'
    },
    /** The timer ended without a change: the alert says so too, or it would wait for a step that never comes. */
    clearTimer: (id: string, tenant: string) => void endTimer.run(id, tenant),
  }
}
