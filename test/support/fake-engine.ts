import type { Principal, TenantId } from '../../src/access/principal.ts'
import type { Alert, TimelineEntry } from '../../src/alert/alert.ts'
import type { Config } from '../../src/config/schema/schema.ts'
import { createChaos } from '../../src/delivery/chaos.ts'
import type { Attempt } from '../../src/delivery/attempt/attempt.ts'
import type { Delivery, OutboxItem } from '../../src/delivery/delivery.ts'
import type { Directory } from '../../src/directory/directory.ts'
import type { Engine } from '../../src/engine.ts'
import { fault } from '../../src/errors.ts'
import { randomIds } from '../../src/ids.ts'
import { createMetrics } from '../../src/metrics.ts'
import type { AlertCommandDecision } from '../../src/notification/decision.ts'
import type { Notification } from '../../src/notification/notification.ts'
import type { Outcome, Publish } from '../../src/router/publish.ts'
import type { DeadLetter, InboxQuery, InboxReader, Store } from '../../src/store/store.ts'
import { createDevices } from '../../src/devices/devices.ts'
import { createPersonalPreferences } from '../../src/preferences/personal-preferences.ts'
import { createRegistry } from '../../src/registry/registry.ts'
import { memoryRecords } from './memory-records.ts'
import { fakeClock, type FakeClock } from './fake-clock.ts'
import { DEFAULT_TENANT } from './fake-directory.ts'
import { silentLog, type LogLine } from './silent-log.ts'

/** What the routes read and do, kept in plain lists that a test may fill and look at. */
export interface FakeEngine extends Engine {
  readonly clock: FakeClock
  readonly rows: {
    readonly notifications: Notification[]
    readonly alerts: Alert[]
    readonly timeline: TimelineEntry[]
    readonly deliveries: Delivery[]
    /** Of every delivery. */
    readonly attempts: Attempt[]
    readonly deadLetters: DeadLetter[]
    readonly outbox: OutboxItem[]
  }
  readonly published: Publish[]
  readonly commands: {
    readonly command: AlertCommandDecision
    readonly by: Principal
    readonly via: string
  }[]
  readonly replies: { readonly itemId: string; readonly reply: object }[]
  readonly lines: LogLine[]
  /** What the next publishes come to. */
  outcome: Outcome
  /** Thrown by every read and write of the store, when set. */
  broken: Error | null
  notReady: string | null
  /** Forgets everything, so that one server can serve many tests. */
  reset(): void
}

const SENT: Outcome = { kind: 'stored', id: 'm1', result: { status: 'sent' }, duplicate: false }

/** An engine without an engine: enough of one for the HTTP side. */
export function fakeEngine(directory: Directory, config: Config): FakeEngine {
  const { log, lines } = silentLog()
  const clock = fakeClock()
  const rows: FakeEngine['rows'] = {
    notifications: [],
    alerts: [],
    timeline: [],
    deliveries: [],
    attempts: [],
    deadLetters: [],
    outbox: [],
  }
  const published: Publish[] = []
  const commands: FakeEngine['commands'] = []
  const replies: FakeEngine['replies'] = []
  const records = memoryRecords()
  const registry = createRegistry(
    {
      ...records,
      async putRecord(change) {
        if (engine.broken) throw engine.broken
        return records.putRecord(change)
      },
    },
    clock,
  )
  const engine: FakeEngine = {
    rows,
    published,
    commands,
    replies,
    lines,
    outcome: SENT,
    broken: null,
    notReady: null,
    reset() {
      for (const list of [...Object.values(rows), published, commands, replies, lines]) list.length = 0
      Object.assign(engine, { outcome: SENT, broken: null, notReady: null })
    },
    config,
    directory,
    store: fakeStore(rows, () => {
      if (engine.broken) throw engine.broken
    }),
    registry,
    devices: createDevices({ registry, directory: () => directory, clock, log }),
    vapidPublicKey: 'vapid-public-key',
    preferences: createPersonalPreferences(registry),
    canReach: () => false,
    expected: () => [],
    clock,
    ids: randomIds(),
    log,
    metrics: createMetrics(),
    live: {} as Engine['live'],
    events: { add: () => '' },
    async receive(publish) {
      published.push(publish)
      return engine.outcome
    },
    async commandAlert(command, by, via) {
      commands.push({ command, by, via })
      const alert = rows.alerts.find((row) => row.id === command.alertId)
      if (!alert) throw fault('publish.unknown_alert')
      if (by.id === 'stranger') throw fault('alert.forbidden')
      const at = clock.now()
      const acknowledged = {
        status: 'acknowledged',
        acknowledgedBy: by.id,
        acknowledgedAt: at,
        acknowledgedVia: via,
      }
      const changed = command.verb === 'ack' ? ({ ...alert, ...acknowledged } as Alert) : alert
      rows.alerts.splice(rows.alerts.indexOf(alert), 1, changed)
      return changed
    },
    async markInbox(mark) {
      if (engine.broken) throw engine.broken
      for (const id of mark.ids) {
        const at = rows.notifications.findIndex((row) => row.id === id)
        const row = rows.notifications[at]
        if (!row) continue
        if (mark.as === 'deleted') rows.notifications.splice(at, 1)
        else rows.notifications[at] = { ...row, readAt: mark.as === 'read' ? clock.now() : null }
      }
      return mark.ids === 'all' ? [] : mark.ids
    },
    replayDeadLetter: async () => engine.outcome,
    resendDelivery: async (_by, id) => `${id}-again`,
    cancelDelivery: async (_by, id) => {
      const row = rows.deliveries.find((delivery) => delivery.id === id)
      if (!row) throw fault('request.not_found')
      return { ...row, state: 'cancelled' }
    },
    async replyToOutbox(_by, itemId, reply) {
      replies.push({ itemId, reply })
      return 'Acknowledged'
    },
    callbacks: {
      text: async () => null,
      key: async () => 'Thank you',
      report: async () => {},
    },
    chaos: createChaos(new Set(['sms', 'email']), () => []),
    contacts: {} as Engine['contacts'],
    testSend: async () => [],
    links: {} as Engine['links'],
    optOuts: { list: () => [], lift: async () => false },
    silences: {} as Engine['silences'],
    why: () => Promise.reject(fault('request.not_found')),
    explain: () => Promise.resolve({ chain: [], timeline: [] }),
    simulate: async () => [],
    preflight: () => [],
    readiness: async () => engine.notReady,
  }
  return engine
}

