import { expect } from 'chai'
import type { MqttCredentials } from '../../src/broker/broker.ts'
import { Fault } from '../../src/errors.ts'
import { createAuthenticator } from '../../src/access/authenticate.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { fakeDirectory, machine, person } from '../support/fake-directory.ts'
import { configWith, JWT_SECRET } from '../support/http-harness.ts'
import { silentLog } from '../support/silent-log.ts'

function setUp(anonymous: string | null = null) {
  const clock = fakeClock()
  const people = [person('anna', { password: 'pw' }), person('nopass')]
  const directories = [
    fakeDirectory(people, [machine('db'), machine('guest')]),
    fakeDirectory([], [machine('db', { token: 'rotated' })]),
  ]
  let directory = directories[0] ?? fakeDirectory([])
  const config = configWith({ auth: { anonymous } })
  const authenticator = createAuthenticator({
    directory: () => directory,
    config: () => config,
    clock,
    jwtSecret: JWT_SECRET,
    log: silentLog().log,
  })
  return {
    clock,
    authenticator,
    reload: () => {
      directory = directories[1] ?? directory
    },
  }
}

function mqtt(given: Partial<MqttCredentials>): MqttCredentials {
  return { username: null, password: null, remoteAddress: '192.0.2.1', ticket: null, cookie: null, ...given }
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'none',
    (error: unknown) => (error instanceof Fault ? error.code : String(error)),
  )
}

