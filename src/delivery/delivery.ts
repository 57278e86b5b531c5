import type { TenantId } from '../access/principal.ts'
import type { OutcomeKind } from '../alert/outcome/outcome-of.ts'
import type { Origin } from '../notification/notification.ts'

export const CHANNEL_NAMES = [
  'realtime',
  'email',
  'sms',
  'voice',
  'push',
  'web_push',
  'telegram',
  'webhook',
  'speech',
  'mqtt',
] as const
export type ChannelName = (typeof CHANNEL_NAMES)[number]

export const DELIVERY_STATES = [
  'pending',
  'sending',
  'sent',
  'delivered',
  'cancelled',
  'suppressed',
  'expired',
  'dead',
] as const
/** Contract section 7. `pending` and `sending` move on; every other state is a named end, though `sent` may become `delivered`. */
export type DeliveryState = (typeof DELIVERY_STATES)[number]

/**
 * What a delivery belongs to. `direct` are the e-mails and SMS published to an address instead of a person (R24, R25),
 * `batch` those of which many were published at once (R36).
 */
export type SubjectKind = 'notification' | 'alert' | 'direct' | 'batch'

/**
 * Why it is sent: a `page` asks for an acknowledgement and is fenced by one (promise P15); an `outcome` tells how it
 * ended; a `reminder` asks who acknowledged whether they still have it; a `summary` stands for everything that a digest
 * held back; a `code` verifies an address, and its text is a secret until it was used; a `test` only shows whether it
 * arrives, a `canary` that a page would.
 */
export type Purpose = 'message' | 'page' | 'outcome' | 'reminder' | 'summary' | 'code' | 'test' | 'canary'

/** Text that is sent as it stands, for deliveries whose subject does not hold it (direct sends, outcomes). */
export interface FixedContent {
  readonly subject?: string
  /** What a summary stands for: the alerts that an answer to it acts on, how many more fire, how many notifications and outcomes. */
  readonly summary?: {
    readonly alertIds: readonly string[]
    readonly unnamed?: number
    readonly notifications: number
  }
  /** What an outcome tells. */
  readonly outcome?: OutcomeKind
  readonly text: string
  readonly html?: string
  /** Where the files are that go with it (checklist N08): http(s) URLs, fetched by each attempt and never stored. */
  readonly attachments?: readonly string[]
  /** Of a push that was published as one (R37). */
  readonly push?: PushParticulars
}

/** What the publisher of a push may set (checklist R37). Unset fields are decided by what the message is about. */
export interface PushParticulars {
  readonly data?: Readonly<Record<string, unknown>>
  readonly badge?: number
  readonly sound?: string
  readonly collapseKey?: string
  readonly urgent?: boolean
  /** Instant after which it is worthless. */
  readonly expiresAt?: number
}

/** One row per subject, recipient, channel and address (contract section 7). */
export interface Delivery {
  /** `{subjectId}.{ordinal}`: stable over retries and restarts; the idempotency key handed to providers (promise P8). */
  readonly id: string
  readonly tenant: TenantId
  readonly subjectKind: SubjectKind
  readonly subjectId: string
  readonly ordinal: number
  readonly purpose: Purpose
  /** Null for what is published to an address. */
  readonly userId: string | null
  readonly channel: ChannelName
  /** Unmasked; null on `realtime`, whose address is the person. */
  readonly address: string | null
  readonly critical: boolean
  readonly state: DeliveryState
  /** A stable reason code for states that need one (`suppressed`, `cancelled`, `expired`, `dead`). */
  readonly reason: string | null
  readonly attempts: number
  readonly maxAttempts: number
  readonly nextAttemptAt: number | null
  readonly providerId: string | null
  readonly error: string | null
  /** Step of the escalation policy that caused it, counted from 1; null outside escalations. */
  readonly step: number | null
  readonly fixed: FixedContent | null
  /** The digest that held it back; `{digestId}.0` is the summary that stands for it. */
  readonly digestId: string | null
  /** What it sends again; the chain of these ends at the delivery that was made by a message. */
  readonly resendOf: string | null
  /** The newest delivery that sends it again, over however many generations. */
  readonly resentAs: string | null
  readonly origin: Origin
  readonly createdAt: number
  /** When it was to be attempted first, where that was later than it came to be (`send_at`, quiet hours, contact rules). */
  readonly firstDueAt: number | null
  readonly sentAt: number | null
  readonly deliveredAt: number | null
}

/** A rendered message that was kept instead of, or beside, being sent (contract section 7, outbox). */
export interface OutboxItem {
  readonly id: string
  readonly tenant: TenantId
  readonly channel: ChannelName
  readonly userId: string | null
  readonly address: string | null
  readonly subject?: string
  readonly text: string
  readonly html?: string
  readonly actions: readonly { readonly id: string; readonly label: string; readonly url?: string }[]
  /** Number of SMS segments; only on `sms`. */
  readonly segments?: number
  /** What would be fetched, or was; the name is the one that the URL gives. Only on `email`. */
  readonly attachments?: readonly { readonly name: string; readonly url: string }[]
  readonly deliveryId: string
  readonly alertId?: string
  readonly notificationId?: string
  readonly createdAt: number
}
