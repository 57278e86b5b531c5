import type { Core } from '../core.ts'
import type { Delivery } from '../delivery/delivery.ts'
import type { Person } from '../directory/directory.ts'
import type { Notification } from '../notification/notification.ts'
import { choicesFor } from '../notification/plan.ts'
import { heldUntil } from '../notification/preferences.ts'
import type { ChannelChoice } from '../notification/priority.ts'
import { deliveryLinks, type Link } from './link.ts'

/** Why a notification did or did not reach this person, in the order in which it was decided. Reads nothing else. */
export function whyNotification(
  core: Pick<Core, 'addressesOf' | 'devices' | 'preferences'>,
  notification: Notification,
  person: Person,
  deliveries: readonly Delivery[],
): readonly Link[] {
  const audience = audienceLink(notification, person)
  const links = [routeLink(notification), audience]
  if (audience.decision === 'out') return links
  const used = new Set<string>(deliveries.map(({ channel }) => channel))
  // What is for everybody has no delivery of its own in the app: everybody reads the one entry.
  if (notification.userId === null) used.add('realtime')
  const { content, createdAt } = notification
  const choices = choicesFor(core, person, { priority: content.priority, message: content })
  const until = heldUntil(person.quietHours, person.timezone, createdAt, content.priority)
  return [
    ...links,
    ...choices.map((choice) => channelLink(choice, person, content.priority, used)),
    ...(until === null ? [] : [quietLink(until)]),
    ...deliveryLinks(deliveries),
    inboxLink(notification),
  ]
}

function routeLink({ origin, createdAt }: Notification): Link {
  const { topic, principal, messageId } = origin
  const detail = { topic, publisher: principal, message_id: messageId }
  return { stage: 'route', decision: 'accepted', code: 'routed', detail, at: createdAt }
}

function audienceLink({ userId, audience }: Notification, person: Person): Link {
  const stage = 'audience'
  if (userId !== null) {
    const addressed = userId === person.id
    return {
      stage,
      decision: addressed ? 'in' : 'out',
      code: addressed ? 'addressed' : 'not_in_audience',
      detail: { for_user: userId },
    }
  }
  if (audience.length === 0) return { stage, decision: 'in', code: 'broadcast', detail: {} }
  const shared = audience.filter((group) => person.groups.includes(group))
  return {
    stage,
    decision: shared.length > 0 ? 'in' : 'out',
    code: shared.length > 0 ? 'group_member' : 'not_in_audience',
    detail: { for_groups: audience, groups: person.groups },
    recomputed: true,
  }
}

/** What is used is known from the rows; why is decided again. Where the two differ, something was changed since. */
function channelLink(
  { channel, reason, pattern }: ChannelChoice,
  { preferences }: Person,
  priority: string,
  used: ReadonlySet<string>,
): Link {
  const push = channel === 'push' && used.has('web_push')
  const taken = used.has(channel) || push
  const switched = channel in preferences ? preferences[channel as keyof typeof preferences] : null
  return {
    stage: 'channel',
    decision: taken ? 'used' : 'left_out',
    code: reason,
    detail: {
      channel,
      priority,
      decided_by: pattern === null ? DECIDED_BY[reason] : 'preference_row',
      ...(pattern !== null && { pattern }),
      ...(switched !== null && { switch: switched }),
      ...(taken !== (reason === 'chosen') && { changed_since: true }),
    },
    recomputed: true,
  }
}

const DECIDED_BY: Readonly<Record<ChannelChoice['reason'], string>> = {
  chosen: 'priority',
  priority_too_low: 'priority',
  preference_off: 'switch',
  no_address: 'address',
  no_device: 'address',
}

function quietLink(until: number): Link {
  const detail = { until: new Date(until).toISOString() }
  return { stage: 'quiet_hours', decision: 'held', code: 'quiet_hours', detail, recomputed: true }
}

function inboxLink({ readAt }: Notification): Link {
  if (readAt === null) return { stage: 'inbox', decision: 'unread', code: 'unread', detail: {} }
  return { stage: 'inbox', decision: 'read', code: 'read', detail: {}, at: readAt }
}
