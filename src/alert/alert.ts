import type { TenantId } from '../access/principal.ts'
import type { ChannelName } from '../delivery/delivery.ts'
import type { Origin } from '../notification/notification.ts'

export const ALERT_LEVELS = ['critical', 'warning', 'info'] as const
export type AlertLevel = (typeof ALERT_LEVELS)[number]

export const ALERT_STATUSES = ['firing', 'acknowledged', 'snoozed', 'suppressed', 'resolved'] as const
/** Contract section 6. Everything but `resolved` counts as open and holds its dedup key. */
export type AlertStatus = (typeof ALERT_STATUSES)[number]

/**
 * An escalation policy as it was when the alert started (decision 8). Durations in milliseconds. What is optional is
 * absent from alerts that were stored before it existed.
 */
export interface EscalationPolicy {
  readonly steps: readonly EscalationStep[]
  /** How often the whole policy runs again after its first run. */
  readonly repeat: number
  /** An acknowledged alert that is not resolved re-opens after this time; null never. */
  readonly ackTimeoutMs: number | null
  /** After this time those who acknowledged are asked again, and have `ackTimeoutMs` to answer (behaviour O9). */
  readonly ackReminderMs?: number
  /** How many different people must acknowledge (behaviour E17); 1 unless set. */
  readonly acksRequired?: number
  /** Whom the end of the policy tells; absent: admins and the catch-all team, and only when nobody else was reached. */
  readonly fallback?: readonly string[]
  /** The end of the policy closes the alert, unless it reached nobody (behaviour O7). */
  readonly resolveAtEnd?: boolean
  /** An alert of which nothing was heard for this long is closed (behaviour E26). */
  readonly autoResolveMs?: number
  /** A timer that is overdue by more than this pages nobody any more; a day unless set. */
  readonly staleAfterMs?: number
  /** IANA zone of the steps' windows; UTC unless set. */
  readonly timezone?: string
}

export interface EscalationStep {
  /** Targets such as `oncall`, `oncall.next`, `team`, `user:bob`, `group:ops`, `webhook:ops`, `mqtt:siren`; resolved when the step fires. */
  readonly notify: readonly string[]
  /** How long to wait after this step before the next one fires. */
  readonly waitMs: number
  /** Takes the place of the people's own rules in this step. */
  readonly channels?: readonly ChannelName[]
  /** The step waits until this window is open (behaviour O4). */
  readonly window?: TimeWindow
  /** The step is passed over unless the team got more alerts than this lately (behaviour O5). */
  readonly ifMoreThan?: { readonly count: number; readonly withinMs: number }
  /** In place of the policy's own number while this is the last step that fired. */
  readonly acksRequired?: number
}

/** A daily stretch of wall-clock time, over midnight when it ends before it begins. */
export interface TimeWindow {
  /** Minutes after midnight; `to` may be 1440. */
  readonly from: number
  readonly to: number
  /** ISO weekdays (1 = Monday) on which it opens. */
  readonly weekdays: readonly number[]
}

/** One of several acknowledgements that an alert asks for (behaviour E17). */
export interface PartialAcknowledgement {
  readonly by: string
  readonly via: string
  readonly at: number
  /** Where the escalation stood: a step that fires later pages the person again. */
  readonly step: number
  readonly repeat: number
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
  /** The last step that fired or was passed over, counted from 1; 0 before the first. */
  readonly step: number
  /** Which run of the policy this is, counted from 0. */
  readonly repeat: number
  /** When the timer of this alert is due; null when it has none. What it does then is decided by the status. */
  readonly nextStepAt: number | null
  /** The same instant as `nextStepAt` when all that the timer does is to close an idle alert (behaviour E26). */
  readonly idleAt?: number | null
  /** Who acknowledged since the alert last started, where several must (behaviour E17). */
  readonly acks?: readonly PartialAcknowledgement[]
  /** When those who acknowledged were asked whether they still have it; null or absent while nobody waits for an answer. */
  readonly remindedAt?: number | null
  /** Whose turn it was at each round-robin target: the same person for all of this alert (behaviour O3). */
  readonly turns?: Readonly<Record<string, string>>
  /** Of an alert whose pages stand for others: what the last one told of them. */
  readonly group?: AlertGroup
  /** The alert whose pages stood for this one, while it is acknowledged together with that. */
  readonly follows?: string
  readonly resolvedAt: number | null
  readonly suppressedBy: string | null
  /** Since when a flapping alert is said to be over; absent or null while it is not. */
  readonly clearedAt?: number | null
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

/** The others of its group for which an alert pages. */
export interface AlertGroup {
  readonly alerts: readonly {
    readonly id: string
    /** Such as `disk_full of db2`. */
    readonly name: string
  }[]
  /** When its pages told of them. */
  readonly toldAt: number
}

/** What happened to an alert, kept for ever with it. */
export interface TimelineEntry {
  readonly at: number
  readonly kind:
    | 'opened'
    | 'repeated'
    | 'step'
    | 'skipped'
    | 'waiting'
    | 'stale'
    | 'fallback'
    | 'finished'
    | 'acknowledged'
    | 'partly_acknowledged'
    | 'reminded'
    | 'unacknowledged'
    | 'escalated'
    | 'snoozed'
    | 'returned'
    | 'suppressed'
    | 'promoted'
    | 'reassigned'
    | 'grouped'
    | 'note'
    | 'resolved'
  /** Principal id, or `carillon` for what time did. */
  readonly by: string
  readonly via?: string
  readonly step?: number
  readonly repeat?: number
  readonly text?: string
  readonly users?: readonly string[]
  /** What the entry is about besides the alert: `silence:{id}`, `maintenance:{id}`, `alert:{id}`. */
  readonly ref?: string
}