describe('the authenticator', () => {
  it('knows a person by password and a machine by token over MQTT (contract section 3)', async () => {
    const { authenticator } = setUp()
    const anna = await authenticator.mqtt(mqtt({ username: 'anna', password: 'pw' }))
    expect(anna).to.include({ kind: 'user', id: 'anna' })
    expect(anna).not.to.have.property('expiresAt')
    expect(await authenticator.mqtt(mqtt({ username: 'db', password: 'db-token' }))).to.include({
      kind: 'client',
      id: 'db',
    })
  })

  it('takes a JWT as MQTT password whatever the user name, and knows when it ends (security 4)', async () => {
    const { authenticator } = setUp()
    const { token, expiresAt } = await authenticator.login('anna', 'pw', '192.0.2.1')
    expect(await authenticator.mqtt(mqtt({ username: 'whoever', password: token }))).to.include({
      id: 'anna',
      expiresAt,
    })
  })

  const refused: [what: string, credentials: Partial<MqttCredentials>][] = [
    ['nothing', {}],
    ['a name alone', { username: 'anna' }],
    ['a password alone', { password: 'pw' }],
    ['a wrong password', { username: 'anna', password: 'pw2' }],
    ['an empty password', { username: 'anna', password: '' }],
    ['an unknown name', { username: 'nobody', password: 'pw' }],
    ['a person without a password', { username: 'nopass', password: '' }],
    ['the token of another machine', { username: 'guest', password: 'db-token' }],
    ['a name out of a prototype', { username: '__proto__', password: 'x' }],
    ['admin/admin', { username: 'admin', password: 'admin' }],
    ['a ticket that was never issued', { ticket: 'x' }],
    ['a cookie that is none', { cookie: 'carillon=x' }],
  ]
  for (const [what, credentials] of refused) {
    it(`refuses ${what} over MQTT (security 1)`, async () => {
      expect(await setUp().authenticator.mqtt(mqtt(credentials))).to.equal(null)
    })
  }

  it('lets nobody be anonymous unless configured, and then be that client (contract section 3)', async () => {
    const { authenticator } = setUp('guest')
    expect(await authenticator.mqtt(mqtt({}))).to.include({ kind: 'client', id: 'guest' })
    expect(await authenticator.mqtt(mqtt({ username: 'anna', password: 'wrong' }))).to.equal(null)
    expect(await authenticator.http({ headers: {} })).to.deep.include({ via: 'anonymous' })
    expect(await codeOf(authenticator.http({ headers: { 'x-api-key': 'wrong' } }))).to.equal('auth.invalid')
  })

  it('takes bearer tokens, API keys and service credentials over HTTP (N04)', async () => {
    const { authenticator } = setUp()
    const { token } = await authenticator.login('anna', 'pw', '192.0.2.1')
    const good = [
      { authorization: `Bearer ${token}` },
      { authorization: 'bearer db-token' },
      { 'x-api-key': 'db-token' },
      { 'x-service-id': 'db', 'x-service-token': 'db-token' },
      { cookie: `other=1; carillon=${token}` },
    ]
    const ids = await Promise.all(
      good.map(async (headers) => (await authenticator.http({ headers }))?.principal.id),
    )
    expect(ids).to.deep.equal(['anna', 'db', 'db', 'db', 'anna'])
    const bad = [
      { authorization: 'Basic YW5uYTpwdw==' },
      { authorization: 'Bearer' },
      { authorization: 'Bearer wrong' },
      { 'x-api-key': '' },
      { 'x-service-id': 'db' },
      { 'x-service-token': 'db-token' },
      { 'x-service-id': 'guest', 'x-service-token': 'db-token' },
      { cookie: 'carillon=wrong' },
    ]
    for (const headers of bad) {
      expect(await codeOf(authenticator.http({ headers })), JSON.stringify(headers)).to.equal('auth.invalid')
    }
    expect(await authenticator.http({ headers: { cookie: 'other=1' } })).to.equal(null)
  })

  it('takes a ticket once, over HTTP or MQTT (contract section 3)', async () => {
    const { authenticator } = setUp()
    const { principal } = await authenticator.login('anna', 'pw', '192.0.2.1')
    const { ticket } = authenticator.ticket(principal)
    expect(await authenticator.http({ headers: {}, ticket })).to.deep.include({ via: 'ticket' })
    expect(await codeOf(authenticator.http({ headers: {}, ticket }))).to.equal('auth.invalid')
    const second = authenticator.ticket(principal)
    expect(await authenticator.mqtt(mqtt({ ticket: second.ticket }))).to.include({ id: 'anna' })
  })

  it('gives a ticket no longer life than the session it came from (security 4)', async () => {
    const { authenticator, clock } = setUp()
    const { token } = await authenticator.login('anna', 'pw', '192.0.2.1')
    await clock.pass(3_590_000)
    const identity = await authenticator.http({ headers: { authorization: `Bearer ${token}` } })
    const { ticket } = authenticator.ticket(identity?.principal ?? expect.fail('no identity'))
    await clock.pass(11_000)
    expect(await codeOf(authenticator.http({ headers: {}, ticket }))).to.equal('auth.invalid')
  })

  it('forgets a session that was ended, and only that one', async () => {
    const { authenticator } = setUp()
    const first = await authenticator.login('anna', 'pw', '192.0.2.1')
    const second = await authenticator.login('anna', 'pw', '192.0.2.1')
    await authenticator.logout({ headers: { cookie: `carillon=${first.token}` } })
    const ask = (token: string) =>
      codeOf(authenticator.http({ headers: { authorization: `Bearer ${token}` } }))
    expect(await ask(first.token)).to.equal('auth.expired')
    expect(await ask(second.token)).to.equal('none')
  })

  it('signs in once by the link of the demo mode (contract section 1)', async () => {
    const { authenticator, clock } = setUp()
    const { token } = authenticator.loginLink('anna')
    expect((await authenticator.redeemLoginLink(token)).principal.id).to.equal('anna')
    expect(await codeOf(authenticator.redeemLoginLink(token))).to.equal('auth.invalid')
    const late = authenticator.loginLink('anna')
    await clock.pass(600_000)
    expect(await codeOf(authenticator.redeemLoginLink(late.token))).to.equal('auth.invalid')
    expect(() => authenticator.loginLink('nobody')).to.throw(RangeError)
  })

  it('slows guessing down per address and person, for the right password too (security 2)', async () => {
    const { authenticator, clock } = setUp()
    const login = (password: string, ip = '192.0.2.1') => codeOf(authenticator.login('anna', password, ip))
    for (let i = 0; i < 10; i++) expect(await login('wrong')).to.equal('auth.invalid')
    expect(await login('pw')).to.equal('auth.too_many_attempts')
    expect(await authenticator.mqtt(mqtt({ username: 'anna', password: 'pw' }))).to.equal(null)
    expect(await login('pw', '192.0.2.2')).to.equal('none')
    await clock.pass(1000)
    expect(await login('pw')).to.equal('none')
    expect(await login('wrong')).to.equal('auth.invalid')
  })

  it('follows a reload: old tokens and removed people are out (security 3)', async () => {
    const { authenticator, reload } = setUp()
    const { token } = await authenticator.login('anna', 'pw', '192.0.2.1')
    const ask = (key: string) => codeOf(authenticator.http({ headers: { 'x-api-key': key } }))
    expect(await ask('db-token')).to.equal('none')
    reload()
    expect(await ask('db-token')).to.equal('auth.invalid')
    expect(await ask('rotated')).to.equal('none')
    expect(await ask(token)).to.equal('auth.invalid')
  })
})
