import { failpoint } from '../../../failpoint.ts'
import { alertWrites } from '../table/alert.ts'
import { auditWrites } from '../table/audit.ts'
import type { Ballast } from '../file/ballast.ts'
import { componentStateWrites } from '../table/component-state.ts'
import { dispatchWrites } from '../table/dispatch.ts'
import { isDiskFull, isInputOutputFailure, isStorageFailure, type Database } from '../file/database.ts'
import { deadLetterWrites } from '../table/dead-letter.ts'
import { deliveryWrites } from '../table/delivery.ts'
import { digestWrites } from '../table/digest.ts'
import { metaWrites } from '../table/meta.ts'
import { mqttSessionWrites } from '../table/mqtt-session.ts'
import { notificationWrites } from '../table/notification-writes.ts'
import { onceWrites } from '../table/once.ts'
import type {
  AcceptOperation,
  AcceptReply,
  BatchReply,
  ChangeOperation,
  ClaimedRows,
  Operation,
  Replies,
  Reply,
} from './operation.ts'
import { outboxWrites } from '../table/outbox.ts'
import { recordWrites } from '../table/record.ts'
import { workWrites, type TakenWork } from '../table/work.ts'

/** Everything the writer can do to the file. */
function tables(db: Database, ballast: Ballast) {
  const work = workWrites(db)
  return {
    ballast,
    meta: metaWrites(db),
    once: onceWrites(db),
    notifications: notificationWrites(db),
    deliveries: deliveryWrites(db, work),
    alerts: alertWrites(db, work),
    audit: auditWrites(db),
    deadLetters: deadLetterWrites(db),
    states: componentStateWrites(db),
    dispatches: dispatchWrites(db),
    outbox: outboxWrites(db),
    records: recordWrites(db),
    mqtt: mqttSessionWrites(db),
    digests: digestWrites(db, work),
    work,
  }
}
type Tables = ReturnType<typeof tables>

export interface Writer {
  readonly bootCount: number
  readonly highWaterAt: number
  /**
   * Executes the operations in order in one transaction. One that throws is undone alone and the others are
   * committed; when the commit itself fails, none of them happened. A full disk also costs the ballast, so that
   * another try with less may succeed.
   */
  run(batch: readonly Operation[]): BatchReply
}

/** Prepares every statement and counts the start of the store. */
export function createWriter(db: Database, ballast: Ballast): Writer {
  const all = tables(db, ballast)
  const counted = all.meta.counted()
  if (!counted.deliveries) all.deliveries.counts.recount()
  if (!counted.inboxes) all.notifications.counts.recount()
  const { bootCount, highWaterAt } = all.meta.boot()
  // The folder is locked: nobody else can hold a lease, and a step must not wait for the end of one (promise P14).
  // Deliveries do: lost twice within a moment by a process that does not stay up, they would pass for poison (P10).
  all.work.reclaim(highWaterAt)
  return { bootCount, highWaterAt, run: (batch) => runBatch(db, all, batch) }
}

function runBatch(db: Database, all: Tables, batch: readonly Operation[]): BatchReply {
  const startedAt = performance.now()
  let committing = false
  try {
    const before = all.meta.changes()
    db.exec('BEGIN IMMEDIATE')
    const failures = new Map<number, string>()
    forgetCounts(all)
    let replies = together(all, batch)
    if (!replies) {
      forgetCounts(all)
      db.exec('ROLLBACK')
      db.exec('BEGIN IMMEDIATE')
      replies = apart(db, all, batch, failures)
    }
    const counted = tally(batch, replies, failures)
    all.deliveries.counts.write()
    all.notifications.counts.write()
    // A claim that found nothing costs no fsync.
    if (all.meta.changes() !== before || counted.accepted > 0 || batch.some(({ kind }) => kind === 'ping'))
      all.meta.count(counted)
    committing = true
    failpoint('before-commit')
    db.exec('COMMIT')
    const seconds = (performance.now() - startedAt) / 1000
    return { kind: 'committed', replies, failures, seconds, full: all.ballast.spent }
  } catch (error) {
    if (db.inTransaction) db.exec('ROLLBACK')
    if (isDiskFull(error)) all.ballast.spend()
    const fatal = committing && isInputOutputFailure(error)
    return { kind: 'failed', message: messageOf(error), fatal, full: all.ballast.spent }
  }
}

/** What an earlier transaction gathered and could not write. */
function forgetCounts(all: Tables): void {
  all.deliveries.counts.restore()
  all.notifications.counts.restore()
}

/** The usual way: without savepoints, which cost more than most operations. Null when one threw. */
function together(all: Tables, batch: readonly Operation[]): Reply[] | null {
  try {
    return batch.map((operation) => perform(all, operation))
  } catch (error) {
    if (isStorageFailure(error)) throw error
    return null
  }
}

