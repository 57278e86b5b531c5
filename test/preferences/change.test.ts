import { expect } from 'chai'
import { Fault } from '../../src/errors.ts'
import {
  changedRows,
  MOST_ROWS,
  type ChangeScope,
  type PreferenceRequest,
} from '../../src/preferences/change.ts'
import { groupsOf } from '../../src/preferences/groups.ts'
import { notificationTypes } from '../../src/preferences/notification-types.ts'
import { personalChannel, type Preference } from '../../src/preferences/preference.ts'
import { row, told } from './rows.ts'

const SCOPE: ChangeScope = {
  types: notificationTypes({ chat: { events: ['room_closed'] }, shop: { events: ['order_sent'] } }),
  customerId: null,
  customers: ['acme'],
  switches: { realtime: true, email: true, sms: false, push: false },
}
const ACME: ChangeScope = { ...SCOPE, customerId: 'acme' }

function change(rows: readonly Preference[], request: PreferenceRequest, scope = SCOPE) {
  return changedRows(rows, request, scope)
}

/** A request about the one event of `chat` that the tests use. */
function received(setting: { enabled?: boolean; channels?: string[] }): PreferenceRequest {
  return { groups: { chat: { events: { message_received: setting } } } }
}

function shownOf(rows: readonly Preference[]) {
  return groupsOf(rows, SCOPE)['chat']?.events['message_received']
}

/** Rows as a client gets and sends them. */
function wire(rows: readonly Preference[]) {
  return rows.map(({ eventType, channel, enabled }) => ({
    event_type: eventType,
    channel: `${channel}`,
    enabled,
  }))
}

function refusal(request: PreferenceRequest, scope = SCOPE): string {
  try {
    change([], request, scope)
  } catch (error) {
    if (error instanceof Fault) return error.code
    throw error
  }
  return 'taken'
}

describe('the name of a channel', () => {
  const names: readonly [rows: string, name: string, channel: string | undefined][] = [
    ['X03', 'app', 'realtime'],
    ['X04', 'email', 'email'],
    ['X05', 'telegram', 'telegram'],
    ['X06', 'browser', 'web_push'],
    ['X07', 'speech', 'speech'],
    ['C16', 'system', 'realtime'],
    ['C16', 'sms', 'sms'],
    ['R28', 'realtime', 'realtime'],
    ['R28', 'push', 'push'],
    ['R30', 'in_app', 'realtime'],
    ['R30', 'web_push', 'web_push'],
    ['C16', 'voice', 'voice'],
    ['C14', 'webhook', undefined],
    ['C14', 'pigeon', undefined],
    ['C14', 'Email', undefined],
    ['C14', '', undefined],
    ['C14', 'constructor', undefined],
  ]
  for (const [rows, name, channel] of names) {
    it(`${JSON.stringify(name)} stands for ${channel ?? 'none'} (${rows})`, () => {
      expect(personalChannel(name)).to.equal(channel)
    })
  }
})

