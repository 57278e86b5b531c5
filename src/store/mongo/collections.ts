import type { mongo } from 'mongoose'

/** What is taken first of a lane: 2 critical and of a kind that is not in a storm, 1 critical, 0 everything else. */
export type Rank = 0 | 1 | 2

/** Everything that has work has it in this form, whatever it is; absent where nothing is left to do. */
export interface WorkPart {
  readonly lane: string
  readonly rank: Rank
  /** When it is due, or when its lease ends. */
  readonly dueAt: number
  readonly leased: boolean
  readonly crashes: number
  /** Ties of `dueAt` go to what came first. */
  readonly order: number
  /** 0 to 63, from the id: where a node begins when others take of the same lane. */
  readonly slot: number
  /** The node that holds the lease. */
  readonly node?: string
  /** The call that took it. */
  readonly claim?: string
}

/** A document that others find by its work, changed by compare-and-set on `token`. */
export interface Working {
  readonly _id: string
  readonly tenant: string
  /** Grows with every lease and never goes back, so that a holder of the past is told apart. */
  readonly token: number
  readonly work?: WorkPart
  /** The last compare-and-sets that won, newest last: how one among many learns that it did. */
  readonly marks: readonly string[]
  /** What follows from them and is not written out yet. */
  readonly pending: readonly PendingPart[]
}

/** What follows from one atomic write, kept inside of what it wrote until it is written out. */
export interface PendingPart {
  readonly id: string
  readonly since: number
  readonly node: string
  readonly batch: number
  /** 1 when it stands for an accepted message. */
  readonly accepted: 0 | 1
  readonly effects: string | mongo.Binary
}

/**
 * One accepted message that changes no alert, or the key of one that does. `_id` is the idempotency key where there is
 * one: its uniqueness is what makes an acceptance happen once. Kept until `expiresAt`, without a key until it is written
 * out.
 */
export interface JournalDocument {
  readonly _id: string
  /** The acceptance that holds the key. */
  readonly by: string
  /** `prepared`: counts only when the alert's own write happened, which has `by` among its `marks` then. */
  readonly state: 'prepared' | 'kept'
  readonly alert?: { readonly _id: string; readonly kind: 'open' | 'repeat' | 'change' }
  readonly preparedAt?: number
  /** JSON. */
  readonly result: string
  readonly at: number
  readonly expiresAt?: number
  readonly pending: readonly PendingPart[]
}

/** `_id`: tenant and id. */
export interface AlertDocument extends Working {
  readonly id: string
  /** Tenant and dedup key while it is open, its own id after that: unique. */
  readonly openKey: string
  readonly open: boolean
  readonly status: string
  readonly severity: string
  readonly team: string | null
  readonly createdAt: number
  /** The order of the listing. */
  readonly order: number
  readonly version: number
  readonly nextStepAt: number | null
  readonly count: number
  readonly lastAt: number
  /** Its timeline says that nothing more is to happen by itself. */
  readonly ended: boolean
  /** JSON of the alert; `count`, `lastAt` and `nextStepAt` are those beside it. */
  readonly doc: string
}

/** `_id`: alert, version and place within that, so that it is written once. */
export interface TimelineDocument {
  readonly _id: string
  readonly tenant: string
  readonly alertId: string
  readonly version: number
  readonly place: number
  readonly order: number
  readonly ref?: string
  /** JSON. */
  readonly entry: string
}

/** `_id`: tenant and id. A broadcast (`userId` null) is one row; what people did with it is in `reading`. */
export interface NotificationDocument {
  readonly _id: string
  readonly tenant: string
  readonly id: string
  readonly seq: number
  readonly userId: string | null
  readonly audience: readonly string[]
  readonly principal: string
  readonly messageId: string
  readonly topic: string
  readonly category: string | null
  readonly customerId: string | null
  readonly createdAt: number
  /** JSON. */
  readonly content: string
  /** Of a personal entry: 0 unread, 1 read, 2 deleted. */
  readonly state: 0 | 1 | 2
  readonly readAt: number | null
}

/** What one person did with a broadcast. `_id`: tenant, user and notification. */
export interface ReadingDocument {
  readonly _id: string
  readonly tenant: string
  readonly userId: string
  readonly notificationId: string
  readonly seq: number
  readonly state: 0 | 1 | 2
  readonly readAt: number | null
}

