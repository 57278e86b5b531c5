import { expect } from 'chai'
import { httpHarness, type HttpHarness } from '../support/http-harness.ts'

describe('what a request is held to', () => {
  let h: HttpHarness
  before(async () => {
    h = await httpHarness()
  })
  after(() => h.close())

  const wrong: readonly [url: string, payload: object][] = [
    ['/v1/alerts/a1/note', { note: 5 }],
    ['/v1/alerts/a1/note', { note: null }],
    ['/v1/alerts/a1/snooze', { for: 'a while' }],
    ['/v1/alerts/a1/reassign', {}],
    // Families with schemas of their own, which Fastify gives a validator of their own.
    ['/v1/silences', { match: { type: 'disk' }, reason: 5, until: '2026-01-05T14:00:00Z' }],
    ['/v1/silences', { match: { type: 'disk', kind: 'x' }, reason: 'x', until: '2026-01-05T14:00:00Z' }],
    ['/v1/users/me/contacts', { channel: 'sms', address: 4915112345678 }],
  ]
  for (const [url, payload] of wrong)
    it(`refuses ${JSON.stringify(payload)} for ${url}: JSON is not bent into what was asked for (security row 28)`, async () => {
      const answer = await h.app.inject({ method: 'POST', url, payload, headers: await h.bearer('anna') })
      expect([answer.statusCode, answer.json().error.code]).to.deep.equal([400, 'request.invalid'])
    })

  it('reads numbers and booleans from a query, where everything is text', async () => {
    const headers = await h.bearer('anna')
    expect((await h.app.inject({ url: '/v1/alerts?limit=5', headers })).statusCode).to.equal(200)
    expect((await h.app.inject({ url: '/v1/alerts?limit=five', headers })).statusCode).to.equal(400)
  })

  it('takes an id as long as its schema allows: it is unknown, not wrong (contract section 7)', async () => {
    const headers = await h.bearer('anna')
    expect((await h.app.inject({ url: `/v1/alerts/${'x'.repeat(200)}`, headers })).statusCode).to.equal(404)
    expect((await h.app.inject({ url: `/v1/alerts/${'x'.repeat(201)}`, headers })).statusCode).to.equal(400)
  })
})
