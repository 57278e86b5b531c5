import type { TenantId } from '../access/principal.ts'

export const PRIORITIES = ['low', 'normal', 'high', 'critical'] as const
/** How loud a notification is; decides the channels (checklist R16, R19). */
export type Priority = (typeof PRIORITIES)[number]

export const SEVERITIES = ['info', 'success', 'warning', 'error'] as const
/** How a notification is coloured (checklist X15). */
export type Severity = (typeof SEVERITIES)[number]

/** What a notification says, as it was published. Absent fields are absent, never null. */
export interface NotificationContent {
  readonly title: string
  readonly message: string
  readonly type: string
  readonly priority: Priority
  readonly data: Readonly<Record<string, unknown>>
  readonly category?: string
  readonly severity?: Severity
  readonly icon?: string
  readonly actionUrl?: string
  readonly entityType?: string
  readonly entityId?: string
  readonly customerId?: string
  readonly event?: string
  /** Names of the channels the plan chose (checklist R20). */
  readonly channels: readonly string[]
  /** Instant after which undelivered copies are worthless. */
  readonly expiresAt?: number
}

/** Where a message came from: whom receipts go to, and under which id (contract section 4). */
export interface Origin {
  readonly principal: string
  readonly messageId: string
  readonly topic: string
}

/** One entry of an inbox. A broadcast is one row for everybody (`userId` null); read and deleted are per person. */
export interface Notification {
  /** Position in the store's one order of notifications; later accepts have higher numbers. */
  readonly seq: number
  readonly id: string
  readonly tenant: TenantId
  readonly userId: string | null
  /** Groups a broadcast is for; empty means everybody. Always empty on a personal notification. */
  readonly audience: readonly string[]
  readonly origin: Origin
  readonly content: NotificationContent
  readonly createdAt: number
  /** For the person the row was read for; null while unread. */
  readonly readAt: number | null
}