/** `_id`: tenant and delivery id. Its work is part of it. */
export interface DeliveryDocument extends Working {
  readonly subjectId: string
  readonly ordinal: number
  readonly subjectKind: string
  readonly purpose: string
  readonly userId: string | null
  readonly channel: string
  readonly address: string | null
  readonly critical: boolean
  readonly state: string
  readonly attempts: number
  readonly maxAttempts: number
  readonly principal: string
  readonly messageId: string
  readonly topic: string
  readonly createdAt: number
  readonly reason: string | null
  readonly nextAttemptAt: number | null
  readonly providerId: string | null
  readonly error: string | null
  readonly step: number | null
  /** JSON. */
  readonly fixed: string | null
  readonly sentAt: number | null
  readonly deliveredAt: number | null
  readonly firstDueAt: number | null
  readonly resendOf: string | null
  /** Ordinal of the newest delivery that sends it again. */
  readonly resentAs: number | null
  readonly digestId?: string
  /** JSON of each attempt. */
  readonly history: readonly string[]
  /** The version of the alert that made it; 0 outside alerts. */
  readonly alertVersion: number
}

/** `_id`: tenant and id. */
export interface DigestDocument extends Working {
  readonly id: string
  /** Tenant and key while it is open, its own id after that: unique. */
  readonly openKey: string
  readonly channel: string
  readonly userId: string
  readonly address: string | null
  readonly openedAt: number
  readonly dueAt: number
  readonly count: number
  readonly closedAt: number | null
  /** Deliveries that are counted already and may yet turn out to be somebody else's. */
  readonly holding: readonly {
    readonly mark: string
    readonly delivery: string
    readonly token: number
    readonly since: number
  }[]
}

/** A message to be presented again; stays a while after its end, so that it is not made again. */
export interface ReleaseDocument extends Working {
  readonly doc: string
  readonly endedAt?: number
}

/** `_id`: tenant and name. A higher `order` replaces a lower one. */
export interface StateDocument {
  readonly _id: string
  readonly tenant: string
  readonly name: string
  readonly state: string
  readonly order: number
}

/** `_id`: tenant and id. */
export interface DeadLetterDocument {
  readonly _id: string
  readonly tenant: string
  readonly id: string
  readonly topic: string
  readonly payload: mongo.Binary
  readonly principal: string
  readonly code: string
  readonly reason: string
  readonly createdAt: number
  readonly replays: number
  /** The order of the listing: that of its first refusal. */
  readonly order: number
  /** Of its latest refusal. */
  readonly changed: number
}

/** `_id`: tenant and id. */
export interface DispatchDocument {
  readonly _id: string
  readonly tenant: string
  readonly id: string
  readonly owner: string
  readonly topic: string
  readonly createdAt: number
  readonly order: number
  readonly doc: string
}

/** `_id`: tenant and id. */
export interface OutboxDocument {
  readonly _id: string
  readonly tenant: string
  readonly id: string
  readonly channel: string
  readonly userId: string | null
  readonly createdAt: number
  readonly order: number
  readonly doc: string
}

/**
 * The order of a tenant's notifications, `_id` its id. `next` is the first number that nobody has; `inflight` has what is
 * given out and not all visible yet, by its batch: whoever reads upwards stops before the lowest `from`.
 */
export interface CounterDocument {
  readonly _id: string
  readonly next: number
  readonly inflight: Readonly<Record<string, { readonly from: number; readonly since: number }>>
}

/** What one opened store has done, `_id` its node; the sums of all are the store's. */
export interface NodeDocument {
  readonly _id: string
  /** The last batch that is counted here. */
  readonly batch: number
  /** Batches that wrote something: the sum grows with every commit. */
  readonly commits: number
  readonly accepted: number
  readonly deadLettered: number
  readonly highWaterAt: number
  /** When it last said that it lives; null once it was closed. */
  readonly beatAt: number | null
}

/** The collections, each under its name. */
export interface Collections {
  readonly journal: mongo.Collection<JournalDocument>
  readonly alerts: mongo.Collection<AlertDocument>
  readonly timeline: mongo.Collection<TimelineDocument>
  readonly notifications: mongo.Collection<NotificationDocument>
  readonly reading: mongo.Collection<ReadingDocument>
  readonly deliveries: mongo.Collection<DeliveryDocument>
  readonly digests: mongo.Collection<DigestDocument>
  readonly releases: mongo.Collection<ReleaseDocument>
  readonly states: mongo.Collection<StateDocument>
  readonly dead_letters: mongo.Collection<DeadLetterDocument>
  readonly dispatches: mongo.Collection<DispatchDocument>
  readonly outbox: mongo.Collection<OutboxDocument>
  readonly counters: mongo.Collection<CounterDocument>
  readonly nodes: mongo.Collection<NodeDocument>
}

