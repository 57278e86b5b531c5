import { fault } from '../errors.ts'
import { rowsOf, settings, type EventSetting, type GroupScope } from './groups.ts'
import { groupNamed } from './notification-types.ts'
import { CHANNEL_WORDS, personalChannel, type PersonalChannel, type Preference } from './preference.ts'

/** How many rows one person may have. */
export const MOST_ROWS = 500
/** Checklist X34. */
const LONGEST_EVENT_TYPE = 100

/** What a person asks for; wire names. */
export interface PreferenceRequest {
  readonly groups?: Readonly<Record<string, { readonly events: Readonly<Record<string, SettingRequest>> }>>
  readonly preferences?: readonly RowRequest[]
}

interface SettingRequest {
  readonly enabled?: boolean
  readonly channels?: readonly string[]
  readonly default?: boolean
}

interface RowRequest {
  readonly event_type: string
  readonly channel: string
  /** Null takes the row away. */
  readonly enabled: boolean | null
  readonly customer_id?: string | null
}

export interface ChangeScope extends GroupScope {
  /** The person's customers: only of those may rows be. */
  readonly customers: readonly string[]
}

/**
 * The rows after a request, in the order of writing. Rows of `preferences` are put in the place of those with the same
 * event type, channel and customer; a setting of `groups` replaces the rows of its event; what a request does not name
 * stays. A setting that comes back exactly as it was shown changes nothing, so that a form may send all of them.
 *
 * All or nothing: throws `notifications_m.invalid_group`, `…invalid_event`, `…invalid_channel`, `…not_found` for a
 * customer that is not theirs, `request.invalid` for too many rows.
 */
export function changedRows(
  rows: readonly Preference[],
  request: PreferenceRequest,
  scope: ChangeScope,
): readonly Preference[] {
  if (scope.customerId !== null) demandCustomer(scope.customerId, scope.customers)
  const after = new Map(rows.map((row) => [keyOf(row), row]))
  const write = (row: Preference) => {
    const key = keyOf(row)
    const before = after.get(key)
    // Taken out first, because the order of writing breaks ties.
    after.delete(key)
    after.set(key, before?.paused && !row.enabled ? { ...row, paused: true } : row)
  }
  for (const asked of request.preferences ?? []) {
    const row = rowAsked(asked, scope)
    if (asked.enabled === null) after.delete(keyOf(row))
    else write(row)
  }
  for (const { eventType, setting } of settingsAsked(rows, request, scope)) {
    for (const [key, row] of after)
      if (row.eventType === eventType && row.customerId === scope.customerId) after.delete(key)
    for (const row of rowsOf(eventType, scope.customerId, setting)) after.set(keyOf(row), row)
  }
  // Whoever has more from a time with a higher limit may change them and have fewer (behaviour E27).
  if (after.size > Math.max(MOST_ROWS, rows.length)) {
    throw fault(
      'request.invalid',
      `These would be ${after.size} preferences; one person has at most ${MOST_ROWS}. Patterns such as payment.* need fewer`,
      { field: 'preferences', in: 'body' },
    )
  }
  return [...after.values()]
}

function rowAsked(asked: RowRequest, { customerId, customers }: ChangeScope): Preference {
  const { event_type: eventType, customer_id: customer = customerId, enabled } = asked
  if (eventType === '' || eventType.length > LONGEST_EVENT_TYPE || /[\s\p{Cc}]/u.test(eventType)) {
    throw fault(
      'notifications_m.invalid_event',
      `An event_type has 1 to ${LONGEST_EVENT_TYPE} characters and no white space`,
      { event_type: eventType.slice(0, LONGEST_EVENT_TYPE) },
    )
  }
  if (customer !== null) demandCustomer(customer, customers)
  return { eventType, channel: channelAsked(asked.channel), enabled: enabled ?? false, customerId: customer }
}

interface WantedSetting {
  readonly eventType: string
  readonly setting: Parameters<typeof rowsOf>[2]
}

function settingsAsked(
  rows: readonly Preference[],
  { groups = {} }: PreferenceRequest,
  scope: ChangeScope,
): readonly WantedSetting[] {
  const shown = settings(rows, scope)
  return Object.entries(groups).flatMap(([given, { events }]) => {
    const group = groupNamed(scope.types, given)
    const known = group === undefined ? undefined : scope.types.get(group)
    if (group === undefined || known === undefined)
      throw fault('notifications_m.invalid_group', `There is no group ${JSON.stringify(given)}`, {
        group: given,
      })
    return Object.entries(events).flatMap(([event, asked]) => {
      if (!known.includes(event)) {
        const message = `The group ${group} has no event ${JSON.stringify(event)}`
        throw fault('notifications_m.invalid_event', message, { group, event })
      }
      const channels = asked.channels?.map(channelAsked)
      const before = shown(group, event)
      if (isAsShown(asked, channels, before)) return []
      const setting = { enabled: asked.enabled ?? true, channels: channels ?? channelsBefore(before, scope) }
      return [{ eventType: `${group}.${event}`, setting }]
    })
  })
}

/** Whoever says only that an event is wanted gets it where they had it, or else where they get others. */
function channelsBefore(before: EventSetting, { switches }: ChangeScope): readonly PersonalChannel[] {
  if (before.channels.length > 0) return before.channels.map(channelAsked)
  return (['realtime', 'email', 'sms', 'push'] as const).filter((channel) => switches[channel])
}

function isAsShown(
  { enabled, default: unset = false }: SettingRequest,
  channels: readonly PersonalChannel[] | undefined,
  shown: EventSetting,
): boolean {
  const before = shown.channels.map(channelAsked)
  return (
    enabled === shown.enabled &&
    unset === (shown.default ?? false) &&
    channels !== undefined &&
    channels.length === before.length &&
    channels.every((channel) => before.includes(channel))
  )
}

function channelAsked(name: string): PersonalChannel {
  const channel = personalChannel(name)
  if (channel) return channel
  throw fault(
    'notifications_m.invalid_channel',
    `There is no channel ${JSON.stringify(name.slice(0, 50))}; known are ${CHANNEL_WORDS.join(', ')}`,
    { channel: name.slice(0, 50) },
  )
}

/** What belongs to others is answered as what does not exist. */
function demandCustomer(id: string, customers: readonly string[]): void {
  if (customers.includes(id)) return
  throw fault('notifications_m.not_found', `You have no customer ${JSON.stringify(id.slice(0, 100))}`)
}

function keyOf({ eventType, channel, customerId }: Preference): string {
  return JSON.stringify([eventType, channel, customerId])
}
