import type { Persistence } from '../broker/session/persistence.ts'
import type { TenantId } from '../access/principal.ts'
import type { AuditEntry, AuditHead, NewAuditEntry } from '../audit/entry.ts'
import type { FoundRow } from '../audit/verify.ts'
import type { Alert, AlertLevel, AlertStatus, TimelineEntry } from '../alert/alert.ts'
import type { Attempt } from '../delivery/attempt/attempt.ts'
import type { Clock } from '../clock.ts'
import type { ChannelName, Delivery, DeliveryState, OutboxItem } from '../delivery/delivery.ts'
import type { Notification, Origin } from '../notification/notification.ts'

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
  /** Where the state of MQTT sessions outlives the process; one per store. */
  readonly sessions: Persistence

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
   * first within each, and leases each until `leaseUntil` under a new fencing token. Work whose lease ran out is due
   * again, and so are the timers of alerts that were leased when the store is opened by the only process that can hold
   * leases; its `crashes` has grown by one then. Deliveries that are taken become `sending` and count one attempt; one
   * that was lost with its holder goes on record. `nextDueAt` is when the lane's next work is due, leased work
   * included; null when there is none.
   */
  claim(claim: Claim): Promise<{ readonly items: readonly Claimed[]; readonly nextDueAt: number | null }>

  /** Ends or defers a claimed piece of work. `fenced`: somebody else holds it by now, or it is gone; nothing is written. */
  settle(settlement: Settlement): Promise<'done' | 'fenced'>

  /**
   * Ends a digest in one commit with the summary that stands for what it held; later holds under its key open another.
   * `stale` and nothing written when it holds another number by now: look again, decide again. `fenced` as `settle`.
   */
  closeDigest(closing: DigestClosing): Promise<'done' | 'stale' | 'fenced'>

  /**
   * Cancels a delivery that is `pending`, with its work; false when it is not, or is not there: what is being sent is
   * the attempt's.
   */
  cancelDelivery(cancelled: {
    readonly tenant: TenantId
    readonly id: string
    readonly at: number
    readonly reason: string
  }): Promise<boolean>

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

  /**
   * Deletes what has outlived its time: idempotency keys, and outbox items, dead letters with digests that ended, and
   * records removed before the instants. At most `limit` rows of each.
   */
  prune(before: {
    readonly now: number
    readonly outbox: number
    readonly deadLetters: number
    /** Of records that were removed. */
    readonly records: number
    readonly limit: number
  }): Promise<number>

  /**
   * Puts a record in the place of the one with its tenant, kind, owner and key, or removes it (`doc` null). Its version
   * grows by one with every change, removal included. With `expectVersion`, `stale` and nothing written when the record
   * is at another version by now; 0 expects that there is none. Answers with what is stored now.
   */
  putRecord(change: RecordChange): Promise<StoredRecord | 'stale'>

  /** Adds to the audit log, in this order. The log only ever grows, and each entry is chained to the one before it. */
  audit(entries: readonly NewAuditEntry[]): Promise<void>

  /** A random secret of 32 bytes under this name, made at the first call and the same ever after. */
  secret(name: string): Promise<Uint8Array>

  // Reads. Each sees every write that has resolved before it was called.

  inbox(query: InboxQuery): Promise<readonly Notification[]>
  /** `unread` and `total` are counted from the rows, never from a stored counter; `version` grows with every commit. */
  inboxSummary(reader: InboxReader): Promise<InboxSummary>
  /** The entry as this person sees it; null when there is none, it was deleted, or it is somebody else's. */
  notification(reader: InboxReader, id: string): Promise<Notification | null>

  /** The entry whoever it is for, deleted or not; `readAt` is that of `userId` where it is for everybody. */
  anyNotification(tenant: TenantId, id: string, userId: string): Promise<Notification | null>

  alert(tenant: TenantId, id: string): Promise<Alert | null>
  /** The open alert that holds this dedup key. */
  openAlert(tenant: TenantId, dedupKey: string): Promise<Alert | null>
  alerts(query: AlertQuery): Promise<Page<Alert>>
  timeline(tenant: TenantId, alertId: string): Promise<readonly TimelineEntry[]>
  /** The alerts, open or not, that have a timeline entry with this `ref`: how many, and the latest `limit` of them. */
  referring(tenant: TenantId, ref: string, limit: number): Promise<Referring>
  /** Every open alert of every tenant, oldest first, at most `limit` after `cursor`: for the board at start. */
  openAlerts(limit: number, cursor?: string): Promise<Page<Alert>>

  deliveries(query: DeliveryQuery): Promise<Page<Delivery>>
  /** With every attempt on record, oldest first; null when there is none of this id. */
  delivery(tenant: TenantId, id: string): Promise<DeliveryRecord | null>
  /** Newest first, with how many there are in all; reads no further than the owner's. */
  dispatches(query: DispatchQuery): Promise<DispatchList>
  /** What a digest holds, the latest first, at most `limit` notifications and as many alerts. */
  digestContents(tenant: TenantId, digestId: string, limit: number): Promise<DigestContents>
  /**
   * How far the messages of a batch are (checklist R36), counted from their rows as they are now; null when there is
   * no such batch. What was sent again later is a delivery of its own and does not count.
   */
  batch(tenant: TenantId, id: string): Promise<Batch | null>
  /**
   * How many deliveries of a time came to what (checklist C19), by channel, state and reason: the newest `limit` of
   * those that came to be in it.
   */
  deliveryStatistics(query: StatisticsQuery): Promise<DeliveryStatistics>
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

  /**
   * Records of every tenant in the order of their last change, those removed lately included (`doc` null), at most
   * `limit` after `cursor`: how a node learns what it does not know yet. `nextCursor` is never null once there is a
   * record, so that the next look goes on from there.
   */
  records(limit: number, cursor?: string): Promise<Page<StoredRecord>>

  /** Newest first. */
  auditLog(query: AuditQuery): Promise<Page<AuditEntry>>
  /** The log of all tenants as it stands in the store, whatever it is, oldest first after the number `after`. */
  auditChain(after: number, limit: number): Promise<readonly FoundRow[]>
  auditHead(): Promise<AuditHead>

  /**
   * What is late, counted and listed up to `limit`: work that was due before `dueBefore`, and open alerts whose timer is
   * not what they say. Asks only indexes of what is open or due (promise P21).
   */
  overdue(dueBefore: number, now: number, limit: number): Promise<Overdue>

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

  /** Time as every node of the store sees it, never before the high water; absent where the process' own is enough. */
  readonly clock?: Clock

  /** Waits for what is queued, then releases everything. */
  close(): Promise<void>
}

