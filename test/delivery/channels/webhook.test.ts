import { expect } from 'chai'
import { createHmac } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import type { OutgoingMessage } from '../../../src/delivery/channel.ts'
import { webhookChannel, type WebhookEndpoint } from '../../../src/delivery/channels/webhook.ts'
import { createOutgoing } from '../../../src/delivery/outgoing/outgoing.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { webhookAddress } from '../../../src/delivery/webhook-address.ts'
import { httpEndpoint, type HttpEndpoint } from '../../support/http-endpoint.ts'
import { NOON } from '../../support/messages.ts'

const TIMESTAMP = String(NOON / 1000)

describe('a webhook', () => {
  let endpoint: HttpEndpoint
  afterEach(() => endpoint.close())

  const send = async (
    answer?: (response: ServerResponse) => void,
    changes: {
      endpoint?: Partial<WebhookEndpoint>
      allow?: string[]
      message?: Partial<OutgoingMessage>
    } = {},
  ) => {
    endpoint = await httpEndpoint((_request, response) => (answer ? answer(response) : void response.end()))
    const url = `${endpoint.url}/hook/geheim`
    const channel = webhookChannel({
      endpoints: [{ name: 'ops', url, format: 'json', ...changes.endpoint }],
      outgoing: createOutgoing({ allow: changes.allow ?? ['127.0.0.1'] }),
      clock: fakeClock(NOON),
    })
    return channel.send(
      {
        idempotencyKey: 'a1.3',
        address: webhookAddress('ops', url),
        rendered: { text: '{"title":"Ünï"}', actions: [] },
        critical: true,
        ...changes.message,
      },
      new AbortController().signal,
    )
  }

  it('is one POST of the rendered JSON, with its id and a signature that its endpoint can check (P8)', async () => {
    expect(await send(undefined, { endpoint: { secret: 'shared' } })).to.deep.equal({ ok: true, status: 200 })
    expect(endpoint.received).to.have.length(1)
    const [received] = endpoint.received
    expect(received).to.include({ method: 'POST', path: '/hook/geheim', body: '{"title":"Ünï"}' })
    const expected = createHmac('sha256', 'shared').update(`${TIMESTAMP}.${received?.body}`).digest('hex')
    expect(received?.headers).to.include({
      'content-type': 'application/json; charset=utf-8',
      'idempotency-key': 'a1.3',
      'x-carillon-timestamp': TIMESTAMP,
      'x-carillon-signature': `v1=${expected}`,
    })
  })

  const forms = [
    [
      { format: 'pagerduty', routingKey: 'key-geheim' },
      { routing_key: 'key-geheim', title: 'Ünï' },
    ],
    [
      { format: 'ntfy', topic: 'topic-geheim' },
      { topic: 'topic-geheim', title: 'Ünï' },
    ],
  ] as const
  for (const [changes, body] of forms) {
    it(`for ${changes.format} gets its key when it is sent, and signs what is sent`, async () => {
      await send(undefined, { endpoint: { ...changes, secret: 'shared' } })
      const [received] = endpoint.received
      expect(JSON.parse(received?.body ?? '')).to.deep.equal(body)
      const signed = createHmac('sha256', 'shared').update(`${TIMESTAMP}.${received?.body}`).digest('hex')
      expect(received?.headers).to.include({ 'x-carillon-signature': `v1=${signed}` })
    })
  }

  it('proves who it is by a token where its endpoint has one', async () => {
    await send(undefined, { endpoint: { token: 'tk_geheim' } })
    expect(endpoint.received[0]?.headers).to.include({ authorization: 'Bearer tk_geheim' })
  })

  it('keeps endpoints apart that share a URL, each with its own key', async () => {
    endpoint = await httpEndpoint()
    const url = `${endpoint.url}/v2/enqueue`
    const channel = webhookChannel({
      endpoints: ['db', 'net'].map((name) => ({ name, url, format: 'pagerduty' as const, routingKey: name })),
      outgoing: createOutgoing({ allow: ['127.0.0.1'] }),
      clock: fakeClock(NOON),
    })
    for (const name of ['net', 'db'])
      await channel.send(
        {
          idempotencyKey: `a1.${name}`,
          address: webhookAddress(name, url),
          rendered: { text: '{}', actions: [] },
          critical: true,
        },
        new AbortController().signal,
      )
    expect(endpoint.received.map(({ path, body }) => [path, body])).to.deep.equal([
      ['/v2/enqueue', '{"routing_key":"net"}'],
      ['/v2/enqueue', '{"routing_key":"db"}'],
    ])
  })

  it('goes unsigned to an endpoint without a secret', async () => {
    await send()
    expect(endpoint.received[0]?.headers).to.not.have.property('x-carillon-signature')
  })

  it('carries an id that a publisher chose as a header that can be sent', async () => {
    expect(await send(undefined, { message: { idempotencyKey: 'ä\r\nx: y.1' } })).to.deep.equal({
      ok: true,
      status: 200,
    })
    expect(endpoint.received[0]?.headers['idempotency-key']).to.equal('_e4__d__a_x_3a__20_y.1')
  })

  it('goes nowhere but to configured endpoints, whatever address is stored', async () => {
    const result = await send(undefined, { message: { address: 'http://127.0.0.1:1/' } })
    expect(result).to.include({ ok: false, retry: false, code: 'not_configured' })
    expect(endpoint.received).to.deep.equal([])
  })

  it('is not sent to an address that is not public, for good (security row 22)', async () => {
    const result = await send(undefined, { allow: [] })
    expect(result).to.include({ ok: false, retry: false, code: 'address_refused' })
    expect(endpoint.received).to.deep.equal([])
  })

  const answers: readonly [status: number, header: string | null, expected: object][] = [
    [200, null, { ok: true }],
    [202, null, { ok: true }],
    [204, null, { ok: true }],
    [302, null, { ok: false, retry: false, code: 'http_302' }],
    [400, null, { ok: false, retry: false, code: 'http_400' }],
    [401, null, { ok: false, retry: true, code: 'provider_down' }],
    [403, null, { ok: false, retry: true, code: 'provider_down' }],
    [404, null, { ok: false, retry: false, code: 'http_404' }],
    [408, null, { ok: false, retry: true, code: 'http_408' }],
    [410, null, { ok: false, retry: false, code: 'http_410' }],
    [422, null, { ok: false, retry: false, code: 'http_422' }],
    [425, null, { ok: false, retry: true, code: 'http_425' }],
    [429, '7', { ok: false, retry: true, code: 'http_429', retryAfterMs: 7000 }],
    [500, null, { ok: false, retry: true, code: 'http_500' }],
    [
      503,
      'Mon, 05 Jan 2026 12:00:30 GMT',
      { ok: false, retry: true, code: 'http_503', retryAfterMs: 30_000 },
    ],
  ]
  for (const [status, header, expected] of answers) {
    it(`answered ${status}${header === null ? '' : ` with Retry-After ${header}`} is ${JSON.stringify(expected)}, and the answer is not repeated (P7)`, async () => {
      const result = await send((response) => {
        response.writeHead(status, { ...(header !== null && { 'retry-after': header }) })
        response.end(status === 204 ? undefined : 'inner words')
      })
      expect(result).to.include(expected)
      expect(JSON.stringify(result)).to.not.match(/inner words|geheim/)
    })
  }

  it('whose answer is lost may have arrived (P9)', async () => {
    const result = await send((response) => void response.socket?.destroy())
    expect(result).to.include({ ok: false, retry: true, code: 'connection_failed', ambiguous: true })
    expect(JSON.stringify(result)).to.not.include('geheim')
  })
})
