import { MOST_ATTEMPTS, type Attempt } from '../../../delivery/attempt/attempt.ts'
import type { Database, Row, SqlValue } from '../file/database.ts'

/** The newest entry of a history as a column; null without one. */
export const LAST_ATTEMPT = `history -> '$[#-1]'`

/** SQL for a delivery's history with a JSON array of entries behind it; what grows too long loses its oldest. */
export function historyWith(given: string): string {
  const both = `substr(history, 1, length(history) - 1) || ',' || substr(${given}, 2)`
  return `CASE WHEN ${given} IS NULL THEN history WHEN history IS NULL THEN ${given} ELSE (
    SELECT json_group_array(json(value)) FROM (
      SELECT key, value FROM (SELECT key, value FROM json_each(${both}) ORDER BY key DESC LIMIT ${MOST_ATTEMPTS})
      ORDER BY key)) END`
}

/** What happened to one attempt at least, as it is stored; null for nothing. */
export function historyOf(attempts: readonly Attempt[] | undefined): string | null {
  return attempts === undefined || attempts.length === 0 ? null : JSON.stringify(attempts)
}

/** Undoes {@link historyOf}, over everything that was kept of a delivery. */
export function readHistory(value: SqlValue | undefined): readonly Attempt[] {
  return typeof value === 'string' ? (JSON.parse(value) as Attempt[]) : []
}

/** Undoes {@link LAST_ATTEMPT}. */
export function readLastAttempt(value: SqlValue | undefined): Attempt | undefined {
  return typeof value === 'string' ? (JSON.parse(value) as Attempt) : undefined
}

/** The writer's statements on what is told about attempts, and about deliveries that send others again. */
export function historyWrites(db: Database) {
  const lost = `json_array(json_object('number', attempts, 'startedAt', ?4, 'outcome', 'unknown', 'code', 'interrupted'))`
  const lose = db.prepare(`
    UPDATE delivery SET history = ${historyWith(lost)} WHERE subject_id = ?1 AND tenant = ?2 AND ordinal = ?3`)
  // What is sent again is of the same subject; the chain ends at what a message made.
  const resent = db.prepare(`
    WITH RECURSIVE chain (id) AS (
      SELECT ?3 UNION SELECT d.resend_of FROM chain JOIN delivery d
        ON d.subject_id = ?1 AND d.tenant = ?2 AND d.subject_id || '.' || d.ordinal = chain.id
      WHERE d.resend_of IS NOT NULL)
    UPDATE delivery SET resent_as = ?4
    WHERE subject_id = ?1 AND tenant = ?2 AND subject_id || '.' || ordinal IN (SELECT id FROM chain)`)
  return {
    /** The attempt under way was lost with its holder, who took the delivery at this instant. */
    lose: (place: readonly [subjectId: string, tenant: string, ordinal: number], startedAt: number) =>
      void lose.run(...place, startedAt),
    /** Names `id` as the newest that sends `resendOf` again, and with it everything that that one sent again. */
    resent: (delivery: {
      readonly subjectId: string
      readonly tenant: string
      readonly resendOf: string
      readonly id: string
    }) => void resent.run(delivery.subjectId, delivery.tenant, delivery.resendOf, delivery.id),
  }
}

/** The reader's statement on one delivery with its attempts; `columns` are those that lists have. */
export function historyReads(db: Database, columns: string) {
  const one = db.prepare(
    `SELECT ${columns}, history FROM delivery WHERE subject_id = ? AND tenant = ? AND ordinal = ?`,
  )
  return (place: readonly [subjectId: string, tenant: string, ordinal: number]): Row | null =>
    one.get(...place) ?? null
}
