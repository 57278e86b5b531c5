import type { ChannelName } from '../delivery/delivery.ts'
import type { Preferences } from '../directory/directory.ts'
import type { PersonalChannel } from '../preferences/preference.ts'
import { NO_WISHES, type Wish, type Wishes } from '../preferences/wishes.ts'
import { PRIORITIES, type Priority, type Severity } from './notification.ts'

/** The channels that a notification chooses from, each with a switch among the preferences (checklist R19, R28). */
export type RuledChannel = keyof Preferences & ChannelName

interface ChannelRule {
  /** The lowest priority that uses the channel. */
  readonly from: Priority
  /** Why it is left out for a person it cannot reach; null when it reaches everybody. */
  readonly unreachable: 'no_address' | 'no_device' | null
}

/** Which priority goes where (checklist R19), given that the person has not switched the channel off. */
export const CHANNEL_RULES = {
  realtime: { from: 'low', unreachable: null },
  email: { from: 'high', unreachable: 'no_address' },
  sms: { from: 'critical', unreachable: 'no_address' },
  push: { from: 'low', unreachable: 'no_device' },
} as const satisfies Record<RuledChannel, ChannelRule>

// Object.entries forgets that the table has these keys and no others.
const RULED = (Object.entries(CHANNEL_RULES) as [RuledChannel, ChannelRule][]).map(([channel, rule]) => ({
  channel,
  rule,
  least: rank(rule.from),
}))

/** Channels that are only used by those who ask for them, and why one is left out for a person it cannot reach. */
const ASKED_FOR = [
  { channel: 'voice', unreachable: 'no_address' },
  { channel: 'web_push', unreachable: 'no_device' },
  { channel: 'telegram', unreachable: 'no_address' },
  { channel: 'speech', unreachable: 'no_device' },
] as const satisfies readonly { channel: PersonalChannel; unreachable: ChannelRule['unreachable'] }[]

export interface ChannelChoice {
  readonly channel: PersonalChannel
  /** `chosen`, or why the channel is left out: kept, so that "why was I not told?" has an answer. */
  readonly reason: 'chosen' | 'priority_too_low' | 'preference_off' | 'no_address' | 'no_device'
  /** The `event_type` of the person's own row that decided; null where a switch, a default or the priority did. */
  readonly pattern: string | null
}

/**
 * Says for every channel of R19, and for others that the person has a wish about, whether a notification of this
 * priority uses it. A wish goes before switch and priority, either way (checklist X34, behaviour P2). `can` answers
 * whether the channel has an address or device of the person; it is not asked for `realtime`, which needs none.
 */
export function channelsFor(
  priority: Priority,
  preferences: Preferences,
  can: (channel: PersonalChannel) => boolean,
  { channels: wished, optIn }: Wishes = NO_WISHES,
): readonly ChannelChoice[] {
  const given = rank(priority)
  const ruled = RULED.map(({ channel, least, rule }): ChannelChoice => {
    const { unreachable } = rule
    const wish = wished.get(channel)
    if (wish) return asWished(wish, { channel, unreachable }, can)
    if (given < least) return { channel, reason: 'priority_too_low', pattern: null }
    if (optIn || !preferences[channel]) return { channel, reason: 'preference_off', pattern: null }
    if (unreachable !== null && !can(channel)) return { channel, reason: unreachable, pattern: null }
    return { channel, reason: 'chosen', pattern: null }
  })
  if (wished.size === 0) return ruled
  const others = ASKED_FOR.flatMap((rule) => {
    const wish = wished.get(rule.channel)
    return wish ? [asWished(wish, rule, can)] : []
  })
  return [...ruled, ...others]
}

function asWished(
  { enabled, pattern }: Wish,
  { channel, unreachable }: { readonly channel: PersonalChannel } & Pick<ChannelRule, 'unreachable'>,
  can: (channel: PersonalChannel) => boolean,
): ChannelChoice {
  if (!enabled) return { channel, reason: 'preference_off', pattern }
  if (unreachable !== null && !can(channel)) return { channel, reason: unreachable, pattern }
  return { channel, reason: 'chosen', pattern }
}

/** The priority a notification counts as: the given one, else `high` for an error (checklist 1.5), else `normal` (R17). */
export function effectivePriority(given: Priority | undefined, severity: Severity | undefined): Priority {
  return given ?? (severity === 'error' ? 'high' : 'normal')
}

function rank(priority: Priority): number {
  return PRIORITIES.indexOf(priority)
}
