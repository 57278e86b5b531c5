import { expect } from 'chai'
import { loadConfig } from '../../src/config/load.ts'
import { buildDirectory } from '../../src/directory/build.ts'
import { preflight, problemKey, type PreflightInput } from '../../src/preflight/preflight.ts'
import { harness, type Harness } from '../support/harness.ts'
import { HttpApi } from '../support/http-api.ts'

const NOW = Date.UTC(2026, 0, 5, 12)
const DAY = 86_400_000

function problemsOf(teams: string, wish: Partial<PreflightInput> = {}) {
  const text = `
users:
  anna: { email: anna@example.org }
  bob: { phone: "+4915112345672" }
  mute: {}
  odd: { email: odd@example.org, contact_rules: { critical: [{ after: 0s, via: [app, sms] }] } }
teams:
  t: ${teams}
`
  const loaded = loadConfig({ text, env: {}, flags: {} })
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults))
  return preflight({
    directory: buildDirectory(loaded.config),
    canReach: ({ email, phone }, channel) =>
      channel === 'email' ? email !== undefined : channel === 'sms' && phone !== undefined,
    unverified: () => 0,
    now: NOW,
    ...wish,
  })
}

describe('the look ahead', () => {
  const cases: readonly [string, string, readonly string[]][] = [
    [
      'a team that is always covered by people who can be reached',
      '{ alert_types: ["*"], schedule: { layers: [{ rotate: [anna, bob] }] }, escalation: { steps: [{ notify: [oncall] }] } }',
      [],
    ],
    ['a team of nobody', '{ alert_types: ["*"] }', ['empty_team']],
    [
      'a person on call without an address',
      '{ alert_types: ["*"], schedule: { layers: [{ rotate: [anna, mute] }] }, escalation: { steps: [{ notify: [oncall] }] } }',
      ['unreachable mute'],
    ],
    [
      'a person whose own rules name only what cannot reach them',
      '{ alert_types: ["*"], escalation: { steps: [{ notify: ["user:odd"] }] } }',
      ['unreachable odd'],
    ],
    [
      'a schedule that begins later',
      '{ alert_types: ["*"], schedule: { timezone: UTC, layers: [{ rotate: [anna], every: 1d, handoff: "12:00", start: 2026-01-07 }] }, escalation: { steps: [{ notify: [oncall] }] } }',
      ['schedule_gap'],
    ],
    [
      'a gap that no step asks about',
      '{ alert_types: ["*"], schedule: { timezone: UTC, layers: [{ rotate: [anna], every: 1d, handoff: "12:00", start: 2026-01-07 }] }, escalation: { steps: [{ notify: ["user:anna"] }] } }',
      [],
    ],
  ]
  for (const [title, team, expected] of cases) {
    it(`finds ${expected.join(', ') || 'nothing'} in ${title}`, () => {
      const found = problemsOf(team).map(({ code, user }) => (user === null ? code : `${code} ${user}`))
      expect(found).to.deep.equal(expected)
    })
  }

  it('says from when to when nobody is on call, and knows the gap again once it has begun', () => {
    const team = `{ alert_types: ["*"], schedule: { timezone: UTC, layers: [],
      overrides: [{ user: anna, from: 2026-01-06T12:00, to: 2026-01-08T12:00 }] }, escalation: { steps: [{ notify: [oncall] }] } }`
    const gaps = problemsOf(team).filter(({ code }) => code === 'schedule_gap')
    expect(gaps.map(({ from, to }) => [from, to])).to.deep.equal([
      [NOW, NOW + DAY],
      [NOW + 3 * DAY, null],
    ])
    const later = problemsOf(team, { now: NOW + 3_600_000 })
    expect(later.map(problemKey)).to.deep.equal(problemsOf(team).map(problemKey))
  })

  it('counts addresses that nobody verified', () => {
    const team = '{ alert_types: ["*"], escalation: { steps: [{ notify: ["user:anna"] }] } }'
    const [problem] = problemsOf(team, { unverified: () => 2 })
    expect(problem).to.include({ code: 'unverified_contact', user: 'anna' })
  })
})

describe('the look ahead of the running program', () => {
  let h: Harness
  beforeEach(async () => {
    h = await harness({
      config: {
        users: {
          bob: {
            password: 'bob-password',
            contact_rules: { critical: [{ after: '0s', via: ['app', 'push'] }] },
          },
        },
      },
    })
  })
  afterEach(() => h.close())

  it('notices within a minute that the last device of somebody on call is gone, tells it once and takes it back', async () => {
    const url = () => ({ url: h.app.httpUrl })
    const ops = new HttpApi(url, 'console-token')
    const bob = await HttpApi.login(url, 'bob', 'bob-password')
    const anna = await h.client('anna')
    const stranger = await h.client('cem')
    await anna.subscribe('state/preflight')
    await stranger.subscribe('state/#')
    const problems = async () =>
      (await ops.get<{ items: { code: string; user: string }[] }>('/v1/preflight')).items
    const told = async () =>
      (await h.inbox('anna')).filter(({ content }) => content.title.includes('preflight'))
    expect(await problems()).to.have.length(1)
    const device = await bob.post<{ id: string }>('/v1/users/me/devices', {
      platform: 'android',
      token: 'a'.repeat(40),
    })
    await h.pass(60_000)
    expect(await problems()).to.deep.equal([])
    expect(await told()).to.deep.equal([])
    await bob.request('DELETE', `/v1/users/me/devices/${device.body.id}`)
    await h.pass(60_000)
    expect((await problems())[0]).to.include({ code: 'unreachable', user: 'bob' })
    expect((await h.app.engine.metrics.preflight.get()).values[0]?.value).to.equal(1)
    expect((await anna.count('state/preflight', 3)).at(-1)?.body).to.include({ count: 1 })
    await stranger.caughtUp()
    expect(stranger.on('state/preflight')).to.deep.equal([])
    expect((await bob.request('GET', '/v1/preflight')).status).to.equal(403)
    await h.pass(61 * 60_000)
    expect(await told()).to.have.length(1)
    const again = await HttpApi.login(url, 'bob', 'bob-password')
    await again.post('/v1/users/me/devices', { platform: 'android', token: 'b'.repeat(40) })
    await h.pass(60_000)
    expect((await h.openAlerts()).map(({ type }) => type)).to.deep.equal([])
  })
})

describe('the look ahead where nobody is on call', () => {
  it('retains nothing on a topic that nobody set up', async () => {
    const bare = await harness({ config: { teams: { platform: undefined } } })
    try {
      const anna = await bare.client('anna')
      await anna.subscribe('state/#')
      await anna.caughtUp()
      expect(anna.on('state/preflight')).to.deep.equal([])
    } finally {
      await bare.close()
    }
  })
})
