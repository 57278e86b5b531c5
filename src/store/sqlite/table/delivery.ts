import type { TenantId } from '../../../access/principal.ts'
import {
  DELIVERY_STATES,
  type ChannelName,
  type Delivery,
  type DeliveryState,
  type FixedContent,
  type Purpose,
  type SubjectKind,
} from '../../../delivery/delivery.ts'
import type {
  Batch,
  DeliveryProgress,
  DeliveryQuery,
  DeliveryRecord,
  Lease,
  NewDelivery,
  ProviderReport,
  Settlement,
} from '../../store.ts'
import type { Attempt } from '../../../delivery/attempt/attempt.ts'
import { deliveryCounts } from './delivery-count.ts'
import {
  historyReads,
  historyWith,
  historyWrites,
  LAST_ATTEMPT,
  readHistory,
  readLastAttempt,
} from './delivery-history.ts'
import { decodeCursor, type Position } from '../../cursor.ts'
import type { Database, Row, SqlValue, Statement } from '../file/database.ts'
import type { Rank, workWrites } from './work.ts'

/** When it is due, in which lane, leased until when, and the delivery's columns: all, or those that are never null. */
export type NewDeliveryRow = readonly [
  dueAt: number | null,
  lane: string,
  leaseUntil: number | null,
  row: Row,
  rank: Rank,
]

export function newDeliveryRow({ delivery, dueAt, lane, lease, ahead }: NewDelivery): NewDeliveryRow {
  const { origin } = delivery
  // Only what still moves has work; a lease without a due instant is due at once.
  const due = delivery.state === 'pending' ? (dueAt ?? lease?.until ?? null) : null
  const leased = due !== null && lease !== null
  const always: SqlValue[] = [
    delivery.subjectId,
    delivery.tenant,
    delivery.ordinal,
    delivery.subjectKind,
    delivery.purpose,
    delivery.userId,
    delivery.channel,
    delivery.address,
    delivery.critical ? 1 : 0,
    leased ? 'sending' : delivery.state,
    leased ? delivery.attempts + 1 : delivery.attempts,
    delivery.maxAttempts,
    origin.principal,
    origin.messageId,
    origin.topic,
    delivery.createdAt,
  ]
  const seldom: SqlValue[] = [
    delivery.reason,
    leased ? null : delivery.nextAttemptAt,
    delivery.providerId,
    delivery.error,
    delivery.step,
    delivery.fixed && JSON.stringify(delivery.fixed),
    delivery.sentAt,
    delivery.deliveredAt,
    delivery.firstDueAt,
    delivery.resendOf,
  ]
  // A fresh delivery without particulars is the hot path: a third of the values need not be moved and bound.
  const row = due === null && seldom.every((value) => value === null) ? always : [...always, ...seldom]
  const rank = delivery.critical ? (ahead === true ? 2 : 1) : 0
  return [due, lane, leased ? lease.until : null, row, rank]
}

const ALWAYS = `subject_id, tenant, ordinal, subject_kind, purpose, user_id, channel, address, critical, state, attempts,
  max_attempts, principal, message_id, topic, created_at`
const COLUMNS = `${ALWAYS}, reason, next_attempt_at, provider_id, error, step, fixed, sent_at, delivered_at,
  first_due_at, resend_of`
const READ = `${COLUMNS}, digest_id, resent_as`
const COUNT = 26
const RESEND_OF = 25
const HISTORY = 28
const ALWAYS_COUNT = 16
const CRITICAL = 8
const STATE = 9
const CREATED_AT = 15
/** Place of the fixed content among the columns; absent on a row without particulars. */
export const FIXED = 21

export function readDelivery(row: Row): Delivery {
  // STRICT columns hold exactly these types; `readDelivery` is only given rows of READ.
  const text = (index: number) => row[index] as string
  const number = (index: number) => row[index] as number
  const fixed = row[FIXED] as string | null
  return {
    id: deliveryId(text(0), number(2)),
    subjectId: text(0),
    tenant: text(1) as TenantId,
    ordinal: number(2),
    subjectKind: text(3) as SubjectKind,
    purpose: text(4) as Purpose,
    userId: row[5] as string | null,
    channel: text(6) as ChannelName,
    address: row[7] as string | null,
    critical: row[CRITICAL] === 1,
    state: text(STATE) as DeliveryState,
    attempts: number(10),
    maxAttempts: number(11),
    origin: { principal: text(12), messageId: text(13), topic: text(14) },
    createdAt: number(CREATED_AT),
    reason: row[16] as string | null,
    nextAttemptAt: row[17] as number | null,
    providerId: row[18] as string | null,
    error: row[19] as string | null,
    step: row[20] as number | null,
    fixed: fixed === null ? null : (JSON.parse(fixed) as FixedContent),
    sentAt: row[22] as number | null,
    deliveredAt: row[23] as number | null,
    firstDueAt: row[24] as number | null,
    resendOf: row[25] as string | null,
    digestId: row[26] as string | null,
    resentAs: row[27] as string | null,
  }
}

