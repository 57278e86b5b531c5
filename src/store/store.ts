import type { TenantId } from '../access/principal.ts'
import type { Alert, AlertLevel, AlertStatus, TimelineEntry } from '../alert/alert.ts'
import type { ChannelName, Delivery, DeliveryState, OutboxItem } from '../delivery/delivery.ts'
import type { Notification } from '../notification/notification.ts'

/**
 * Everything durable. The port speaks in this product's verbs; every method says what it guarantees, and every
 * backend passes the same conformance suite (test/support/store-conformance.ts). Decisions stay above: a backend
 * compares, writes and reads, it never decides what a priority or a status means.
 *
 * Guarantees that hold for every writing method:
 * - atomic: all of it or nothing, also over a crash at any instant;
 * - durable: the promise resolves after the commit reached the disk (promise P1), and rejects with a
 *   `store.unavailable` or `store.busy` fault when it did not (promise P2); a call that the backend cannot hold,
 *   however often it is made, rejects with another error and fails alone (promise P10);
 * - ordered: calls take effect in the order in which they were made, and resolve in that order.
 */
export interface Store {
  /**
   * Everything that one accepted publish causes, in one commit.
   * With `once`, a second acceptance under the same tenant, principal and key writes nothing and answers
   * `duplicate` with the first one's result (promise P3). `stale` also writes nothing: what `alert` was decided
   * on has changed meanwhile; read again, decide again.
   */
  accept(acceptance: Acceptance): Promise<AcceptResult>

  /** Moves an alert from `expectVersion` to the given state, with everything that follows from it. */
  changeAlert(change: AlertChange): Promise<'done' | 'stale' | 'fenced'>

  /**
   * Takes up to `limit` due pieces of work of one lane, those of critical deliveries before all others and oldest due
   * first within each, and leases each until `leaseUntil` under a new fencing token. Work whose lease ran out is due again; its `crashes` has grown by one then. Deliveries that
   * are taken become `sending` and count one attempt. `nextDueAt` is when the lane's next work is due, leased work
   * included; null when there is none.
   */
  claim(claim: Claim): Promise<{ readonly items: readonly Claimed[]; readonly nextDueAt: number | null }>

  /** Ends or defers a claimed piece of work. `fenced`: somebody else holds it by now, or it is gone; nothing is written. */
  settle(settlement: Settlement): Promise<'done' | 'fenced'>

  /**
   * Moves `realtime` deliveries forward (`pending` → `sent` → `delivered`), never back, and those of other channels
   * from `sent` to what their provider reports; unknown ones and later reports are ignored. Answers with how many
   * rows moved.
   */
  progress(steps: readonly (DeliveryProgress | ProviderReport)[]): Promise<number>

  /** Marks inbox entries of one person. Idempotent. Answers with the ids that changed. */
  mark(mark: InboxMark): Promise<readonly string[]>

  /** Removes a dead letter after its replay or on request; false when there is none. */
  removeDeadLetter(tenant: TenantId, id: string): Promise<boolean>

  /** Empties the outbox of a tenant. */
  clearOutbox(tenant: TenantId): Promise<void>

  /** Deletes what has outlived its time: idempotency keys, outbox items and dead letters older than the instants. At most `limit` rows of each. */
  prune(before: {
    readonly now: number
    readonly outbox: number
    readonly deadLetters: number
    readonly limit: number
  }): Promise<number>

  /** A random secret of 32 bytes under this name, made at the first call and the same ever after. */
  secret(name: string): Promise<Uint8Array>

  // Reads. Each sees every write that has resolved before it was called.

  inbox(query: InboxQuery): Promise<readonly Notification[]>
  /** `unread` and `total` are counted from the rows, never from a stored counter; `version` grows with every commit. */
  inboxSummary(reader: InboxReader): Promise<InboxSummary>
  /** The entry as this person sees it; null when there is none, it was deleted, or it is somebody else's. */
  notification(reader: InboxReader, id: string): Promise<Notification | null>

  alert(tenant: TenantId, id: string): Promise<Alert | null>
  /** The open alert that holds this dedup key. */
  openAlert(tenant: TenantId, dedupKey: string): Promise<Alert | null>
  alerts(query: AlertQuery): Promise<Page<Alert>>
  timeline(tenant: TenantId, alertId: string): Promise<readonly TimelineEntry[]>
  /** Every open alert of every tenant, oldest first, at most `limit` after `cursor`: for the board at start. */
  openAlerts(limit: number, cursor?: string): Promise<Page<Alert>>

