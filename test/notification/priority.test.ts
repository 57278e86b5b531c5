import { expect } from 'chai'
import type { Preferences } from '../../src/directory/directory.ts'
import type { PersonalChannel } from '../../src/preferences/preference.ts'
import type { Wishes } from '../../src/preferences/wishes.ts'
import { PRIORITIES, type Priority } from '../../src/notification/notification.ts'
import { CHANNEL_RULES, channelsFor, effectivePriority } from '../../src/notification/priority.ts'

const DEFAULTS: Preferences = { realtime: true, email: true, sms: false, push: true }
const ALL_ON: Preferences = { ...DEFAULTS, sms: true }
const ALL_OFF: Preferences = { realtime: false, email: false, sms: false, push: false }

const always = () => true
const never = () => false

function chosen(priority: Priority, preferences: Preferences, can: (channel: string) => boolean = always) {
  return channelsFor(priority, preferences, can)
    .filter(({ reason }) => reason === 'chosen')
    .map(({ channel }) => channel)
}

function reasons(priority: Priority, preferences: Preferences, can: (channel: string) => boolean = always) {
  return Object.fromEntries(
    channelsFor(priority, preferences, can).map(({ channel, reason }) => [channel, reason]),
  )
}

describe('the channels of a notification', () => {
  const table: readonly [Priority, Preferences, string, readonly string[]][] = [
    ['low', DEFAULTS, 'the default preferences', ['realtime', 'push']],
    ['normal', DEFAULTS, 'the default preferences', ['realtime', 'push']],
    ['high', DEFAULTS, 'the default preferences', ['realtime', 'email', 'push']],
    ['critical', DEFAULTS, 'the default preferences', ['realtime', 'email', 'push']],
    ['low', ALL_ON, 'everything on', ['realtime', 'push']],
    ['normal', ALL_ON, 'everything on', ['realtime', 'push']],
    ['high', ALL_ON, 'everything on', ['realtime', 'email', 'push']],
    ['critical', ALL_ON, 'everything on', ['realtime', 'email', 'sms', 'push']],
    ['critical', ALL_OFF, 'everything off', []],
    ['critical', { ...ALL_ON, email: false }, 'e-mail off', ['realtime', 'sms', 'push']],
    ['critical', { ...ALL_ON, push: false }, 'push off', ['realtime', 'email', 'sms']],
    ['critical', { ...ALL_ON, realtime: false }, 'realtime off', ['email', 'sms', 'push']],
  ]
  for (const [priority, preferences, called, channels] of table) {
    it(`of priority ${priority} with ${called} are ${channels.join(', ') || 'none'} (R16, R19)`, () => {
      expect(chosen(priority, preferences)).to.deep.equal(channels)
    })
  }

  it('that are left out each say why', () => {
    expect(reasons('normal', ALL_OFF)).to.deep.equal({
      realtime: 'preference_off',
      email: 'priority_too_low',
      sms: 'priority_too_low',
      push: 'preference_off',
    })
    expect(reasons('critical', ALL_ON, never)).to.deep.equal({
      realtime: 'chosen',
      email: 'no_address',
      sms: 'no_address',
      push: 'no_device',
    })
  })

  it('count push only for a person with a device, and need no address for realtime (checklist 1.6.7)', () => {
    expect(chosen('normal', DEFAULTS, (channel) => channel !== 'push')).to.deep.equal(['realtime'])
    const asked: string[] = []
    channelsFor('critical', ALL_ON, (channel) => asked.push(channel) > 0)
    expect(asked).to.not.include('realtime')
  })

  const wishes = (asked: Readonly<Record<string, boolean>>, optIn = false): Wishes => ({
    channels: new Map(
      Object.entries(asked).map(([channel, enabled]) => [
        channel as PersonalChannel,
        { enabled, pattern: 'payment.*' },
      ]),
    ),
    optIn,
  })
  const byWish: readonly [what: string, Priority, Preferences, Wishes, readonly string[]][] = [
    [
      'a wish for e-mail at low priority',
      'low',
      DEFAULTS,
      wishes({ email: true }),
      ['realtime', 'email', 'push'],
    ],
    [
      'a wish for SMS at normal priority',
      'normal',
      DEFAULTS,
      wishes({ sms: true }),
      ['realtime', 'sms', 'push'],
    ],
    ['a wish against e-mail', 'critical', ALL_ON, wishes({ email: false }), ['realtime', 'sms', 'push']],
    ['a wish against the switch', 'normal', ALL_OFF, wishes({ realtime: true }), ['realtime']],
    [
      'a wish against everything',
      'critical',
      ALL_ON,
      wishes({ realtime: false, email: false, sms: false, push: false }),
      [],
    ],
    [
      'wishes for channels that have no switch',
      'low',
      ALL_OFF,
      wishes({ telegram: true, voice: true, web_push: true, speech: true }),
      ['voice', 'web_push', 'telegram', 'speech'],
    ],
    ['a wish against such a channel', 'low', ALL_OFF, wishes({ telegram: false }), []],
    ['mail that nobody asked for', 'critical', ALL_ON, wishes({}, true), []],
    ['mail that was asked for by e-mail', 'normal', ALL_ON, wishes({ email: true }, true), ['email']],
  ]
  for (const [what, priority, preferences, asked, channels] of byWish) {
    it(`follow ${what} (R19, X14, X34, P2)`, () => {
      const choices = channelsFor(priority, preferences, always, asked)
      expect(choices.flatMap(({ channel, reason }) => (reason === 'chosen' ? [channel] : []))).to.deep.equal(
        channels,
      )
    })
  }

  it('name the row that decided, and what was missing where a wish cannot be met (P2)', () => {
    const asked = wishes({ realtime: false, email: true, telegram: true, web_push: true })
    const pattern = 'payment.*'
    expect(channelsFor('normal', DEFAULTS, never, asked)).to.deep.equal([
      { channel: 'realtime', reason: 'preference_off', pattern },
      { channel: 'email', reason: 'no_address', pattern },
      { channel: 'sms', reason: 'priority_too_low', pattern: null },
      { channel: 'push', reason: 'no_device', pattern: null },
      { channel: 'web_push', reason: 'no_device', pattern },
      { channel: 'telegram', reason: 'no_address', pattern },
    ])
  })

  it('are all accounted for, at every priority', () => {
    for (const priority of PRIORITIES) {
      const channels = channelsFor(priority, DEFAULTS, always).map(({ channel }) => channel)
      expect(channels).to.deep.equal(Object.keys(CHANNEL_RULES))
    }
  })
})

describe('the priority of a notification', () => {
  it('is the given one, high for an error without one, and normal otherwise (R17, checklist 1.5)', () => {
    expect(effectivePriority('low', 'error')).to.equal('low')
    expect(effectivePriority(undefined, 'error')).to.equal('high')
    expect(effectivePriority(undefined, 'warning')).to.equal('normal')
    expect(effectivePriority(undefined, undefined)).to.equal('normal')
  })
})
