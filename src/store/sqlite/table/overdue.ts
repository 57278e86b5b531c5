import type { Database, Row } from '../file/database.ts'
import { ALERT_COLUMNS } from './alert.ts'

/** A lease, a hold-off and another look put a timer off by less. */
const SLACK_MS = 60_000

export interface OverdueQuery {
  readonly dueBefore: number
  readonly now: number
  readonly limit: number
}

export interface OverdueRows {
  readonly steps: number
  readonly work: number
  readonly timerless: readonly Row[]
  readonly distant: readonly Row[]
}

/** The reader's statements for the watchdog; each one goes through an index of what is open or due. */
export function overdueReads(db: Database) {
  // One look into the index per lane, however much work there is.
  const lanes = db.prepare(`
    WITH RECURSIVE lanes (lane) AS (
      SELECT min(lane) FROM work
      UNION ALL SELECT (SELECT min(lane) FROM work WHERE lane > lanes.lane) FROM lanes WHERE lanes.lane IS NOT NULL)
    SELECT lane FROM lanes WHERE lane IS NOT NULL`)
  const due = db.prepare(
    'SELECT count(*) FROM (SELECT 1 FROM work WHERE lane = ? AND critical = ? AND due_at < ? LIMIT ?)',
  )
  const columns = ALERT_COLUMNS.split(', ')
    .map((column) => `alert.${column}`)
    .join(', ')
  const timerless = db.prepare(`
    SELECT ${columns} FROM alert LEFT JOIN work ON work.id = alert.work_id
    WHERE alert.status <> 'resolved' AND alert.next_step_at IS NOT NULL
      AND (work.id IS NULL OR work.ref <> alert.id OR work.due_at > max(alert.next_step_at, ?) + ${SLACK_MS})
    LIMIT ?`)
  const untimed = db.prepare(`
    SELECT ${columns} FROM alert
    WHERE status = 'firing' AND severity = 'critical' AND next_step_at IS NULL AND NOT EXISTS (
      SELECT 1 FROM timeline WHERE alert_id = alert.id AND timeline.tenant = alert.tenant
        AND json_extract(entry, '$.kind') IN ('finished', 'stale'))
    LIMIT ?`)
  const distant = db.prepare(`
    SELECT ${columns} FROM alert
    WHERE status = 'firing' AND status <> 'resolved' AND next_step_at IS NOT NULL AND next_step_at > ? LIMIT ?`)
  const count = (lane: string, before: number, limit: number) =>
    [0, 1, 2].reduce((sum, critical) => sum + Number(due.get(lane, critical, before, limit)?.[0]), 0)
  return {
    overdue: ({ dueBefore, now, limit }: OverdueQuery): OverdueRows => ({
      steps: count('escalate', dueBefore, limit),
      work: lanes.all().reduce((sum, [lane]) => sum + count(lane as string, dueBefore, limit), 0),
      timerless: [...timerless.all(now, limit), ...untimed.all(limit)],
      distant: distant.all(now, limit),
    }),
  }
}