  deliveries(query: DeliveryQuery): Promise<Page<Delivery>>
  deadLetters(tenant: TenantId, page: PageQuery): Promise<Page<DeadLetter>>
  deadLetter(tenant: TenantId, id: string): Promise<DeadLetter | null>
  /** Oldest first, all of them (contract section 7). */
  outbox(query: OutboxQuery): Promise<readonly OutboxItem[]>
  outboxItem(tenant: TenantId, id: string): Promise<OutboxItem | null>

  /**
   * The conservation law P4 as a count of rows that break it; 0 at all times. `moving` looks at what has not ended,
   * cheap enough for every minute; `all` at everything there is, and counts it anew.
   */
  conservation(of?: 'moving' | 'all'): Promise<{
    readonly broken: number
    readonly accepted: number
    readonly deadLetters: number
    readonly deliveries: Readonly<Record<DeliveryState, number>>
  }>

  /** The lanes that have work, those included that an earlier configuration had. */
  lanes(): Promise<readonly string[]>

  /** Every stored component state of every tenant: for the board at start. */
  states(): Promise<readonly (ComponentState & { readonly tenant: TenantId })[]>

  /**
   * Resolves when one write reaches the disk: what `/readyz` asks. Rejects while the disk is full; ordinary publishes
   * are then refused as `store.unavailable`, and everything else still commits (promise P25).
   */
  ping(): Promise<void>

  /** The highest instant any commit of an earlier run carried (promise P18), and how often the store was opened. */
  readonly highWaterAt: number
  readonly bootCount: number

  /** Waits for what is queued, then releases everything. */
  close(): Promise<void>
}

export interface Acceptance {
  readonly tenant: TenantId
  /** When the engine decided; also the store's high-water mark. */
  readonly at: number
  readonly principal: string
  readonly topic: string
  readonly once: Once | null
  /** What the publisher is told; kept with the key. */
  readonly result: Readonly<Record<string, unknown>>
  readonly notifications: readonly NewNotification[]
  readonly deliveries: readonly NewDelivery[]
  readonly alert: AlertAcceptance | null
  readonly deadLetter: DeadLetter | null
  /** States of components, each replacing the one before (R34). */
  readonly states?: readonly ComponentState[]
  /** A message to be presented again at an instant (`send_at`). */
  readonly release: {
    readonly ref: string
    readonly dueAt: number
    readonly doc: Readonly<Record<string, unknown>>
  } | null
  /** One tenth of the queue is kept free for these (contract section 4). */
  readonly urgent: boolean
}

export interface ComponentState {
  readonly name: string
  readonly state: Readonly<Record<string, unknown>>
}

export interface Once {
  /** `id:{message id}` or `dup:{fingerprint}`. */
  readonly key: string
  readonly expiresAt: number
  /** False stores the key without asking for it: a first transmission that only a resend may match (promise P3). */
  readonly check: boolean
}

export type AlertAcceptance =
  /** Stale when an open alert holds the dedup key. */
  | { readonly kind: 'open'; readonly alert: Alert; readonly timeline: readonly TimelineEntry[] }
  /** Counts onto an open alert. Stale when it is resolved by now. */
  | { readonly kind: 'repeat'; readonly alertId: string }
  /** Stale as {@link Store.changeAlert} would be. */
  | { readonly kind: 'change'; readonly change: AlertChange }

export type AcceptResult =
  | {
      readonly kind: 'accepted'
      /** One per new notification, in their order. */ readonly seqs: readonly number[]
      /** After a repeat or change. */ readonly alert: Alert | null
      readonly leases: readonly Lease[]
    }
  | { readonly kind: 'duplicate'; readonly result: Readonly<Record<string, unknown>> }
  | { readonly kind: 'stale' }

export type NewNotification = Omit<Notification, 'seq' | 'readAt'>

/**
 * A delivery to be. `dueAt` null means no work: `realtime` waits for the person to connect. `lease` takes the work in
 * the same commit, so that the first attempt may start as soon as it resolves; answered in `leases`, in order.
 */
export interface NewDelivery {
  readonly delivery: Delivery
  readonly dueAt: number | null
  readonly lane: string
  readonly lease: { readonly until: number } | null
}

export interface Lease {
  readonly workId: number
  readonly token: number
  readonly deliveryId: string
}

export interface AlertChange {
  readonly tenant: TenantId
  readonly alertId: string
  readonly at: number
  readonly expectVersion: number
  /**
   * The new state; `version` is `expectVersion + 1`; `nextStepAt` sets or clears the timer. Its `count` and `lastAt`
   * are not looked at: the store counts, because repeats go on meanwhile.
   */
  readonly alert: Alert
  readonly timeline: readonly TimelineEntry[]
  readonly deliveries: readonly NewDelivery[]
  readonly notifications: readonly NewNotification[]
  /** Set when a claimed timer caused this: refused as `fenced` when the token is stale. */
  readonly claimed: { readonly workId: number; readonly token: number } | null
  /** Ends every delivery of this alert that is `pending` with purpose `page`, with this reason (promises P15, P17). */
  readonly cancelPages: string | null
  /** This change stands for one more publish of the condition: it counts like a repeat. */
  readonly counts?: boolean
}

