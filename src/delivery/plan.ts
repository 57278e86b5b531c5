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
  /** A reason not to send it at all: the row is kept to show why (decision 8). */
  readonly suppressed?: string
}

/**
 * The row of a delivery to be. What is due at once is leased in the same commit, so that the first attempt needs no
 * claim; `realtime` is no work, it waits for the person; a suppressed one is ended from the start.
 */
export function newDelivery(planned: PlannedDelivery): NewDelivery {
  const { now, channel, suppressed } = planned
  const idle = channel === 'realtime' || suppressed !== undefined
  const dueAt = idle ? null : Math.max(planned.dueAt ?? now, now)
  const delivery: Delivery = {
    id: `${planned.subjectId}.${planned.ordinal}`,
    tenant: planned.tenant,
    subjectKind: planned.subjectKind,
    subjectId: planned.subjectId,
    ordinal: planned.ordinal,
    purpose: planned.purpose,
    userId: planned.userId,
    channel,
    address: channel === 'realtime' ? null : planned.address,
    critical: planned.critical,
    state: suppressed === undefined ? 'pending' : 'suppressed',
    reason: suppressed ?? null,
    attempts: 0,
    maxAttempts: planned.subjectKind === 'direct' ? DIRECT_ATTEMPTS : 0,
    nextAttemptAt: dueAt,
    providerId: null,
    error: null,
    step: planned.step ?? null,
    fixed: planned.fixed ?? null,
    origin: planned.origin,
    createdAt: now,
    sentAt: null,
    deliveredAt: null,
  }
  const leased = dueAt === now && planned.leased !== false
  return { delivery, dueAt, lane: planned.lane ?? channel, lease: leased ? { until: now + LEASE_MS } : null }
}

/** The lane of one target of a channel. Named as the configuration does, because lanes are in logs and metrics. */
export function targetLane(channel: ChannelName, target: string): string {
  return `${channel}:${target}`
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
