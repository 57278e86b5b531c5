import type { TimelineEntry } from '../../alert/alert.ts'
import type { Database } from '../sqlite/file/database.ts'
import type {
  AlertDocument,
  DeliveryDocument,
  DigestDocument,
  ReleaseDocument,
  TimelineDocument,
} from '../mongo/collections.ts'
import { closedKeyOf, isEnd, openKeyOf } from '../mongo/document/alert.ts'
import { keyOf } from '../mongo/document/key.ts'
import { number, numberOrNull, rowsOf, text, textOrNull } from './rows.ts'
import { workAbout, type MovedWork, type WorkOf } from './work.ts'

/** Grows with every call, and beyond the instant's microseconds. */
export type OrderAt = (at: number) => number

const nothingPending = { marks: [], pending: [] } as const
const working = (moved: MovedWork | null) => ({
  token: moved?.token ?? 0,
  ...(moved && { work: moved.work }),
  ...nothingPending,
})

/** Alerts with their timers. */
export function* alertsOf(db: Database, work: WorkOf, order: OrderAt): Generator<AlertDocument> {
  const entries = db.prepare('SELECT entry FROM timeline WHERE alert_id = ? AND tenant = ?')
  const columns = [
    ...(['tenant', 'id', 'dedup_key', 'status', 'severity', 'team', 'created_at', 'version'] as const),
    ...(['next_step_at', 'work_id', 'count', 'last_at', 'doc'] as const),
  ] as const
  for (const row of rowsOf(db, 'alert', { key: ['row'], columns })) {
    const [tenant, id, status] = [text(row.tenant), text(row.id), text(row.status)]
    const _id = keyOf(tenant, id)
    const open = status !== 'resolved'
    const timeline = entries.all(id, tenant).map(([entry]) => JSON.parse(String(entry)) as TimelineEntry)
    yield {
      _id,
      tenant,
      id,
      openKey: open ? openKeyOf(tenant, text(row.dedup_key)) : closedKeyOf(_id),
      open,
      status,
      severity: text(row.severity),
      team: textOrNull(row.team),
      createdAt: number(row.created_at),
      order: order(number(row.created_at)),
      version: number(row.version),
      nextStepAt: numberOrNull(row.next_step_at),
      count: number(row.count),
      lastAt: number(row.last_at),
      ended: timeline.some(isEnd),
      doc: text(row.doc),
      ...working(work(numberOrNull(row.work_id), _id)),
    }
  }
}

/** Timelines; every entry is of version 0, before all that is still to come. */
export function* timelinesOf(db: Database, order: OrderAt): Generator<TimelineDocument> {
  const places = new Map<string, number>()
  const columns = ['tenant', 'alert_id', 'entry'] as const
  for (const row of rowsOf(db, 'timeline', { key: ['row'], columns })) {
    const [tenant, alertId] = [text(row.tenant), text(row.alert_id)]
    const alert = keyOf(tenant, alertId)
    const place = places.get(alert) ?? 0
    places.set(alert, place + 1)
    const { at, ref } = JSON.parse(text(row.entry)) as TimelineEntry
    yield {
      _id: `${alert}|0|${place}`,
      tenant,
      alertId,
      version: 0,
      place,
      order: order(at),
      ...(ref !== undefined && { ref }),
      entry: text(row.entry),
    }
  }
}

const DELIVERY = [
  ...(['subject_id', 'tenant', 'ordinal', 'subject_kind', 'purpose', 'user_id', 'channel'] as const),
  ...(['address', 'critical', 'state', 'attempts', 'max_attempts', 'principal', 'message_id'] as const),
  ...(['topic', 'created_at', 'reason', 'next_attempt_at', 'provider_id', 'error', 'step'] as const),
  ...(['fixed', 'sent_at', 'delivered_at', 'work_id', 'digest_id', 'first_due_at', 'resend_of'] as const),
  ...(['resent_as', 'history'] as const),
] as const

/** Deliveries with their work and every attempt on record. */
export function* deliveriesOf(db: Database, work: WorkOf): Generator<DeliveryDocument> {
  const key = ['subject_id', 'tenant', 'ordinal']
  for (const row of rowsOf(db, 'delivery', { key, columns: DELIVERY })) {
    const [tenant, subjectId, ordinal] = [text(row.tenant), text(row.subject_id), number(row.ordinal)]
    const _id = keyOf(tenant, `${subjectId}.${ordinal}`)
    const history = row.history === null ? [] : (JSON.parse(text(row.history)) as readonly unknown[])
    yield {
      _id,
      tenant,
      subjectId,
      ordinal,
      subjectKind: text(row.subject_kind),
      purpose: text(row.purpose),
      userId: textOrNull(row.user_id),
      channel: text(row.channel),
      address: textOrNull(row.address),
      critical: number(row.critical) === 1,
      state: text(row.state),
      attempts: number(row.attempts),
      maxAttempts: number(row.max_attempts),
      principal: text(row.principal),
      messageId: text(row.message_id),
      topic: text(row.topic),
      createdAt: number(row.created_at),
      reason: textOrNull(row.reason),
      nextAttemptAt: numberOrNull(row.next_attempt_at),
      providerId: textOrNull(row.provider_id),
      error: textOrNull(row.error),
      step: numberOrNull(row.step),
      fixed: textOrNull(row.fixed),
      sentAt: numberOrNull(row.sent_at),
      deliveredAt: numberOrNull(row.delivered_at),
      firstDueAt: numberOrNull(row.first_due_at),
      resendOf: textOrNull(row.resend_of),
      resentAs: row.resent_as === null ? null : Number(text(row.resent_as).split('.').at(-1)),
      ...(row.digest_id !== null && { digestId: text(row.digest_id) }),
      history: history.map((attempt) => JSON.stringify(attempt)),
      alertVersion: 0,
      ...working(work(numberOrNull(row.work_id), _id)),
    }
  }
}

/** Digests, open ones with the instant of their summary. */
export function* digestsOf(db: Database, work: WorkOf): Generator<DigestDocument> {
  const timers = new Map([...workAbout(db, 'digest')].map(({ id, tenant, ref }) => [keyOf(tenant, ref), id]))
  const columns = [
    ...(['id', 'tenant', 'key', 'channel', 'user_id', 'address', 'opened_at', 'count', 'closed_at'] as const),
    'due_at',
  ] as const
  for (const row of rowsOf(db, 'digest', { key: ['id', 'tenant'], columns })) {
    const [tenant, id] = [text(row.tenant), text(row.id)]
    const _id = keyOf(tenant, id)
    const moved = work(timers.get(_id) ?? null, _id)
    yield {
      _id,
      id,
      tenant,
      openKey: row.closed_at === null ? openKeyOf(tenant, text(row.key)) : closedKeyOf(_id),
      channel: text(row.channel),
      userId: text(row.user_id),
      address: textOrNull(row.address),
      openedAt: number(row.opened_at),
      dueAt: numberOrNull(row.due_at) ?? moved?.work.dueAt ?? number(row.opened_at),
      count: number(row.count),
      closedAt: numberOrNull(row.closed_at),
      holding: [],
      ...working(moved),
    }
  }
}

/** Messages that are to be presented again. */
export function* releasesOf(db: Database, work: WorkOf): Generator<ReleaseDocument> {
  for (const { id, tenant, ref, doc } of workAbout(db, 'release')) {
    const _id = keyOf(tenant, ref, `moved ${id}`)
    yield { _id, tenant, doc, ...working(work(id, _id)) }
  }
}
