import type { TenantId } from '../access/principal.ts'
import type { Alert } from '../alert/alert.ts'
import type { Notification, Origin } from '../notification/notification.ts'
import type { Claimed, Lease, NewDelivery } from '../store/store.ts'
import type { ChannelName, Delivery, FixedContent, Purpose, SubjectKind } from './delivery.ts'

/** How long a piece of work belongs to whom took it (promise P6). */
export const LEASE_MS = 30_000

/** Direct e-mails and SMS are tried three times (checklist R24, R48); everything else as long as its budget lasts. */
const DIRECT_ATTEMPTS = 3

export interface PlannedDelivery {
  readonly tenant: TenantId
  readonly subjectKind: SubjectKind
  readonly subjectId: string
  /** Counted per subject; with the subject it makes the delivery's id, for ever the same (promise P8). */
  readonly ordinal: number
  readonly purpose: Purpose
  readonly userId: string | null
  readonly channel: ChannelName
  /** By default the channel's. */
  readonly lane?: string
  readonly address: string | null
  readonly critical: boolean
  readonly origin: Origin
  readonly now: number
  /** By default at once. */
  readonly dueAt?: number
  readonly step?: number
  readonly fixed?: FixedContent
  /** False leaves what is due at once to a claim: there is no room for it in the worker now. */
  readonly leased?: boolean
  /** Whether it goes before other critical work of its lane. */
  readonly ahead?: boolean
  /** A reason not to send it at all: the row is kept to show why (decision 8). */
  readonly suppressed?: string
  /** Why nothing can be made of it: the row is kept so that its batch counts it (R36). */
  readonly dead?: string
  /** The same in words. */
  readonly error?: string | null
  /** When what is said is worthless: what still waits, for its time or for its person, ends then. */
  readonly expiresAt?: number
  /** The ended delivery that this one sends again. */
  readonly resendOf?: string
}

/**
 * The row of a delivery to be. What is due at once is leased in the same commit, so that the first attempt needs no
 * claim; `realtime` waits for the person and is work only where something expires; a suppressed or dead one is ended
 * from the start.
 */
export function newDelivery(planned: PlannedDelivery): NewDelivery {
  const { now, channel, suppressed, dead } = planned
  const reason = suppressed ?? dead ?? null
  const realtime = channel === 'realtime'
  const dueAt =
    reason !== null
      ? null
      : realtime
        ? (planned.expiresAt ?? null)
        : Math.max(Math.min(planned.dueAt ?? now, planned.expiresAt ?? Infinity), now)
  const delivery: Delivery = {
    id: `${planned.subjectId}.${planned.ordinal}`,
    tenant: planned.tenant,
    subjectKind: planned.subjectKind,
    subjectId: planned.subjectId,
    ordinal: planned.ordinal,
    purpose: planned.purpose,
    userId: planned.userId,
    channel,
    address: realtime ? null : planned.address,
    critical: planned.critical,
    state: suppressed !== undefined ? 'suppressed' : dead !== undefined ? 'dead' : 'pending',
    reason,
    attempts: 0,
    maxAttempts: isDirect(planned) ? DIRECT_ATTEMPTS : 0,
    nextAttemptAt: realtime ? null : dueAt,
    providerId: null,
    error: planned.error ?? null,
    step: planned.step ?? null,
    fixed: planned.fixed ?? null,
    digestId: null,
    resendOf: planned.resendOf ?? null,
    resentAs: null,
    origin: planned.origin,
    createdAt: now,
    firstDueAt: !realtime && dueAt !== null && dueAt > now ? dueAt : null,
    sentAt: null,
    deliveredAt: null,
  }
  const leased = !realtime && dueAt === now && planned.leased !== false
  return {
    delivery,
    dueAt,
    lane: planned.lane ?? channel,
    lease: leased ? { until: now + LEASE_MS } : null,
    ...(planned.ahead === true && { ahead: true }),
  }
}

/** The lane of one target of a channel. Named as the configuration does, because lanes are in logs and metrics. */
export function targetLane(channel: ChannelName, target: string): string {
  return `${channel}:${target}`
}

/** Sent to an address, at somebody's wish; a summary stands for messages that are tried as long as their budget lasts. */
function isDirect({ subjectKind, purpose }: PlannedDelivery): boolean {
  return (subjectKind === 'direct' && purpose !== 'summary') || subjectKind === 'batch'
}

/**
 * The work that a commit leased, in the form a claim would have given it: what `Worker.take` wants. `leases` are the
 * store's answer; planned deliveries without one are left out.
 */
export function leasedWork(
  planned: readonly NewDelivery[],
  leases: readonly Lease[],
  subject: { readonly notification: Notification | null; readonly alert: Alert | null },
): readonly Claimed[] {
  const leaseOf = new Map(leases.map((lease) => [lease.deliveryId, lease]))
  return planned.flatMap(({ delivery, dueAt }) => {
    const lease = leaseOf.get(delivery.id)
    if (!lease || dueAt === null) return []
    return [
      {
        kind: 'deliver' as const,
        workId: lease.workId,
        token: lease.token,
        tenant: delivery.tenant,
        dueAt,
        crashes: 0,
        delivery: { ...delivery, state: 'sending' as const, attempts: delivery.attempts + 1 },
        notification: subject.notification,
        alert: subject.alert,
        ambiguous: false,
      },
    ]
  })
}
