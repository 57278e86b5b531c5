import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { TenantId } from '../../access/principal.ts'
import { auditRow, type AuditEntry, type AuditHead, type NewAuditEntry } from '../../audit/entry.ts'
import type { FoundRow } from '../../audit/verify.ts'
import type { Alert, TimelineEntry } from '../../alert/alert.ts'
import type { Clock } from '../../clock.ts'
import {
  DELIVERY_STATES,
  type Delivery,
  type DeliveryState,
  type OutboxItem,
} from '../../delivery/delivery.ts'
import { fault } from '../../errors.ts'
import type { Log } from '../../log.ts'
import type { Metrics } from '../../metrics.ts'
import type { Notification } from '../../notification/notification.ts'
import type * as port from '../store.ts'
import { auditPosition, readAuditEntry, readFoundRow } from './table/audit.ts'
import { alertPosition, openAlertPosition, readAlert } from './table/alert.ts'
import { Asker } from './thread/asker.ts'
import { Committer, type Precedence } from './thread/committer.ts'
import { readComponentState } from './table/component-state.ts'
import type { QueueLimits } from '../commit-queue.ts'
import { encodeCursor, pageOf } from '../cursor.ts'
import type { Row } from './file/database.ts'
import { deadLetterPosition, readDeadLetter } from './table/dead-letter.ts'
import { readDispatch } from './table/dispatch.ts'
import {
  deliveryPosition,
  newDeliveryRow,
  readBatch,
  readDelivery,
  readDeliveryRecord,
} from './table/delivery.ts'
import { readStatistics } from './table/delivery-statistics.ts'
import { readNotification } from './table/notification.ts'
import {
  acceptOperation,
  acceptResult,
  changeOperation,
  readClaimed,
  settlementRow,
  type BatchReply,
  type Packed,
} from './thread/operation.ts'
import { SqlitePersistence } from './sqlite-persistence.ts'
import { readOutboxItem } from './table/outbox.ts'
import { readRecord, recordSeq } from './table/record.ts'
import type { Answer, Question } from './thread/reads.ts'
import type { ReaderData } from './thread/reader-thread.ts'
import { startThread, type Thread } from './thread/thread.ts'
import type { WriterData } from './thread/writer-thread.ts'

/** A commit that takes longer makes the store unready (promise P2). */
const SLOW_COMMIT_MS = 5000

export interface SqliteStoreOptions {
  /** The folder; made when it is missing. */
  readonly path: string
  readonly clock: Clock
  readonly metrics: Metrics | undefined
  readonly limits: QueueLimits
  /** A thread died or the disk failed during a commit: the process must end (promise P25). Called at most once. */
  readonly onFatal: (error: Error) => void
  /** Of the file that is given up when the disk is full (promise P25). */
  readonly ballastBytes: number
  readonly log: Log
  /** Test only: pages after which the disk counts as full. */
  readonly maxPages?: number
}

interface Boot {
  readonly bootCount: number
  readonly highWaterAt: number
  /** The ballast stands. */
  readonly ballasted: boolean
  readonly full: boolean
}

/** Opens the embedded store: one thread that writes and one that reads, both joined by `close`. */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<port.Store> {
  const { path, clock, metrics, limits, maxPages, log } = options
  mkdirSync(path, { recursive: true })
  const file = join(path, 'carillon.db')
  let fatal = false
  const onFatal = (error: Error) => {
    if (fatal) return
    fatal = true
    options.onFatal(error)
  }
  const writer = await startThread<Packed, BatchReply, Boot>(
    new URL('./thread/writer-thread.js', import.meta.url),
    {
      folder: path,
      file,
      ballast: { file: join(path, 'ballast'), bytes: options.ballastBytes },
      ...(maxPages !== undefined && { maxPages }),
    } satisfies WriterData,
    (error) => {
      committer.abandon(error.message)
      onFatal(error)
    },
  )
  const onDisk = (full: boolean) => {
    if (full)
      log.error({ path }, 'the disk is full: ordinary publishes are refused until there is room again')
    else log.warn({ path }, 'the disk has room again')
  }
  const committer = new Committer({ thread: writer, clock, metrics, limits, onFatal, onDisk })
  if (!writer.ready.ballasted && !writer.ready.full)
    log.warn(
      { path },
      'there is no room for the ballast file: should the disk become full, nothing can be stored',
    )
  committer.heard(writer.ready.full)
  try {
    // Second, because a read-only connection needs the file and its schema.
    const reader = await startThread<readonly Question[], readonly Answer[], null>(
      new URL('./thread/reader-thread.js', import.meta.url),
      { file } satisfies ReaderData,
      onFatal,
    )
    return new SqliteStore({ writer, reader, committer, clock })
  } catch (error) {
    await committer.finish()
    await writer.close()
    throw error
  }
}

