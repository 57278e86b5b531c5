import type { TenantId } from '../access/principal.ts'
import type { AlertDecision } from '../notification/decision.ts'
import type { Origin } from '../notification/notification.ts'
import {
  ALERT_LEVELS,
  type Alert,
  type AlertLevel,
  type EscalationPolicy,
  type TimelineEntry,
} from './alert.ts'
import { start, type Moved } from './escalation/start.ts'
import type { WhoIs } from './paging/resolve-targets.ts'

/** A warning that was published this often becomes critical (contract section 6, R32). */
const WARNING_PROMOTED_AT_COUNT = 4

/** What only the engine knows about an alert that opens. */
export interface Opening {
  readonly id: string
  readonly tenant: TenantId
  /** The owning team's name; null when the type has no owner. */
  readonly team: string | null
  /** The owning team's policy, or `defaultPolicy()`; copied into the alert (decision 8). */
  readonly policy: EscalationPolicy
  readonly origin: Origin
  readonly now: number
}

/** The key that makes publishes one alert: the given one, else `{alert_type}:{source}` (contract section 6). */
export function dedupKeyOf(decision: Pick<AlertDecision, 'alertType' | 'source' | 'dedupKey'>): string {
  return decision.dedupKey || `${decision.alertType}:${decision.source ?? ''}`
}

/** A firing alert of version 1 that has told nobody yet; `open` does that. The level in the topic is its severity. */
export function draftAlert(decision: AlertDecision, opening: Opening): Alert {
  return {
    id: opening.id,
    tenant: opening.tenant,
    type: decision.alertType,
    severity: decision.level,
    message: decision.message,
    source: decision.source,
    affectedSystems: decision.affectedSystems,
    data: decision.data,
    dedupKey: dedupKeyOf(decision),
    status: 'firing',
    acknowledgedBy: null,
    acknowledgedAt: null,
    acknowledgedVia: null,
    team: opening.team,
    policy: opening.policy,
    step: 0,
    repeat: 0,
    nextStepAt: null,
    resolvedAt: null,
    suppressedBy: null,
    told: {},
    nextOrdinal: 0,
    pagesFrom: 0,
    origin: opening.origin,
    createdAt: opening.now,
    version: 1,
    count: 1,
    lastAt: opening.now,
  }
}

/** Opens a draft: its first people are told in the same commit that stores it (promise P1). */
export function open(draft: Alert, whoIs: WhoIs): Moved {
  const opened: TimelineEntry = { at: draft.createdAt, kind: 'opened', by: draft.origin.principal }
  const started = start(draft, draft.createdAt, whoIs)
  return { ...started, timeline: [opened, ...started.timeline] }
}

/** What a publish of a condition does. */
export type Raise =
  | { readonly kind: 'open' }
  /** Counts onto the open alert and pages nobody. */
  | { readonly kind: 'repeat' }
  /** The open alert becomes more severe and starts from the top, whoever had it in hand. */
  | { readonly kind: 'promote'; readonly to: AlertLevel }
  | { readonly kind: 'resolve' }
  /** The end of something that never began (behaviour E14). */
  | { readonly kind: 'nothing' }

/** Decides on a publish; `existing` is the open alert that holds its dedup key. */
export function decideRaise(existing: Alert | null, decision: AlertDecision): Raise {
  const open = existing !== null && existing.status !== 'resolved' ? existing : null
  if (decision.status === 'resolved') return { kind: open ? 'resolve' : 'nothing' }
  if (!open) return { kind: 'open' }
  if (isWorse(decision.level, open.severity)) return { kind: 'promote', to: decision.level }
  // Nobody is paged over the head of the person who has it in hand, or of a snooze.
  const unattended = open.severity === 'warning' && open.status === 'firing'
  if (unattended && open.count + 1 >= WARNING_PROMOTED_AT_COUNT) return { kind: 'promote', to: 'critical' }
  return { kind: 'repeat' }
}

function isWorse(level: AlertLevel, than: AlertLevel): boolean {
  return ALERT_LEVELS.indexOf(level) < ALERT_LEVELS.indexOf(than)
}