/** A delivery with its attempts, from a row that has its history last. */
export function readDeliveryRecord(row: Row): DeliveryRecord {
  return { delivery: readDelivery(row), attempts: readHistory(row[HISTORY]) }
}

/** Of a claimed row: the attempt that was made last, where there was one. */
export function lastAttemptOf(row: Row): Attempt | undefined {
  return readLastAttempt(row[HISTORY])
}

function deliveryId(subjectId: string, ordinal: number): string {
  return `${subjectId}.${ordinal}`
}

function placeOf(id: string, tenant: string): readonly [subjectId: string, tenant: string, ordinal: number] {
  const dot = id.lastIndexOf('.')
  return [id.slice(0, Math.max(dot, 0)), tenant, Number(id.slice(dot + 1)) || 0]
}

/** The place of a row in its listing: by ordinal within a subject, else newest first. */
export function deliveryPosition(query: DeliveryQuery): (row: Row) => readonly SqlValue[] {
  return query.subjectId === undefined ? (row) => [row[CREATED_AT]!, row[0]!, row[2]!] : (row) => [row[2]!]
}

export interface BatchRows {
  readonly origin: Row
  readonly states: readonly Row[]
}

export function readBatch(id: string, { origin, states }: BatchRows): Batch {
  const counted = new Map(states.map(([state, count]) => [state as string, Number(count)]))
  // STRICT columns, in the order of the statement.
  const [principal, messageId, topic, createdAt] = origin as unknown as [string, string, string, number]
  return {
    id,
    origin: { principal, messageId, topic },
    createdAt,
    // Built from the list of all states.
    states: Object.fromEntries(
      DELIVERY_STATES.map((state) => [state, counted.get(state) ?? 0]),
    ) as Batch['states'],
  }
}

const RARE_ENDS: readonly DeliveryState[] = ['cancelled', 'suppressed', 'expired', 'dead']

/** The reader's statements on deliveries. */
export function deliveryReads(db: Database) {
  const statements = new Map<string, Statement>()
  const one = historyReads(db, READ)
  const batchOrigin = db.prepare(`
    SELECT principal, message_id, topic, created_at FROM delivery
    WHERE subject_id = ? AND tenant = ? AND subject_kind = 'batch' ORDER BY ordinal LIMIT 1`)
  // A message that was sent again has a later instant.
  const batchStates = db.prepare(`
    SELECT state, count(*) FROM delivery
    WHERE subject_id = ? AND tenant = ? AND created_at = ? GROUP BY state`)
  return {
    deliveries(query: DeliveryQuery): Row[] {
      const where = ['tenant = ?']
      const values: SqlValue[] = [query.tenant]
      const and = (condition: string, ...given: readonly SqlValue[]) => {
        where.push(condition)
        values.push(...given)
      }
      let order: string
      if (query.subjectId === undefined) {
        const after = decodeCursor(query.cursor, [0, '', 0])
        if (after) and('(created_at, subject_id, ordinal) < (?, ?, ?)', ...(after as Position))
        order = 'created_at DESC, subject_id DESC, ordinal DESC'
      } else {
        const after = decodeCursor(query.cursor, [0])
        and('subject_id = ?', query.subjectId)
        if (after) and('ordinal > ?', ...after)
        order = 'ordinal'
      }
      if (query.userId !== undefined) and('user_id = ?', query.userId)
      if (query.digestId !== undefined) and('digest_id = ?', query.digestId)
      if (query.since !== undefined) and('created_at >= ?', query.since)
      if (query.channel !== undefined) and('channel = ?', query.channel)
      if (query.state !== undefined) {
        and('state = ?', query.state)
        // Said again in the words of the partial index, which SQLite would not recognise in the parameter.
        if (RARE_ENDS.includes(query.state)) and(`state IN ('cancelled', 'suppressed', 'expired', 'dead')`)
      }
      const sql = `SELECT ${READ} FROM delivery WHERE ${where.join(' AND ')} ORDER BY ${order} LIMIT ?`
      let statement = statements.get(sql)
      if (!statement) statements.set(sql, (statement = db.prepare(sql)))
      return statement.all(...values, query.limit + 1)
    },
    delivery: ({ tenant, id }: { readonly tenant: string; readonly id: string }) => one(placeOf(id, tenant)),
    /** The batch's origin and instant, and its messages by state; null when there is none. Both read the key's range. */
    batch({ tenant, id }: { readonly tenant: string; readonly id: string }): BatchRows | null {
      const origin = batchOrigin.get(id, tenant)
      if (!origin) return null
      return { origin, states: batchStates.all(id, tenant, origin[3]!) }
    },
  }
}