interface Parts {
  readonly writer: Thread<Packed, BatchReply, Boot>
  readonly reader: Thread<readonly Question[], readonly Answer[], null>
  readonly committer: Committer
  readonly clock: Clock
}

/** Everything but accepts may use the whole queue: what acts on stored things frees room, accepts only take it. */
const PREFERRED: Precedence = { urgent: true, keys: [] }

class SqliteStore implements port.Store {
  readonly highWaterAt: number
  readonly bootCount: number
  readonly sessions: port.Store['sessions']
  readonly #parts: Parts
  readonly #committer: Committer
  readonly #asker: Asker
  #closed: Promise<void> | null = null

  constructor(parts: Parts) {
    this.#parts = parts
    this.#committer = parts.committer
    this.#asker = new Asker(parts.reader)
    this.sessions = new SqlitePersistence(this.#committer, this.#asker)
    this.highWaterAt = parts.writer.ready.highWaterAt
    this.bootCount = parts.writer.ready.bootCount
  }

  async accept(acceptance: port.Acceptance): Promise<port.AcceptResult> {
    const { tenant, principal, alert, urgent } = acceptance
    const keys = [`principal ${tenant} ${principal}`]
    if (alert) keys.push(alertKey(tenant, alertIdOf(alert)))
    return acceptResult(
      acceptance,
      await this.#committer.write<'accept'>(acceptOperation(acceptance), { urgent, keys }),
    )
  }

  changeAlert(change: port.AlertChange): Promise<'done' | 'stale' | 'fenced'> {
    const keys = [alertKey(change.tenant, change.alertId)]
    const operation = { kind: 'change', at: change.at, ...changeOperation(change) } as const
    return this.#committer.write<'change'>(operation, { urgent: true, keys })
  }

  async claim(claim: port.Claim): Promise<{ items: readonly port.Claimed[]; nextDueAt: number | null }> {
    const reply = await this.#committer.write<'claim'>({ kind: 'claim', at: claim.now, claim }, PREFERRED)
    return { items: reply.items.map(readClaimed), nextDueAt: reply.nextDueAt }
  }

  settle(settlement: port.Settlement): Promise<'done' | 'fenced'> {
    const operation = { kind: 'settle', at: settlement.at, settlement: settlementRow(settlement) } as const
    return this.#committer.write<'settle'>(operation, PREFERRED)
  }

  closeDigest(closing: port.DigestClosing): Promise<'done' | 'stale' | 'fenced'> {
    const rows = { ...closing, summary: closing.summary && newDeliveryRow(closing.summary) }
    return this.#committer.write<'closeDigest'>(
      { kind: 'closeDigest', at: closing.at, closing: rows },
      PREFERRED,
    )
  }

  cancelDelivery(cancelled: Parameters<port.Store['cancelDelivery']>[0]): Promise<boolean> {
    return this.#committer.write<'cancelDelivery'>({ kind: 'cancelDelivery', ...cancelled }, PREFERRED)
  }

  progress(steps: readonly (port.DeliveryProgress | port.ProviderReport)[]): Promise<number> {
    const at = steps.reduce((latest, step) => Math.max(latest, step.at), 0)
    return this.#committer.write<'progress'>({ kind: 'progress', at, steps }, PREFERRED)
  }

  mark(mark: port.InboxMark): Promise<readonly string[]> {
    return this.#committer.write<'mark'>({ kind: 'mark', at: mark.at, mark }, PREFERRED)
  }