function fakeStore(rows: FakeEngine['rows'], check: () => void): Store {
  const inbox = (query: InboxReader & Partial<InboxQuery>) =>
    rows.notifications
      .filter((row) => row.tenant === query.tenant && (row.userId === query.userId || row.userId === null))
      .filter((row) => row.audience.length === 0 || row.audience.some((name) => query.groups.includes(name)))
      .filter(
        (row) =>
          query.status === undefined ||
          query.status === 'all' ||
          (query.status === 'read') === (row.readAt !== null),
      )
      .filter((row) => query.customerId === undefined || row.content.customerId === query.customerId)
      .filter((row) => query.cursor === undefined || row.seq < query.cursor)
      .toSorted((a, b) => b.seq - a.seq)
  const page = <T>(items: readonly T[], { limit, cursor }: { limit: number; cursor?: string }) => {
    const from = Number(cursor ?? 0)
    const nextCursor = from + limit < items.length ? String(from + limit) : null
    return { items: items.slice(from, from + limit), nextCursor }
  }
  const store: Partial<Store> = {
    async audit() {
      check()
    },
    async inbox(query) {
      check()
      return inbox(query).slice(query.offset ?? 0, (query.offset ?? 0) + query.limit)
    },
    async inboxSummary(reader) {
      check()
      const all = inbox(reader)
      return { total: all.length, unread: all.filter((row) => row.readAt === null).length, version: 1 }
    },
    async notification(reader, id) {
      check()
      return inbox(reader).find((row) => row.id === id) ?? null
    },
    async reword({ tenant, userId, id, content }) {
      check()
      const at = rows.notifications.findIndex(
        (row) => row.id === id && row.tenant === tenant && row.userId === userId,
      )
      const row = rows.notifications[at]
      if (!row) return false
      rows.notifications[at] = { ...row, content: { ...row.content, ...content } }
      return true
    },
    async alert(tenant, id) {
      check()
      return rows.alerts.find((row) => row.tenant === tenant && row.id === id) ?? null
    },
    async alerts(query) {
      check()
      const found = rows.alerts.filter(
        (row) =>
          row.tenant === query.tenant &&
          (query.status === undefined || row.status === query.status) &&
          (query.severity === undefined || row.severity === query.severity) &&
          (query.team === undefined || row.team === query.team),
      )
      return page(found, query)
    },
    timeline: async () => rows.timeline,
    async deliveries(query) {
      const found = rows.deliveries.filter(
        (row) =>
          row.tenant === query.tenant &&
          (query.subjectId === undefined || row.subjectId === query.subjectId) &&
          (query.userId === undefined || row.userId === query.userId) &&
          (query.channel === undefined || row.channel === query.channel) &&
          (query.state === undefined || row.state === query.state),
      )
      return page(found, query)
    },
    async delivery(tenant, id) {
      const delivery = rows.deliveries.find((row) => row.tenant === tenant && row.id === id)
      return delivery ? { delivery, attempts: rows.attempts } : null
    },
    deadLetters: async (tenant, query) => page(ofTenant(rows.deadLetters, tenant), query),
    deadLetter: async (tenant, id) => ofTenant(rows.deadLetters, tenant).find((row) => row.id === id) ?? null,
    async removeDeadLetter(tenant, id) {
      const at = rows.deadLetters.findIndex((row) => row.tenant === tenant && row.id === id)
      if (at !== -1) rows.deadLetters.splice(at, 1)
      return at !== -1
    },
    async outbox(query) {
      return ofTenant(rows.outbox, query.tenant).filter(
        (row) =>
          (query.channel === undefined || row.channel === query.channel) &&
          (query.userId === undefined || row.userId === query.userId) &&
          (query.since === undefined || row.createdAt >= query.since),
      )
    },
    outboxItem: async (tenant, id) => ofTenant(rows.outbox, tenant).find((row) => row.id === id) ?? null,
    async clearOutbox(tenant) {
      const left = rows.outbox.filter((row) => row.tenant !== tenant)
      rows.outbox.splice(0, rows.outbox.length, ...left)
    },
  }
  return store as Store
}

