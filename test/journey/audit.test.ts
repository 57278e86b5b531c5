import { expect } from 'chai'
import { harness, type Harness } from '../support/harness.ts'
import { HttpApi } from '../support/http-api.ts'

interface Entry {
  readonly actor: string
  readonly via: string
  readonly action: string
  readonly subject: string | null
  readonly detail: Readonly<Record<string, unknown>>
}

describe('the audit log of the running program (security row 30)', () => {
  let h: Harness
  let ops: HttpApi
  beforeEach(async () => {
    h = await harness()
    ops = new HttpApi(() => ({ url: h.app.httpUrl }), 'console-token')
  })
  afterEach(() => h.close())

  const login = (user: string, password = `${user}-password`) =>
    HttpApi.login(() => ({ url: h.app.httpUrl }), user, password)
  const entries = async (query = '') => (await ops.get<{ items: Entry[] }>(`/v1/audit${query}`)).items
  const actions = async (query = '') =>
    (await entries(query)).map(({ action, actor, via, subject }) => ({ action, actor, via, subject }))

  it('has every command on an alert with who and how, in the order in which they were done', async () => {
    const id = await h.raise('alerts/critical/system_failure')
    const bob = await login('bob')
    for (const [verb, body] of [
      ['ack', {}],
      ['unack', {}],
      ['note', { note: 'call +4915112345678' }],
      ['snooze', { for: '30m' }],
      ['reassign', { user: 'cem' }],
      ['escalate', {}],
      ['resolve', {}],
    ] as const)
      expect((await bob.post(`/v1/alerts/${id}/${verb}`, body)).status, verb).to.equal(200)
    const done = (await actions('?actor=bob')).toReversed().filter(({ subject }) => subject === id)
    expect(done.map(({ action }) => action)).to.deep.equal([
      'alert.ack',
      'alert.unack',
      'alert.note',
      'alert.snooze',
      'alert.reassign',
      'alert.escalate',
      'alert.resolve',
    ])
    expect(done[0]).to.include({ actor: 'bob', via: 'http' })
    const all = JSON.stringify(await entries())
    expect(all).to.not.contain('+49')
    expect((await actions('?action=alert.step')).length).to.be.above(0)
  })

  it('has log-ins that succeeded and failed, and never what was typed in place of an id', async () => {
    await login('anna')
    const nobody = new HttpApi(() => ({ url: h.app.httpUrl }), null)
    for (const user of ['anna', 'my-secret-password'])
      expect((await nobody.post('/v1/login', { user, password: 'wrong' })).status).to.equal(401)
    const logins = (await actions()).map(({ action, actor }) => `${action} ${actor}`)
    expect(logins).to.deep.equal(['login.fail unknown', 'login.fail anna', 'login.ok anna'])
  })

  it('has reloads, chaos, replays, resends, preferences and devices', async () => {
    const anna = await login('anna')
    await anna.post('/v1/config/reload')
    await anna.request('PUT', '/v1/outbox/chaos', '{}')
    await anna.request(
      'PUT',
      '/v1/notifications/preferences',
      '{"preferences":[{"event_type":"a","channel":"email","enabled":false}]}',
    )
    await anna.post('/v1/users/me/devices', { platform: 'android', token: 'a'.repeat(40) })
    await h.publish('notifications/realtime/user/nobody', { message: 'Hello' })
    const [letter] = await anna
      .get<{ items: { id: string }[] }>('/v1/dead-letters')
      .then(({ items }) => items)
    expect((await anna.request('DELETE', `/v1/dead-letters/${letter?.id ?? ''}`)).status).to.equal(204)
    const found = (await actions('?actor=anna')).map(({ action }) => action).toReversed()
    expect(found).to.deep.equal([
      'login.ok',
      'config.reload',
      'outbox.chaos.change',
      'notifications.preferences.change',
      'users.me.devices.create',
      'dead-letters.remove',
    ])
  })

  it('is for operators, is whole after a restart, and says so', async () => {
    await h.raise('alerts/critical/system_failure')
    await login('anna')
    await h.restart()
    const bob = await login('bob')
    expect((await bob.request('GET', '/v1/audit')).status).to.equal(403)
    expect((await bob.request('GET', '/v1/audit/verify')).status).to.equal(403)
    expect(await ops.get('/v1/audit/verify')).to.include({ ok: true })
  })

  it('has silences, overrides and maintenance windows with who made and ended them and what they were about, but no previews (R35, E23)', async () => {
    const anna = await login('anna')
    const match = { type: 'temp_*' }
    const until = new Date(h.now + 3_600_000).toISOString()
    const wish = { match, reason: 'call +4915112345678', until }
    await anna.post('/v1/silences', { ...wish, preview: true })
    const { body: silence } = await anna.post<{ id: string }>('/v1/silences', wish)
    await anna.request('DELETE', `/v1/silences/${silence.id}`)
    const duty = { user: 'cem', from: new Date(h.now).toISOString(), to: until }
    const { body: override } = await anna.post<{ id: string }>('/v1/oncall/platform/overrides', duty)
    await anna.request('DELETE', `/v1/oncall/platform/overrides/${override.id}`)
    const announce = (id: string, more: object = {}) =>
      h.accepted('notifications/system/maintenance', {
        id,
        title: 'call +4915112345678',
        start: new Date(h.now).toISOString(),
        end: until,
        alert_types: ['temp_*'],
        ...more,
      })
    await announce('w1')
    await announce('w1')
    await announce('w1', { status: 'cancelled' })
    await announce('w2')
    await h.pass(3_600_000)

    const all = (await entries()).toReversed()
    const found = all.filter(({ action }) => /^(silences|oncall|maintenance)/.test(action))
    expect(found.map(({ action, actor, via, subject }) => [action, actor, via, subject])).to.deep.equal([
      ['silences.create', 'anna', 'http', silence.id],
      ['silences.remove', 'anna', 'http', silence.id],
      ['oncall.overrides', 'anna', 'http', `platform/${override.id}`],
      ['oncall.overrides.remove', 'anna', 'http', `platform/${override.id}`],
      ['maintenance.announce', 'device', 'mqtt', 'w1'],
      ['maintenance.cancel', 'device', 'mqtt', 'w1'],
      ['maintenance.announce', 'device', 'mqtt', 'w2'],
      ['maintenance.end', 'carillon', 'engine', 'w2'],
    ])
    expect(found[0]?.detail).to.deep.equal({ match, until })
    expect(found[2]?.detail).to.deep.equal(duty)
    expect(found[4]?.detail).to.deep.include({ types: ['temp_*'], start: h.now - 3_600_000 })
    expect(JSON.stringify(all)).to.not.contain('+49')
  })
})
