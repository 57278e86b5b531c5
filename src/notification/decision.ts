import type { AlertLevel } from '../alert/alert.ts'
import type { PushParticulars } from '../delivery/delivery.ts'
import type { Platform } from '../devices/device.ts'
import type { ErrorCode } from '../errors.ts'
import type { Priority, Severity } from './notification.ts'

/**
 * What a controller may decide. Plain data: the engine turns it into one atomic write and only then into effects
 * (decision 10).
 */
export type Decision =
  | NotifyDecision
  | AlertDecision
  | AlertCommandDecision
  | DirectDecision
  | InboxDecision
  | EventDecision
  | StatusDecision
  | MaintenanceDecision
  | PresenceDecision
  | DropDecision

/** A notification to one person, a group, or everybody (R17, R31, R21). */
export interface NotifyDecision {
  readonly kind: 'notify'
  readonly to:
    | { readonly user: string }
    | { readonly group: string }
    | { readonly broadcast: readonly string[] }
  readonly draft: Draft
  /** A push (R37): beside the app only to devices of this platform. Not for broadcasts. */
  readonly push?: { readonly platform: Platform; readonly particulars: PushParticulars }
}

/** A notification before the engine gave it an id. Unset fields take the defaults of R17 and R21. */
export interface Draft {
  readonly message: string
  readonly title?: string | undefined
  readonly type?: string | undefined
  readonly priority?: Priority | undefined
  readonly data?: Readonly<Record<string, unknown>> | undefined
  readonly category?: string | undefined
  readonly severity?: Severity | undefined
  readonly icon?: string | undefined
  readonly actionUrl?: string | undefined
  readonly entityType?: string | undefined
  readonly entityId?: string | undefined
  readonly customerId?: string | undefined
  readonly event?: string | undefined
  /** Instant before which nothing is shown or sent. */
  readonly sendAt?: number | undefined
  /** Milliseconds after which undelivered copies expire. */
  readonly ttlMs?: number | undefined
}

/** A condition that fires or has ended (R22, R32, R33). */
export interface AlertDecision {
  readonly kind: 'alert'
  readonly level: AlertLevel
  readonly alertType: string
  readonly status: 'firing' | 'resolved'
  readonly message: string
  readonly source: string | null
  readonly affectedSystems: readonly string[]
  readonly dedupKey: string | null
  readonly data: Readonly<Record<string, unknown>>
}

/** Somebody acts on an alert (contract section 6). */
export interface AlertCommandDecision {
  readonly kind: 'alert-command'
  readonly alertId: string
  readonly verb: 'ack' | 'unack' | 'escalate' | 'snooze' | 'resolve' | 'note' | 'reassign'
  readonly note?: string | undefined
  /** Milliseconds; `snooze` only. */
  readonly forMs?: number | undefined
  /** `reassign`: the team that has it from now on, instead of a person. */
  readonly team?: string | undefined
  /** `reassign`: the new responsible. On a client's publish: the person who acted. */
  readonly user?: string | undefined
}

/** Messages to addresses instead of people (R24, R25, R36, R37). */
export interface DirectDecision {
  readonly kind: 'direct'
  readonly channel: 'email' | 'sms' | 'push'
  readonly messages: readonly DirectMessage[]
  /** `one` answers as R24, R25 and R37 do, `batch` as R36. */
  readonly shape: 'one' | 'batch'
}

export interface DirectMessage {
  /** The mailbox or number; with an `error` whatever was given in its place. */
  readonly address: string
  /** How the publisher wrote it, for the list of results; by default the address. */
  readonly to?: string | undefined
  readonly subject?: string | undefined
  readonly text: string
  readonly html?: string | undefined
  readonly push?: PushParticulars | undefined
  readonly priority: Priority
  readonly sendAt?: number | undefined
  /** http(s) URLs of files to go with it; e-mail only. */
  readonly attachments?: readonly string[] | undefined
  /** Why this one of a batch is not sent, and in words. */
  readonly error?: ErrorCode | undefined
  readonly reason?: string | undefined
}

/** A person reads, un-reads or deletes entries of their inbox. */
export interface InboxDecision {
  readonly kind: 'inbox'
  readonly userId: string
  readonly ids: readonly string[] | 'all'
  readonly as: 'read' | 'unread' | 'deleted' | 'restored'
}

/** A domain event for the event streams (X18). */
export interface EventDecision {
  readonly kind: 'event'
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
  readonly source: string | null
}

/** The current state of a component (R34). */
export interface StatusDecision {
  readonly kind: 'status'
  readonly components: readonly { readonly name: string; readonly state: Readonly<Record<string, unknown>> }[]
  readonly result: Readonly<Record<string, unknown>>
}

/** A maintenance window is announced, or changed or cancelled under the id of its first publish (R35). */
export interface MaintenanceDecision {
  readonly kind: 'maintenance'
  /** What the publish leaves out is undefined or empty, and stays as it was. Instants in milliseconds. */
  readonly window: {
    readonly title: string | undefined
    readonly message: string | undefined
    readonly start: number | undefined
    readonly end: number | undefined
    /** Parts of `state/system/{component}`. */
    readonly components: readonly string[]
    readonly systems: readonly string[]
    readonly sources: readonly string[]
    readonly types: readonly string[]
    readonly groups: readonly string[]
  }
  readonly cancelled: boolean
  readonly result: Readonly<Record<string, unknown>>
}

/** A person's connection comes, lives on or goes (R26, R27, R38). */
export interface PresenceDecision {
  readonly kind: 'presence'
  readonly verb: 'connect' | 'disconnect' | 'heartbeat'
  readonly userId: string
  readonly sessionId: string | null
  readonly deviceInfo: Readonly<Record<string, unknown>>
}

/** A middleware's answer to a publish that needs nothing done; the reason is counted (R41). */
export interface DropDecision {
  readonly kind: 'drop'
  readonly reason: string
}
