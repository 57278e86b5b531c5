import { expect } from 'chai'
import type { Page } from '../../../src/alert/escalation/start.ts'
import { pageTargets } from '../../../src/alert/paging/page-targets.ts'
import type { Person } from '../../../src/directory/directory.ts'
import { aPerson, MINUTE, NOON } from '../an-alert.ts'

function aPage(wish: Partial<Page> = {}): Page {
  return {
    level: 'critical',
    step: 1,
    repeat: 0,
    users: ['anna'],
    because: 'policy_step',
    admins: [],
    webhooks: [],
    topics: [],
    ...wish,
  }
}

function told(page: Page, ...people: Person[]) {
  return pageTargets(page, (id) => people.find((person) => person.id === id), NOON)
}

/** `channel` for at once, `channel+5m` for later. */
function channels(page: Page, person: Person): readonly string[] {
  const [target] = told(page, person)
  return target!.channels.map(({ channel, afterMs }) =>
    afterMs === 0 ? channel : `${channel}+${afterMs / MINUTE}m`,
  )
}

const ALL_OFF = { realtime: false, email: false, sms: false, push: false }
const ALL_DAY_QUIET = { from: 0, to: 24 * 60 - 1, except: [] }

describe('a critical page', () => {
  it('goes out on realtime, e-mail, SMS and push at once, whatever preferences and quiet hours say (R23)', () => {
    const anna = aPerson('anna', { preferences: ALL_OFF, quietHours: ALL_DAY_QUIET })
    expect(told(aPage(), anna)).to.deep.equal([
      {
        userId: 'anna',
        reason: 'policy_step',
        channels: ['realtime', 'email', 'sms', 'push'].map((channel) => ({ channel, afterMs: 0 })),
        skipped: [],
      },
    ])
  })

  it('tells everybody of the step and the admins, each once (E3, R23)', () => {
    const page = aPage({ users: ['anna', 'bob'], admins: ['bob', 'carla'] })
    const found = told(page, aPerson('anna'), aPerson('bob'), aPerson('carla'))
    expect(found.map(({ userId, reason }) => [userId, reason])).to.deep.equal([
      ['anna', 'policy_step'],
      ['bob', 'policy_step'],
      ['carla', 'admin'],
    ])
  })

  it('leaves out people who are gone and tells the others (E7)', () => {
    const found = told(aPage({ users: ['gone', 'anna'] }), aPerson('anna'))
    expect(found.map(({ userId }) => userId)).to.deep.equal(['anna'])
  })

  it('follows the contact rules of the person instead, each delay counted from the page (E2)', () => {
    const anna = aPerson('anna', {
      contactRules: {
        critical: [
          { afterMs: 30 * MINUTE, via: ['sms'] },
          { afterMs: 0, via: ['realtime', 'sms', 'sms'] },
          { afterMs: 3 * MINUTE, via: ['voice'] },
          { afterMs: 0, via: ['sms'] },
        ],
      },
    })
    expect(channels(aPage(), anna)).to.deep.equal(['realtime', 'sms', 'voice+3m', 'sms+30m'])
  })

  it('is not thinned by a default list or by an empty one', () => {
    const all = ['realtime', 'email', 'sms', 'push']
    const byDefault = aPerson('anna', { contactRules: { default: [{ afterMs: 0, via: ['realtime'] }] } })
    expect(channels(aPage(), byDefault)).to.deep.equal(all)
    expect(channels(aPage(), aPerson('anna', { contactRules: { critical: [] } }))).to.deep.equal(all)
    const nothing = aPerson('anna', { contactRules: { critical: [{ afterMs: 0, via: [] }] } })
    expect(channels(aPage(), nothing)).to.deep.equal(all)
  })
})

describe('the notice of a warning', () => {
  const page = aPage({ level: 'warning', step: null, because: 'on_call' })

  it('goes to who is on call by realtime and push, to admins by e-mail, to nobody by SMS (R32)', () => {
    const eager = { realtime: true, email: true, sms: true, push: true }
    expect(channels(page, aPerson('anna', { preferences: eager }))).to.deep.equal(['realtime', 'push'])
    const admin = aPage({ ...page, users: [], admins: ['anna'] })
    expect(channels(admin, aPerson('anna', { preferences: eager }))).to.deep.equal(['email'])
    const both = aPage({ ...page, admins: ['anna'] })
    expect(channels(both, aPerson('anna', { preferences: eager }))).to.deep.equal([
      'realtime',
      'push',
      'email',
    ])
  })

  it('leaves out what the person has switched off, and says so', () => {
    const [target] = told(page, aPerson('anna', { preferences: { ...ALL_OFF, realtime: true } }))
    expect(target).to.deep.include({
      channels: [{ channel: 'realtime', afterMs: 0 }],
      skipped: [{ channel: 'push', reason: 'preference_off' }],
    })
  })

  it('waits for the end of quiet hours on every channel but realtime', () => {
    const asleep = { from: 11 * 60, to: 13 * 60, except: ['critical'] }
    expect(channels(page, aPerson('anna', { quietHours: asleep }))).to.deep.equal(['realtime', 'push+60m'])
    const awake = { ...asleep, except: ['warning'] }
    expect(channels(page, aPerson('anna', { quietHours: awake }))).to.deep.equal(['realtime', 'push'])
  })

  it('follows the rules for warnings, or else the default ones', () => {
    const rules = { default: [{ afterMs: 0, via: ['telegram' as const] }] }
    expect(channels(page, aPerson('anna', { contactRules: rules }))).to.deep.equal(['telegram'])
    const own = { ...rules, warning: [{ afterMs: MINUTE, via: ['email' as const] }] }
    expect(channels(page, aPerson('anna', { contactRules: own }))).to.deep.equal(['email+1m'])
  })
})

describe('the notice of an info', () => {
  const page = aPage({ level: 'info', step: null, because: 'team_member' })

  it('goes out by realtime only (R33)', () => {
    expect(channels(page, aPerson('anna'))).to.deep.equal(['realtime'])
  })

  it('wakes nobody, whatever their rules say (R33)', () => {
    const loud = [{ afterMs: 0, via: ['voice', 'sms', 'push', 'email', 'telegram'] as const }]
    expect(channels(page, aPerson('anna', { contactRules: { info: loud } }))).to.deep.equal(['email'])
    expect(channels(page, aPerson('anna', { contactRules: { default: loud } }))).to.deep.equal(['realtime'])
  })
})
