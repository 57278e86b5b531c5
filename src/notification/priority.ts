import type { ChannelName } from '../delivery/delivery.ts'
import type { Preferences } from '../directory/directory.ts'
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

export interface ChannelChoice {
  readonly channel: RuledChannel
  /** `chosen`, or why the channel is left out: kept, so that "why was I not told?" has an answer. */
  readonly reason: 'chosen' | 'priority_too_low' | 'preference_off' | 'no_address' | 'no_device'
}

/**
 * Says for every channel of R19 whether a notification of this priority uses it. `can` answers whether the channel
 * has an address or device of the person; it is not asked for `realtime`, which needs none.
 */
export function channelsFor(
  priority: Priority,
  preferences: Preferences,
  can: (channel: RuledChannel) => boolean,
): readonly ChannelChoice[] {
  const given = rank(priority)
  return RULED.map(({ channel, least, rule }) => {
    if (given < least) return { channel, reason: 'priority_too_low' }
    if (!preferences[channel]) return { channel, reason: 'preference_off' }
    if (rule.unreachable !== null && !can(channel)) return { channel, reason: rule.unreachable }
    return { channel, reason: 'chosen' }
  })
}

/** The priority a notification counts as: the given one, else `high` for an error (checklist 1.5), else `normal` (R17). */
export function effectivePriority(given: Priority | undefined, severity: Severity | undefined): Priority {
  return given ?? (severity === 'error' ? 'high' : 'normal')
}

function rank(priority: Priority): number {
  return PRIORITIES.indexOf(priority)
}