export interface Referring {
  readonly count: number
  /** Ids, the one that was referred to last first. */
  readonly alertIds: readonly string[]
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
  /** What their sender may ask after later; their deliveries have their ids as subject. */
  readonly dispatches?: readonly Dispatch[]
  /** A message to be presented again at an instant (`send_at`). */
  readonly release: {
    readonly ref: string
    readonly dueAt: number
    readonly doc: Readonly<Record<string, unknown>>
  } | null
  /** One tenth of the queue is kept free for these (contract section 4). */
  readonly urgent: boolean
}

/** Something that was sent, as its sender knows it. */
export interface Dispatch {
  readonly id: string
  readonly tenant: TenantId
  /** Who sent it. */
  readonly owner: string
  /** What it was sent for. */
  readonly topic: string
  readonly doc: Readonly<Record<string, unknown>>
  readonly createdAt: number
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
  /** Whether it is taken before other critical work of its lane: a storm of another kind may be in front of it. */
  readonly ahead?: boolean
}

/** Names a piece of work; whatever the backend takes for it. */
export type WorkId = number | string

export interface Lease {
  readonly workId: WorkId
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
  readonly claimed: { readonly workId: WorkId; readonly token: number } | null
  /** Ends every delivery of this alert that is `pending` with purpose `page`, with this reason (promises P15, P17). */
  readonly cancelPages: string | null
  /** Only those of this person; absent: everybody's. */
  readonly cancelPagesOf?: string
  /** This change stands for one more publish of the condition: it counts like a repeat. */
  readonly counts?: boolean
  /** What the audit log says about it, in the same commit. */
  readonly audit?: readonly NewAuditEntry[]
}

export interface Claim {
  /** `escalate`, `release`, `digest`, or a channel's name. */
  readonly lane: string
  readonly now: number
  readonly limit: number
  readonly leaseUntil: number
  /** Only critical deliveries; `nextDueAt` is theirs then. */
  readonly criticalOnly?: boolean
}

export type Claimed = {
  readonly workId: WorkId
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
      /** The newest attempt on record; one that was lost with its holder is on it as `unknown`. */
      readonly last?: Attempt
    }
  | { readonly kind: 'escalate'; readonly alert: Alert }
  | { readonly kind: 'release'; readonly doc: Readonly<Record<string, unknown>> }
  | { readonly kind: 'digest'; readonly digest: Digest }
)

export interface Settlement {
  readonly workId: WorkId
  readonly token: number
  readonly at: number
  /** What the attempt came to, kept behind those of earlier ones, the newest 50 of a delivery (checklist C19). */
  readonly attempts?: readonly Attempt[]
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
  /** Counts the delivery, which ends with this, onto the open digest of that key, or opens one. */
  readonly hold?: Hold
}