function apart(
  db: Database,
  all: Tables,
  batch: readonly Operation[],
  failures: Map<number, string>,
): Reply[] {
  return batch.map((operation, index) => {
    const counts = { deliveries: all.deliveries.counts.mark(), inboxes: all.notifications.counts.mark() }
    db.exec('SAVEPOINT operation')
    try {
      const reply = perform(all, operation)
      db.exec('RELEASE operation')
      return reply
    } catch (error) {
      if (isStorageFailure(error)) throw error
      db.exec('ROLLBACK TO operation')
      db.exec('RELEASE operation')
      all.deliveries.counts.restore(counts.deliveries)
      all.notifications.counts.restore(counts.inboxes)
      failures.set(index, messageOf(error))
      return null
    }
  })
}

function tally(
  batch: readonly Operation[],
  replies: readonly Reply[],
  failures: ReadonlyMap<number, string>,
) {
  let at = 0
  let accepted = 0
  let deadLettered = 0
  for (const [index, operation] of batch.entries()) {
    if (failures.has(index)) continue
    if (operation.at > at) at = operation.at
    if (operation.kind !== 'accept' || !isAccepted(replies[index] as AcceptReply)) continue
    accepted++
    if (operation.deadLetter) deadLettered++
  }
  return { at, accepted, deadLettered }
}

function isAccepted(reply: AcceptReply): boolean {
  return typeof reply === 'number' || (reply !== 'stale' && !('duplicate' in reply))
}

function perform(all: Tables, operation: Operation): Reply {
  switch (operation.kind) {
    case 'accept':
      return accept(all, operation)
    case 'change':
      return change(all, operation)
    case 'claim':
      return claim(all, operation.claim)
    case 'settle':
      return settle(all, operation.settlement)
    case 'closeDigest':
      return closeDigest(all, operation)
    case 'cancelDelivery':
      return all.deliveries.cancel(operation.tenant, operation.id, operation.reason)
    case 'progress':
      return all.deliveries.progress(operation.steps)
    case 'mark':
      return all.notifications.mark(operation.mark)
    case 'reword':
      return all.notifications.reword(operation.rewording)
    case 'removeDeadLetter':
      return removeDeadLetter(all, operation)
    case 'clearOutbox':
      all.outbox.clear(operation.tenant)
      return null
    case 'prune':
      return prune(all, operation.before)
    case 'record':
      return all.records.put(operation.row)
    case 'audit':
      all.audit.append(operation.rows)
      return null
    case 'secret':
      return all.meta.secret(operation.name)
    case 'sessions':
      return operation.changes.map((change) => all.mqtt.apply(change))
    case 'restock':
      return all.ballast.grow()
    case 'ping':
      return null
  }
}

function accept(all: Tables, operation: AcceptOperation): AcceptReply {
  const { tenant, principal, at, once, alert, deadLetter, states, dispatches, release } = operation
  const scope = once && { tenant, principal, key: once.key }
  if (scope && once.check) {
    const known = all.once.find(scope, at)
    if (known !== null) return { duplicate: known }
  }
  // The alert comes first because it alone can turn out stale, and then nothing may have been written.
  if (alert?.kind === 'open' && !all.alerts.open(alert.row, alert.timeline)) return 'stale'
  if (alert?.kind === 'repeat' && !all.alerts.repeat(alert.id, tenant, at)) return 'stale'
  if (alert?.kind === 'change' && all.alerts.change(alert) !== 'done') return 'stale'

  const notifications = alert?.kind === 'change' ? [operation, alert] : [operation]
  let first = 0
  for (const { notifications: rows } of notifications)
    for (const row of rows) {
      const seq = all.notifications.insert(row)
      if (first === 0) first = seq
    }
  const leases = operation.deliveries.map((row) => all.deliveries.insert(row))
  if (alert?.kind === 'change') leases.push(...follow(all, alert))
  if (deadLetter && all.deadLetters.put(deadLetter)) all.meta.deadLettersRemoved(1)
  if (states) for (const state of states) all.states.put(tenant, state)
  if (dispatches) for (const row of dispatches) all.dispatches.insert(row)
  if (release) {
    const work = {
      tenant,
      kind: 'release',
      lane: 'release',
      ordinal: null,
      rank: 0,
      leaseUntil: null,
      ...release,
    } as const
    all.work.add(work)
  }
  if (scope) all.once.keep(scope, once.expiresAt, operation.result)

  const taken = leases.filter((lease) => lease !== null)
  const changedId =
    alert?.kind === 'repeat' ? alert.id : alert?.kind === 'change' ? alert.change.alertId : null
  if (taken.length === 0 && changedId === null) return first
  return { first, alert: changedId === null ? null : all.alerts.get(changedId, tenant), leases: taken }
}

