import { expect } from 'chai'
import type { Preferences } from '../../src/directory/directory.ts'
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