interface CancelledPages {
  readonly alertId: string
  readonly tenant: string
  readonly cancelPagesOf?: string
}

/** The writer's statements on deliveries. */
export function deliveryWrites(db: Database, work: ReturnType<typeof workWrites>) {
  const counts = deliveryCounts(db)
  const history = historyWrites(db)
  const marks = (count: number) => Array.from({ length: count }, () => '?').join(', ')
  const insert = db.prepare(`INSERT INTO delivery (${COLUMNS}, work_id) VALUES (${marks(COUNT + 1)})`)
  const insertPlain = db.prepare(`INSERT INTO delivery (${ALWAYS}) VALUES (${marks(ALWAYS_COUNT)})`)
  const key = 'WHERE subject_id = ? AND tenant = ? AND ordinal = ?'
  const get = db.prepare(`SELECT ${READ} FROM delivery ${key}`)
  const getTaken = db.prepare(`SELECT ${READ}, ${LAST_ATTEMPT} FROM delivery ${key}`)
  const take = db.prepare(`
    UPDATE delivery SET state = 'sending', attempts = attempts + 1, next_attempt_at = NULL ${key}`)
  const settle = db.prepare(`
    UPDATE delivery SET state = ?, reason = ?, provider_id = coalesce(?, provider_id), error = ?,
      sent_at = coalesce(?, sent_at), delivered_at = coalesce(?, delivered_at), next_attempt_at = ?, work_id = ?,
      digest_id = ?, attempts = attempts - ?, history = ${historyWith('?11')} ${key}`)
  const putBack = db.prepare(`
    UPDATE delivery SET state = 'pending', next_attempt_at = ?, attempts = attempts - ? ${key}`)
  const pages = db.prepare(`
    SELECT ordinal, work_id FROM delivery
    WHERE subject_id = ?1 AND tenant = ?2 AND purpose = 'page' AND state = 'pending'
      AND (?3 IS NULL OR user_id = ?3)`)
  const cancel = db.prepare(`
    UPDATE delivery SET state = 'cancelled', reason = ?, next_attempt_at = NULL, work_id = NULL ${key}`)
  const waiting = db.prepare(`
    SELECT tenant, ordinal, state, work_id FROM delivery
    WHERE subject_id = ? AND user_id = ? AND channel = 'realtime' AND state IN ('pending', 'sent')`)
  const advance = db.prepare(`
    UPDATE delivery SET state = ?, sent_at = coalesce(sent_at, ?), delivered_at = ?, next_attempt_at = NULL,
      work_id = NULL ${key}`)
  const workOf = db.prepare(`SELECT state, work_id FROM delivery ${key}`)
  const report = db.prepare(`
    UPDATE delivery SET state = ?, reason = ?, delivered_at = ? ${key} AND state = 'sent'`)

  return {
    counts,
    get: (subjectId: string, tenant: string, ordinal: number): Row | undefined =>
      get.get(subjectId, tenant, ordinal),
    /** With its work, when it is to be attempted; answers with the lease, when it was taken at once. */
    insert([dueAt, lane, leaseUntil, row, rank]: NewDeliveryRow): Lease | null {
      counts.moved(null, row[STATE] as string)
      if (row.length === ALWAYS_COUNT) {
        insertPlain.run(...row)
        return null
      }
      const [subjectId, tenant, ordinal] = row as unknown as readonly [string, string, number]
      const about = { tenant, kind: 'deliver', lane, ref: subjectId, ordinal, rank, doc: null } as const
      const workId = dueAt === null ? null : work.add({ ...about, dueAt, leaseUntil })
      insert.run(...row, workId)
      const resendOf = (row[RESEND_OF] ?? null) as string | null
      if (resendOf !== null)
        history.resent({ subjectId, tenant, resendOf, id: deliveryId(subjectId, ordinal) })
      return workId !== null && leaseUntil !== null
        ? { workId, token: 1, deliveryId: deliveryId(subjectId, ordinal) }
        : null
    },
    /**
     * Marks it as being sent and counts the attempt; answers with the row after that and its newest attempt, null when
     * there is nothing to send. `lostAt` is when whoever was lost with an attempt under way had taken it.
     */
    take(place: readonly [subjectId: string, tenant: string, ordinal: number], lostAt: number | null) {
      const state = get.get(...place)?.[STATE]
      if (state !== 'pending' && state !== 'sending') return null
      if (lostAt !== null && state === 'sending') history.lose(place, lostAt)
      counts.moved(state, 'sending')
      take.run(...place)
      return getTaken.get(...place) ?? null
    },
    settle(place: DeliveryPlace, settlement: SettlementRow, digestId: string | null): void {
      const { delivery, nextDueAt, workId, history: added } = settlement
      const uncounted = settlement.untried ? 1 : 0
      const at = [place.subjectId, place.tenant, place.ordinal] as const
      // Held work is that of a delivery that is being sent.
      if (delivery) {
        counts.moved('sending', delivery.state)
        settle.run(
          delivery.state,
          delivery.reason,
          delivery.providerId,
          delivery.error,
          delivery.sentAt,
          delivery.deliveredAt,
          nextDueAt,
          nextDueAt === null ? null : workId,
          digestId,
          uncounted,
          added,
          ...at,
        )
      }
      // Left as `sending` it would look like an attempt whose effect is unknown.
      else if (nextDueAt !== null) {
        counts.moved('sending', 'pending')
        putBack.run(nextDueAt, uncounted, ...at)
      }
    },
    /** Cancels what is pending of an alert's pages, or of those to one person, and their work (promises P15, P17). */
    cancelPages({ alertId, tenant, cancelPagesOf }: CancelledPages, reason: string): void {
      const rows = pages.all(alertId, tenant, cancelPagesOf ?? null) as [number, number | null][]
      for (const [ordinal, workId] of rows) {
        cancel.run(reason, alertId, tenant, ordinal)
        counts.moved('pending', 'cancelled')
        if (workId !== null) work.remove(workId)
      }
    },
    /** Cancels one that waits, and its work; false when it does not wait. */
    cancel(tenant: string, id: string, reason: string): boolean {
      const place = placeOf(id, tenant)
      const [state, workId] = workOf.get(...place) ?? []
      if (state !== 'pending') return false
      cancel.run(reason, ...place)
      counts.moved('pending', 'cancelled')
      if (typeof workId === 'number') work.remove(workId)
      return true
    },
    progress(steps: readonly (DeliveryProgress | ProviderReport)[]): number {
      let moved = 0
      for (const step of steps) {
        if ('deliveryId' in step) {
          const { changes } = report.run(
            step.state,
            step.reason,
            step.state === 'delivered' ? step.at : null,
            ...placeOf(step.deliveryId, step.tenant),
          )
          counts.moved('sent', step.state, changes)
          moved += changes
          continue
        }
        for (const row of waiting.all(step.subjectId, step.userId)) {
          const [tenant, ordinal, state, workId] = row as [string, number, DeliveryState, number | null]
          if (state === step.state) continue
          advance.run(
            step.state,
            step.at,
            step.state === 'delivered' ? step.at : null,
            step.subjectId,
            tenant,
            ordinal,
          )
          counts.moved(state, step.state)
          if (workId !== null) work.remove(workId)
          moved++
        }
      }
      return moved
    },
  }
}

/** A settlement as it crosses to the writer: its attempts are the JSON that is stored. */
export type SettlementRow = Omit<Settlement, 'attempts'> & { readonly history: string | null }

export interface DeliveryPlace {
  readonly subjectId: string
  readonly tenant: string
  readonly ordinal: number
}
