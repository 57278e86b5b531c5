import type { TenantId } from '../access/principal.ts'
import type { Origin } from '../notification/notification.ts'

export const ALERT_LEVELS = ['critical', 'warning', 'info'] as const
export type AlertLevel = (typeof ALERT_LEVELS)[number]

export const ALERT_STATUSES = ['firing', 'acknowledged', 'snoozed', 'suppressed', 'resolved'] as const
/** Contract section 6. Everything but `resolved` counts as open and holds its dedup key. */
export type AlertStatus = (typeof ALERT_STATUSES)[number]

/** An escalation policy as it was when the alert started (decision 8). Durations in milliseconds. */
export interface EscalationPolicy {
  readonly steps: readonly EscalationStep[]
  /** How often the whole policy runs again after its first run. */
  readonly repeat: number
  /** An acknowledged alert that is not resolved re-opens after this time; null never. */
  readonly ackTimeoutMs: number | null
}

export interface EscalationStep {
  /** Targets such as `oncall`, `oncall.next`, `team`, `user:bob`, `group:ops`, `webhook:ops`, `mqtt:siren`; resolved when the step fires. */
  readonly notify: readonly string[]
  /** How long to wait after this step before the next one fires. */
  readonly waitMs: number
}

/** One alert. A value: every change makes a new one through the pure functions of this folder. */
export interface Alert {
  readonly id: string
  readonly tenant: TenantId
  readonly type: string
  readonly severity: AlertLevel
  readonly message: string
  readonly source: string | null
  readonly affectedSystems: readonly string[]
  readonly data: Readonly<Record<string, unknown>>
  readonly dedupKey: string
  readonly status: AlertStatus
  readonly acknowledgedBy: string | null
  readonly acknowledgedAt: number | null
  /** How it was acknowledged: `mqtt`, `http`, `outbox`, … */
  readonly acknowledgedVia: string | null
  /** The owning team; null when the type has no owner. */
  readonly team: string | null
  readonly policy: EscalationPolicy
  /** The last step that fired, counted from 1; 0 before the first. */
  readonly step: number
  /** Which run of the policy this is, counted from 0. */
  readonly repeat: number
  /** When the timer of this alert is due; null when it has none. What it does then is decided by the status. */
  readonly nextStepAt: number | null
  readonly resolvedAt: number | null
  readonly suppressedBy: string | null
  /** Who was told on which channels: who may acknowledge, and who hears of the outcome. */
  readonly told: Readonly<Record<string, readonly string[]>>
  /** The next free delivery ordinal. */
  readonly nextOrdinal: number
  /**
   * Pages with a lower ordinal belong to a round that was ended, by an acknowledgement, a snooze or a new start: none
   * of them starts any more, whatever becomes of an attempt that was under way then.
   */
  readonly pagesFrom: number
  readonly origin: Origin
  readonly createdAt: number
  /** Grows by one with every change; the store refuses a change made from an older version. */
  readonly version: number
  /** How many publishes this alert stands for. Kept by the store, because repeats must not disturb `version`. */
  readonly count: number
  readonly lastAt: number
}

/** What happened to an alert, kept for ever with it. */
export interface TimelineEntry {
  readonly at: number
  readonly kind:
    | 'opened'
    | 'repeated'
    | 'step'
    | 'skipped'
    | 'finished'
    | 'acknowledged'
    | 'unacknowledged'
    | 'escalated'
    | 'snoozed'
    | 'returned'
    | 'promoted'
    | 'reassigned'
    | 'note'
    | 'resolved'
  /** Principal id, or `carillon` for what time did. */
  readonly by: string
  readonly via?: string
  readonly step?: number
  readonly repeat?: number
  readonly text?: string
  readonly users?: readonly string[]
}
