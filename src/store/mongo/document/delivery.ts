import type { TenantId } from '../../../access/principal.ts'
import type { Attempt } from '../../../delivery/attempt/attempt.ts'
import type {
  ChannelName,
  Delivery,
  DeliveryState,
  FixedContent,
  Purpose,
  SubjectKind,
} from '../../../delivery/delivery.ts'
import type { Lease, NewDelivery } from '../../store.ts'
import type { DeliveryDocument } from '../collections.ts'
import { keyOf } from './key.ts'
import { newWork, workIdOf } from './work.ts'

export interface NewDeliveryParticulars {
  readonly order: number
  /** Who holds it, where it is leased at once. */
  readonly node: string
  /** The version of the alert that it belongs to from the start; 0 outside alerts. */
  readonly alertVersion: number
}

/** A delivery to be as it is stored. */
export function deliveryDocument(
  { delivery, dueAt, lane, lease, ahead }: NewDelivery,
  { order, node, alertVersion }: NewDeliveryParticulars,
): DeliveryDocument {
  const _id = keyOf(delivery.tenant, delivery.id)
  // Only what still moves has work; a lease without a due instant is due at once.
  const due = delivery.state === 'pending' ? (dueAt ?? lease?.until ?? null) : null
  const leased = due !== null && lease !== null
  const rank = delivery.critical ? (ahead === true ? 2 : 1) : 0
  const work = due === null ? null : newWork(_id, { lane, rank, dueAt: due, order })
  return {
    _id,
    tenant: delivery.tenant,
    subjectId: delivery.subjectId,
    ordinal: delivery.ordinal,
    subjectKind: delivery.subjectKind,
    purpose: delivery.purpose,
    userId: delivery.userId,
    channel: delivery.channel,
    address: delivery.address,
    critical: delivery.critical,
    state: leased ? 'sending' : delivery.state,
    attempts: leased ? delivery.attempts + 1 : delivery.attempts,
    maxAttempts: delivery.maxAttempts,
    principal: delivery.origin.principal,
    messageId: delivery.origin.messageId,
    topic: delivery.origin.topic,
    createdAt: delivery.createdAt,
    reason: delivery.reason,
    nextAttemptAt: leased ? null : delivery.nextAttemptAt,
    providerId: delivery.providerId,
    error: delivery.error,
    step: delivery.step,
    fixed: delivery.fixed && JSON.stringify(delivery.fixed),
    sentAt: delivery.sentAt,
    deliveredAt: delivery.deliveredAt,
    firstDueAt: delivery.firstDueAt,
    resendOf: delivery.resendOf,
    resentAs: null,
    history: [],
    alertVersion,
    token: leased ? 1 : 0,
    marks: [],
    pending: [],
    ...(work && { work: leased ? { ...work, dueAt: lease.until, leased, node } : work }),
  }
}

/** The lease that a delivery was stored with; null when it had none. */
export function leaseOf(document: DeliveryDocument): Lease | null {
  const { _id, work, token, subjectId, ordinal } = document
  return work?.leased === true
    ? { workId: workIdOf('d', _id), token, deliveryId: `${subjectId}.${ordinal}` }
    : null
}

export function readDelivery(document: DeliveryDocument): Delivery {
  const { subjectId, ordinal, principal, messageId, topic, fixed, resentAs } = document
  return {
    id: `${subjectId}.${ordinal}`,
    subjectId,
    // What was stored is what the port gave.
    tenant: document.tenant as TenantId,
    ordinal,
    subjectKind: document.subjectKind as SubjectKind,
    purpose: document.purpose as Purpose,
    userId: document.userId,
    channel: document.channel as ChannelName,
    address: document.address,
    critical: document.critical,
    state: document.state as DeliveryState,
    attempts: document.attempts,
    maxAttempts: document.maxAttempts,
    origin: { principal, messageId, topic },
    createdAt: document.createdAt,
    reason: document.reason,
    nextAttemptAt: document.nextAttemptAt,
    providerId: document.providerId,
    error: document.error,
    step: document.step,
    fixed: fixed === null ? null : (JSON.parse(fixed) as FixedContent),
    sentAt: document.sentAt,
    deliveredAt: document.deliveredAt,
    firstDueAt: document.firstDueAt,
    resendOf: document.resendOf,
    digestId: document.digestId ?? null,
    resentAs: resentAs === null ? null : `${subjectId}.${resentAs}`,
  }
}

/** Every attempt that is kept, oldest first. */
export function readAttempts({ history }: DeliveryDocument): readonly Attempt[] {
  return history.map((entry) => JSON.parse(entry) as Attempt)
}