const NAMES: readonly (keyof Collections)[] = [
  ...(['journal', 'alerts', 'timeline', 'notifications', 'reading', 'deliveries', 'digests'] as const),
  ...(['releases', 'states', 'dead_letters', 'dispatches', 'outbox', 'counters', 'nodes'] as const),
]

/** The collections of a database; writes are answered when a majority has them in its journal (promise P1). */
export function collectionsOf(db: mongo.Db): Collections {
  const writeConcern = { w: 'majority', journal: true } as const
  const entries = NAMES.map((name) => [name, db.collection(name, { writeConcern })])
  // Built from the list of all names.
  return Object.fromEntries(entries) as Collections
}

/** Looked for by every claim; only what has work is in it. */
const DUE = {
  key: { 'work.lane': 1, 'work.rank': -1, 'work.dueAt': 1, 'work.order': 1 },
  sparse: true,
} as const
/** What a crash may have left behind. */
const PENDING = { key: { 'pending.since': 1 }, sparse: true } as const

/** The indexes of every collection: nothing is asked for without one. */
export const INDEXES: Readonly<Partial<Record<keyof Collections, readonly mongo.IndexDescription[]>>> = {
  journal: [PENDING, { key: { preparedAt: 1 }, sparse: true }, { key: { expiresAt: 1 }, sparse: true }],
  alerts: [
    DUE,
    PENDING,
    { key: { openKey: 1 }, unique: true },
    { key: { tenant: 1, order: -1, _id: -1 } },
    { key: { tenant: 1, status: 1, order: -1, _id: -1 } },
    { key: { createdAt: 1, order: 1, _id: 1 }, partialFilterExpression: { open: true }, name: 'open' },
    {
      key: { nextStepAt: 1, status: 1, severity: 1, ended: 1 },
      partialFilterExpression: { open: true },
      name: 'open_timer',
    },
    // Empty, unless something is wrong.
    {
      key: { status: 1, nextStepAt: 1 },
      partialFilterExpression: { open: false, nextStepAt: { $gte: 0 } },
      name: 'closed_timer',
    },
  ],
  timeline: [
    { key: { tenant: 1, alertId: 1, version: 1, place: 1 } },
    {
      key: { tenant: 1, ref: 1, order: -1 },
      partialFilterExpression: { ref: { $exists: true } },
      name: 'ref',
    },
  ],
  notifications: [
    // Personal entries in the order of an inbox, by state; broadcasts have no user and state 0.
    { key: { tenant: 1, userId: 1, state: 1, seq: 1 } },
  ],
  reading: [{ key: { tenant: 1, userId: 1, seq: 1 } }],
  deliveries: [
    DUE,
    PENDING,
    // Reports of connected devices name the subject alone.
    { key: { subjectId: 1, tenant: 1, ordinal: 1 } },
    { key: { tenant: 1, createdAt: -1, subjectId: -1, ordinal: -1 } },
    { key: { tenant: 1, userId: 1, createdAt: -1, subjectId: -1, ordinal: -1 } },
    { key: { tenant: 1, state: 1, createdAt: -1, subjectId: -1, ordinal: -1 } },
    {
      key: { digestId: 1, tenant: 1, createdAt: -1, subjectId: -1, ordinal: -1 },
      partialFilterExpression: { digestId: { $exists: true } },
      name: 'digest',
    },
    // Whether what moves has work, and nothing else does.
    { key: { state: 1, channel: 1, 'work.leased': 1 } },
  ],
  digests: [
    DUE,
    PENDING,
    { key: { openKey: 1 }, unique: true },
    { key: { closedAt: 1 } },
    { key: { 'holding.since': 1 }, sparse: true },
  ],
  releases: [DUE, { key: { endedAt: 1 }, sparse: true }],
  dead_letters: [{ key: { tenant: 1, order: -1, _id: -1 } }, { key: { createdAt: 1 } }],
  dispatches: [
    { key: { tenant: 1, owner: 1, topic: 1, order: -1 } },
    { key: { tenant: 1, owner: 1, order: -1 } },
  ],
  nodes: [{ key: { beatAt: 1 } }, { key: { highWaterAt: -1 } }],
  outbox: [{ key: { tenant: 1, order: 1, _id: 1 } }, { key: { createdAt: 1 } }],
}
