import { expect } from 'chai'
import { harness, type Harness } from '../support/harness.ts'
import { HttpApi } from '../support/http-api.ts'

interface Explained {
  readonly chain: readonly {
    readonly stage: string
    readonly decision: string
    readonly code: string
    readonly detail: Readonly<Record<string, unknown>>
  }[]
  readonly timeline: readonly { readonly kind: string; readonly user: string; readonly channel: string }[]
}

describe('a publish that is only explained (contract section 7)', () => {
  let h: Harness
  let ops: HttpApi
  before(async () => {
    h = await harness()
    ops = new HttpApi(() => ({ url: h.app.httpUrl }), 'console-token')
  })
  after(() => h.close())

  const explain = async (topic: string, payload: unknown, as = 'device') =>
    (await ops.post<Explained>('/v1/explain', { topic, payload, as })).body
  const last = ({ chain }: Explained) => {
    const link = chain.at(-1)
    return `${link?.stage} ${link?.decision} ${link?.code}`
  }
  const counted = async () => (await h.app.engine.store.conservation('all')).accepted

  const ends: readonly [string, string, unknown, string, string][] = [
    ['without a grant', 'notifications/realtime/user/anna', {}, 'bob', 'access refused publish.forbidden'],
    ['on a topic of nobody', 'plain/x', {}, 'device', 'route plain plain'],
    [
      'on a misspelled topic',
      'notifications/realtim/user/bob',
      {},
      'device',
      'route dead_letter publish.no_route',
    ],
    [
      'that is no JSON',
      'notifications/realtime/user/bob',
      '{',
      'device',
      'limits dead_letter publish.invalid_json',
    ],
    [
      'without its text',
      'notifications/realtime/user/bob',
      {},
      'device',
      'end dead_letter publish.invalid_body',
    ],
    [
      'to nobody',
      'notifications/realtime/user/eve',
      { message: 'x' },
      'device',
      'end dead_letter publish.unknown_user',
    ],
  ]
  for (const [title, topic, payload, as, expected] of ends) {
    it(`ends where it would when it is ${title}`, async () => {
      expect(last(await explain(topic, payload, as))).to.equal(expected)
    })
  }

  it('says whom it would reach on which channels, and stores and sends nothing', async () => {
    const before = await counted()
    const answer = await explain('notifications/realtime/group/ops', {
      message: 'Hello',
      priority: 'critical',
    })
    const planned = answer.chain
      .filter(({ stage }) => stage === 'delivery')
      .map(({ detail }) => `${String(detail['user'])} ${String(detail['channel'])}`)
    expect(planned).to.deep.equal(['anna realtime', 'anna email', 'bob realtime', 'bob email'])
    const alert = await explain('alerts/critical/system_failure', { message: 'Hello' })
    expect(alert.chain.find(({ stage }) => stage === 'team')).to.include({
      decision: 'platform',
      code: 'owned',
    })
    const paged = alert.timeline.filter(({ kind, channel }) => kind === 'sent' && channel === 'sms')
    expect([...new Set(paged.map(({ user }) => user))]).to.deep.equal(['bob', 'anna', 'cem'])
    await h.pass(60_000)
    expect(await counted()).to.equal(before)
    expect(await h.inbox('bob')).to.deep.equal([])
    expect(await h.openAlerts()).to.deep.equal([])
    expect(await h.deadLetters()).to.deep.equal([])
  })

  it('never counts against the rate limit of whom it speaks for', async () => {
    for (let index = 0; index < 1001; index++)
      await h.app.engine.explain({
        topic: 'notifications/realtime/user/bob',
        payload: Buffer.from('{"message":"x"}'),
        principal: h.app.engine.directory.principal('device')!,
        at: h.now,
      })
    expect(await h.publish('notifications/realtime/user/bob', { message: 'x' }, { via: 'http' })).to.include({
      kind: 'stored',
    })
  })

  it('leaves the identifiers of the program at its own time, however far ahead it looks', async () => {
    const by = h.app.engine.directory.principal('device')!
    const at = h.now + 400 * 24 * 3_600_000
    const alert = { type: 'system_failure', severity: 'critical' } as const
    const none = { outages: [], silent: [], acks: [] } as const
    await h.app.engine.simulate(by, { alert, at, forMs: 3_600_000, ...none })
    await explain('alerts/critical/system_failure', { message: 'Hello' })
    const payload = Buffer.from('{"message":"Hello"}')
    await h.app.engine.explain({ topic: 'alerts/critical/system_failure', payload, principal: by, at })
    const { alert_id: id } = await h.accepted('alerts/info/system_failure', { message: 'Now' })
    expect(parseInt(String(id).replace('-', '').slice(0, 12), 16)).to.be.below(h.now + 60_000)
  })

  it('is for operators', async () => {
    const bob = await HttpApi.login(() => ({ url: h.app.httpUrl }), 'bob', 'bob-password')
    expect((await bob.post('/v1/explain', { topic: 'a' })).status).to.equal(403)
    expect((await bob.post('/v1/simulate', { alert: { type: 'a' } })).status).to.equal(403)
    const answer = await ops.post<Explained>('/v1/simulate', { alert: { type: 'system_failure' }, for: '1m' })
    expect(answer.body.timeline.map(({ kind }) => kind)).to.include('sent')
  })
})
