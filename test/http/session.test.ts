import { expect } from 'chai'
import { httpHarness, type HttpHarness } from '../support/http-harness.ts'

const LOGIN = { user: 'anna', password: 'anna-password' }

describe('signing in over HTTP', () => {
  let h: HttpHarness
  beforeEach(async () => {
    h = await httpHarness()
  })
  afterEach(() => h.close())

  const login = (payload: object = LOGIN, headers: Record<string, string> = {}) =>
    h.app.inject({ method: 'POST', url: '/v1/login', payload, headers })

  it('gives a token and a session cookie that no script can read (contract section 3)', async () => {
    const answer = await login()
    expect(answer.statusCode).to.equal(200)
    expect(answer.json()).to.include({ user: 'anna', expires_at: '2026-01-05T13:00:00.000Z' })
    expect(answer.headers['set-cookie']).to.match(
      /^carillon=[\w.-]+; Max-Age=3600; Path=\/; HttpOnly; SameSite=Lax$/,
    )
    expect(answer.headers['cache-control']).to.equal('no-store')
    const { token } = answer.json()
    const me = await h.app.inject({ url: '/v1/users/me', headers: { authorization: `Bearer ${token}` } })
    expect(me.json()).to.include({ id: 'anna', kind: 'user', name: 'Anna K.' })
  })

  it('binds the cookie to this host where there is TLS (security 32)', async () => {
    const tls = await httpHarness({ server: { public_url: 'https://alerts.example.org' } })
    const answer = await tls.app.inject({ method: 'POST', url: '/v1/login', payload: LOGIN })
    expect(answer.headers['set-cookie'])
      .to.match(/^__Host-carillon=/)
      .and.to.contain('Secure')
    await tls.close()
  })

  it('says the same for a wrong password and an unknown user (security 2)', async () => {
    const wrong = await login({ ...LOGIN, password: 'x' })
    const unknown = await login({ user: 'nobody', password: 'x' })
    expect(wrong.statusCode).to.equal(401)
    expect(wrong.json()).to.deep.equal({
      error: { code: 'auth.invalid', message: 'The credentials are wrong' },
    })
    expect(unknown.json()).to.deep.equal(wrong.json())
    expect(wrong.headers).not.to.have.property('set-cookie')
  })

  it('answers 429 with Retry-After when somebody guesses (security 2)', async () => {
    for (let i = 0; i < 10; i++) await login({ ...LOGIN, password: 'x' })
    const answer = await login()
    expect(answer.statusCode).to.equal(429)
    expect(answer.json().error.code).to.equal('auth.too_many_attempts')
    expect(Number(answer.headers['retry-after'])).to.be.at.least(1)
  })

  it('believes X-Forwarded-For only of configured proxies (security 27)', async () => {
    const guess = (app: HttpHarness, i: number) =>
      app.app.inject({
        method: 'POST',
        url: '/v1/login',
        payload: { ...LOGIN, password: 'x' },
        headers: { 'x-forwarded-for': `10.0.0.${i}` },
      })
    for (let i = 0; i < 10; i++) await guess(h, i)
    expect((await guess(h, 11)).statusCode).to.equal(429)
    const proxied = await httpHarness({ server: { trusted_proxies: ['127.0.0.1'] } })
    for (let i = 0; i < 10; i++) await guess(proxied, i)
    expect((await guess(proxied, 11)).statusCode).to.equal(401)
    await proxied.close()
  })

  it('signs in once by the demo link (contract section 1)', async () => {
    const { token } = h.authenticator.loginLink('anna')
    expect((await login({ link: token })).json()).to.include({ user: 'anna' })
    expect((await login({ link: token })).statusCode).to.equal(401)
  })

  it('ends a session', async () => {
    const { token } = (await login()).json()
    const headers = { cookie: `carillon=${token}` }
    const answer = await h.app.inject({ method: 'POST', url: '/v1/logout', headers })
    expect(answer.statusCode).to.equal(200)
    expect(answer.headers['set-cookie']).to.match(/^carillon=;.*Expires=Thu, 01 Jan 1970/)
    const after = await h.app.inject({ url: '/v1/users/me', headers })
    expect(after.statusCode).to.equal(401)
    expect(after.json().error.code).to.equal('auth.expired')
  })

  it('gives a ticket that opens one stream and changes nothing (contract section 3)', async () => {
    const headers = await h.bearer('anna')
    const ticketOf = async () =>
      (await h.app.inject({ method: 'POST', url: '/v1/ticket', headers })).json().ticket
    const url = `/v1/users/me?ticket=${await ticketOf()}`
    expect((await h.app.inject({ url })).statusCode).to.equal(200)
    expect((await h.app.inject({ url })).statusCode).to.equal(401)
    const change = await h.app.inject({ method: 'POST', url: `/v1/logout?ticket=${await ticketOf()}` })
    expect(change.statusCode).to.equal(401)
  })

  describe('with a cookie', () => {
    const own = 'http://localhost:8080'
    const pages: [what: string, headers: Record<string, string>, status: number][] = [
      ['no browser at all', {}, 200],
      ['our own page', { origin: own, 'sec-fetch-site': 'same-origin' }, 200],
      ['our own page in an old browser', { origin: own }, 200],
      [
        'our own page behind a proxy that renames us',
        { origin: 'http://a.example', 'sec-fetch-site': 'same-origin' },
        200,
      ],
      ['a foreign page', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }, 403],
      ['a foreign page in an old browser', { origin: 'https://evil.example' }, 403],
      ['a sandboxed page', { origin: 'null', 'sec-fetch-site': 'cross-site' }, 403],
      [
        'another port of this machine',
        { origin: 'http://localhost:3000', 'sec-fetch-site': 'same-site' },
        403,
      ],
      ['a foreign form without an origin', { 'sec-fetch-site': 'cross-site' }, 403],
    ]
    for (const [what, headers, status] of pages) {
      it(`answers ${status} to a change from ${what} (security 32)`, async () => {
        const { token } = (await login()).json()
        const answer = await h.app.inject({
          method: 'POST',
          url: '/v1/ticket',
          headers: { host: 'localhost:8080', cookie: `carillon=${token}`, ...headers },
        })
        expect(answer.statusCode).to.equal(status)
        if (status === 403) expect(answer.json().error.code).to.equal('auth.forbidden')
      })
    }

    it('lets a foreign page use a bearer token, which it had to know (security 32)', async () => {
      const answer = await h.app.inject({
        method: 'POST',
        url: '/v1/ticket',
        headers: { ...(await h.bearer('anna')), origin: 'https://evil.example' },
      })
      expect(answer.statusCode).to.equal(200)
    })

    it('does not sign a browser in for a foreign page (security 32)', async () => {
      const answer = await login(LOGIN, { host: 'localhost:8080', origin: 'https://evil.example' })
      expect(answer.statusCode).to.equal(200)
      expect(answer.headers).not.to.have.property('set-cookie')
    })
  })

  it('lets no web page publish or read through the anonymous client, whatever name it has for us (security 32)', async () => {
    const open = await httpHarness({ auth: { anonymous: 'guest' } })
    const publish = (headers: Record<string, string>) =>
      open.app.inject({ method: 'POST', url: '/v1/publish/plain/x', payload: '1', headers })
    expect((await publish({ 'content-type': 'text/plain' })).statusCode).to.equal(202)
    const rebound = { host: 'evil.example:8080', origin: 'http://evil.example:8080' }
    expect((await publish({ 'content-type': 'text/plain', ...rebound })).statusCode).to.equal(403)
    const read = await open.app.inject({ url: '/v1/alerts', headers: { origin: 'https://evil.example' } })
    expect(read.statusCode).to.equal(403)
    expect((await open.app.inject({ url: '/v1/alerts' })).statusCode).to.equal(200)
    await open.close()
  })
})
