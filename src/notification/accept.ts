import type { Core } from '../core.ts'
import { newDelivery } from '../delivery/plan.ts'
import { startDeliveries } from '../delivery/start.ts'
import type { ChannelName } from '../delivery/delivery.ts'
import type { Person } from '../directory/directory.ts'
import { onceOf } from '../router/once.ts'
import type { Outcome } from '../router/publish.ts'
import type { Arrival } from '../router/arrival.ts'
import type { AcceptResult, Acceptance, NewDelivery, NewNotification } from '../store/store.ts'
import { audienceOf } from './audience.ts'
import { contentOf } from './content.ts'
import type { Draft, NotifyDecision } from './decision.ts'
import type { Notification, Origin } from './notification.ts'
import { heldUntil } from './preferences.ts'
import { channelsFor, effectivePriority } from './priority.ts'
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

interface NotificationPlan {
  readonly result: Readonly<Record<string, unknown>>
  readonly entries: readonly PlannedEntry[]
}

/** One entry of an inbox, or of everybody's, with what is sent about it. */
interface PlannedEntry {
  readonly notification: NewNotification
  readonly deliveries: readonly NewDelivery[]
}

/** Who gets it, on which channels, and what the publisher is told. Writes nothing. */
function planNotification(core: Core, arrival: Arrival, decision: NotifyDecision): NotificationPlan {
  const { to, draft } = decision
  const people = audienceOf(core.directory(), arrival.publish.principal.tenant, to)
  if ('broadcast' in to) {
    const id = core.ids.next(arrival.now)
    const notification = notificationFor(arrival, {
      id,
      userId: null,
      audience: to.broadcast,
      draft,
      channels: ['realtime'],
    })
    return {
      result: { status: 'broadcast_sent', broadcast_id: id, sent_count: people.length },
      entries: [{ notification, deliveries: [] }],
    }
  }
  const personal = people.map((person) => planFor(core, arrival, draft, person))
  const [first] = personal
  return {
    result:
      'user' in to && first !== undefined
        ? {
            status: 'sent',
            notification_id: first.notification.id,
            channels: first.notification.content.channels,
          }
        : { status: 'group_sent', group_id: 'group' in to ? to.group : '', sent_count: personal.length },
    entries: personal,
  }
}

function planFor(core: Core, arrival: Arrival, draft: Draft, person: Person): PlannedEntry {
  const { now } = arrival
  const id = core.ids.next(now)
  const priority = effectivePriority(draft.priority, draft.severity)
  const chosen = channelsFor(
    priority,
    person.preferences,
    (channel) => channel === 'realtime' || core.canReach(person, channel),
  )
    .filter((choice) => choice.reason === 'chosen')
    .map((choice) => choice.channel)
  const notification = notificationFor(arrival, {
    id,
    userId: person.id,
    audience: [],
    draft,
    channels: chosen,
  })
  const quietUntil = heldUntil(person.quietHours, person.timezone, now, priority)
  const deliveries = chosen.map((channel, ordinal) =>
    newDelivery({
      tenant: person.tenant,
      subjectKind: 'notification',
      subjectId: id,
      ordinal,
      purpose: 'message',
      userId: person.id,
      channel,
      address: core.addressOf(person, channel),
      critical: priority === 'critical',
      origin: notification.origin,
      now,
      dueAt: quietUntil ?? now,
    }),
  )
  return { notification, deliveries }
}

interface NotificationParts {
  readonly id: string
  readonly userId: string | null
  readonly audience: readonly string[]
  readonly draft: Draft
  readonly channels: readonly ChannelName[]
}

function notificationFor(arrival: Arrival, parts: NotificationParts): NewNotification {
  const { publish, now } = arrival
  return {
    id: parts.id,
    tenant: publish.principal.tenant,
    userId: parts.userId,
    audience: parts.audience,
    origin: originOf(arrival),
    content: contentOf(parts.draft, now, parts.channels),
    createdAt: now,
  }
}

export function originOf(arrival: Arrival): Origin {
  return {
    principal: arrival.publish.principal.id,
    messageId: arrival.messageId,
    topic: arrival.publish.topic,
  }
}

/** What an acceptance may write besides its record. */
type Writes = Partial<Pick<Acceptance, 'notifications' | 'deliveries' | 'alert' | 'release' | 'urgent'>>

/** The acceptance of a publish with what is special to it; everything else is absent. */
export function acceptanceOf(
  arrival: Arrival,
  result: Acceptance['result'],
  writes: Writes = {},
): Acceptance {
  const { publish, now } = arrival
  // Spelled out, because a copy with changes takes V8 a microsecond more.
  return {
    tenant: publish.principal.tenant,
    at: now,
    principal: publish.principal.id,
    topic: publish.topic,
    once: onceOf(arrival),
    result,
    notifications: writes.notifications ?? [],
    deliveries: writes.deliveries ?? [],
    alert: writes.alert ?? null,
    deadLetter: null,
    release: writes.release ?? null,
    urgent: writes.urgent ?? false,
  }
}

/** Answers the publisher after the commit: the outcome, and the first receipt (contract section 4). */
export function storedOutcome(
  core: Core,
  arrival: Arrival,
  planned: Readonly<Record<string, unknown>>,
  accepted: AcceptResult,
): Outcome {
  const duplicate = accepted.kind === 'duplicate'
  const result = duplicate ? accepted.result : planned
  core.receipts.accepted(originOf(arrival), result)
  return { kind: 'stored', id: arrival.messageId, result, duplicate }
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