export interface DeliveryRecord {
  readonly delivery: Delivery
  readonly attempts: readonly Attempt[]
}

/** Where a delivery is held back, and the digest that is opened for it when its key has none. */
export interface Hold {
  /** One open digest per tenant and key. */
  readonly key: string
  readonly open: Pick<Digest, 'id' | 'channel' | 'userId' | 'address'> & { readonly dueAt: number }
  /** When the message is worthless: one that the summary comes too late for waits for this instant, `pending`, instead. */
  readonly expiresAt?: number
}

/** A window in which deliveries to one person on one channel gather behind one summary. */
export interface Digest {
  readonly id: string
  readonly channel: ChannelName
  readonly userId: string
  /** Where the first that it held was going. */
  readonly address: string | null
  readonly openedAt: number
}

export interface DigestContents {
  /** Deliveries that it holds. */
  readonly count: number
  /** How many of them are about notifications. */
  readonly notificationCount: number
  readonly notifications: readonly Notification[]
  /** Different alerts that they are about. */
  readonly alertCount: number
  /** Those that fire come first, so that what was left out is of no more interest than what is here. */
  readonly alerts: readonly Alert[]
}

export interface DigestClosing {
  readonly tenant: TenantId
  readonly digestId: string
  readonly workId: WorkId
  readonly token: number
  readonly at: number
  readonly expectCount: number
  /** Null when nothing is worth telling any more. */
  readonly summary: NewDelivery | null
}

export interface DeliveryProgress {
  readonly subjectId: string
  readonly userId: string
  readonly state: 'sent' | 'delivered'
  readonly at: number
}

/** Something that people or operators change while the program runs: a device, a preference, a template. */
export interface StoredRecord {
  readonly tenant: TenantId
  /** What kind of thing it is, such as `device`. */
  readonly kind: string
  /** Whose it is, such as a user id; empty for what belongs to nobody. */
  readonly owner: string
  readonly key: string
  /** Null when it was removed. */
  readonly doc: Readonly<Record<string, unknown>> | null
  readonly version: number
  readonly changedAt: number
}

export interface RecordChange extends Omit<StoredRecord, 'version'> {
  readonly expectVersion?: number
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
  /** `restored`: a deleted entry is there again, read or unread as it was; `all` restores nothing. */
  readonly as: 'read' | 'unread' | 'deleted' | 'restored'
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
  /** Only what came to be at this instant or later. */
  readonly since?: number
  /** Only what this digest held back. */
  readonly digestId?: string
}

export interface Overdue {
  /** Escalation steps. */
  readonly steps: number
  /** Work of all lanes. */
  readonly work: number
  /** Alerts that wait for an instant and have no timer for it, and critical ones that fire and wait for none. */
  readonly timerless: readonly Alert[]
  /** Alerts that fire and wait for an instant still to come. */
  readonly distant: readonly Alert[]
}

export interface AuditQuery extends PageQuery {
  readonly tenant: TenantId
  readonly actor?: string
  readonly action?: string
  readonly since?: number
}

export interface DispatchQuery {
  readonly tenant: TenantId
  readonly owner: string
  readonly id?: string
  readonly topic?: string
  /** Only with at least one delivery in one of these states. */
  readonly any?: readonly DeliveryState[]
  /** Only without any delivery in one of these. */
  readonly none?: readonly DeliveryState[]
  readonly limit: number
  readonly offset: number
}

export interface DispatchList {
  readonly total: number
  readonly items: readonly SentDispatch[]
}

export interface SentDispatch extends Dispatch {
  /** Where each of its deliveries is. One that was sent again counts as the newest to the address is. */
  readonly states: readonly DeliveryState[]
}

export interface Batch {
  readonly id: string
  readonly origin: Origin
  readonly createdAt: number
  /** How many of its messages are in each state. */
  readonly states: Readonly<Record<DeliveryState, number>>
}

export interface StatisticsQuery {
  readonly tenant: TenantId
  readonly from: number
  /** Not itself part of it. */
  readonly to: number
  readonly limit: number
}

export interface DeliveryStatistics {
  /** The `from` that was asked for, or when the oldest one came to be that still counted. */
  readonly from: number
  readonly counts: readonly {
    readonly channel: ChannelName
    readonly state: DeliveryState
    readonly reason: string | null
    readonly count: number
    /** On average from when it was due to when it was sent; null where none was. */
    readonly tookMs: number | null
  }[]
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
  /** Of the latest refusal, as `reason` is. */
  readonly code: string
  readonly reason: string
  readonly createdAt: number
  /** How often it was presented again and refused again. */
  readonly replays: number
}
