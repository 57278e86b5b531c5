import mongoose from 'mongoose'
import type { Database } from '../sqlite/file/database.ts'
import type {
  CounterDocument,
  DeadLetterDocument,
  DispatchDocument,
  JournalDocument,
  NodeDocument,
  NotificationDocument,
  OutboxDocument,
  ReadingDocument,
  StateDocument,
} from '../mongo/collections.ts'
import { keyOf } from '../mongo/document/key.ts'
import { readingIdOf } from '../mongo/document/notification.ts'
import type {
  AuditDocument,
  HeadDocument,
  RecordDocument,
  SecretDocument,
} from '../mongo/keep/collections.ts'
import type { OrderAt } from './alerting.ts'
import { number, numberOrNull, rowsOf, text, textOrNull } from './rows.ts'

/** 0 unread, 1 read, 2 deleted, as both stores have it. */
type State = 0 | 1 | 2

/** Every entry of every inbox, in its place. */
export function* notificationsOf(db: Database): Generator<NotificationDocument> {
  const columns = [
    ...(['seq', 'id', 'tenant', 'user_id', 'audience', 'principal', 'message_id', 'topic'] as const),
    ...(['category', 'customer_id', 'created_at', 'state', 'read_at', 'content'] as const),
  ] as const
  for (const row of rowsOf(db, 'notification', { key: ['seq'], columns })) {
    const [tenant, id] = [text(row.tenant), text(row.id)]
    yield {
      _id: keyOf(tenant, id),
      tenant,
      id,
      seq: number(row.seq),
      userId: textOrNull(row.user_id),
      audience: row.audience === null ? [] : (JSON.parse(text(row.audience)) as string[]),
      principal: text(row.principal),
      messageId: text(row.message_id),
      topic: text(row.topic),
      category: textOrNull(row.category),
      customerId: textOrNull(row.customer_id),
      createdAt: number(row.created_at),
      content: text(row.content),
      state: number(row.state) as State,
      readAt: numberOrNull(row.read_at),
    }
  }
}

/** What people did with broadcasts that are still there. */
export function* readingsOf(db: Database): Generator<ReadingDocument> {
  const find = db.prepare('SELECT id FROM notification WHERE seq = ?')
  const columns = ['tenant', 'user_id', 'seq', 'state', 'read_at'] as const
  for (const row of rowsOf(db, 'broadcast_state', { key: ['tenant', 'user_id', 'seq'], columns })) {
    const [tenant, userId, seq] = [text(row.tenant), text(row.user_id), number(row.seq)]
    const [notificationId] = find.get(seq) ?? []
    if (typeof notificationId !== 'string') continue
    const _id = readingIdOf(tenant, userId, notificationId)
    const [state, readAt] = [number(row.state) as State, numberOrNull(row.read_at)]
    yield { _id, tenant, userId, notificationId, seq, state, readAt }
  }
}

/** Where the inboxes of each tenant go on. */
export function* countersOf(db: Database): Generator<CounterDocument> {
  const [last] = db.prepare('SELECT coalesce(max(seq), 0) FROM notification').get() ?? []
  for (const [tenant] of db.prepare('SELECT DISTINCT tenant FROM notification').all())
    yield { _id: String(tenant), next: Number(last) + 1, inflight: {} }
}

/** Idempotency keys; of several acceptances under one the latest comes last, and counts. */
export function* keysOf(db: Database): Generator<JournalDocument> {
  const columns = ['row', 'tenant', 'principal', 'key', 'expires_at', 'result'] as const
  for (const row of rowsOf(db, 'once', { key: ['row'], columns }))
    yield {
      _id: `once ${keyOf(text(row.tenant), text(row.principal), text(row.key))}`,
      by: `moved ${number(row.row)}`,
      state: 'kept',
      result: text(row.result),
      at: 0,
      expiresAt: number(row.expires_at),
      pending: [],
    }
}

export function* statesOf(db: Database): Generator<StateDocument> {
  const columns = ['tenant', 'name', 'state'] as const
  for (const row of rowsOf(db, 'component_state', { key: ['tenant', 'name'], columns })) {
    const [tenant, name] = [text(row.tenant), text(row.name)]
    yield { _id: keyOf(tenant, name), tenant, name, state: text(row.state), order: 0 }
  }
}