function ofTenant<T extends { readonly tenant: TenantId }>(
  rows: readonly T[],
  tenant: TenantId,
): readonly T[] {
  return rows.filter((row) => row.tenant === tenant)
}

const ORIGIN = { principal: 'db', messageId: 'm1', topic: 't' }
const AT = Date.UTC(2026, 0, 5, 12)

export function notificationRow(seq: number, given: Partial<Notification> = {}): Notification {
  return {
    seq,
    id: `00000000-0000-7000-8000-${String(seq).padStart(12, '0')}`,
    tenant: DEFAULT_TENANT,
    userId: 'anna',
    audience: [],
    origin: ORIGIN,
    content: {
      title: 'Title',
      message: `Message ${seq}`,
      type: 'info',
      priority: 'normal',
      data: {},
      channels: ['realtime'],
    },
    createdAt: AT + seq,
    readAt: null,
    ...given,
  }
}

export function alertRow(id: string, given: Partial<Alert> = {}): Alert {
  return {
    id,
    tenant: DEFAULT_TENANT,
    type: 'disk',
    severity: 'critical',
    message: 'Disk full',
    source: 'db1',
    affectedSystems: [],
    data: {},
    dedupKey: `disk:${id}`,
    status: 'firing',
    acknowledgedBy: null,
    acknowledgedAt: null,
    acknowledgedVia: null,
    team: 'platform',
    policy: { steps: [], repeat: 0, ackTimeoutMs: null },
    step: 1,
    repeat: 0,
    nextStepAt: AT + 300_000,
    resolvedAt: null,
    suppressedBy: null,
    told: {},
    nextOrdinal: 1,
    pagesFrom: 0,
    origin: ORIGIN,
    createdAt: AT,
    version: 1,
    count: 1,
    lastAt: AT,
    ...given,
  }
}

export function deliveryRow(id: string, given: Partial<Delivery> = {}): Delivery {
  const [subjectId = '', ordinal = '0'] = id.split('.')
  return {
    id,
    tenant: DEFAULT_TENANT,
    subjectKind: 'alert',
    subjectId,
    ordinal: Number(ordinal),
    purpose: 'page',
    userId: 'anna',
    channel: 'sms',
    address: '+4915112345678',
    critical: true,
    state: 'sent',
    reason: null,
    attempts: 1,
    maxAttempts: 5,
    nextAttemptAt: null,
    providerId: null,
    error: null,
    step: 1,
    fixed: null,
    digestId: null,
    resendOf: null,
    resentAs: null,
    origin: ORIGIN,
    createdAt: AT,
    firstDueAt: null,
    sentAt: AT + 20,
    deliveredAt: null,
    ...given,
  }
}

export function deadLetterRow(id: string, given: Partial<DeadLetter> = {}): DeadLetter {
  return {
    id,
    tenant: DEFAULT_TENANT,
    topic: 'notifications/realtime/user/nobody',
    payload: Buffer.from('{"message":"Hello"}'),
    principal: 'db',
    code: 'publish.unknown_user',
    reason: 'There is no such user',
    createdAt: AT,
    replays: 0,
    ...given,
  }
}

export function outboxRow(id: string, given: Partial<OutboxItem> = {}): OutboxItem {
  return {
    id,
    tenant: DEFAULT_TENANT,
    channel: 'sms',
    userId: 'anna',
    address: '+4915112345678',
    text: 'CRITICAL: disk',
    actions: [{ id: 'ack', label: 'Acknowledge' }],
    deliveryId: 'a1.2',
    createdAt: AT,
    ...given,
  }
}
