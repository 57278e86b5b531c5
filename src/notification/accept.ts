import type { Core } from '../core.ts'
import { startDeliveries } from '../delivery/worker/start.ts'
import type { Arrival } from '../router/arrival.ts'
import type { Outcome } from '../router/publish.ts'
import type { AcceptResult, NewDelivery, NewNotification } from '../store/store.ts'
import { acceptanceOf, storedOutcome } from './acceptance.ts'
import { audienceOf } from './audience.ts'
import type { NotifyDecision } from './decision.ts'
import type { Notification } from './notification.ts'
import { planNotification, type NotificationPlan, type PlannedEntry } from './plan.ts'
import { releaseOf } from './scheduled.ts'

/**
 * The path of every notification: who → which channels, when → one commit → out (architecture section 2).
 *
 * Everything that the publish causes is in one atomic write; what follows the write (live fan-out, receipts, the
 * first attempts) can be lost in a crash without losing anything: the inbox replays, the leases run out.
 */
export async function acceptNotification(
  core: Core,
  arrival: Arrival,
  decision: NotifyDecision,
): Promise<Outcome> {
  const { draft } = decision
  if (draft.sendAt !== undefined && draft.sendAt > arrival.now)
    return schedule(core, arrival, decision, draft.sendAt)
  const plan = planNotification(core, arrival, decision)
  const committed = core.store.accept(
    acceptanceOf(arrival, plan.result, {
      notifications: plan.entries.map((entry) => entry.notification),
      deliveries: deliveriesOf(plan.entries),
    }),
  )
  arrival.submitted()
  const accepted = await committed
  const outcome = storedOutcome(core, arrival, plan.result, accepted)
  if (accepted.kind === 'accepted') afterCommit(core, plan, accepted)
  return outcome
}

/** Out it goes: to who is connected, and to the worker. */
function afterCommit(
  core: Core,
  plan: NotificationPlan,
  accepted: Extract<AcceptResult, { kind: 'accepted' }>,
): void {
  const leases = new Map(accepted.leases.map((lease) => [lease.deliveryId, lease]))
  for (const [index, { notification: planned, deliveries }] of plan.entries.entries()) {
    const notification = storedAt(planned, accepted.seqs[index] ?? 0)
    core.live.stored(notification)
    const own = leases.size === 0 ? [] : deliveries.flatMap(({ delivery }) => leases.get(delivery.id) ?? [])
    startDeliveries(core.worker, deliveries, own, { notification, alert: null })
  }
}

function storedAt(planned: NewNotification, seq: number): Notification {
  const { id, tenant, userId, audience, origin, content, createdAt } = planned
  return { seq, id, tenant, userId, audience, origin, content, createdAt, readAt: null }
}

/** Most publishes are for one person: nothing is copied for them. */
function deliveriesOf(entries: readonly PlannedEntry[]): readonly NewDelivery[] {
  const [first] = entries
  return first !== undefined && entries.length === 1
    ? first.deliveries
    : entries.flatMap((entry) => entry.deliveries)
}

/** `send_at`: stored now, presented again at its time, under the same message id. */
async function schedule(
  core: Core,
  arrival: Arrival,
  decision: NotifyDecision,
  dueAt: number,
): Promise<Outcome> {
  // The audience is checked now, so that a mistake is told now.
  audienceOf(core.directory(), arrival.publish.principal.tenant, decision.to)
  const result = { status: 'scheduled', message_id: arrival.messageId, send_at: dueAt / 1000 }
  const committed = core.store.accept(
    acceptanceOf(arrival, result, { release: releaseOf(arrival, decision, dueAt) }),
  )
  arrival.submitted()
  const accepted = await committed
  core.worker.wake('release', dueAt)
  return storedOutcome(core, arrival, result, accepted)
}
