import { expect } from 'chai'
import type { Publish } from '../../src/router/publish.ts'
import type { Outcome } from '../../src/router/publish.ts'
import { httpHarness, type HttpHarness } from '../support/http-harness.ts'

const TOPIC = '/v1/publish/notifications/realtime/user/anna'

describe('POST /v1/publish', () => {
  let h: HttpHarness
  const forwarded: Publish[] = []
  let kept = true
  before(async () => {
    const forward = async (publish: Publish) => {
      forwarded.push(publish)
      return kept
    }
    h = await httpHarness({ options: { forward } })
  })
  beforeEach(() => h.engine.reset())
  after(() => h.close())

  const publish = async (
    given: { url?: string; payload?: string | Buffer; headers?: object; who?: string } = {},
  ) =>
    h.app.inject({
      method: 'POST',
      url: given.url ?? TOPIC,
      payload: given.payload ?? '{"message":"Hello"}',
      headers: {
        'content-type': 'application/json',
        ...(await h.bearer(given.who ?? 'db')),
        ...given.headers,
      },
    })

  it('hands the door exactly what was sent and answers 202 with its result (contract section 4)', async () => {
    const answer = await publish({
      headers: {
        'idempotency-key': 'order-7',
        'x-request-id': 'req-1',
        traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      },
    })
    expect(answer.statusCode).to.equal(202)
    expect(answer.json()).to.deep.equal({ id: 'm1', result: { status: 'sent' } })
    const [taken] = h.engine.published
    expect(taken).to.deep.include({
      topic: 'notifications/realtime/user/anna',
      qos: 1,
      via: 'http',
      fingerprint: null,
      dup: false,
      idempotencyKey: 'order-7',
      correlationId: 'req-1',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    })
    expect(taken?.principal.id).to.equal('db')
  })

  const payloads: [what: string, payload: string | Buffer, type: string][] = [
    ['broken JSON', '{"message":', 'application/json'],
    ['no JSON at all', 'Hello', 'text/plain'],
    ['bytes', Buffer.from([0, 255, 254, 1]), 'application/octet-stream'],
    ['a form', 'a=b', 'application/x-www-form-urlencoded'],
    ['nothing', '', 'application/json'],
    ['150 KB', 'x'.repeat(150 * 1024), 'text/plain'],
  ]
  for (const [what, payload, type] of payloads) {
    it(`passes on ${what} byte for byte, for the door to judge (contract section 4)`, async () => {
      await publish({ payload, headers: { 'content-type': type } })
      expect(Buffer.from(h.engine.published[0]?.payload ?? [])).to.deep.equal(Buffer.from(payload))
    })
  }

  it('takes a body without a media type, and none at all', async () => {
    const headers = await h.bearer('db')
    expect((await h.app.inject({ method: 'POST', url: TOPIC, headers })).statusCode).to.equal(202)
    expect(h.engine.published[0]?.payload).to.have.length(0)
  })

  it('takes escaped characters of a topic as what they stand for', async () => {
    await publish({ url: '/v1/publish/plain/a%20b/%C3%A4' })
    expect(h.engine.published[0]?.topic).to.equal('plain/a b/ä')
  })

  it('drops a trace context that is none (R49)', async () => {
    for (const traceparent of [
      'x',
      '00-00000000000000000000000000000000-b7ad6b7169203331-01',
      'ff-'.padEnd(55, 'a'),
    ]) {
      await publish({ headers: { traceparent } })
    }
    expect(h.engine.published).to.have.length(3)
    for (const taken of h.engine.published) expect(taken).not.to.have.property('traceparent')
  })

  const outcomes: [what: string, outcome: Outcome, status: number, body: object, retryAfter?: string][] = [
    [
      'a dead letter',
      { kind: 'dead', id: 'd1', code: 'publish.invalid_body', message: 'Message is required' },
      400,
      {
        error: {
          code: 'publish.invalid_body',
          message: 'Message is required',
          details: { dead_letter_id: 'd1' },
        },
      },
    ],
    [
      'a topic without a route',
      { kind: 'dead', id: 'd1', code: 'publish.no_route', message: 'No route' },
      404,
      { error: { code: 'publish.no_route', message: 'No route', details: { dead_letter_id: 'd1' } } },
    ],
    [
      'a payload over 128 KB',
      { kind: 'dead', id: 'd1', code: 'publish.too_large', message: 'Too large' },
      413,
      { error: { code: 'publish.too_large', message: 'Too large', details: { dead_letter_id: 'd1' } } },
    ],
    [
      'a forbidden topic',
      { kind: 'refused', code: 'publish.forbidden', message: 'No' },
      403,
      { error: { code: 'publish.forbidden', message: 'No' } },
    ],
    [
      'too many publishes',
      {
        kind: 'refused',
        code: 'rate_limit_exceeded',
        message: 'Slow down',
        details: { rate_limit: { max_requests: 1000, window_seconds: 60, remaining: 0, reset_time: 1 } },
        retryAfterMs: 1500,
      },
      429,
      {
        error: {
          code: 'rate_limit_exceeded',
          message: 'Slow down',
          details: { rate_limit: { max_requests: 1000, window_seconds: 60, remaining: 0, reset_time: 1 } },
        },
      },
      '2',
    ],
    [
      'a store that does not store',
      { kind: 'refused', code: 'store.unavailable', message: 'Disk full' },
      503,
      { error: { code: 'store.unavailable', message: 'Disk full' } },
      '1',
    ],
    [
      'a discarded publish',
      { kind: 'discarded', code: null },
      202,
      { id: 'k', result: { status: 'discarded' } },
    ],
  ]
  for (const [what, outcome, status, body, retryAfter] of outcomes) {
    it(`answers ${status} to ${what} (contract section 4, R47)`, async () => {
      h.engine.outcome = outcome
      const answer = await publish({ headers: { 'idempotency-key': 'k' } })
      expect(answer.statusCode).to.equal(status)
      expect(answer.json()).to.deep.equal(body)
      expect(answer.headers['retry-after']).to.equal(retryAfter)
    })
  }

  it('says that a repeat was one (P3)', async () => {
    h.engine.outcome = { kind: 'stored', id: 'm1', result: {}, duplicate: true }
    expect((await publish()).headers['idempotency-replayed']).to.equal('true')
  })

  it('passes a plain topic on to MQTT subscribers (contract section 4)', async () => {
    h.engine.outcome = { kind: 'plain' }
    const answer = await publish({ url: '/v1/publish/plain/x' })
    expect(answer.statusCode).to.equal(202)
    expect(answer.json().result).to.deep.equal({ status: 'forwarded' })
    expect(forwarded.map(({ topic }) => topic)).to.deep.equal(['plain/x'])
  })

  it('answers 503 when subscribers that are away would not have it kept (P2)', async () => {
    h.engine.outcome = { kind: 'plain' }
    kept = false
    const answer = await publish({ url: '/v1/publish/plain/x' })
    kept = true
    expect(answer.statusCode).to.equal(503)
    expect(answer.json().error.code).to.equal('store.unavailable')
  })

  const forbidden: [who: string, topic: string][] = [
    ['db', 'events/x'],
    ['db', 'alerts/7/ack'],
    ['db', '$SYS/x'],
    ['db', 'alerts/%23'],
    ['anna', 'notifications/realtime/user/bob'],
    ['mute', 'plain/x'],
  ]
  for (const [who, topic] of forbidden) {
    it(`does not even ask the door when ${who} publishes to ${topic} (security 6)`, async () => {
      const answer = await publish({ who, url: `/v1/publish/${topic}` })
      expect(answer.statusCode).to.equal(403)
      expect(answer.json().error.code).to.equal('publish.forbidden')
      expect(h.engine.published).to.have.length(0)
    })
  }

  it('asks who calls before it reads a body', async () => {
    const answer = await h.app.inject({ method: 'POST', url: TOPIC, payload: 'x'.repeat(300 * 1024) })
    expect(answer.statusCode).to.equal(401)
    expect(answer.json().error.code).to.equal('auth.missing')
    expect(answer.headers['www-authenticate']).to.equal('Bearer')
  })

  it('refuses a body over 256 KB and an Idempotency-Key that is none (security 13)', async () => {
    const large = await publish({ payload: 'x'.repeat(256 * 1024 + 1) })
    expect([large.statusCode, large.json().error.code]).to.deep.equal([413, 'request.too_large'])
    // The door would not take them for an id either, and make a dead letter of a message that is none.
    for (const key of ['a b', 'a/b', 'x'.repeat(129)]) {
      const odd = await publish({ headers: { 'idempotency-key': key } })
      expect([odd.statusCode, odd.json().error.details.field]).to.deep.equal([400, 'idempotency-key'])
    }
    expect(h.engine.published).to.have.length(0)
  })
})