  removeDeadLetter(tenant: TenantId, id: string): Promise<boolean> {
    return this.#committer.write<'removeDeadLetter'>(
      { kind: 'removeDeadLetter', at: 0, tenant, id },
      PREFERRED,
    )
  }

  async clearOutbox(tenant: TenantId): Promise<void> {
    await this.#committer.write<'clearOutbox'>({ kind: 'clearOutbox', at: 0, tenant }, PREFERRED)
  }

  prune(before: Parameters<port.Store['prune']>[0]): Promise<number> {
    return this.#committer.write<'prune'>({ kind: 'prune', at: before.now, before }, PREFERRED)
  }

  async putRecord(change: port.RecordChange): Promise<port.StoredRecord | 'stale'> {
    const { tenant, kind, owner, key, doc, changedAt, expectVersion = null } = change
    const row = { tenant, kind, owner, key, doc: doc && JSON.stringify(doc), changedAt, expectVersion }
    const operation = { kind: 'record', at: changedAt, row } as const
    const version = await this.#committer.write<'record'>(operation, PREFERRED)
    return version === 'stale' ? version : { tenant, kind, owner, key, doc, version, changedAt }
  }

  async audit(entries: readonly NewAuditEntry[]): Promise<void> {
    const at = entries.reduce((latest, entry) => Math.max(latest, entry.at), 0)
    await this.#committer.write<'audit'>({ kind: 'audit', at, rows: entries.map(auditRow) }, PREFERRED)
  }

  secret(name: string): Promise<Uint8Array> {
    return this.#committer.write<'secret'>({ kind: 'secret', at: 0, name }, PREFERRED)
  }

  async inbox(query: port.InboxQuery): Promise<readonly Notification[]> {
    return (await this.#asker.ask('inbox', query)).map(readNotification)
  }

  async inboxSummary(reader: port.InboxReader): Promise<port.InboxSummary> {
    const [total, unread, version] = (await this.#asker.ask('inboxSummary', reader)) as readonly [
      number,
      number,
      number,
    ]
    return { total, unread, version }
  }

  async notification(reader: port.InboxReader, id: string): Promise<Notification | null> {
    return optional(await this.#asker.ask('notification', { reader, id }), readNotification)
  }

  async anyNotification(tenant: TenantId, id: string, userId: string): Promise<Notification | null> {
    return optional(await this.#asker.ask('anyNotification', { tenant, id, userId }), readNotification)
  }

  async alert(tenant: TenantId, id: string): Promise<Alert | null> {
    return optional(await this.#asker.ask('alert', { tenant, id }), readAlert)
  }

  async openAlert(tenant: TenantId, dedupKey: string): Promise<Alert | null> {
    return optional(await this.#asker.ask('openAlert', { tenant, dedupKey }), readAlert)
  }

  async alerts(query: port.AlertQuery): Promise<port.Page<Alert>> {
    const rows = await this.#asker.ask('alerts', query)
    return pageOf(rows, query.limit, { item: readAlert, position: alertPosition })
  }

  async timeline(tenant: TenantId, alertId: string): Promise<readonly TimelineEntry[]> {
    const rows = await this.#asker.ask('timeline', { tenant, alertId })
    return rows.map((row) => JSON.parse(row[0] as string) as TimelineEntry)
  }

  async referring(tenant: TenantId, ref: string, limit: number): Promise<port.Referring> {
    const { count, ids } = await this.#asker.ask('referring', { tenant, ref, limit })
    return { count, alertIds: ids }
  }

  async openAlerts(limit: number, cursor?: string): Promise<port.Page<Alert>> {
    const rows = await this.#asker.ask('openAlerts', { limit, ...(cursor !== undefined && { cursor }) })
    return pageOf(rows, limit, { item: readAlert, position: openAlertPosition })
  }

  async deliveries(query: port.DeliveryQuery): Promise<port.Page<Delivery>> {
    const rows = await this.#asker.ask('deliveries', query)
    return pageOf(rows, query.limit, { item: readDelivery, position: deliveryPosition(query) })
  }

  async delivery(tenant: TenantId, id: string): Promise<port.DeliveryRecord | null> {
    return optional(await this.#asker.ask('delivery', { tenant, id }), readDeliveryRecord)
  }

  async lanes(): Promise<readonly string[]> {
    return (await this.#asker.ask('lanes', undefined)).map((row) => row[0] as string)
  }

  async dispatches(query: port.DispatchQuery): Promise<port.DispatchList> {
    const { total, rows } = await this.#asker.ask('dispatches', query)
    return { total, items: rows.map(readDispatch) }
  }

  async digestContents(tenant: TenantId, digestId: string, limit: number): Promise<port.DigestContents> {
    const { counts, notifications, alerts } = await this.#asker.ask('digestContents', {
      tenant,
      digestId,
      limit,
    })
    const [count, notificationCount, alertCount] = counts.map(Number) as [number, number, number]
    return {
      count,
      notificationCount,
      alertCount,
      notifications: notifications.map(readNotification),
      alerts: alerts.map(readAlert),
    }
  }

  async batch(tenant: TenantId, id: string): Promise<port.Batch | null> {
    const rows = await this.#asker.ask('batch', { tenant, id })
    return rows && readBatch(id, rows)
  }

  async deliveryStatistics(query: port.StatisticsQuery): Promise<port.DeliveryStatistics> {
    return readStatistics(await this.#asker.ask('deliveryStatistics', query), query)
  }

  async states(): Promise<readonly (port.ComponentState & { tenant: TenantId })[]> {
    return (await this.#asker.ask('states', undefined)).map(readComponentState)
  }

  async records(limit: number, cursor?: string): Promise<port.Page<port.StoredRecord>> {
    const rows = await this.#asker.ask('records', { limit, ...(cursor !== undefined && { cursor }) })
    const last = rows.at(-1)
    return {
      items: rows.map(readRecord),
      nextCursor: last ? encodeCursor([recordSeq(last)]) : (cursor ?? null),
    }
  }

  async auditLog(query: port.AuditQuery): Promise<port.Page<AuditEntry>> {
    const rows = await this.#asker.ask('auditLog', query)
    return pageOf(rows, query.limit, { item: readAuditEntry, position: auditPosition })
  }

  async auditChain(after: number, limit: number): Promise<readonly FoundRow[]> {
    return (await this.#asker.ask('auditChain', { after, limit })).map(readFoundRow)
  }

  auditHead(): Promise<AuditHead> {
    return this.#asker.ask('auditHead', undefined)
  }

  async overdue(dueBefore: number, now: number, limit: number): Promise<port.Overdue> {
    const { steps, work, timerless, distant } = await this.#asker.ask('overdue', { dueBefore, now, limit })
    return { steps, work, timerless: timerless.map(readAlert), distant: distant.map(readAlert) }
  }

  async deadLetters(tenant: TenantId, page: port.PageQuery): Promise<port.Page<port.DeadLetter>> {
    const rows = await this.#asker.ask('deadLetters', { tenant, page })
    return pageOf(rows, page.limit, { item: readDeadLetter, position: deadLetterPosition })
  }

  async deadLetter(tenant: TenantId, id: string): Promise<port.DeadLetter | null> {
    return optional(await this.#asker.ask('deadLetter', { tenant, id }), readDeadLetter)
  }

  async outbox(query: port.OutboxQuery): Promise<readonly OutboxItem[]> {
    return (await this.#asker.ask('outbox', query)).map(readOutboxItem)
  }

  async outboxItem(tenant: TenantId, id: string): Promise<OutboxItem | null> {
    return optional(await this.#asker.ask('outboxItem', { tenant, id }), readOutboxItem)
  }

  async conservation(of: 'moving' | 'all' = 'all'): ReturnType<port.Store['conservation']> {
    const { broken, totals, states } = await this.#asker.ask('conservation', of)
    const counted = new Map(states.map(([state, count]) => [state as string, Number(count)]))
    const deliveries = Object.fromEntries(DELIVERY_STATES.map((state) => [state, counted.get(state) ?? 0]))
    return {
      broken,
      accepted: Number(totals[0]),
      deadLetters: Number(totals[1]),
      // Built from the list of all states just above.
      deliveries: deliveries as Record<DeliveryState, number>,
    }
  }

  /**
   * Rejects at once while the disk is full or a commit has been under way for too long, else when its own one takes as
   * long.
   */
  async ping(): Promise<void> {
    const { clock } = this.#parts
    if (this.#committer.shortage) throw this.#committer.shortage
    const slow = () => fault('store.unavailable', `A commit takes longer than ${SLOW_COMMIT_MS / 1000} s`)
    const since = this.#committer.busySince
    if (since !== null && clock.now() - since >= SLOW_COMMIT_MS) throw slow()
    let cancel = () => {}
    const late = new Promise<never>((_, reject) => {
      cancel = clock.at(clock.now() + SLOW_COMMIT_MS, () => reject(slow()))
    })
    try {
      await Promise.race([this.#committer.write<'ping'>({ kind: 'ping', at: clock.now() }, PREFERRED), late])
    } finally {
      cancel()
    }
  }

  /** Calling it again waits for the same end. */
  close(): Promise<void> {
    this.#closed ??= (async () => {
      await this.#committer.finish()
      await this.#asker.finish()
      // The reader first: the last connection to close copies the log into the file and removes it.
      await this.#parts.reader.close()
      await this.#parts.writer.close()
    })()
    return this.#closed
  }
}

function optional<T>(row: Row | null, read: (row: Row) => T): T | null {
  return row && read(row)
}

function alertKey(tenant: TenantId, alertId: string): string {
  return `alert ${tenant} ${alertId}`
}

function alertIdOf(alert: port.AlertAcceptance): string {
  switch (alert.kind) {
    case 'open':
      return alert.alert.id
    case 'repeat':
      return alert.alertId
    case 'change':
      return alert.change.alertId
  }
}
