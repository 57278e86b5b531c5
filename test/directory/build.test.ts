import { createHash } from 'node:crypto'
import { expect } from 'chai'
import { isOperator } from '../../src/access/principal.ts'
import { loadConfig } from '../../src/config/load.ts'
import { buildDirectory } from '../../src/directory/build.ts'
import type { TenantId } from '../../src/access/principal.ts'
import type { Directory } from '../../src/directory/directory.ts'

const DEFAULT = 'default' as TenantId
const ACME = 'acme' as TenantId

function directory(text: string): Directory {
  const loaded = loadConfig({ text, env: {}, flags: {} })
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults))
  return buildDirectory(loaded.config)
}

const PEOPLE = directory(`
tenants: { acme: { admins: [anna] } }
users:
  zoe: { groups: [ops, ops], roles: [ops] }
  anna:
    name: Anna K.
    email: anna@example.org
    phone: "+4915112345678"
    password: scrypt$x
    roles: [user, admin]
    groups: [ops]
    contact_rules: { critical: [{ via: [app, realtime, sms] }, { after: 3m, via: [voice] }] }
    quiet_hours: { from: "22:30", to: "07:05" }
  eve: { tenant: acme, groups: [ops] }
  adam: { tenant: acme, roles: [admin] }
clients:
  meter: { token: t0ken, publish: [alerts/#], rate_limit: { max_requests: 5, window_seconds: 0.5 } }
  guest: { subscribe: [open/#] }
`)

const ids = (people: readonly { readonly id: string }[] | undefined) => people?.map(({ id }) => id)

describe('the directory', () => {
  it('knows a person with defaults and everything parsed', () => {
    expect(PEOPLE.user('anna')).to.deep.equal({
      id: 'anna',
      name: 'Anna K.',
      email: 'anna@example.org',
      phone: '+4915112345678',
      locale: 'en',
      timezone: 'UTC',
      tenant: 'default',
      roles: ['user', 'admin'],
      groups: ['ops'],
      customers: [],
      password: 'scrypt$x',
      preferences: { realtime: true, email: true, sms: false, push: true },
      contactRules: {
        critical: [
          { afterMs: 0, via: ['realtime', 'sms'] },
          { afterMs: 180_000, via: ['voice'] },
        ],
      },
      quietHours: { from: 1350, to: 425, except: ['critical'] },
    })
    expect(PEOPLE.user('zoe')).to.deep.include({ name: 'zoe', password: undefined, quietHours: null })
    expect(PEOPLE.user('zoe')).not.to.have.any.keys('email', 'phone')
    expect(PEOPLE.user('meter')).to.equal(undefined)
    expect(PEOPLE.user('constructor')).to.equal(undefined)
  })

  it('lists the people of one tenant in the order of the file, and no others', () => {
    expect(ids(PEOPLE.users(DEFAULT))).to.deep.equal(['zoe', 'anna'])
    expect(ids(PEOPLE.users(ACME))).to.deep.equal(['eve', 'adam'])
    expect(ids(PEOPLE.users('other' as TenantId))).to.deep.equal([])
    expect(PEOPLE.tenants()).to.deep.equal(['default', 'acme'])
  })

  it('keeps groups of the same name apart by tenant, and tells an unknown one from an empty one', () => {
    expect(ids(PEOPLE.group(DEFAULT, 'ops'))).to.deep.equal(['zoe', 'anna'])
    expect(ids(PEOPLE.group(ACME, 'ops'))).to.deep.equal(['eve'])
    expect(PEOPLE.group(DEFAULT, 'none')).to.equal(undefined)
  })

  it('counts role admin and the listed as administrators of a tenant', () => {
    expect(ids(PEOPLE.admins(DEFAULT))).to.deep.equal(['anna'])
    expect(ids(PEOPLE.admins(ACME))).to.deep.equal(['anna', 'adam'])
  })

  it('holds a digest of a token, never the token', () => {
    expect(PEOPLE.client('meter')).to.deep.equal({
      id: 'meter',
      tenant: 'default',
      tokenDigest: createHash('sha256').update('t0ken').digest(),
      roles: ['service'],
      publish: ['alerts/#'],
      subscribe: [],
      rateLimit: { maxRequests: 5, windowMs: 500 },
    })
    expect(PEOPLE.client('guest')?.tokenDigest).to.equal(undefined)
  })

  it('gives people and machines one principal each, with roles, grants and rate limit', () => {
    expect(PEOPLE.principal('meter')).to.deep.equal({
      kind: 'client',
      id: 'meter',
      tenant: 'default',
      roles: ['service'],
      publish: ['alerts/#'],
      subscribe: [],
      rateLimit: { maxRequests: 5, windowMs: 500 },
    })
    expect(PEOPLE.principal('eve')).to.deep.equal({
      kind: 'user',
      id: 'eve',
      tenant: 'acme',
      roles: ['user'],
      publish: [],
      subscribe: [],
      rateLimit: { maxRequests: 1000, windowMs: 60_000 },
    })
    const operators = ['zoe', 'anna', 'eve', 'adam', 'meter'].filter((id) => {
      const principal = PEOPLE.principal(id)
      return principal !== undefined && isOperator(principal)
    })
    expect(operators).to.deep.equal(['zoe', 'anna', 'adam'])
    expect(PEOPLE.principal('nobody')).to.equal(undefined)
  })
})

