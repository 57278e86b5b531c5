import { expect } from 'chai'
import type { TenantId } from '../../../src/access/principal.ts'
import { resolveTargets, type TargetContext } from '../../../src/alert/paging/resolve-targets.ts'
import type { Team } from '../../../src/directory/directory.ts'
import { aPerson, aPolicy, NOON, TENANT } from '../an-alert.ts'

const people = [aPerson('anna'), aPerson('bob'), aPerson('carla', { roles: ['admin'], groups: ['ops'] })]
const stranger = aPerson('stranger', { tenant: 'acme' as TenantId })

const platform: Team = {
  name: 'platform',
  tenant: TENANT,
  alertTypes: ['disk'],
  schedule: {
    timezone: 'UTC',
    layers: [
      {
        rotate: ['anna', 'bob'],
        every: { count: 1, unit: 'week' },
        handoff: { weekday: 1, hour: 0, minute: 0 },
        start: '2026-01-05',
      },
    ],
    overrides: [],
  },
  policy: aPolicy([['oncall']]),
  members: ['anna', 'bob', 'left-the-company'],
}

const context: TargetContext = {
  tenant: TENANT,
  team: platform,
  directory: {
    user: (id) => [...people, stranger].find((person) => person.id === id),
    group: (_tenant, name) => (name === 'ops' ? [people[2]!] : name === 'empty' ? [] : undefined),
    admins: () => [people[2]!],
    team: (_tenant, name) => (name === 'platform' ? platform : undefined),
    teams: () => [platform],
  },
  at: NOON,
}

describe('targets of an escalation step', () => {
  const cases: readonly [
    targets: string[],
    users: string[],
    webhooks: string[],
    unresolved: string[],
    topics?: string[],
  ][] = [
    [['oncall'], ['anna'], [], []],
    [['oncall.next'], ['bob'], [], []],
    [['team'], ['anna', 'bob'], [], []],
    [['admins'], ['carla'], [], []],
    [['user:bob'], ['bob'], [], []],
    [['group:ops'], ['carla'], [], []],
    [['webhook:ops'], [], ['ops'], []],
    [['mqtt:siren', 'mqtt:siren'], [], [], [], ['siren']],
    [['oncall', 'team', 'user:anna', 'webhook:a', 'webhook:a'], ['anna', 'bob'], ['a'], []],
    [
      ['user:gone', 'group:none', 'group:empty', 'nonsense'],
      [],
      [],
      ['user:gone', 'group:none', 'group:empty', 'nonsense'],
    ],
    [['user:stranger', 'user:bob'], ['bob'], [], ['user:stranger']],
    [['user:constructor'], [], [], ['user:constructor']],
    [[], [], [], []],
  ]
  for (const [targets, users, webhooks, unresolved, topics = []] of cases) {
    const who = [...users, ...webhooks, ...topics].join(', ') || 'nobody'
    it(`${JSON.stringify(targets)} are ${who}, each once, and only of the tenant (E7, O1)`, () => {
      expect(resolveTargets(targets, context)).to.deep.equal({ users, webhooks, topics, unresolved })
    })
  }

  it('are looked up at the moment that is asked for', () => {
    const week = 7 * 24 * 3_600_000
    expect(resolveTargets(['oncall'], { ...context, at: NOON + week }).users).to.deep.equal(['bob'])
  })

  it('of a team that is gone, or has no schedule, are nobody', () => {
    const none = { users: [], webhooks: [], topics: [], unresolved: ['oncall', 'oncall.next', 'team'] }
    const bare = { ...platform, schedule: null, members: [] }
    for (const team of [null, bare]) {
      expect(resolveTargets(['oncall', 'oncall.next', 'team'], { ...context, team })).to.deep.equal(none)
    }
  })

  describe('in turn (O3)', () => {
    const turn = (target: string, wish: Partial<TargetContext> = {}) =>
      resolveTargets([target], { ...context, ...wish })
    const cases: readonly [target: string, last: string | undefined, user: string][] = [
      ['oncall.round_robin', undefined, 'anna'],
      ['oncall.round_robin', 'anna', 'bob'],
      ['oncall.round_robin', 'bob', 'anna'],
      ['oncall.round_robin', 'left-the-company', 'anna'],
      ['round_robin:platform', 'anna', 'bob'],
      ['round_robin:platform', 'bob', 'anna'],
    ]
    for (const [target, last, user] of cases) {
      it(`${target} after ${last} is ${user}`, () => {
        const found = turn(target, { lastAt: () => last })
        expect(found).to.deep.include({ users: [user], turns: { [target]: user } })
      })
    }

    it('are the same person for all of an alert, as long as they are there', () => {
      const target = 'oncall.round_robin'
      expect(turn(target, { turns: { [target]: 'bob' } }).users).to.deep.equal(['bob'])
      expect(turn(target, { turns: { [target]: 'left-the-company' } }).users).to.deep.equal(['anna'])
      expect(turn('round_robin:empty')).to.deep.include({ users: [], unresolved: ['round_robin:empty'] })
    })
  })

  it('name those whom none of the channels reaches (P20)', () => {
    const canReach: NonNullable<TargetContext['canReach']> = (person, channels) =>
      person.id === 'anna' || channels?.includes('email') === true
    const found = (channels?: readonly ('email' | 'sms')[]) =>
      resolveTargets(['team'], { ...context, canReach }, channels).unreachable
    expect(found()).to.deep.equal(['bob'])
    expect(found(['sms'])).to.deep.equal(['bob'])
    expect(found(['email'])).to.equal(undefined)
  })
})