/** What a change of an alert does to its deliveries, old pages end before new ones begin, and to the audit log. */
function follow(all: Tables, { change, deliveries, audit }: ChangeOperation) {
  all.audit.append(audit)
  if (change.cancelPages !== null) all.deliveries.cancelPages(change, change.cancelPages)
  return deliveries.map((row) => all.deliveries.insert(row))
}

function change(all: Tables, operation: ChangeOperation): Replies['change'] {
  const result = all.alerts.change(operation)
  if (result !== 'done') return result
  for (const row of operation.notifications) all.notifications.insert(row)
  follow(all, operation)
  return 'done'
}

function claim(all: Tables, wanted: Parameters<Tables['work']['take']>[0]): Replies['claim'] {
  const items: ClaimedRows[] = []
  for (const work of all.work.take(wanted)) {
    // Every lease is as long as this one.
    const lostAt = work.lost ? work.dueAt - (wanted.leaseUntil - wanted.now) : null
    const item = claimed(all, work, lostAt)
    if (item) items.push(item)
    else all.work.remove(work.id)
  }
  return { items, nextDueAt: all.work.nextDueAt(wanted) }
}

/** The work with all its holder needs; null when what it was about has ended or is gone. */
function claimed(all: Tables, work: TakenWork, lostAt: number | null): ClaimedRows | null {
  const { id: workId, token, tenant, dueAt, crashes, kind, ref, lost: ambiguous, doc } = work
  const bare = { workId, token, tenant, dueAt, crashes, kind, ambiguous, doc }
  const none = { delivery: null, notification: null, alert: null, digest: null }
  switch (kind) {
    case 'release':
      return { ...bare, ...none }
    case 'digest': {
      const digest = all.digests.get(ref, tenant)
      return digest && { ...bare, ...none, digest }
    }
    case 'escalate': {
      const alert = all.alerts.get(ref, tenant)
      return alert && { ...bare, ...none, alert }
    }
    case 'deliver': {
      const delivery = all.deliveries.take([ref, tenant, work.ordinal ?? 0], lostAt)
      if (!delivery) return null
      const [subjectKind, userId] = [delivery[3], delivery[5] as string | null]
      const notification =
        subjectKind === 'notification' ? all.notifications.subject(ref, tenant, userId) : null
      const alert = subjectKind === 'alert' ? all.alerts.get(ref, tenant) : null
      return { ...bare, ...none, delivery, notification, alert }
    }
  }
}

function settle(all: Tables, given: Extract<Operation, { kind: 'settle' }>['settlement']): Replies['settle'] {
  let settlement = given
  const held = all.work.held(settlement.workId, settlement.token)
  if (!held) return 'fenced'
  const { tenant, ref, kind, id } = held
  if (kind === 'deliver') {
    const { hold, delivery, at } = given
    const digestId = hold ? all.digests.hold(tenant, hold, at) : null
    if (hold && delivery && digestId === null)
      settlement = {
        ...given,
        delivery: { ...delivery, state: 'pending', reason: null },
        nextDueAt: hold.expiresAt ?? at,
      }
    all.deliveries.settle({ subjectId: ref, tenant, ordinal: held.ordinal ?? 0 }, settlement, digestId)
  }
  if (settlement.nextDueAt === null) {
    all.work.remove(id)
    if (kind === 'escalate') all.alerts.clearTimer(ref, tenant)
  } else all.work.defer(id, settlement.nextDueAt)
  if (settlement.outbox) all.outbox.insert(settlement.outbox)
  return 'done'
}

function closeDigest(
  all: Tables,
  { at, closing }: Extract<Operation, { kind: 'closeDigest' }>,
): Replies['closeDigest'] {
  const { tenant, digestId, expectCount, summary } = closing
  const held = all.work.held(closing.workId, closing.token)
  const digest = held && all.digests.get(digestId, tenant)
  if (!digest) return 'fenced'
  if (all.digests.countOf(digest) !== expectCount) return 'stale'
  all.digests.close(digestId, tenant, at)
  if (summary) all.deliveries.insert(summary)
  all.work.remove(held.id)
  return 'done'
}

function removeDeadLetter(
  all: Tables,
  { id, tenant }: { readonly id: string; readonly tenant: string },
): boolean {
  const removed = all.deadLetters.remove(id, tenant)
  if (removed) all.meta.deadLettersRemoved(1)
  return removed
}

function prune(all: Tables, before: Extract<Operation, { kind: 'prune' }>['before']): number {
  const { now, outbox, deadLetters, records, limit } = before
  const letters = all.deadLetters.prune(deadLetters, limit)
  if (letters > 0) all.meta.deadLettersRemoved(letters)
  return (
    letters +
    all.once.prune(now, limit) +
    all.outbox.prune(outbox, limit) +
    all.records.prune(records, limit) +
    all.digests.prune(deadLetters, limit)
  )
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