describe('the owner of an alert type', () => {
  const teams = directory(`
tenants: { acme: {} }
teams:
  rest:    { alert_types: ["*"] }
  any:     { alert_types: ["*"] }
  short:   { alert_types: ["temp_*"] }
  long:    { alert_types: ["temp_high*", "disk_*_full"] }
  same:    { alert_types: ["temp_high*"] }
  literal: { alert_types: [temp_high_1, "*_door"] }
  twin:    { alert_types: [temp_high_1] }
  acme:    { tenant: acme, alert_types: [fire] }
`)
  const ROWS: readonly (readonly [type: string, owner: string, why: string])[] = [
    ['temp_high_1', 'literal', 'a literal name beats a longer pattern, and the first of equals wins'],
    ['temp_high_2', 'long', 'a longer pattern beats a shorter one, and the first of equals wins'],
    ['temp_low', 'short', 'a pattern beats the catch-all'],
    ['temp_', 'short', '* stands for nothing too'],
    ['disk_7_full', 'long', '* stands in the middle'],
    ['disk_full', 'rest', 'the parts of a pattern do not overlap'],
    ['front_door', 'literal', '* stands at the begin'],
    ['anything', 'rest', 'the first catch-all takes the rest'],
    ['fire', 'rest', 'a team of another tenant owns nothing here'],
  ]
  for (const [type, owner, why] of ROWS) {
    it(`of ${type} is ${owner}: ${why}`, () => {
      expect(teams.owner(DEFAULT, type)?.name).to.equal(owner)
    })
  }

  it('is nobody when no team of the tenant names it', () => {
    expect(teams.owner(ACME, 'fire')?.name).to.equal('acme')
    expect(teams.owner(ACME, 'water')).to.equal(undefined)
    expect(teams.team(ACME, 'rest')).to.equal(undefined)
    expect(teams.teams(ACME).map(({ name }) => name)).to.deep.equal(['acme'])
  })
})

describe('a team', () => {
  const team = directory(`
users: { anna: {}, bob: {}, cem: {}, dora: {} }
channels: { webhook: { endpoints: { ops: { url: "https://example.org" } } } }
teams:
  p:
    schedule:
      timezone: Europe/Berlin
      layers:
        - { rotate: [bob, anna], every: 2w, handoff: "Tue 09:30", start: 2026-01-05 }
        - { rotate: [bob], every: 1d, handoff: "17:00" }
        - { rotate: [anna], every: 12h }
      overrides: [{ user: cem, from: 2027-01-01T09:00, to: 2027-07-01T09:00 }]
    escalation:
      steps: [{ notify: [oncall], wait: 12s }, { notify: ["user:dora", "user:anna", "webhook:ops"] }]
      repeat: 2
      ack_timeout: 30m
  bare: {}
`).team(DEFAULT, 'p')

  it('has its schedule with parsed turns, and overrides as instants of its zone', () => {
    expect(team?.schedule).to.deep.equal({
      timezone: 'Europe/Berlin',
      layers: [
        {
          rotate: ['bob', 'anna'],
          every: { count: 2, unit: 'week' },
          handoff: { weekday: 2, hour: 9, minute: 30 },
          start: '2026-01-05',
        },
        {
          rotate: ['bob'],
          every: { count: 1, unit: 'day' },
          handoff: { weekday: 1, hour: 17, minute: 0 },
          start: null,
        },
        {
          rotate: ['anna'],
          every: { count: 12, unit: 'hour' },
          handoff: { weekday: 1, hour: 0, minute: 0 },
          start: null,
        },
      ],
      overrides: [
        { id: 'file:p:1', user: 'cem', from: Date.UTC(2027, 0, 1, 8), to: Date.UTC(2027, 6, 1, 7) },
      ],
    })
  })

  it('has its policy in milliseconds', () => {
    expect(team?.policy).to.deep.equal({
      steps: [
        { notify: ['oncall'], waitMs: 12_000 },
        { notify: ['user:dora', 'user:anna', 'webhook:ops'], waitMs: 300_000 },
      ],
      repeat: 2,
      ackTimeoutMs: 1_800_000,
      staleAfterMs: 86_400_000,
      timezone: 'Europe/Berlin',
    })
  })

  it('has as members whoever its schedule or a step names, once each, in order', () => {
    expect(team?.members).to.deep.equal(['bob', 'anna', 'cem', 'dora'])
  })
})
