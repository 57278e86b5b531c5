import type { Principal, TenantId } from '../../src/access/principal.ts'
import type { Alert, EscalationPolicy } from '../../src/alert/alert.ts'
import type { WhoIs } from '../../src/alert/paging/resolve-targets.ts'
import type { Person } from '../../src/directory/directory.ts'
import type { AlertDecision } from '../../src/notification/decision.ts'
import { DEFAULT_RATE_LIMIT } from '../../src/access/principal.ts'

// A tenant id has no constructor: configuration is the only place that makes them.
export const TENANT = 'default' as TenantId
export const MINUTE = 60_000
export const NOON = Date.UTC(2026, 0, 5, 12)

/** A publish to `alerts/critical/disk`, changed as wished. */
export function aDecision(wish: Partial<AlertDecision> = {}): AlertDecision {
  return {
    kind: 'alert',
    level: 'critical',
    alertType: 'disk',
    status: 'firing',
    message: 'Disk full',
    source: 'db1',
    affectedSystems: [],
    dedupKey: null,
    data: {},
    ...wish,
  }
}

/** A policy of steps that each name their targets, 5 minutes apart. */
export function aPolicy(
  steps: readonly (readonly string[])[],
  wish: Partial<EscalationPolicy> = {},
): EscalationPolicy {
  return {
    steps: steps.map((notify) => ({ notify, waitMs: 5 * MINUTE })),
    repeat: 0,
    ackTimeoutMs: null,
    ...wish,
  }
}

/** A firing critical alert of team `platform` whose first step is due at noon, changed as wished. */
export function anAlert(wish: Partial<Alert> = {}): Alert {
  return {
    id: 'a1',
    tenant: TENANT,
    type: 'disk',
    severity: 'critical',
    message: 'Disk full',
    source: 'db1',
    affectedSystems: [],
    data: {},
    dedupKey: 'disk:db1',
    status: 'firing',
    acknowledgedBy: null,
    acknowledgedAt: null,
    acknowledgedVia: null,
    team: 'platform',
    policy: aPolicy([['user:anna'], ['user:bob']]),
    step: 0,
    repeat: 0,
    nextStepAt: NOON,
    resolvedAt: null,
    suppressedBy: null,
    told: {},
    nextOrdinal: 0,
    pagesFrom: 0,
    origin: { principal: 'db-monitor', messageId: 'm1', topic: 'alerts/critical/disk' },
    createdAt: NOON,
    version: 7,
    count: 1,
    lastAt: NOON,
    ...wish,
  }
}

/** Knows `user:x`, `webhook:x` and `mqtt:x` by themselves, and every other target by the table. */
export function knowing(table: Readonly<Record<string, readonly string[]>> = {}): WhoIs {
  return (targets) => {
    const users = new Set<string>()
    const webhooks = new Set<string>()
    const topics = new Set<string>()
    const unresolved: string[] = []
    for (const target of targets) {
      const [kind, name = ''] = target.split(':')
      const found = table[target] ?? (kind === 'user' ? [name] : [])
      if (kind === 'webhook') webhooks.add(name)
      else if (kind === 'mqtt') topics.add(name)
      else if (found.length === 0) unresolved.push(target)
      for (const id of found) users.add(id)
    }
    return { users: [...users], webhooks: [...webhooks], topics: [...topics], unresolved }
  }
}

export function aPerson(id: string, wish: Partial<Person> = {}): Person {
  return {
    id,
    name: id,
    email: `${id}@example.org`,
    phone: '+4915112345678',
    locale: 'en',
    timezone: 'UTC',
    tenant: TENANT,
    roles: ['user'],
    groups: [],
    customers: [],
    password: undefined,
    preferences: { realtime: true, email: true, sms: false, push: true },
    contactRules: {},
    quietHours: null,
    ...wish,
  }
}

export function aPrincipal(id: string, wish: Partial<Principal> = {}): Principal {
  return {
    kind: 'user',
    id,
    tenant: TENANT,
    roles: ['user'],
    publish: [],
    subscribe: [],
    rateLimit: DEFAULT_RATE_LIMIT,
    ...wish,
  }
}
