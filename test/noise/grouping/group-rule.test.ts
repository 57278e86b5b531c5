import { expect } from 'chai'
import type { Alert } from '../../../src/alert/alert.ts'
import { checkCanary } from '../../../src/config/checks/canary.ts'
import { checkNoise } from '../../../src/config/checks/noise.ts'
import type { Config } from '../../../src/config/schema/schema.ts'
import { membershipOf } from '../../../src/noise/grouping/group-rule.ts'
import { followedBy, followLeader } from '../../../src/noise/grouping/follow-leader.ts'
import { newsOf } from '../../../src/noise/grouping/announce.ts'
import { anAlert, MINUTE, NOON } from '../../alert/an-alert.ts'

const RULE: Config['grouping'][number] = { match: {}, group_by: ['type', 'data.rack'], group_interval: '1m' }
const act = {
  by: 'carillon',
  via: 'timer',
  now: NOON,
  whoIs: () => ({ users: [], webhooks: [], topics: [], unresolved: [] }),
}

describe('The group of an alert', () => {
  const rows: readonly (readonly [string, Partial<Alert>, boolean])[] = [
    ['another source', { source: 'db2' }, true],
    ['another type', { type: 'cpu' }, false],
    ['another rack', { data: { rack: 2 } }, false],
    ['no rack', { data: {} }, false],
    ['another level', { severity: 'warning' }, false],
    ['another team', { team: 'other' }, false],
  ]
  const nameOf = (wish: Partial<Alert>) => membershipOf(anAlert({ data: { rack: 1 }, ...wish }), [RULE])?.name
  for (const [what, wish, same] of rows)
    it(`is ${same ? 'the same' : 'another one'} for ${what} (A3)`, () => {
      expect(nameOf(wish) === nameOf({})).to.equal(same)
    })

  const none: readonly (readonly [string, Partial<Alert>])[] = [
    ['an info', { severity: 'info' }],
    ['what the product says of itself', { origin: { principal: 'carillon', messageId: 'm', topic: 't' } }],
  ]
  for (const [what, wish] of none)
    it(`is none for ${what}`, () => {
      expect(membershipOf(anAlert(wish), [RULE])).to.equal(null)
    })

  it('waits by its own setting, else not at all when it is critical', () => {
    const waits = (rule: object, severity: 'critical' | 'warning') =>
      membershipOf(anAlert({ severity }), [{ ...RULE, ...rule }])?.waitMs
    expect([
      waits({}, 'critical'),
      waits({}, 'warning'),
      waits({ group_wait: '5s' }, 'critical'),
    ]).to.deep.equal([0, 30_000, 5000])
  })

  it('is decided by the first rule that fits', () => {
    const other = { ...RULE, match: { type: 'cpu' }, group_interval: '5m' }
    expect(membershipOf(anAlert(), [other, RULE])?.intervalMs).to.equal(MINUTE)
    expect(membershipOf(anAlert({ type: 'cpu' }), [other, RULE])?.intervalMs).to.equal(5 * MINUTE)
  })
})

describe('An alert that another one pages for', () => {
  const follower = anAlert({ id: 'b', status: 'suppressed', suppressedBy: 'group:a', nextStepAt: null })
  const told = { alerts: [{ id: 'b', name: 'disk of db2' }], toldAt: NOON }
  const leader = anAlert({ id: 'a', status: 'acknowledged', acknowledgedBy: 'bob', group: told })

  it('is acknowledged with it, in the name of who answered (E12)', () => {
    const change = followLeader(follower, leader, act)
    if (change?.kind !== 'changed') throw new Error('nothing changed')
    expect(change.alert).to.include({
      status: 'acknowledged',
      acknowledgedBy: 'bob',
      acknowledgedVia: 'group',
    })
    expect(followedBy(change.alert)).to.equal('a')
    expect(followLeader(change.alert, leader, act)).to.equal(null)
    const back = followLeader(change.alert, { ...leader, status: 'firing' }, act)
    expect(back?.kind === 'changed' && back.alert).to.include({
      status: 'suppressed',
      suppressedBy: 'group:a',
    })
    const alone = followLeader(change.alert, undefined, act)
    expect(alone?.kind === 'changed' && followedBy(alone.alert)).to.equal(null)
  })

  it('is not acknowledged when no page has told of it', () => {
    expect(followLeader(follower, { ...leader, group: { ...told, alerts: [] } }, act)).to.equal(null)
  })

  it('is news once, when it joins and when it ends', () => {
    const now = { alerts: [{ id: 'c', name: 'disk of db3' }], toldAt: NOON }
    expect(newsOf(told, now, () => false)).to.deep.equal({ joined: now.alerts, ended: told.alerts })
    expect(newsOf(told, told, () => true)).to.deep.equal({ joined: [], ended: [] })
    expect(newsOf(told, { ...now, alerts: [] }, () => true)).to.deep.equal({ joined: [], ended: [] })
  })
})

describe('The check of the configuration', () => {
  it('refuses fields of a group that no alert has', () => {
    const config = { inhibit: [], inhibit_tree: [], grouping: [{ ...RULE, group_by: ['typ', 'data.x'] }] }
    expect(checkNoise(config as unknown as Config)).to.deep.equal([
      {
        path: ['grouping', 0, 'group_by', 0],
        message: 'unknown field "typ"; expected type, source, severity, team or data.<name>',
        suggestion: 'type',
      },
    ])
  })

  const canary = { every: '1h', within: '2m', user: 'anna', channels: ['sms'] }
  const faults: readonly (readonly [string, object, readonly string[]])[] = [
    ['nothing', {}, []],
    ['a user and a team', { team: 'ops' }, ['canary']],
    ['nobody', { user: undefined }, ['canary']],
    ['an unknown user', { user: 'ana' }, ['canary.user']],
    ['no channel', { channels: [] }, ['canary.channels']],
    ['a time longer than the interval', { within: '2h' }, ['canary.within']],
  ]
  for (const [what, wish, paths] of faults)
    it(`has ${paths.length === 0 ? 'nothing' : 'something'} to say about canary pages with ${what} wrong`, () => {
      const config = { canary: { ...canary, ...wish }, users: { anna: {} }, teams: { ops: {} } }
      expect(checkCanary(config as unknown as Config).map(({ path }) => path.join('.'))).to.deep.equal(paths)
    })
})
