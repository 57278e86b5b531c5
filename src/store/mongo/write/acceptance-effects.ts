import { auditRow } from '../../../audit/entry.ts'
import type { Acceptance, AlertChange, NewDelivery } from '../../store.ts'
import { timelineDocuments } from '../document/alert.ts'
import { deliveryDocument } from '../document/delivery.ts'
import { keyOf } from '../document/key.ts'
import { notificationDocument } from '../document/notification.ts'
import { newWork } from '../document/work.ts'
import type { MongoContext } from '../context.ts'
import type { ReleaseDocument } from '../collections.ts'
import type { Slot } from './batch.ts'
import type { Effects } from './effects.ts'

type Making = Pick<MongoContext, 'order' | 'node'>

/** Where an acceptance keeps its idempotency key. */
export function onceIdOf({ tenant, principal, once }: Acceptance): string | null {
  return once && `once ${keyOf(tenant, principal, once.key)}`
}

/** All that follows from an acceptance, its change of an alert included. */
export function acceptanceEffects(making: Making, acceptance: Acceptance, slot: Slot): Effects {
  const { tenant, at, alert, once, deadLetter, states = [], dispatches = [], release } = acceptance
  const change = alert?.kind === 'change' ? alert.change : null
  const onceId = onceIdOf(acceptance)
  const own = acceptance.notifications
  const followed = change && changeEffects(making, change, slot.seqs.slice(own.length))
  const version = alert?.kind === 'open' ? alert.alert.version : (change?.expectVersion ?? 0)
  return {
    ...followed,
    // A place was given to every notification.
    notifications: [
      ...own.map((each, index) => notificationDocument(each, slot.seqs[index]!)),
      ...(followed?.notifications ?? []),
    ],
    deliveries: [...deliveriesOf(making, acceptance.deliveries, version), ...(followed?.deliveries ?? [])],
    ...(alert?.kind === 'open' && { timeline: timelineDocuments(alert.alert, alert.timeline, making.order) }),
    ...(deadLetter && {
      deadLetter: {
        ...deadLetter,
        _id: keyOf(deadLetter.tenant, deadLetter.id),
        payload: Buffer.from(deadLetter.payload).toString('base64'),
        order: making.order(),
        changed: making.order(),
      },
    }),
    states: states.map(({ name, state }) => ({
      _id: keyOf(tenant, name),
      tenant,
      name,
      state: JSON.stringify(state),
      order: making.order(),
    })),
    dispatches: dispatches.map(({ id, owner, topic, createdAt, doc, ...rest }) => ({
      _id: keyOf(rest.tenant, id),
      tenant: rest.tenant,
      id,
      owner,
      topic,
      createdAt,
      order: making.order(),
      doc: JSON.stringify(doc),
    })),
    releases: release ? [releaseDocument(making, tenant, release, slot)] : [],
    ...(once &&
      onceId !== null &&
      (!once.check || alert !== null) && {
        keep: {
          _id: onceId,
          by: slot.id,
          result: JSON.stringify(acceptance.result),
          at,
          expiresAt: once.expiresAt,
          prepared: once.check,
        },
      }),
  }
}

/** All that follows from a change of an alert. */
export function changeEffects(making: Making, change: AlertChange, seqs: readonly number[]): Effects {
  const { tenant, alertId, alert, cancelPages, cancelPagesOf, audit = [] } = change
  return {
    // A place was given to every notification.
    notifications: change.notifications.map((each, index) => notificationDocument(each, seqs[index]!)),
    deliveries: deliveriesOf(making, change.deliveries, alert.version),
    timeline: timelineDocuments(
      { tenant, id: alertId, version: alert.version },
      change.timeline,
      making.order,
    ),
    audit: audit.map(auditRow),
    ...(cancelPages !== null && {
      cancel: {
        tenant,
        alertId,
        version: alert.version,
        reason: cancelPages,
        ...(cancelPagesOf !== undefined && { userId: cancelPagesOf }),
      },
    }),
  }
}

function deliveriesOf({ order, node }: Making, deliveries: readonly NewDelivery[], alertVersion: number) {
  return deliveries.map((delivery) => deliveryDocument(delivery, { order: order(), node, alertVersion }))
}

function releaseDocument(
  { order }: Making,
  tenant: string,
  { ref, dueAt, doc }: NonNullable<Acceptance['release']>,
  slot: Slot,
): ReleaseDocument {
  const _id = keyOf(tenant, ref, slot.id)
  const work = newWork(_id, { lane: 'release', dueAt, order: order() })
  return { _id, tenant, doc: JSON.stringify(doc), token: 0, work, marks: [], pending: [] }
}
