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
})