describe('a change of preferences', () => {
  it('puts rows in the place of those with the same event type, channel and customer, and leaves others (C06, X34)', () => {
    const before = ['-payment.*:email', '-payment.*:sms', '-payment.*:email@acme'].map(row)
    const preferences = [
      { event_type: 'payment.*', channel: 'email', enabled: true },
      { event_type: 'crm', channel: 'browser', enabled: true, customer_id: 'acme' },
    ]
    expect(told(change(before, { preferences }))).to.deep.equal([
      '-payment.*:sms',
      '-payment.*:email@acme',
      '+payment.*:email',
      '+crm:web_push@acme',
    ])
  })

  it('takes a row away with null, and nothing where there is none (C06)', () => {
    const preferences = [
      { event_type: 'payment.*', channel: 'email', enabled: null },
      { event_type: 'crm', channel: 'email', enabled: null },
    ]
    const rows = change(['-payment.*', '-payment.*@acme'].map(row), { preferences })
    expect(told(rows)).to.deep.equal(['-payment.*:email@acme'])
  })

  it('is for the customer that the request names unless a row names its own (C17)', () => {
    const preferences = [
      { event_type: 'a', channel: 'email', enabled: false },
      { event_type: 'b', channel: 'email', enabled: false, customer_id: null },
    ]
    expect(told(change([], { preferences }, ACME))).to.deep.equal(['-a:email@acme', '-b:email'])
  })

  it('of a group replaces what stands for its events and leaves everything else (C05, C06)', () => {
    const before = ['+chat.message_received:telegram', '-chat.room_closed:email', '-chat.*:sms'].map(row)
    expect(told(change(before, received({ enabled: true, channels: ['system', 'sms'] })))).to.deep.equal([
      '-chat.room_closed:email',
      '-chat.*:sms',
      '+chat.message_received:realtime',
      '-chat.message_received:email',
      '+chat.message_received:sms',
      '-chat.message_received:push',
    ])
  })

  it('of a group for one customer leaves what is for all (C17)', () => {
    const groups = { chat: { events: { '*': { enabled: true, channels: ['email'] } } } }
    const rows = change([row('-chat.*:email')], { groups }, ACME)
    expect(told(rows)).to.include.members(['-chat.*:email', '+chat.*:email@acme', '-chat.*:realtime@acme'])
    expect(groupsOf(rows, SCOPE)['chat']?.events['*']).to.deep.equal({ enabled: true, channels: ['system'] })
    expect(groupsOf(rows, ACME)['chat']?.events['*']).to.deep.equal({ enabled: true, channels: ['email'] })
  })

  it('starts from the switches, and from nothing for mail, which nobody gets unasked (C05, X14)', () => {
    const groups = groupsOf([], SCOPE)
    const usual = { enabled: true, channels: ['system', 'email'], default: true }
    expect(groups['chat']).to.deep.equal({
      events: { '*': usual, message_received: usual, room_closed: usual },
    })
    expect(groups['mail']?.events['new_message']).to.deep.equal({
      enabled: false,
      channels: [],
      default: true,
    })
    expect(groups['shop']?.events).to.have.all.keys('*', 'order_sent')
  })

  it('finds a group for each of the six categories (X14)', () => {
    expect(groupsOf([], SCOPE)).to.include.all.keys('system', 'payment', 'dunning', 'crm', 'security', 'mail')
  })

  it('finds each event as broader rows have it (C05)', () => {
    const groups = groupsOf(['-chat.*:email', '+*:sms', '-message_received:realtime'].map(row), SCOPE)
    expect(groups['chat']?.events).to.deep.equal({
      '*': { enabled: true, channels: ['system', 'sms'] },
      message_received: { enabled: true, channels: ['sms'], default: true },
      room_closed: { enabled: true, channels: ['system', 'sms'], default: true },
    })
  })

  it('that switches an event off keeps its channels for when it is switched on again (C05)', () => {
    const off = change([], received({ enabled: false, channels: ['email', 'sms'] }))
    expect(shownOf(off)).to.deep.equal({ enabled: false, channels: ['email', 'sms'] })
    expect(off.filter(({ enabled }) => enabled)).to.deep.equal([])
    const on = change(off, received({ enabled: true }))
    expect(shownOf(on)).to.deep.equal({ enabled: true, channels: ['email', 'sms'] })
    expect(shownOf(change([], received({ enabled: false })))).to.deep.equal({
      enabled: false,
      channels: ['system', 'email'],
    })
    expect(shownOf(change([], received({ channels: [] })))).to.deep.equal({ enabled: false, channels: [] })
  })

  it('that asks for another channel of an event that is off shows the event on that one (C05)', () => {
    const off = change([], received({ enabled: false, channels: ['email'] }))
    const preferences = [{ event_type: 'chat.message_received', channel: 'telegram', enabled: true }]
    expect(shownOf(change(off, { preferences }))).to.deep.equal({ enabled: true, channels: ['telegram'] })
  })

  it('that asks for an event of mail without naming channels takes those of the switches (X14)', () => {
    const rows = change([], { groups: { mail: { events: { '*': { enabled: true } } } } })
    expect(told(rows)).to.include.members(['+mail.*:realtime', '+mail.*:email', '-mail.*:sms'])
  })

  it('that sends everything back as it was shown changes nothing (C05, C06)', () => {
    const first = change(['-payment.*:email', '+crm:telegram'].map(row), {
      ...received({ enabled: false, channels: ['email'] }),
    })
    const rows = change(first, { groups: { mail: { events: { '*': { enabled: true } } } } })
    expect(change(rows, { groups: groupsOf(rows, SCOPE), preferences: wire(rows) })).to.deep.equal(rows)
  })

  it('of one half is not undone by the other half as it was shown (C06)', () => {
    const rows = change([], received({ enabled: true, channels: ['email'] }))
    const less = wire(rows).map((each) => (each.channel === 'email' ? { ...each, enabled: false } : each))
    const byRows = change(rows, { groups: groupsOf(rows, SCOPE), preferences: less })
    expect(told(byRows)).to.include('-chat.message_received:email')
    const byGroups = change(rows, {
      ...received({ enabled: true, channels: ['sms'] }),
      preferences: wire(rows),
    })
    expect(told(byGroups)).to.include.members(['-chat.message_received:email', '+chat.message_received:sms'])
  })

  it('that names what was the default makes it a wish (C06)', () => {
    const rows = change([], received({ enabled: true, channels: ['system', 'email'] }))
    expect(told(rows)).to.include('+chat.message_received:email')
  })

  const refused: readonly [what: string, code: string, request: PreferenceRequest][] = [
    ['an unknown group', 'notifications_m.invalid_group', { groups: { shoes: { events: {} } } }],
    ['a group called toString', 'notifications_m.invalid_group', { groups: { toString: { events: {} } } }],
    ['an unknown event', 'notifications_m.invalid_event', { groups: { chat: { events: { sneezed: {} } } } }],
    [
      'an unknown channel of a group',
      'notifications_m.invalid_channel',
      received({ channels: ['system', 'pigeon'] }),
    ],
    [
      'an unknown channel of a row',
      'notifications_m.invalid_channel',
      { preferences: [{ event_type: 'a', channel: 'webhook', enabled: true }] },
    ],
    [
      "a row for somebody else's customer",
      'notifications_m.not_found',
      { preferences: [{ event_type: 'a', channel: 'email', enabled: true, customer_id: 'theirs' }] },
    ],
  ]
  for (const [what, code, request] of refused) {
    it(`is refused for ${what} with ${code} (C14)`, () => {
      expect(refusal(request)).to.equal(code)
    })
  }

  it('is refused for a customer of others as a whole (C17)', () => {
    expect(refusal({}, { ...SCOPE, customerId: 'theirs' })).to.equal('notifications_m.not_found')
  })

  it('takes event types of 1 to 100 characters without white space (X34)', () => {
    const outcomes = ['x'.repeat(100), 'é', '', 'x'.repeat(101), 'a b', 'a\n', '\u0000'].map((event_type) =>
      refusal({ preferences: [{ event_type, channel: 'email', enabled: true }] }),
    )
    expect(outcomes).to.deep.equal(['taken', 'taken', ...Array(5).fill('notifications_m.invalid_event')])
  })

  it('is refused when there would be too many rows, and says how many there may be', () => {
    const preferences = Array.from({ length: MOST_ROWS }, (_, index) => ({
      event_type: `e${index}`,
      channel: 'email',
      enabled: true,
    }))
    const full = change([], { preferences })
    expect(full).to.have.length(MOST_ROWS)
    const more = { event_type: 'one-more', channel: 'email', enabled: true }
    expect(() => change(full, { preferences: [more] })).to.throw(Fault, /501 .*at most 500/)
    const swap = [more, { event_type: 'e0', channel: 'email', enabled: null }]
    expect(change(full, { preferences: swap })).to.have.length(MOST_ROWS)
  })

  it('lets whoever has more rows than the limit change them and have fewer, and no more (E27)', () => {
    const many = Array.from({ length: MOST_ROWS + 20 }, (_, index) => row(`+event.${index}`))
    const swap = wire([row('-event.7')])
    expect(change(many, { preferences: swap })).to.have.length(MOST_ROWS + 20)
    const fewer = [{ event_type: 'event.7', channel: 'email', enabled: null }]
    expect(change(many, { preferences: fewer })).to.have.length(MOST_ROWS + 19)
    const more = wire([row('+event.other')])
    expect(() => change(many, { preferences: more })).to.throw(Fault, /521 .*at most 500/)
  })
})
