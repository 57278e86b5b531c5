import type { TenantId } from '../../src/access/principal.ts'
import type { Alert } from '../../src/alert/alert.ts'
import { newDelivery, type PlannedDelivery } from '../../src/delivery/plan.ts'
import type { Person } from '../../src/directory/directory.ts'
import type { Notification, NotificationContent } from '../../src/notification/notification.ts'
import type { NewDelivery } from '../../src/store/store.ts'

export const TENANT = 'default' as TenantId
export const NOON = Date.UTC(2026, 0, 5, 12)
const origin = { principal: 'monitor', messageId: 'm1', topic: 'alerts/critical/disk_full' }

export function person(changes: Partial<Person> = {}): Person {
  return {
    id: 'anna',
    name: 'Anna K.',
    email: 'anna@example.org',
    phone: '+4915112345678',
    locale: 'de',
    timezone: 'Europe/Berlin',
    tenant: TENANT,
    roles: ['user'],
    groups: [],
    customers: [],
    password: undefined,
    preferences: { realtime: true, email: true, sms: false, push: true },
    contactRules: {},
    quietHours: null,
    ...changes,
  }
}

export function alert(changes: Partial<Alert> = {}): Alert {
  return {
    id: 'a1',
    tenant: TENANT,
    type: 'disk_full',
    severity: 'critical',
    message: 'Disk is full',
    source: 'db-1',
    affectedSystems: ['orders', 'billing'],
    data: {},
    dedupKey: 'disk_full:db-1',
    status: 'firing',
    acknowledgedBy: null,
    acknowledgedAt: null,
    acknowledgedVia: null,
    team: 'platform',
    policy: {
      steps: [
        { notify: ['oncall'], waitMs: 300_000 },
        { notify: ['team'], waitMs: 300_000 },
      ],
      repeat: 0,
      ackTimeoutMs: null,
    },
    step: 1,
    repeat: 0,
    nextStepAt: null,
    resolvedAt: null,
    suppressedBy: null,
    told: {},
    nextOrdinal: 2,
    pagesFrom: 0,
    origin,
    createdAt: NOON,
    version: 1,
    count: 1,
    lastAt: NOON,
    ...changes,
  }
}

export function notification(content: Partial<NotificationContent> = {}): Notification {
  return {
    seq: 1,
    id: 'n1',
    tenant: TENANT,
    userId: 'anna',
    audience: [],
    origin,
    content: {
      title: 'Order shipped',
      message: 'It arrives tomorrow',
      type: 'info',
      priority: 'high',
      data: {},
      channels: ['email'],
      ...content,
    },
    createdAt: NOON,
    readAt: null,
  }
}

let ordinals = 0

/** A planned delivery of a page; every one is another row unless its ordinal is given. */
export function planned(changes: Partial<PlannedDelivery> = {}): NewDelivery {
  return newDelivery({
    tenant: TENANT,
    subjectKind: 'alert',
    subjectId: 'a1',
    ordinal: ordinals++,
    purpose: 'page',
    userId: 'anna',
    channel: 'email',
    address: 'anna@example.org',
    critical: true,
    origin,
    now: NOON,
    ...changes,
  })
}

/** Numbers in [0, 1) that are the same in every run (a linear congruential generator). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
