import type { Core } from '../core.ts'
import type { ChannelName } from '../delivery/delivery.ts'
import { newDelivery } from '../delivery/plan.ts'
import type { Person } from '../directory/directory.ts'
import type { Arrival } from '../router/arrival.ts'
import type { NewDelivery, NewNotification } from '../store/store.ts'
import { originOf } from './acceptance.ts'
import { audienceOf } from './audience.ts'
import { contentOf } from './content.ts'
import type { Draft, NotifyDecision } from './decision.ts'
import type { Priority } from './notification.ts'
import { heldUntil } from './preferences.ts'
import { channelsFor, effectivePriority } from './priority.ts'

export interface NotificationPlan {
  readonly result: Readonly<Record<string, unknown>>
  readonly entries: readonly PlannedEntry[]
}

/** One entry of an inbox, or of everybody's, with what is sent about it. */
export interface PlannedEntry {
  readonly notification: NewNotification
  readonly deliveries: readonly NewDelivery[]
}

/** Who gets it, on which channels, and what the publisher is told. Writes nothing. */
export function planNotification(core: Core, arrival: Arrival, decision: NotifyDecision): NotificationPlan {
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
      entries: [{ notification, deliveries: broadcastDeliveries(core, arrival, notification, people) }],
    }
  }
  const personal = people.map((person, ahead) => planFor(core, arrival, draft, { person, ahead }))
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

function planFor(
  core: Core,
  arrival: Arrival,
  draft: Draft,
  { person, ahead }: { readonly person: Person; readonly ahead: number },
): PlannedEntry {
  const { now } = arrival
  const id = core.ids.next(now)
  const priority = effectivePriority(draft.priority, draft.severity)
  const chosen = chosenFor(core, person, priority)
  const notification = notificationFor(arrival, {
    id,
    userId: person.id,
    audience: [],
    draft,
    channels: chosen,
  })
  const deliveries = chosen.map((channel, ordinal) =>
    deliveryTo(core, person, { notification, ordinal, channel, now, ahead }),
  )
  return { notification, deliveries }
}

/**
 * What a broadcast sends beside `realtime`, which is derived from the one row for everybody: each person by their own
 * preferences, as R19 has it for one (section 1.6, fault 6).
 */
function broadcastDeliveries(
  core: Core,
  { now }: Arrival,
  notification: NewNotification,
  people: readonly Person[],
): readonly NewDelivery[] {
  const chosen = people.flatMap((person) =>
    chosenFor(core, person, notification.content.priority)
      .filter((channel) => channel !== 'realtime')
      .map((channel) => ({ person, channel })),
  )
  return chosen.map(({ person, channel }, ordinal) =>
    deliveryTo(core, person, { notification, ordinal, channel, now, ahead: ordinal }),
  )
}

function chosenFor(core: Core, person: Person, priority: Priority): readonly ChannelName[] {
  const can = (channel: ChannelName) => channel === 'realtime' || core.canReach(person, channel)
  return channelsFor(priority, person.preferences, can)
    .filter((choice) => choice.reason === 'chosen')
    .map((choice) => choice.channel)
}

interface DeliveryParts {
  readonly notification: NewNotification
  readonly ordinal: number
  readonly channel: ChannelName
  readonly now: number
  /** How many of the same publish come before it. */
  readonly ahead: number
}

/** One channel of one person; held back while their quiet hours last. */
function deliveryTo(
  core: Core,
  person: Person,
  { notification, ordinal, channel, now, ahead }: DeliveryParts,
): NewDelivery {
  const { id, tenant, origin, content } = notification
  const address = core.addressOf(person, channel)
  const lane = core.laneOf(channel, address)
  return newDelivery({
    tenant,
    subjectKind: 'notification',
    subjectId: id,
    ordinal,
    purpose: 'message',
    userId: person.id,
    channel,
    lane,
    address,
    critical: content.priority === 'critical',
    origin,
    now,
    dueAt: heldUntil(person.quietHours, person.timezone, now, content.priority) ?? now,
    // What cannot start at once is better claimed later: a lease that a crash ends looks like a message that was sent.
    leased: core.worker.room(lane) > ahead,
  })
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
