import { expect } from 'chai'
import type { Alert } from '../../src/alert/alert.ts'
import { decideRaise, dedupKeyOf, draftAlert, open, type Opening, type Raise } from '../../src/alert/raise.ts'
import type { AlertDecision } from '../../src/notification/decision.ts'
import { aDecision, anAlert, aPolicy, knowing, MINUTE, NOON, TENANT } from './an-alert.ts'

const opening: Opening = {
  id: 'a1',
  tenant: TENANT,
  team: 'platform',
  policy: aPolicy([['oncall'], ['user:bob']]),
  origin: { principal: 'db-monitor', messageId: 'm1', topic: 'alerts/critical/disk' },
  now: NOON,
}

describe('the dedup key of an alert (E13)', () => {
  it('is the given one, else type and source', () => {
    expect(dedupKeyOf(aDecision({ dedupKey: 'mine' }))).to.equal('mine')
    expect(dedupKeyOf(aDecision())).to.equal('disk:db1')
    expect(dedupKeyOf(aDecision({ dedupKey: '' }))).to.equal('disk:db1')
    expect(dedupKeyOf(aDecision({ source: null }))).to.equal('disk:')
  })
})

describe('what a publish of a condition does', () => {
  const warning = (wish: Partial<Alert> = {}) => anAlert({ severity: 'warning', ...wish })
  const cases: readonly [what: string, Alert | null, Partial<AlertDecision>, Raise][] = [
    ['opens an alert when there is none', null, {}, { kind: 'open' }],
    ['opens a new one after the last was resolved', anAlert({ status: 'resolved' }), {}, { kind: 'open' }],
    ['counts onto the open one (E13)', anAlert(), { message: 'Other text' }, { kind: 'repeat' }],
    ['counts onto an acknowledged one', anAlert({ status: 'acknowledged' }), {}, { kind: 'repeat' }],
    ['counts onto a more severe one', anAlert(), { level: 'info' }, { kind: 'repeat' }],
    ['resolves the open one', anAlert(), { status: 'resolved' }, { kind: 'resolve' }],
    [
      'resolves it whatever level its end is published at',
      anAlert(),
      { status: 'resolved', level: 'info' },
      { kind: 'resolve' },
    ],
    ['resolves nothing that was never opened (E14)', null, { status: 'resolved' }, { kind: 'nothing' }],
    [
      'resolves nothing twice (E14)',
      anAlert({ status: 'resolved' }),
      { status: 'resolved' },
      { kind: 'nothing' },
    ],
    ['promotes a warning that becomes critical', warning(), {}, { kind: 'promote', to: 'critical' }],
    [
      'promotes it also over an acknowledgement',
      warning({ status: 'acknowledged' }),
      {},
      { kind: 'promote', to: 'critical' },
    ],
    [
      'promotes an info that becomes a warning',
      anAlert({ severity: 'info' }),
      { level: 'warning' },
      { kind: 'promote', to: 'warning' },
    ],
    [
      'counts the third publish of a warning (R32)',
      warning({ count: 2 }),
      { level: 'warning' },
      { kind: 'repeat' },
    ],
    [
      'promotes a warning at the fourth publish (R32)',
      warning({ count: 3 }),
      { level: 'warning' },
      { kind: 'promote', to: 'critical' },
    ],
    [
      'promotes it later still when counts ran past each other (R32)',
      warning({ count: 9 }),
      { level: 'warning' },
      { kind: 'promote', to: 'critical' },
    ],
    [
      'leaves a warning to whoever acknowledged it (R32)',
      warning({ count: 3, status: 'acknowledged' }),
      { level: 'warning' },
      { kind: 'repeat' },
    ],
    [
      'never promotes an info by count (R33)',
      anAlert({ severity: 'info', count: 99 }),
      { level: 'info' },
      { kind: 'repeat' },
    ],
  ]
  for (const [what, existing, wish, raise] of cases) {
    it(what, () => expect(decideRaise(existing, aDecision(wish))).to.deep.equal(raise))
  }
})

