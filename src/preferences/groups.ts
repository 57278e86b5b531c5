import type { Preferences } from '../directory/directory.ts'
import { namesOf } from './names.ts'
import { OPT_IN_CATEGORY, WHOLE_GROUP, type NotificationTypes } from './notification-types.ts'
import type { PersonalChannel, Preference } from './preference.ts'
import { compilePreferences } from './wishes.ts'

/** How an event of a group comes (checklist C05). */
export interface EventSetting {
  readonly enabled: boolean
  /** Those it comes on, or would if it were enabled; `realtime` is called `system`. */
  readonly channels: readonly string[]
  /** The person has said nothing about it: it follows from broader rows and from the switches. */
  readonly default?: true
}

export type Groups = Readonly<Record<string, { readonly events: Readonly<Record<string, EventSetting>> }>>

/** Channels that a setting always decides, because they are used without being asked for. */
const SWITCHED = ['realtime', 'email', 'sms', 'push'] as const satisfies readonly (keyof Preferences)[]
const OTHERS = ['voice', 'web_push', 'telegram', 'speech'] as const satisfies readonly PersonalChannel[]

/** Where settings of groups are looked at: for one customer, or with null for all. */
export interface GroupScope {
  readonly types: NotificationTypes
  readonly customerId: string | null
  /** The person's switches, `push` only when a device is there. */
  readonly switches: Preferences
}

/** The rows of a person as settings of the known events. */
export function groupsOf(rows: readonly Preference[], scope: GroupScope): Groups {
  const view = settings(rows, scope)
  return Object.fromEntries(
    [...scope.types].map(([group, events]) => [
      group,
      { events: Object.fromEntries(events.map((event) => [event, view(group, event)])) },
    ]),
  )
}

/** Looks up single settings of {@link groupsOf}. */
export function settings(
  rows: readonly Preference[],
  { customerId, switches }: GroupScope,
): (group: string, event: string) => EventSetting {
  const compiled = compilePreferences(rows)
  return (group, event) => {
    const eventType = `${group}.${event}`
    const own = rows.filter((row) => row.eventType === eventType && row.customerId === customerId)
    const paused = own.filter((row) => row.paused).map(({ channel }) => channel)
    if (paused.length > 0 && !own.some((row) => row.enabled))
      return { enabled: false, channels: words(paused) }
    // No event is called like this, so that only patterns over the whole group and beyond answer.
    const names = event === WHOLE_GROUP ? [`${group}.`] : namesOf({ type: group, event })
    const wishes = compiled.about(names, customerId ?? undefined)
    const on = [
      ...SWITCHED.filter(
        (channel) => wishes.get(channel)?.enabled ?? (group !== OPT_IN_CATEGORY && switches[channel]),
      ),
      ...OTHERS.filter((channel) => wishes.get(channel)?.enabled),
    ]
    return { enabled: on.length > 0, channels: words(on), ...(own.length === 0 && { default: true }) }
  }
}

/**
 * The rows that a setting stands for: one for each channel that it decides, those it does not name switched off. What
 * it names while it is not enabled is paused.
 */
export function rowsOf(
  eventType: string,
  customerId: string | null,
  { enabled, channels }: { readonly enabled: boolean; readonly channels: readonly PersonalChannel[] },
): readonly Preference[] {
  return [...new Set([...SWITCHED, ...channels])].map((channel) => {
    const named = channels.includes(channel)
    return {
      eventType,
      channel,
      customerId,
      enabled: enabled && named,
      ...(named && !enabled && { paused: true as const }),
    }
  })
}

function words(channels: readonly PersonalChannel[]): readonly string[] {
  return channels.map((channel) => (channel === 'realtime' ? 'system' : channel))
}
