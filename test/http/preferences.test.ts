import { expect } from 'chai'
import { fault } from '../../src/errors.ts'
import { httpHarness, type HttpHarness } from '../support/http-harness.ts'

const URL = '/v1/notifications/preferences'

describe('the preferences of the CoreBanq API', () => {
  let h: HttpHarness
  beforeEach(async () => {
    h = await httpHarness()
  })
  afterEach(() => h.close())

  const get = async (id: string, query = '') =>
    h.app.inject({ url: `${URL}${query}`, headers: await h.bearer(id) })
  const put = async (id: string, payload: object, query = '') =>
    h.app.inject({ method: 'PUT', url: `${URL}${query}`, headers: await h.bearer(id), payload })
  const ROW = { event_type: 'payment.*', channel: 'email', enabled: false }

  it('show every known group and event with whether and where it comes (C05)', async () => {
    const answer = await get('anna')
    expect(answer.statusCode).to.equal(200)
    expect(answer.json().groups.chat.events.message_received).to.deep.equal({
      enabled: true,
      channels: ['system', 'email'],
      default: true,
    })
    expect(answer.json().preferences).to.deep.equal([])
  })

  it('take groups and rows at once, and answer with what is there then (C06)', async () => {
    const setting = { enabled: true, channels: ['email', 'sms'] }
    const answer = await put('anna', {
      groups: { chat: { events: { message_received: setting } } },
      preferences: [ROW, { event_type: 'payment.received', channel: 'app', enabled: true }],
    })
    expect(answer.statusCode).to.equal(200)
    expect(answer.json().groups.chat.events.message_received).to.deep.equal(setting)
    expect(answer.json().preferences).to.deep.include.members([
      ROW,
      { event_type: 'payment.received', channel: 'realtime', enabled: true },
      { event_type: 'chat.message_received', channel: 'sms', enabled: true },
    ])
    expect((await get('anna')).json()).to.deep.equal(answer.json())
  })

  it('are each person’s own (C17)', async () => {
    await put('anna', { preferences: [ROW] })
    expect((await get('bob')).json().preferences).to.deep.equal([])
  })

  it('are kept apart by customer, of the query or of the body (C17)', async () => {
    const groups = { chat: { events: { '*': { enabled: false, channels: ['system'] } } } }
    const answer = await put('carl', { groups, preferences: [ROW] }, '?customer_id=acme')
    expect(answer.json().customer_id).to.equal('acme')
    expect(answer.json().groups.chat.events['*']).to.deep.equal({ enabled: false, channels: ['system'] })
    const inBody = await put('carl', { customer_id: 'acme', preferences: [{ ...ROW, channel: 'sms' }] })
    expect(inBody.json().preferences).to.deep.include({ ...ROW, channel: 'sms', customer_id: 'acme' })
    const everywhere = (await get('carl')).json()
    expect(everywhere.groups.chat.events['*']).to.include({ enabled: true })
    expect(everywhere.preferences).to.deep.include({ ...ROW, customer_id: 'acme' })
    const other = (await get('carl', '?customer_id=globex')).json()
    expect(other.groups.chat.events['*']).to.include({ enabled: true })
    expect(other.preferences).to.deep.equal([])
  })

  it('answer 404 for customers of others, and change nothing (C14, C17)', async () => {
    const answers = [
      await get('anna', '?customer_id=acme'),
      await put('anna', { preferences: [ROW] }, '?customer_id=acme'),
      await put('anna', { preferences: [ROW, { ...ROW, customer_id: 'acme' }] }),
    ]
    for (const answer of answers)
      expect([answer.statusCode, answer.json().error.code]).to.deep.equal([404, 'notifications_m.not_found'])
    expect((await get('anna')).json().preferences).to.deep.equal([])
  })

  it('of somebody else are for operators of the same tenant to read, and for nobody to write (C20)', async () => {
    await put('bob', { preferences: [ROW] })
    expect((await get('olga', '?user_id=bob')).json().preferences).to.deep.equal([ROW])
    expect((await get('bob', '?user_id=bob')).json().preferences).to.deep.equal([ROW])
    for (const [id, whose] of [
      ['anna', 'bob'],
      ['eve', 'bob'],
      ['olga', 'nobody'],
    ] as const)
      expect((await get(id, `?user_id=${whose}`)).statusCode, `${id} ${whose}`).to.equal(404)
    await put('olga', { preferences: [] }, '?user_id=bob')
    expect((await get('bob')).json().preferences).to.deep.equal([ROW])
  })

  const refused: readonly [what: string, payload: object, code: string][] = [
    ['an unknown group', { groups: { shoes: { events: {} } } }, 'notifications_m.invalid_group'],
    ['an unknown event', { groups: { chat: { events: { sneezed: {} } } } }, 'notifications_m.invalid_event'],
    [
      'an unknown channel',
      { groups: { chat: { events: { '*': { channels: ['pigeon'] } } } } },
      'notifications_m.invalid_channel',
    ],
    [
      'an unknown channel of a row',
      { preferences: [{ ...ROW, channel: 'pigeon' }] },
      'notifications_m.invalid_channel',
    ],
    [
      'an event type that is too long',
      { preferences: [{ ...ROW, event_type: 'x'.repeat(101) }] },
      'notifications_m.invalid_event',
    ],
    [
      'a row without an event type',
      { preferences: [{ channel: 'email', enabled: true }] },
      'request.invalid',
    ],
    ['a row without a decision', { preferences: [{ event_type: 'a', channel: 'email' }] }, 'request.invalid'],
    ['a decision that is none', { preferences: [{ ...ROW, enabled: 'perhaps' }] }, 'request.invalid'],
    ['an empty text as decision', { preferences: [{ ...ROW, enabled: '' }] }, 'request.invalid'],
    ['a misspelt key', { preference: [ROW] }, 'request.invalid'],
    ['a group without events', { groups: { chat: { enabled: false } } }, 'request.invalid'],
    [
      '501 rows',
      { preferences: Array.from({ length: 501 }, (_, i) => ({ ...ROW, event_type: `e${i}` })) },
      'request.invalid',
    ],
  ]
  for (const [what, payload, code] of refused) {
    it(`are refused for ${what} with ${code}, and nothing of the request is kept (C06, C14)`, async () => {
      const valid = { groups: { chat: { events: { '*': { enabled: false } } } } }
      const answer = await put('anna', { ...valid, ...payload })
      expect([answer.statusCode, answer.json().error.code]).to.deep.equal([400, code])
      expect(h.engine.registry.list({ name: 'preferences' }, 'default' as never, 'anna')).to.deep.equal([])
    })
  }

  it('answer invalid_user_id to nobody and to machines (C14)', async () => {
    for (const headers of [{}, await h.bearer('db'), await h.bearer('tool')])
      for (const method of ['GET', 'PUT'] as const) {
        const answer = await h.app.inject({
          method,
          url: URL,
          headers,
          ...(method === 'PUT' && { payload: {} }),
        })
        expect([answer.statusCode, answer.json().error.code]).to.deep.equal([
          401,
          'notifications_m.invalid_user_id',
        ])
      }
  })

  it('name what the store did not do, and can be sent again (C14)', async () => {
    for (const broken of [fault('store.unavailable'), new Error('unexpected')]) {
      h.engine.broken = broken
      const answer = await put('anna', { preferences: [ROW] })
      expect([answer.statusCode, answer.json().error.code]).to.deep.equal([
        503,
        'notifications_m.failed_to_update_preferences',
      ])
      expect(answer.headers['retry-after']).to.equal('1')
    }
    h.engine.broken = null
    expect((await put('anna', { preferences: [ROW] })).json().preferences).to.deep.equal([ROW])
  })

  it('name what could not be read (C14)', async () => {
    const { preferences } = h.engine
    const broken = {
      ...preferences,
      rows() {
        throw new Error('unexpected')
      },
    }
    Object.assign(h.engine, { preferences: broken })
    try {
      const answer = await h.app.inject({ url: URL, headers: await h.bearer('anna') })
      expect([answer.statusCode, answer.json().error.code]).to.deep.equal([
        503,
        'notifications_m.failed_to_fetch_preferences',
      ])
    } finally {
      Object.assign(h.engine, { preferences })
    }
  })

  it('are all kept when many changes come at once (C06)', async () => {
    const types = Array.from({ length: 20 }, (_, index) => `e${index}`)
    const answers = await Promise.all(
      types.map((event_type) => put('anna', { preferences: [{ ...ROW, event_type }] })),
    )
    expect(answers.map(({ statusCode }) => statusCode)).to.deep.equal(types.map(() => 200))
    const kept = (await get('anna')).json().preferences
    expect(kept.map((row: typeof ROW) => row.event_type)).to.have.members(types)
  })
})