describe('opening an alert', () => {
  const who = knowing({ oncall: ['anna'], team: ['anna', 'bob'], admins: ['root'] })

  it('copies the policy, takes the level of the topic, and is version 1 with count 1 (R22, O1)', () => {
    const draft = draftAlert(aDecision({ level: 'warning', data: { severity: 'critical' } }), opening)
    expect(draft).to.include({ severity: 'warning', status: 'firing', version: 1, count: 1, createdAt: NOON })
    expect(draft.policy).to.equal(opening.policy)
    expect(draft.told).to.deep.equal({})
  })

  it('at critical fires step 1 at once and tells the admins (E1, R23)', () => {
    const { alert, timeline, page } = open(draftAlert(aDecision(), opening), who)
    expect(alert).to.include({ step: 1, repeat: 0, nextStepAt: NOON + 5 * MINUTE, version: 1 })
    expect(timeline).to.deep.equal([
      { at: NOON, kind: 'opened', by: 'db-monitor' },
      { at: NOON, kind: 'step', by: 'carillon', step: 1, repeat: 0, users: ['anna'] },
    ])
    expect(page).to.deep.equal({
      level: 'critical',
      step: 1,
      repeat: 0,
      users: ['anna'],
      because: 'policy_step',
      admins: ['root'],
      webhooks: [],
      topics: [],
    })
  })

  it('at critical with a gap on call fires the next step at once (P20)', () => {
    const { alert, timeline, page } = open(draftAlert(aDecision(), opening), knowing({ admins: ['root'] }))
    expect(alert).to.include({ step: 2, nextStepAt: null })
    expect(timeline.map(({ kind }) => kind)).to.deep.equal(['opened', 'skipped', 'step', 'finished'])
    expect(page).to.deep.include({ step: 2, users: ['bob'], admins: ['root'] })
  })

  it('at critical without any step tells who is on call, or else the team, and the admins (E7, R23)', () => {
    const draft = draftAlert(aDecision(), { ...opening, policy: aPolicy([]) })
    expect(open(draft, who).alert).to.include({ step: 0, nextStepAt: null })
    expect(open(draft, who).page).to.deep.include({ step: null, users: ['anna'], admins: ['root'] })
    const gap = knowing({ team: ['anna', 'bob'], admins: ['root'] })
    expect(open(draft, gap).page).to.deep.include({ users: ['anna', 'bob'], because: 'nobody_else' })
  })

  it('at critical with nobody anywhere opens all the same, and pages nobody (P20)', () => {
    const draft = draftAlert(aDecision(), { ...opening, policy: aPolicy([['oncall']]) })
    const { alert, timeline, page } = open(draft, knowing())
    expect(page).to.equal(null)
    expect(alert).to.include({ status: 'firing', nextStepAt: null })
    expect(timeline.map(({ kind }) => kind)).to.deep.equal(['opened', 'skipped', 'fallback', 'finished'])
  })

  it('at warning tells who is on call and the admins, and waits 10 minutes (R32)', () => {
    const { alert, page } = open(draftAlert(aDecision({ level: 'warning' }), opening), who)
    expect(alert).to.include({ step: 0, nextStepAt: NOON + 10 * MINUTE })
    expect(page).to.deep.include({ level: 'warning', step: null, users: ['anna'], admins: ['root'] })
  })

  it('at info tells the team, or without one the admins, and has no timer (R33)', () => {
    const draft = draftAlert(aDecision({ level: 'info' }), opening)
    const { alert, page } = open(draft, who)
    expect(alert.nextStepAt).to.equal(null)
    expect(page).to.deep.include({ level: 'info', users: ['anna', 'bob'], admins: [] })
    expect(open(draft, knowing({ admins: ['root'] })).page).to.deep.include({ users: [], admins: ['root'] })
  })
})
