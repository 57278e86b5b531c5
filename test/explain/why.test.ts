import { expect } from 'chai'
import { harness, type Harness } from '../support/harness.ts'
import { HttpApi } from '../support/http-api.ts'

interface Link {
  readonly stage: string
  readonly decision: string
  readonly code: string
  readonly detail: Readonly<Record<string, unknown>>
}
interface Why {
  readonly user: string
  readonly subject: object
  readonly chain: readonly Link[]
  readonly deliveries: readonly { readonly state: string; readonly channel: string }[]
}

describe('why somebody was or was not told (contract section 7)', () => {
  let h: Harness
  let ops: HttpApi
  beforeEach(async () => {
    h = await harness({
      config: {
        users: {
          bob: {
            password: 'bob-password',
            email: 'bob@example.org',
            phone: '+4915112345672',
            timezone: 'UTC',
            preferences: { push: false },
            quiet_hours: { from: '11:00', to: '14:00' },
          },
        },
      },
    })
    ops = new HttpApi(() => ({ url: h.app.httpUrl }), 'console-token')
  })
  afterEach(() => h.close())

  const why = (id: string, user: string) => ops.get<Why>(`/v1/notifications/${id}/why?user=${user}`)
  const notified = async (body: object, topic = 'notifications/realtime/user/bob') => {
    const result = await h.accepted(topic, { message: 'Hello', ...body })
    await h.quiet()
    return String(result['notification_id'] ?? result['broadcast_id'])
  }
  const of = ({ chain }: Why, stage: string) => chain.filter((link) => link.stage === stage)
  const channels = (answer: Why) =>
    of(answer, 'channel').map(
      ({ detail, decision, code }) => `${String(detail['channel'])} ${decision} ${code}`,
    )

  it('says for every channel what decided, and until when quiet hours hold it', async () => {
    const answer = await why(await notified({ priority: 'high' }), 'bob')
    expect(answer).to.deep.include({ user: 'bob' })
    expect(of(answer, 'route')[0]?.detail).to.include({ publisher: 'device' })
    expect(of(answer, 'audience')[0]).to.include({ decision: 'in', code: 'addressed' })
    expect(channels(answer)).to.deep.equal([
      'realtime used chosen',
      'email used chosen',
      'sms left_out priority_too_low',
      'push left_out preference_off',
    ])
    expect(of(answer, 'quiet_hours')[0]?.detail).to.deep.equal({ until: '2026-01-05T14:00:00.000Z' })
    expect(answer.deliveries.map(({ channel, state }) => `${channel} ${state}`)).to.deep.equal([
      'realtime pending',
      'email pending',
    ])
    await h.pass(3 * 3_600_000)
    const later = await why(String((answer.subject as { id: string }).id), 'bob')
    expect(of(later, 'delivery').map(({ code }) => code)).to.include('sent')
  })

  it('names the row of the person that decided, also when it was written afterwards', async () => {
    const id = await notified({ priority: 'high', event: 'payment.late' })
    const bob = await HttpApi.login(() => ({ url: h.app.httpUrl }), 'bob', 'bob-password')
    const body = { preferences: [{ event_type: 'payment.*', channel: 'email', enabled: false }] }
    await bob.request('PUT', '/v1/notifications/preferences', JSON.stringify(body))
    const detail = (answer: Why) =>
      of(answer, 'channel').find((link) => link.detail['channel'] === 'email')?.detail
    expect(detail(await why(id, 'bob'))).to.include({ pattern: 'payment.*', changed_since: true })
    const next = await why(await notified({ priority: 'high', event: 'payment.late' }), 'bob')
    expect(detail(next)).to.include({ pattern: 'payment.*', decided_by: 'preference_row' })
    expect(detail(next)).to.not.have.property('changed_since')
  })

  it('says that somebody was not addressed, and tells strangers nothing', async () => {
    const id = await notified({})
    expect(of(await why(id, 'cem'), 'audience')[0]).to.include({ decision: 'out', code: 'not_in_audience' })
    const shared = await notified({ target_groups: ['support'] }, 'notifications/realtime/broadcast')
    expect(of(await why(shared, 'cem'), 'audience')[0]).to.include({ code: 'group_member' })
    expect(of(await why(shared, 'bob'), 'audience')[0]).to.include({ code: 'not_in_audience' })
    const cem = await HttpApi.login(() => ({ url: h.app.httpUrl }), 'cem', 'cem-password')
    for (const path of [`${id}/why`, `${id}/why?user=bob`, 'nothing/why'])
      expect((await cem.request('GET', `/v1/notifications/${path}`)).status, path).to.equal(404)
    expect((await cem.request('GET', `/v1/notifications/${shared}/why`)).status).to.equal(200)
  })

  it('tells of an alert which step paged whom by which target and duty, and why others were not (P20)', async () => {
    const id = await h.raise('alerts/critical/system_failure')
    const bob = await why(id, 'bob')
    expect(of(bob, 'team')[0]).to.include({ code: 'owned', decision: 'platform' })
    expect(of(bob, 'step')[0]).to.deep.include({ decision: 'paged', code: 'policy_step' })
    expect(of(bob, 'step')[0]?.detail).to.deep.include({
      by_target: ['oncall'],
      on_call: { users: ['bob'], overrides: [] },
    })
    expect(bob.deliveries.map(({ state }) => state)).to.include('sent')
    const cem = await why(id, 'cem')
    expect(of(cem, 'step')[0]).to.include({ decision: 'not_paged', code: 'not_a_target' })
    expect(of(cem, 'audience')[0]?.detail).to.deep.equal({
      because: 'step_not_reached',
      step: 2,
      status: 'firing',
    })
    await h.publish(`alerts/${id}/ack`, {}, { as: 'bob' })
    const after = await why(id, 'cem')
    expect(of(after, 'alert').map(({ code }) => code)).to.deep.equal(['acknowledged'])
    expect(of(await why(id, 'dora'), 'audience')[0]?.detail).to.deep.equal({ because: 'no_step_names_them' })
    expect(of(await why(id, 'anna'), 'audience')[0]?.detail).to.deep.include({ admin: true })
  })
})
