import { expect } from 'chai'
import { fault } from '../../src/errors.ts'
import { OTHER_TENANT } from '../support/fake-directory.ts'
import { notificationRow } from '../support/fake-engine.ts'
import { httpHarness, type HttpHarness } from '../support/http-harness.ts'

const ID = (seq: number) => `00000000-0000-7000-8000-${String(seq).padStart(12, '0')}`

describe('the CoreBanq API', () => {
  let h: HttpHarness
  let anna: { authorization: string }
  before(async () => {
    h = await httpHarness()
    anna = await h.bearer('anna')
  })
  beforeEach(() => {
    h.engine.reset()
    h.engine.rows.notifications.push(
      notificationRow(1, { readAt: 5 }),
      notificationRow(2, {
        content: { ...notificationRow(2).content, customerId: 'c1', actionUrl: '/chat/7' },
      }),
      notificationRow(3, { userId: null, audience: ['ops'] }),
      notificationRow(4, { userId: 'bob' }),
      notificationRow(5, { tenant: OTHER_TENANT }),
      notificationRow(6, { userId: null, audience: ['others'] }),
    )
  })
  after(() => h.close())

  const get = (url: string, headers: object = anna) => h.app.inject({ url, headers: { ...headers } })
  const ids = (body: { notifications: { id: string }[] }) => body.notifications.map(({ id }) => id)

  it('lists the inbox, newest first, 50 from 0 unless asked otherwise (C01)', async () => {
    const body = (await get('/v1/notifications')).json()
    expect(ids(body)).to.deep.equal([ID(3), ID(2), ID(1)])
    expect(body).to.include({ total: 3, limit: 50, offset: 0 })
    const second = (await get('/v1/notifications?limit=1&offset=1')).json()
    expect(ids(second)).to.deep.equal([ID(2)])
    expect(second).to.include({ total: 3, limit: 1, offset: 1 })
  })

  const filters: [query: string, found: string[]][] = [
    ['status=unread', [ID(3), ID(2)]],
    ['status=read', [ID(1)]],
    ['status=all', [ID(3), ID(2), ID(1)]],
    ['customer_id=c1', [ID(2)]],
    ['customer_id=c1&status=read', []],
    ['customer_id=nobody', []],
  ]
  for (const [query, found] of filters) {
    it(`filters by ${query} and counts what it filtered (C01)`, async () => {
      const body = (await get(`/v1/notifications?${query}`)).json()
      expect(ids(body)).to.deep.equal(found)
      expect(body.total).to.equal(found.length)
    })
  }

  it('shows an entry in the RouteMQ shape with the names of its own document (C02, C09, R17)', async () => {
    const body = (await get(`/v1/notifications/${ID(2)}`)).json()
    expect(body).to.deep.equal({
      id: ID(2),
      user_id: 'anna',
      title: 'Title',
      message: 'Message 2',
      content: 'Message 2',
      type: 'info',
      priority: 'normal',
      data: {},
      timestamp: 1767614400.002,
      read: false,
      channels: ['realtime'],
      action_url: '/chat/7',
      link_url: '/chat/7',
      customer_id: 'c1',
      created_at: '2026-01-05T12:00:00.002Z',
      read_at: null,
    })
  })

  it('shows a broadcast as the reader’s own, with its broadcast id (R21)', async () => {
    const body = (await get(`/v1/notifications/${ID(3)}`)).json()
    expect(body).to.include({ user_id: 'anna', broadcast_id: ID(3) })
  })

  const patches: [what: string, payload: object | undefined, read: boolean][] = [
    ['without a body', undefined, true],
    ['with an empty body', {}, true],
    ['with read: true', { read: true }, true],
    ['with read: false', { read: false }, false],
    ['with other fields', { read: true, title: 'x' }, true],
  ]
  for (const [what, payload, read] of patches) {
    it(`marks an entry ${read ? 'read' : 'unread'} ${what} (C03)`, async () => {
      const answer = await h.app.inject({
        method: 'PATCH',
        url: `/v1/notifications/${ID(read ? 2 : 1)}/read`,
        headers: anna,
        ...(payload && { payload }),
      })
      expect(answer.statusCode).to.equal(200)
      expect(answer.json()).to.include({ read })
    })
  }

  it('lets an entry say something else, field by field, and stays unread by that (C03)', async () => {
    const patch = (seq: number, payload: object) =>
      h.app.inject({ method: 'PATCH', url: `/v1/notifications/${ID(seq)}/read`, headers: anna, payload })
    const changed = await patch(2, {
      title: 'New',
      content: 'Said otherwise',
      link_text: 'View',
      rec_type: 'chats',
      rec_id: 'c-7',
    })
    expect(changed.json()).to.deep.include({
      title: 'New',
      content: 'Said otherwise',
      message: 'Said otherwise',
      link_url: '/chat/7',
      link_text: 'View',
      rec_type: 'chats',
      rec_id: 'c-7',
      read: false,
    })
    expect((await patch(2, { type: 'task', read: true })).json()).to.include({ type: 'task', read: true })
    for (const [seq, payload, status, code] of [
      [3, { title: 'For everybody' }, 400, 'request.invalid'],
      [4, { title: 'Of Bob' }, 404, 'notifications_m.not_found'],
      [2, { title: '' }, 400, 'request.invalid'],
      [2, { title: 'x'.repeat(256) }, 400, 'request.invalid'],
    ] as const) {
      const answer = await patch(seq, payload)
      expect([answer.statusCode, answer.json().error.code]).to.deep.equal([status, code])
    }
    expect((await get(`/v1/notifications/${ID(3)}`)).json()).to.include({ title: 'Title', read: false })
  })

  it('takes an empty JSON body as none (C03)', async () => {
    const answer = await h.app.inject({
      method: 'PATCH',
      url: `/v1/notifications/${ID(2)}/read`,
      headers: { ...anna, 'content-type': 'application/json' },
    })
    expect(answer.json()).to.include({ read: true })
  })

  it('deletes an entry for the person who asks (C04)', async () => {
    const answer = await h.app.inject({ method: 'DELETE', url: `/v1/notifications/${ID(2)}`, headers: anna })
    expect(answer.statusCode).to.equal(200)
    expect((await get(`/v1/notifications/${ID(2)}`)).statusCode).to.equal(404)
    expect((await get('/v1/notifications')).json().total).to.equal(2)
  })

  for (const [method, suffix] of [
    ['GET', ''],
    ['DELETE', ''],
    ['PATCH', '/read'],
  ] as const) {
    it(`answers ${method} with not_found for what is not there, not theirs or of another tenant (C14, X26, security 18)`, async () => {
      for (const seq of [4, 5, 6, 9]) {
        const answer = await h.app.inject({
          method,
          url: `/v1/notifications/${ID(seq)}${suffix}`,
          headers: anna,
        })
        expect(answer.statusCode, String(seq)).to.equal(404)
        expect(answer.json().error.code).to.equal('notifications_m.not_found')
      }
      expect(h.engine.rows.notifications).to.have.length(6)
    })

    it(`answers ${method} with invalid_id for what is no id (C14)`, async () => {
      for (const id of ['7', 'x'.repeat(36), '%00', "1'or'1"]) {
        const answer = await h.app.inject({ method, url: `/v1/notifications/${id}${suffix}`, headers: anna })
        expect([answer.statusCode, answer.json().error.code], id).to.deep.equal([
          400,
          'notifications_m.invalid_id',
        ])
      }
    })
  }

  it('answers invalid_user_id to nobody, to wrong credentials and to a machine (C14)', async () => {
    for (const headers of [{}, { 'x-api-key': 'wrong' }, await h.bearer('db')]) {
      const answer = await get('/v1/notifications', headers)
      expect([answer.statusCode, answer.json().error.code]).to.deep.equal([
        401,
        'notifications_m.invalid_user_id',
      ])
    }
  })

  it('names what the store did not do (C14)', async () => {
    const codes: [method: 'GET' | 'PATCH' | 'DELETE', path: string, code: string][] = [
      ['GET', '', 'failed_to_fetch_notifications'],
      ['GET', `/${ID(2)}`, 'failed_to_fetch_notifications'],
      ['PATCH', `/${ID(2)}/read`, 'failed_to_mark_as_read'],
      ['DELETE', `/${ID(2)}`, 'failed_to_delete'],
    ]
    for (const broken of [fault('store.unavailable'), new Error('unexpected')]) {
      h.engine.broken = broken
      for (const [method, path, code] of codes) {
        const answer = await h.app.inject({ method, url: `/v1/notifications${path}`, headers: anna })
        expect([answer.statusCode, answer.json().error.code]).to.deep.equal([503, `notifications_m.${code}`])
        expect(answer.headers['retry-after']).to.equal('1')
      }
    }
  })

  it('refuses a query that is none', async () => {
    for (const query of ['limit=0', 'limit=1001', 'offset=-1', 'status=new', 'limit=x']) {
      const answer = await get(`/v1/notifications?${query}`)
      expect([answer.statusCode, answer.json().error.code], query).to.deep.equal([400, 'request.invalid'])
    }
  })
})
