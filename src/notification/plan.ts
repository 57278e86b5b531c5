import type { Core } from '../core.ts'
import type { ChannelName } from '../delivery/delivery.ts'
import { newDelivery } from '../delivery/plan.ts'
import { leadsTo, waysTo, type Way } from '../delivery/ways.ts'
import type { Person } from '../directory/directory.ts'
import type { Arrival } from '../router/arrival.ts'
import type { NewDelivery, NewNotification } from '../store/store.ts'
import { originOf } from './acceptance.ts'
import { audienceOf } from './audience.ts'
import { contentOf } from './content.ts'
import type { Draft, NotifyDecision } from './decision.ts'
import type { NotificationContent, Priority } from './notification.ts'
import { heldUntil } from './preferences.ts'
import { channelsFor, effectivePriority, type ChannelChoice } from './priority.ts'

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
  const personal = people.map((person, ahead) => planFor(core, arrival, decision, { person, ahead }))
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
  { draft, push }: NotifyDecision,
  { person, ahead }: { readonly person: Person; readonly ahead: number },
): PlannedEntry {
  const { now } = arrival
  const id = core.ids.next(now)
  const priority = effectivePriority(draft.priority, draft.severity)
  const chosen = chosenFor(core, person, { priority, message: draft, push })
  const published = notificationFor(arrival, {
    id,
    userId: person.id,
    audience: [],
    draft,
    channels: chosen.map(({ channel }) => channel),
  })
  const words = core.wordInbox(published, person)
  const notification =
    words === null ? published : { ...published, content: { ...published.content, ...words } }
  const deliveries = chosen
    .flatMap(({ ways }) => ways)
    .map((way, ordinal) => deliveryTo(core, person, { notification, ordinal, way, now, ahead, push }))
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
  const { content } = notification
  const chosen = people.flatMap((person) =>
    chosenFor(core, person, { priority: content.priority, message: content })
      .filter(({ channel }) => channel !== 'realtime')
      .flatMap(({ ways }) => ways.map((way) => ({ person, way }))),
  )
  return chosen.map(({ person, way }, ordinal) =>
    deliveryTo(core, person, { notification, ordinal, way, now, ahead: ordinal }),
  )
}

interface Chosen {
  /** As the publisher is told it: `push` stands for phones and browsers. */
  readonly channel: ChannelName
  readonly ways: readonly Way[]
}

interface Asked {
  readonly priority: Priority
  readonly message: Draft | NotificationContent
  readonly push?: NotifyDecision['push']
}

/**
 * The channels of R19, and those that the person asked for, with all that they lead to. A person who has a wish about
 * browsers gets them by that wish alone. A push that was published as one goes nowhere but to the app (R37).
 */
function chosenFor(core: Core, person: Person, { priority, message, push }: Asked): readonly Chosen[] {
  const apart = core.preferences.wishes(person, message).channels.has('web_push')
  return choicesFor(core, person, { priority, message, push })
    .filter(({ reason }) => reason === 'chosen')
    .map(({ channel }) => {
      const ways = waysOf(core, person, channel, push)
      return {
        channel,
        ways: apart && channel === 'push' ? ways.filter((way) => way.channel === 'push') : ways,
      }
    })
    .filter(({ ways }) => ways.length > 0)
}

/** What is decided about every channel for this person at this moment, and why (checklist R19, X34). */
export function choicesFor(
  core: Pick<Core, 'addressesOf' | 'devices' | 'preferences'>,
  person: Person,
  { priority, message, push }: Asked,
): readonly ChannelChoice[] {
  const can = (channel: ChannelName) => waysOf(core, person, channel, push).length > 0
  return channelsFor(priority, person.preferences, can, core.preferences.wishes(person, message))
}

function waysOf(
  core: Pick<Core, 'addressesOf' | 'devices'>,
  person: Person,
  channel: ChannelName,
  push: NotifyDecision['push'],
): readonly Way[] {
  const ways = waysTo(core, person, channel)
  if (push === undefined || channel === 'realtime') return ways
  return ways.filter((way) => leadsTo(way, push.platform, core.devices))
}

interface DeliveryParts {
  readonly notification: NewNotification
  readonly ordinal: number
  readonly way: Way
  readonly now: number
  /** How many of the same publish come before it. */
  readonly ahead: number
  readonly push?: NotifyDecision['push']
}

/** One address of one person; held back while their quiet hours last. */
function deliveryTo(
  core: Core,
  person: Person,
  { notification, ordinal, way, now, ahead, push }: DeliveryParts,
): NewDelivery {
  const { channel, address } = way
  const { id, tenant, origin, content } = notification
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
    ...(content.expiresAt !== undefined && { expiresAt: content.expiresAt }),
    dueAt: heldUntil(person.quietHours, person.timezone, now, content.priority) ?? now,
    // What cannot start at once is better claimed later: a lease that a crash ends looks like a message that was sent.
    leased: core.worker.room(lane) > ahead,
    ...(push !== undefined &&
      channel !== 'realtime' && {
        fixed: { subject: content.title, text: content.message, push: push.particulars },
      }),
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