export interface Claim {
  /** `escalate`, `release`, or a channel's name. */
  readonly lane: string
  readonly now: number
  readonly limit: number
  readonly leaseUntil: number
  /** Only critical deliveries; `nextDueAt` is theirs then. */
  readonly criticalOnly?: boolean
}

export type Claimed = {
  readonly workId: number
  readonly token: number
  readonly tenant: TenantId
  readonly dueAt: number
  /** How often the work was lost with its holder (promise P10). */
  readonly crashes: number
} & (
  | {
      readonly kind: 'deliver'
      readonly delivery: Delivery
      readonly notification: Notification | null
      readonly alert: Alert | null
      /** The earlier attempt never settled: the provider may have it (promise P9). */ readonly ambiguous: boolean
    }
  | { readonly kind: 'escalate'; readonly alert: Alert }
  | { readonly kind: 'release'; readonly doc: Readonly<Record<string, unknown>> }
)

export interface Settlement {
  readonly workId: number
  readonly token: number
  readonly at: number
  readonly delivery: {
    readonly id: string
    readonly state: DeliveryState
    readonly reason: string | null
    readonly providerId: string | null
    readonly error: string | null
    readonly sentAt: number | null
    readonly deliveredAt: number | null
  } | null
  /** When to try again; null ends the work, and with it the timer of an alert. */
  readonly nextDueAt: number | null
  /** Kept in the same commit, so that a captured message is neither lost nor doubled. */
  readonly outbox: OutboxItem | null
  /** The attempt that the claim counted was not made, or is not the message's fault: it is taken off again. */
  readonly untried?: boolean
}

export interface DeliveryProgress {
  readonly subjectId: string
  readonly userId: string
  readonly state: 'sent' | 'delivered'
  readonly at: number
}

/** What a provider said, after it had taken a message, about whether it arrived. */
export interface ProviderReport {
  readonly tenant: TenantId
  readonly deliveryId: string
  readonly state: 'delivered' | 'dead'
  /** Of `dead`. */
  readonly reason: string | null
  readonly at: number
}

/** A person and the groups they are in: what decides which broadcasts they see. */
export interface InboxReader {
  readonly tenant: TenantId
  readonly userId: string
  readonly groups: readonly string[]
}

export interface InboxQuery extends InboxReader {
  /** `newest`: descending by seq, before `cursor`. `oldest`: ascending, after `cursor`. */
  readonly order: 'newest' | 'oldest'
  readonly cursor?: number
  readonly limit: number
  readonly offset?: number
  readonly status?: 'read' | 'unread' | 'all'
  readonly category?: string
  /** Only of this customer. */
  readonly customerId?: string
}

export interface InboxSummary {
  readonly total: number
  readonly unread: number
  readonly version: number
}

export interface InboxMark extends InboxReader {
  /** `all`: every entry there is at the commit. */
  readonly ids: readonly string[] | 'all'
  readonly as: 'read' | 'unread' | 'deleted'
  readonly at: number
}

/** `cursor` is opaque: what the previous page gave. */
export interface PageQuery {
  readonly limit: number
  readonly cursor?: string
}

export interface Page<T> {
  readonly items: readonly T[]
  readonly nextCursor: string | null
}

/** Newest first. */
export interface AlertQuery extends PageQuery {
  readonly tenant: TenantId
  readonly status?: AlertStatus
  readonly severity?: AlertLevel
  readonly team?: string
}

/** Newest first; with `subjectId` in the order of their ordinals. */
export interface DeliveryQuery extends PageQuery {
  readonly tenant: TenantId
  readonly subjectId?: string
  readonly userId?: string
  readonly channel?: ChannelName
  readonly state?: DeliveryState
}

export interface OutboxQuery {
  readonly tenant: TenantId
  readonly channel?: ChannelName
  readonly userId?: string
  readonly since?: number
}

/** A publish that could not be routed, kept with its reason (contract section 4). */
export interface DeadLetter {
  readonly id: string
  readonly tenant: TenantId
  readonly topic: string
  /** As it came; the first 1 KB when it was over the limit. */
  readonly payload: Uint8Array
  readonly principal: string
  readonly code: string
  readonly reason: string
  readonly createdAt: number
}