export function* deadLettersOf(db: Database, order: OrderAt): Generator<DeadLetterDocument> {
  const columns = [
    ...(['tenant', 'id', 'topic', 'payload', 'principal', 'code', 'reason', 'created_at'] as const),
    'replays',
  ] as const
  for (const row of rowsOf(db, 'dead_letter', { key: ['row'], columns })) {
    const [tenant, id, at] = [text(row.tenant), text(row.id), order(number(row.created_at))]
    const payload = row.payload instanceof Uint8Array ? row.payload : new Uint8Array()
    yield {
      _id: keyOf(tenant, id),
      tenant,
      id,
      topic: text(row.topic),
      payload: new mongoose.mongo.Binary(payload),
      principal: text(row.principal),
      code: text(row.code),
      reason: text(row.reason),
      createdAt: number(row.created_at),
      replays: number(row.replays),
      order: at,
      changed: at,
    }
  }
}

export function* dispatchesOf(db: Database, order: OrderAt): Generator<DispatchDocument> {
  const columns = ['id', 'tenant', 'owner', 'topic', 'created_at', 'doc'] as const
  for (const row of rowsOf(db, 'dispatch', { key: ['seq'], columns })) {
    const [tenant, id, createdAt] = [text(row.tenant), text(row.id), number(row.created_at)]
    yield {
      _id: keyOf(tenant, id),
      tenant,
      id,
      owner: text(row.owner),
      topic: text(row.topic),
      createdAt,
      order: order(createdAt),
      doc: text(row.doc),
    }
  }
}

export function* outboxOf(db: Database, order: OrderAt): Generator<OutboxDocument> {
  const columns = ['tenant', 'id', 'channel', 'user_id', 'created_at', 'doc'] as const
  for (const row of rowsOf(db, 'outbox', { key: ['row'], columns })) {
    const [tenant, id, createdAt] = [text(row.tenant), text(row.id), number(row.created_at)]
    yield {
      _id: keyOf(tenant, id),
      tenant,
      id,
      channel: text(row.channel),
      userId: textOrNull(row.user_id),
      createdAt,
      order: order(createdAt),
      doc: text(row.doc),
    }
  }
}

export function* recordsOf(db: Database): Generator<RecordDocument> {
  const columns = ['seq', 'tenant', 'kind', 'owner', 'key', 'doc', 'version', 'changed_at'] as const
  for (const row of rowsOf(db, 'record', { key: ['seq'], columns })) {
    const place = [text(row.tenant), text(row.kind), text(row.owner), text(row.key)] as const
    const [tenant, kind, owner, key] = place
    yield {
      _id: keyOf(...place),
      tenant,
      kind,
      owner,
      key,
      doc: textOrNull(row.doc),
      version: number(row.version),
      changedAt: number(row.changed_at),
      seq: number(row.seq),
    }
  }
}

/** The audit log with the hashes that chain it. */
export function* auditOf(db: Database): Generator<AuditDocument> {
  const columns = [
    ...(['seq', 'tenant', 'at', 'actor', 'via', 'action', 'subject', 'detail', 'hash'] as const),
  ] as const
  for (const row of rowsOf(db, 'audit', { key: ['seq'], columns }))
    yield {
      _id: number(row.seq),
      tenant: text(row.tenant),
      at: number(row.at),
      actor: text(row.actor),
      via: text(row.via),
      action: text(row.action),
      subject: textOrNull(row.subject),
      detail: text(row.detail),
      hash: text(row.hash),
    }
}

/** Where the order of records goes on; numbers of removed ones are not given again. */
export function* recordHeadOf(db: Database): Generator<HeadDocument<RecordDocument>> {
  const [last] = db.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'record'").get() ?? []
  if (last !== undefined) yield { _id: 'records', version: Number(last), hash: '', pending: [] }
}

/** Where the audit log goes on. */
export function* auditHeadOf(db: Database): Generator<HeadDocument<AuditDocument>> {
  const [seq, hash] = db.prepare('SELECT seq, hash FROM audit_head').get() ?? []
  if (Number(seq) > 0) yield { _id: 'audit', version: Number(seq), hash: String(hash), pending: [] }
}

/** What signs sessions and links, so that they stay valid. */
export function* secretsOf(db: Database): Generator<SecretDocument> {
  for (const row of rowsOf(db, 'secret', { key: ['name'], columns: ['name', 'value'] }))
    if (row.value instanceof Uint8Array)
      yield { _id: text(row.name), value: new mongoose.mongo.Binary(row.value) }
}

/** What the folder has counted, as if a node had. */
export function* countsOf(db: Database): Generator<NodeDocument> {
  const sql = 'SELECT commits, accepted, dead_lettered, high_water_at FROM meta'
  const [commits, accepted, deadLettered, highWaterAt] = (db.prepare(sql).get() ?? []).map(Number)
  yield {
    _id: 'moved',
    batch: 0,
    commits: commits ?? 0,
    accepted: accepted ?? 0,
    deadLettered: deadLettered ?? 0,
    highWaterAt: highWaterAt ?? 0,
    beatAt: null,
  }
}
