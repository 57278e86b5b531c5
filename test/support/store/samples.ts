import type { TenantId } from '../../../src/access/principal.ts'
import type { Alert } from '../../../src/alert/alert.ts'
import type { Delivery, OutboxItem } from '../../../src/delivery/delivery.ts'
import type {
  Acceptance,
  AcceptResult,
  AlertChange,
  Claimed,
  DeadLetter,
  InboxReader,
  NewDelivery,
  NewNotification,
  Settlement,
  Store,
} from '../../../src/store/store.ts'

/** A store on data of its own, as a backend's test opens it for one test. */
export interface OpenedStore {
  readonly store: Store
  /** Closes the store and opens the same data again; `store` is dead afterwards. */
  reopen(): Promise<Store>
  /** Closes what is open and removes the data. */
  end(): Promise<void>
}

export const DEFAULT = 'default' as TenantId
export const ACME = 'acme' as TenantId
/** Noon of an arbitrary day: instants of the tests count from it. */
export const NOON = Date.UTC(2026, 0, 5, 12)

const ORIGIN = { principal: 'db-monitor', messageId: 'm-1', topic: 'notifications/realtime/user/anna' }

export function notification(id: string, given: Partial<NewNotification> = {}): NewNotification {
  return {
    id,
    tenant: DEFAULT,
    userId: 'anna',
    audience: [],
    origin: ORIGIN,
    content: {
      title: 'Order',
      message: `Text of ${id}`,
      type: 'info',
      priority: 'normal',
      data: { order: 17 },
      channels: ['realtime'],
    },
    createdAt: NOON,
    ...given,
  }
}

/** With `category` and `customerId`, which are searched for. */
export function content(given: Partial<NewNotification['content']>): NewNotification['content'] {
  return { ...notification('-').content, ...given }
}

export function delivery(subjectId: string, ordinal: number, given: Partial<Delivery> = {}): Delivery {
  return {
    id: `${subjectId}.${ordinal}`,
    tenant: DEFAULT,
    subjectKind: 'notification',
    subjectId,
    ordinal,
    purpose: 'message',
    userId: 'anna',
    channel: 'email',
    address: 'anna@example.org',
    critical: false,
    state: 'pending',
    reason: null,
    attempts: 0,
    maxAttempts: 3,
    nextAttemptAt: null,
    providerId: null,
    error: null,
    step: null,
    fixed: null,
    digestId: null,
    resendOf: null,
    resentAs: null,
    origin: ORIGIN,
    createdAt: NOON,
    firstDueAt: null,
    sentAt: null,
    deliveredAt: null,
    ...given,
  }
}

/** To be sent at `dueAt`; on `realtime` waiting for the person. */
export function toSend(delivery: Delivery, dueAt: number | null = NOON): NewDelivery {
  return {
    delivery,
    dueAt: delivery.channel === 'realtime' ? null : dueAt,
    lane: delivery.channel,
    lease: null,
  }
}

export function alert(id: string, given: Partial<Alert> = {}): Alert {
  return {
    id,
    tenant: DEFAULT,
    type: 'disk',
    severity: 'critical',
    message: 'The disk is full',
    source: 'db-1',
    affectedSystems: ['db'],
    data: { free: 0 },
    dedupKey: `disk:${id}`,
    status: 'firing',
    acknowledgedBy: null,
    acknowledgedAt: null,
    acknowledgedVia: null,
    team: 'platform',
    policy: { steps: [{ notify: ['oncall'], waitMs: 300_000 }], repeat: 0, ackTimeoutMs: null },
    step: 1,
    repeat: 0,
    nextStepAt: null,
    resolvedAt: null,
    suppressedBy: null,
    told: { anna: ['sms'] },
    nextOrdinal: 1,
    pagesFrom: 0,
    origin: ORIGIN,
    createdAt: NOON,
    version: 1,
    count: 1,
    lastAt: NOON,
    ...given,
  }
}

export function acceptance(given: Partial<Acceptance> = {}): Acceptance {
  return {
    tenant: DEFAULT,
    at: NOON,
    principal: 'db-monitor',
    topic: ORIGIN.topic,
    once: null,
    result: { status: 'sent' },
    notifications: [],
    deliveries: [],
    alert: null,
    deadLetter: null,
    release: null,
    urgent: false,
    ...given,
  }
}

export function opening(alert: Alert, given: Partial<Acceptance> = {}): Acceptance {
  const timeline = [{ at: alert.createdAt, kind: 'opened', by: 'db-monitor' }] as const
  return acceptance({ tenant: alert.tenant, alert: { kind: 'open', alert, timeline }, ...given })
}

export function alertChange(from: Alert, to: Partial<Alert>, given: Partial<AlertChange> = {}): AlertChange {
  return {
    tenant: from.tenant,
    alertId: from.id,
    at: NOON + 1000,
    expectVersion: from.version,
    alert: { ...from, ...to, version: from.version + 1 },
    timeline: [],
    deliveries: [],
    notifications: [],
    claimed: null,
    cancelPages: null,
    ...given,
  }
}

export function deadLetter(id: string, given: Partial<DeadLetter> = {}): DeadLetter {
  return {
    id,
    tenant: DEFAULT,
    topic: 'alerts/critical',
    payload: Buffer.from('{"half'),
    principal: 'db-monitor',
    code: 'publish.invalid_json',
    reason: 'The payload is not valid JSON',
    createdAt: NOON,
    replays: 0,
    ...given,
  }
}

export function reader(userId = 'anna', given: Partial<InboxReader> = {}): InboxReader {
  return { tenant: DEFAULT, userId, groups: [], ...given }
}

/** Ends a claimed delivery as sent. */
export function sent(claimed: Claimed, given: Partial<Settlement> = {}): Settlement {
  return {
    workId: claimed.workId,
    token: claimed.token,
    at: NOON + 2000,
    delivery:
      claimed.kind === 'deliver'
        ? {
            id: claimed.delivery.id,
            state: 'sent',
            reason: null,
            providerId: 'provider-1',
            error: null,
            sentAt: NOON + 2000,
            deliveredAt: null,
          }
        : null,
    nextDueAt: null,
    outbox: null,
    ...given,
  }
}

/** A message that was kept instead of being sent. */
export function captured(id: string): OutboxItem {
  return {
    id,
    tenant: DEFAULT,
    channel: 'email',
    userId: 'anna',
    address: 'anna@example.org',
    subject: 'Order',
    text: 'Text',
    actions: [{ id: 'ack', label: 'Acknowledge' }],
    deliveryId: 'n-1.1',
    notificationId: 'n-1',
    createdAt: NOON,
  }
}

export function claimOf(lane: string, now: number, leaseMs = 30_000) {
  return { lane, now, limit: 10, leaseUntil: now + leaseMs }
}

/** Every entry of a person's inbox, as one page. */
export function wholeInbox(store: Store, who: InboxReader) {
  return store.inbox({ ...who, order: 'newest', limit: 10_000 })
}

export async function idsOf(
  entries: Promise<readonly { readonly id: string }[]>,
): Promise<readonly string[]> {
  return (await entries).map((entry) => entry.id)
}

export function accepted(result: AcceptResult): Extract<AcceptResult, { kind: 'accepted' }> {
  if (result.kind !== 'accepted') throw new Error(`The store answered ${result.kind}`)
  return result
}

/** The one element there is to be. */
export function only<T>(items: readonly T[]): T {
  const [item] = items
  if (item === undefined || items.length !== 1)
    throw new Error(`There are ${items.length} elements instead of one`)
  return item
}

/** Numbers in [0, 1) from a seed (mulberry32), so that a failing run can be repeated. */
export function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
