import { expect } from 'chai'
import { connect } from 'node:net'
import { httpHarness, type HttpHarness } from '../support/http-harness.ts'

describe('the HTTP server', () => {
  let h: HttpHarness
  beforeEach(async () => {
    h = await httpHarness()
  })
  afterEach(() => h.close())

  it('says that it lives on /healthz, and nothing else (security 36)', async () => {
    const answer = await h.app.inject('/healthz')
    expect(answer.statusCode).to.equal(200)
    expect(answer.json()).to.deep.equal({ status: 'ok' })
  })

  it('is ready only while publishes are accepted, and says why not (R49)', async () => {
    expect((await h.app.inject('/readyz')).json()).to.deep.equal({ status: 'ready' })
    h.engine.notReady = 'the disk is full'
    const answer = await h.app.inject('/readyz')
    expect(answer.statusCode).to.equal(503)
    expect(answer.json()).to.deep.equal({ status: 'unavailable', reason: 'the disk is full' })
    expect(answer.headers['retry-after']).to.equal('1')
  })

  it('gives its metrics to the machine itself (R49)', async () => {
    const answer = await h.app.inject({ url: '/metrics', headers: { host: 'localhost:8080' } })
    expect(answer.statusCode).to.equal(200)
    expect(answer.headers['content-type']).to.match(/^text\/plain/)
    expect(answer.body).to.contain('carillon_publishes_total')
  })

  const outside: [what: string, remoteAddress: string, headers: Record<string, string>][] = [
    ['another machine', '10.0.0.7', { host: 'localhost' }],
    ['a proxy on this machine', '127.0.0.1', { host: 'localhost', 'x-forwarded-for': '10.0.0.7' }],
    ['a foreign name that points here', '127.0.0.1', { host: 'evil.example:8080' }],
  ]
  for (const [what, remoteAddress, headers] of outside) {
    it(`gives its metrics to ${what} only with the role ops or admin (security 36)`, async () => {
      const get = (more: object) =>
        h.app.inject({ url: '/metrics', remoteAddress, headers: { ...headers, ...more } })
      expect((await get({})).statusCode).to.equal(401)
      expect((await get(await h.bearer('anna'))).statusCode).to.equal(403)
      expect((await get(await h.bearer('olga'))).statusCode).to.equal(200)
    })
  }

  const unknown: [method: 'GET' | 'POST', url: string][] = [
    ['GET', '/nothing'],
    ['POST', '/v1/alerts'],
    ['GET', '/v1/nothing'],
    ['GET', '/web/../package.json'],
    ['GET', '/web/%2e%2e/package.json'],
    ['POST', '/v1/notifications/trigger'],
    ['POST', '/v1/notifications/sse'],
  ]
  for (const [method, url] of unknown) {
    it(`answers 404 in the one shape of errors for ${method} ${url} (security 35)`, async () => {
      const answer = await h.app.inject({ method, url })
      expect(answer.statusCode).to.equal(404)
      expect(answer.json()).to.deep.equal({
        error: { code: 'request.not_found', message: 'There is nothing here' },
      })
    })
  }

  it('answers a path that is no path in the same shape', async () => {
    const answer = await h.app.inject('/%zz')
    expect(answer.statusCode).to.equal(400)
    expect(answer.json().error.code).to.equal('request.invalid')
  })

  it('tells nothing of an unexpected error but that there was one, and logs it', async () => {
    h.engine.broken = new Error('secret detail at /srv/db.sqlite')
    const answer = await h.app.inject({ url: '/v1/alerts', headers: await h.bearer('anna') })
    expect(answer.statusCode).to.equal(500)
    expect(answer.json()).to.deep.equal({
      error: { code: 'server.internal', message: 'Something went wrong inside' },
    })
    expect(h.engine.lines.some((line) => JSON.stringify(line).includes('secret detail'))).to.equal(true)
  })

  const bodies: [what: string, body: string, type: string, status: number, code: string][] = [
    ['no JSON', '{"user":', 'application/json', 400, 'request.invalid'],
    ['a prototype', '{"__proto__":{"x":1}}', 'application/json', 400, 'request.invalid'],
    ['another prototype', '{"constructor":{"prototype":{}}}', 'application/json', 400, 'request.invalid'],
    ['an object as a name', '{"user":{"$gt":""},"password":"x"}', 'application/json', 400, 'request.invalid'],
    ['a missing field', '{"user":"anna"}', 'application/json', 400, 'request.invalid'],
    ['10,000 levels', '['.repeat(10_000), 'application/json', 400, 'request.invalid'],
    [
      '1,001 keys',
      `{${Array.from({ length: 1001 }, (_, i) => `"k${i}":1`).join()}}`,
      'application/json',
      400,
      'request.invalid',
    ],
    ['over 256 KB', `"${'x'.repeat(256 * 1024)}"`, 'application/json', 413, 'request.too_large'],
    ['a form', 'user=anna', 'application/x-www-form-urlencoded', 415, 'request.invalid'],
  ]
  for (const [what, payload, type, status, code] of bodies) {
    it(`refuses a body with ${what} (security 13, 28)`, async () => {
      const answer = await h.app.inject({
        method: 'POST',
        url: '/v1/login',
        payload,
        headers: { 'content-type': type },
      })
      expect(answer.statusCode).to.equal(status)
      expect(answer.json().error.code).to.equal(code)
      expect(({} as Record<string, unknown>)['x']).to.equal(undefined)
    })
  }

  it('names the field that is not valid', async () => {
    const answer = await h.app.inject({ url: '/v1/alerts?limit=many', headers: await h.bearer('anna') })
    expect(answer.statusCode).to.equal(400)
    expect(answer.json().error).to.include({ code: 'request.invalid' })
    expect(answer.json().error.details).to.deep.equal({ field: 'limit', in: 'query' })
  })

  it('sets the security headers on pages and answers alike (security 31)', async () => {
    for (const url of ['/', '/healthz', '/docs', '/v1/alerts', '/nothing']) {
      const { headers } = await h.app.inject(url)
      expect(headers['content-security-policy'], url).to.equal(
        "default-src 'none';script-src 'self';style-src 'self';img-src 'self' data:;connect-src 'self';" +
          "frame-ancestors 'none';base-uri 'none';form-action 'self';manifest-src 'self';worker-src 'self';" +
          "frame-src 'self'",
      )
      expect(headers['x-content-type-options'], url).to.equal('nosniff')
      expect(headers['cross-origin-opener-policy'], url).to.equal('same-origin')
      expect(headers['referrer-policy'], url).to.equal('no-referrer')
      expect(headers, url).not.to.have.property('strict-transport-security')
      expect(headers, url).not.to.have.property('x-powered-by')
    }
  })

  it('asks browsers to stay with TLS where it is reached by TLS (security 31)', async () => {
    const tls = await httpHarness({ server: { public_url: 'https://alerts.example.org' } })
    const { headers } = await tls.app.inject('/healthz')
    expect(headers['strict-transport-security']).to.match(/^max-age=31536000/)
    await tls.close()
  })

  it('serves pages without inline scripts or styles (security 31)', async () => {
    for (const url of ['/', '/login', '/docs']) {
      const { body, statusCode } = await h.app.inject(url)
      expect(statusCode, url).to.equal(200)
      expect(body, url).not.to.match(/<script(?![^>]*\bsrc=)[^>]*>|<style|\sstyle=|\son[a-z]+=|javascript:/i)
    }
  })

  it('has a page behind the link that an e-mail about an alert carries', async () => {
    const page = await h.app.inject('/alerts/01a1fcd0-6167-71e6-b2c6-9d8a5d5371e2')
    expect(page.statusCode).to.equal(200)
    expect(page.body).to.equal((await h.app.inject('/')).body)
  })

  it('never makes markup of what the server says (security 19)', async () => {
    const { body } = await h.app.inject('/web/status.js')
    expect(body).to.contain('textContent')
    expect(body).not.to.match(
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|Function\(|\.href\s*=/,
    )
  })

  it('lets any page read the API with a bearer token, and never with a cookie (security 32)', async () => {
    const preflight = await h.app.inject({
      method: 'OPTIONS',
      url: '/v1/alerts',
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
    })
    expect(preflight.statusCode).to.equal(204)
    expect(preflight.headers['access-control-allow-origin']).to.equal('*')
    expect(preflight.headers).not.to.have.property('access-control-allow-credentials')
    for (const url of ['/healthz', '/metrics', '/', '/openapi.json']) {
      const { headers } = await h.app.inject({ url, headers: { origin: 'https://evil.example' } })
      expect(headers, url).not.to.have.property('access-control-allow-origin')
    }
  })

  it('lets pages of a configured origin use the cookie (security 32)', async () => {
    const open = await httpHarness({ server: { allowed_origins: ['https://ops.example.org'] } })
    const { headers } = await open.app.inject({
      url: '/v1/alerts',
      headers: { origin: 'https://ops.example.org' },
    })
    expect(headers['access-control-allow-origin']).to.equal('https://ops.example.org')
    expect(headers['access-control-allow-credentials']).to.equal('true')
    await open.close()
  })

  it('takes a correlation id that is one and makes one otherwise (R49)', async () => {
    const idOf = async (given: Record<string, string>) =>
      (await h.app.inject({ url: '/healthz', headers: given })).headers['x-request-id']
    expect(await idOf({ 'x-request-id': 'abc-1' })).to.equal('abc-1')
    expect(await idOf({ 'x-request-id': 'a b"<script>' })).to.match(/^[0-9a-f-]{36}$/)
    expect(await idOf({})).to.match(/^[0-9a-f-]{36}$/)
  })

  it('writes no credential and no query string into its log (security 26)', async () => {
    const canary = 'CANARY-4711'
    await h.app.inject({ url: `/v1/alerts?ticket=${canary}` })
    await h.app.inject({
      url: '/v1/alerts',
      headers: { authorization: `Bearer ${canary}`, cookie: `carillon=${canary}` },
    })
    await h.app.inject({ method: 'POST', url: '/v1/login', payload: { user: 'anna', password: canary } })
    await h.app.inject({ url: `/nothing?token=${canary}`, headers: { 'x-api-key': canary } })
    expect(h.engine.lines.filter((line) => line.msg === 'request')).to.have.length(4)
    expect(JSON.stringify(h.engine.lines)).not.to.contain(canary)
  })

  it('lets a family of another part answer a literal path before /v1/notifications/{id} (C05)', async () => {
    const more = await httpHarness({
      options: {
        families: [(app) => void app.get('/notifications/literal', async () => ({ literal: true }))],
      },
    })
    const answer = await more.app.inject({
      url: '/v1/notifications/literal',
      headers: await more.bearer('anna'),
    })
    expect(answer.json()).to.deep.equal({ literal: true })
    await more.close()
  })

  describe('on a socket', () => {
    it('answers what is no HTTP with 400 and goes on (security 14)', async () => {
      const port = await listen(h)
      expect(await exchange(port, 'NOT HTTP AT ALL\r\n\r\n')).to.match(/^HTTP\/1\.1 400 [^]*request\.invalid/)
      expect(await exchange(port, `GET / HTTP/1.1\r\nhost: x\r\na: ${'x'.repeat(20_000)}\r\n\r\n`)).to.match(
        /^HTTP\/1\.1 431 /,
      )
      const answer = await fetch(`http://127.0.0.1:${port}/healthz`)
      expect(answer.status).to.equal(200)
    })

    it('bounds how long headers and requests may take (security 15)', () => {
      expect(h.app.server.headersTimeout).to.equal(10_000)
      expect(h.app.server.requestTimeout).to.equal(30_000)
    })

    it('finishes what is in flight when it closes (contract section 1)', async () => {
      const port = await listen(h)
      const arrived = new Promise<void>((arrive) => {
        h.engine.receive = async () => {
          arrive()
          await new Promise<void>((resolve) => (release = resolve))
          return h.engine.outcome
        }
      })
      let release: () => void = () => {}
      const answer = fetch(`http://127.0.0.1:${port}/v1/publish/plain/x`, {
        method: 'POST',
        body: '1',
        headers: await h.bearer('db'),
      })
      await arrived
      const closed = h.app.close()
      release()
      expect((await answer).status).to.equal(202)
      await closed
    })

    it('stops accepting at once when it closes and leaves nothing open', async () => {
      const port = await listen(h)
      expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).to.equal(200)
      await h.app.close()
      expect(h.app.server.listening).to.equal(false)
      const refused = await fetch(`http://127.0.0.1:${port}/healthz`).then(
        () => false,
        () => true,
      )
      expect(refused).to.equal(true)
    })
  })
})

async function listen({ app }: HttpHarness): Promise<number> {
  await app.listen({ host: '127.0.0.1', port: 0 })
  const address = app.server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** Sends raw bytes and resolves with all that comes back until the other side closes. */
function exchange(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(text))
    socket.setEncoding('utf8')
    socket.on('data', (chunk: string) => (answer += chunk))
    socket.on('close', () => resolve(answer))
    socket.on('error', reject)
  })
}
