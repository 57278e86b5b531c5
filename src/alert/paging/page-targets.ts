import type { ChannelName } from '../../delivery/delivery.ts'
import type { ContactRule, Person } from '../../directory/directory.ts'
import { heldUntil } from '../../notification/preferences.ts'
import type { RuledChannel } from '../../notification/priority.ts'
import type { AlertLevel } from '../alert.ts'
import type { Page } from '../escalation/start.ts'

/** One person who is told, and how; each person once per page. */
export interface PageTarget {
  readonly userId: string
  /** In the order of their times. A channel may come again later (behaviour E2); never twice at the same time. */
  readonly channels: readonly TimedChannel[]
  /** What the level calls for and the person does not want. Empty for critical, which asks nobody's wishes (R23). */
  readonly skipped: readonly { readonly channel: ChannelName; readonly reason: 'preference_off' }[]
  readonly reason: Page['because'] | 'admin'
}

export interface TimedChannel {
  readonly channel: ChannelName
  /** Counted from the page. */
  readonly afterMs: number
}

/** Who gets what without contact rules of their own (contract section 6; checklist R23, R32, R33). */
const CHANNELS_BY_LEVEL = {
  critical: { users: ['realtime', 'email', 'sms', 'push'], admins: ['realtime', 'email', 'sms', 'push'] },
  warning: { users: ['realtime', 'push'], admins: ['email'] },
  // An info never wakes anybody.
  info: { users: ['realtime'], admins: ['realtime'] },
} as const satisfies Record<AlertLevel, Record<'users' | 'admins', readonly RuledChannel[]>>

/** The channels that an info may use, whatever a person's rules say: those that make no noise at night. */
const SILENT_CHANNELS: readonly ChannelName[] = ['realtime', 'email']

/**
 * Who is told on which channels, and when: the people of the page and the admins, each once (R23). A person's own
 * contact rules replace the channels of the level. For critical neither preferences nor quiet hours count (contract
 * section 6), and channels of a step go before rules; for the other levels preferences take channels out, and quiet hours hold all but `realtime` back.
 * People whom `personOf` does not know are left out. Whether a channel has an address is for the caller to see.
 */
export function pageTargets(
  page: Page,
  personOf: (id: string) => Person | undefined,
  now: number,
): readonly PageTarget[] {
  const admins = new Set(page.admins)
  const users = new Set(page.users)
  return [...new Set([...users, ...admins])].flatMap((id) => {
    const person = personOf(id)
    if (!person) return []
    const defaults = CHANNELS_BY_LEVEL[page.level]
    const called = new Set<RuledChannel>([
      ...(users.has(id) ? defaults.users : []),
      ...(admins.has(id) ? defaults.admins : []),
    ])
    const reason = users.has(id) ? page.because : 'admin'
    if (page.channels && users.has(id)) {
      const channels = page.channels.map((channel) => held({ channel, afterMs: 0 }, person, page.level, now))
      return [{ userId: id, reason, channels, skipped: [] }]
    }
    return [{ userId: id, reason, ...channelsOf(person, page.level, [...called], now) }]
  })
}

/** Every channel on which a critical page would be tried, now or later. */
export function pagedOn(person: Person): readonly ChannelName[] {
  const own = inOrder(contactRulesFor(person, 'critical')).map(({ channel }) => channel)
  return own.length > 0 ? own : CHANNELS_BY_LEVEL.critical.users
}

function channelsOf(
  person: Person,
  level: AlertLevel,
  called: readonly RuledChannel[],
  now: number,
): Pick<PageTarget, 'channels' | 'skipped'> {
  const own = inOrder(contactRulesFor(person, level))
  if (own.length > 0) return { channels: own.map((timed) => held(timed, person, level, now)), skipped: [] }
  const off = level === 'critical' ? [] : called.filter((channel) => !person.preferences[channel])
  return {
    channels: called
      .filter((channel) => !off.includes(channel))
      .map((channel) => held({ channel, afterMs: 0 }, person, level, now)),
    skipped: off.map((channel) => ({ channel, reason: 'preference_off' })),
  }
}

/**
 * A person's own rules for a level. `default` does not stand in for `critical`: only a list that says critical may
 * take a channel away from a critical page. It does not stand in for `info` either, which would then make noise.
 */
function contactRulesFor({ contactRules }: Person, level: AlertLevel): readonly ContactRule[] {
  switch (level) {
    case 'critical':
      return contactRules.critical ?? []
    case 'warning':
      return contactRules.warning ?? contactRules.default ?? []
    case 'info':
      return (contactRules.info ?? []).map(({ afterMs, via }) => ({
        afterMs,
        via: via.filter((channel) => SILENT_CHANNELS.includes(channel)),
      }))
  }
}

function inOrder(rules: readonly ContactRule[]): readonly TimedChannel[] {
  const seen = new Set<string>()
  return rules
    .toSorted((a, b) => a.afterMs - b.afterMs)
    .flatMap(({ afterMs, via }) => via.map((channel) => ({ channel, afterMs })))
    .filter(({ channel, afterMs }) => {
      const key = `${channel} ${afterMs}`
      return !seen.has(key) && seen.add(key)
    })
}

function held(timed: TimedChannel, person: Person, level: AlertLevel, now: number): TimedChannel {
  if (level === 'critical' || timed.channel === 'realtime') return timed
  const until = heldUntil(person.quietHours, person.timezone, now + timed.afterMs, level)
  return until === null ? timed : { ...timed, afterMs: until - now }
}
