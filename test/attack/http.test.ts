import { expect } from 'chai'
import { connect } from 'node:net'
import { Installation, type Program } from '../support/program.ts'
import { call, login, servesTheGood } from './attacked.ts'

const CONFIG = `
users:
  anna: { password: anna-password, email: anna@example.org, roles: [admin] }
  bob: { password: bob-password, email: bob@example.org }
clients:
  device: { token: device-token, publish: ["notifications/#", "alerts/#", "sensors/#"] }
  wide: { token: wide-token, publish: ["#"] }
teams:
  platform: { alert_types: ["*"], schedule: { layers: [{ rotate: [anna, bob] }] }, escalation: { steps: [{ notify: [oncall], wait: 1h }] } }
`

describe('HTTP requests that are wrong', function () {
  this.timeout(30_000)
  const installation = new Installation(CONFIG)
  let program: Program

  before(async () => {
    program = await installation.start()
  })
  after(() => installation.remove())

  /** What comes back for these very bytes, until the server closes. */
  function raw(text: string): Promise<string> {
    return new Promise((resolve) => {
      const socket = connect(program.httpPort, '127.0.0.1')
      let answer = ''
      socket.on('error', () => {})
      socket.on('data', (chunk: Buffer) => (answer += chunk.toString()))
      socket.on('close', () => resolve(answer))
      socket.write(text)
    })
  }

  /** `fetch` would straighten the path and mind the headers. */
  async function request(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>> = {},
    body = '',
  ): Promise<{ status: number; text: string }> {
    const head = Object.entries({
      host: `127.0.0.1:${program.httpPort}`,
      connection: 'close',
      'content-length': String(Buffer.byteLength(body)),
      ...headers,
    })
    const answer = await raw(
      `${method} ${path} HTTP/1.1\r\n${head.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`,
    )
    return { status: Number(answer.split(' ', 2)[1]), text: answer }
  }

  const WIDE = { authorization: 'Bearer wide-token' }
  const DEVICE = { authorization: 'Bearer device-token' }

  const forbidden = [
    '+',
    '%23',
    'a/%2B/b',
    '$SYS/x',
    '%24SYS/x',
    '%00',
    'a%0d%0ab',
    '',
    'a/'.repeat(40),
    'x'.repeat(600),
    'state/alerts/x',
    'state%2Falerts%2Fx',
    'dlq/x',
    'receipts/wide/x',
    'alerts/1/ack',
    'alerts/1%2fack',
    'alerts%2F1%2Fack',
    'notifications/alerts/1/ack',
    'alerts//ack',
  ]
  for (const topic of forbidden)
    it(`publish nowhere: ${JSON.stringify(topic.slice(0, 30))} is refused even to a client with # (rows 6, 9 and 38)`, async () => {
      expect((await request('POST', `/v1/publish/${topic}`, WIDE, '{"message":"x"}')).status).to.equal(403)
    })

  for (const topic of ['%ff', '%c0%ae', '%', 'a%'])
    it(`publish nowhere: ${topic} is no address (row 14)`, async () => {
      expect((await request('POST', `/v1/publish/${topic}`, WIDE, '{"message":"x"}')).status).to.equal(400)
    })

  for (const topic of [
    '%2e%2e/alerts/info/x',
    '../alerts/info/x',
    'sensors/../alerts/info/x',
    'sensors%2f..%2falerts%2finfo%2fx',
  ])
    it(`climb out of no topic: ${topic} means what it says (row 6)`, async () => {
      const answer = await request('POST', `/v1/publish/${topic}`, WIDE, '{"message":"x"}')
      expect(answer.text).not.to.include('alert_id')
    })

  const pages = [
    '/../../etc/passwd',
    '/%2e%2e/%2e%2e/package.json',
    '/docs/static/..%2f..%2f..%2fpackage.json',
    '/client/..%5c..%5cpackage.json',
    '//etc/passwd',
    '/%00',
  ]
  for (const path of pages)
    it(`read no file outside of the pages: ${path}`, async () => {
      const { status, text } = await request('GET', path)
      expect(status).to.be.within(400, 404)
      expect(text).not.to.match(/root:|"dependencies"/)
    })

  const bodies: [string, Record<string, string>, string, number][] = [
    ['over 256 KB', { 'content-type': 'application/json' }, `"${'x'.repeat(257 * 1024)}"`, 413],
    ['of 50,000 levels', { 'content-type': 'application/json' }, '['.repeat(50_000), 400],
    ['that is XML', { 'content-type': 'text/xml' }, '<a/>', 415],
    ['that is a form', { 'content-type': 'application/x-www-form-urlencoded' }, 'a=b', 415],
    ['without a type', {}, '{"note":"x"}', 415],
    ['with a prototype', { 'content-type': 'application/json' }, '{"__proto__":{"polluted":1}}', 400],
    ['cut off', { 'content-type': 'application/json' }, '{"note":', 400],
  ]
  for (const [what, headers, body, status] of bodies)
    it(`are refused with a body ${what} (rows 13 and 28)`, async () => {
      expect((await request('POST', '/v1/alerts/x/note', { ...DEVICE, ...headers }, body)).status).to.equal(
        status,
      )
    })

  it('hold no more than 16 KB for somebody who is not known (row 13)', async () => {
    expect(
      (
        await request(
          'POST',
          '/v1/login',
          { 'content-type': 'application/json' },
          `{"user":"${'x'.repeat(20_000)}"}`,
        )
      ).status,
    ).to.equal(413)
  })

  it('are refused with too many headers, too long ones, and two lengths (rows 13 and 15)', async () => {
    expect((await request('GET', '/healthz', { 'x-a': 'y'.repeat(20_000) })).status).to.equal(431)
    expect(
      (
        await request(
          'GET',
          '/healthz',
          Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`a${i}`, 'b'])),
        )
      ).status,
    ).to.equal(431)
    const smuggled = await raw(
      'POST /v1/login HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n',
    )
    expect(smuggled).to.match(/^HTTP\/1\.1 400/)
    expect(smuggled).not.to.include('"status":"ok"')
  })

  it('change nothing from a foreign page, whatever it says of itself (row 32)', async () => {
    const cookie = `carillon=${await login(program, 'anna')}`
    const topic = '/v1/publish/notifications/realtime/user/bob'
    for (const headers of [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { origin: `http://127.0.0.1.evil.example:${program.httpPort}` },
    ])
      expect(
        (
          await request(
            'POST',
            topic,
            { cookie, 'content-type': 'text/plain', ...headers },
            '{"message":"x"}',
          )
        ).status,
        JSON.stringify(headers),
      ).to.equal(403)
    const { text } = await request('OPTIONS', topic, {
      origin: 'https://evil.example',
      'access-control-request-method': 'POST',
    })
    expect(text.toLowerCase()).not.to.include('access-control-allow-credentials')
    const inbox = await call(program, await login(program, 'bob'), 'GET', '/v1/notifications')
    expect(inbox.text).to.include('"total":0')
  })

  it('open a WebSocket with a cookie from no foreign page (row 32)', async () => {
    const cookie = `carillon=${await login(program, 'anna')}`
    const upgrade = {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      'sec-websocket-protocol': 'mqtt',
    }
    for (const origin of ['https://evil.example', 'null'])
      expect((await request('GET', '/mqtt', { ...upgrade, cookie, origin })).status).to.equal(403)
  })

  it('use a ticket once, and for reading only (contract section 3)', async () => {
    const { text } = await call(program, await login(program, 'anna'), 'POST', '/v1/ticket', {})
    const { ticket } = JSON.parse(text) as { ticket: string }
    expect((await request('POST', `/v1/publish/sensors/a?ticket=${ticket}`)).status).to.equal(401)
    expect((await request('GET', `/v1/users/me?ticket=${ticket}`)).status).to.equal(200)
    expect((await request('GET', `/v1/users/me?ticket=${ticket}`)).status).to.equal(401)
  })

  it('see the metrics from this machine itself only, not through a proxy on it or a foreign name (row 36)', async () => {
    expect((await request('GET', '/metrics')).status).to.equal(200)
    for (const headers of [
      { 'x-forwarded-for': '1.2.3.4' },
      { forwarded: 'for=1.2.3.4' },
      { 'x-real-ip': '1.2.3.4' },
      { host: 'evil.example' },
    ])
      expect((await request('GET', '/metrics', headers)).status, JSON.stringify(headers)).to.equal(401)
    expect(
      (
        await request('GET', '/metrics', {
          'x-forwarded-for': '1.2.3.4',
          authorization: `Bearer ${await login(program, 'bob')}`,
        })
      ).status,
    ).to.equal(403)
  })

  it('find no test endpoints and no other methods (row 35)', async () => {
    for (const [method, path] of [
      ['POST', '/trigger'],
      ['GET', '/sse'],
      ['POST', '/v1/notifications/test'],
      ['TRACE', '/v1/alerts'],
      ['PUT', '/v1/alerts'],
    ])
      expect((await request(method ?? '', path ?? '', DEVICE)).status, `${method} ${path}`).to.equal(404)
  })

  it('are answered without a stack, a path or a query of ours, whatever is wrong (rows 13 and 26)', async () => {
    const admin = { authorization: `Bearer ${await login(program, 'anna')}` }
    const asked: [string, string][] = [
      ['GET', '/v1/alerts?limit=1&limit=2'],
      ['GET', "/v1/alerts?cursor=' OR 1=1--".replaceAll(' ', '%20')],
      ['GET', `/v1/deliveries?cursor=${Buffer.from('{"a":1}').toString('base64url')}`],
      ['GET', `/v1/dead-letters?cursor=${Buffer.alloc(300, 0xff).toString('base64url')}`],
      ['GET', '/v1/outbox?since=-1'],
      ['GET', '/v1/outbox?since=99999999999999'],
      ['GET', '/v1/oncall/platform?from=8640000000000&to=8640000000001'],
      ['GET', '/v1/notifications?offset=-1'],
      ['GET', '/v1/notifications/not-a-uuid'],
      ['GET', '/v1/alerts/%00'],
      ['GET', `/v1/alerts/${'9'.repeat(199)}`],
      ['POST', '/v1/deliveries/....../resend'],
      ['POST', '/v1/dead-letters/__proto__/replay'],
    ]
    for (const [method, path] of asked) {
      const { status, text } = await request(method, path, admin)
      expect(status, path).to.be.within(200, 499)
      expect(text, path).not.to.match(/\bat [^ ]+ \(|node_modules|\.ts:|SQLITE|SELECT /i)
    }
  })

  it('have harmed nobody', async () => {
    expect(await servesTheGood(program)).to.equal(true)
    expect(program.lines.filter((line) => Number(line['level']) >= 50)).to.deep.equal([])
  })
})
