import { expect } from 'chai'
import { eventually } from '../support/eventually.ts'
import { HttpApi, type Refused } from '../support/http-api.ts'
import { Installation, type Program } from '../support/program.ts'

const CONFIG = `
tenants: { default: { admins: [cem] }, acme: {} }
users:
  anna: { password: anna-password }
  bob: { password: bob-password }
  cem: { password: cem-password }
  dora: { password: dora-password }
  root: { password: root-password, roles: [admin] }
  eve: { password: eve-password, tenant: acme, roles: [admin] }
  "42": { password: x-password }
clients:
  shop: { token: shop-token, publish: ["notifications/#", "events/#"] }
  guest: { token: guest-token, publish: ["events/#"] }
`

interface Row {
  readonly uuid: string
  readonly title: string
  readonly body: string
  readonly category?: string
  readonly read_at: string | null
}

describe('The xynap API', function () {
  this.timeout(60_000)
  const installation = new Installation(CONFIG)
  let program: Program
  const shop = new HttpApi(() => program, 'shop-token')
  const guest = new HttpApi(() => program, 'guest-token')
  const login = (user: string) => HttpApi.login(() => program, user, `${user}-password`)
  let anna: HttpApi
  let bob: HttpApi
  before(async () => {
    program = await installation.start()
    ;[anna, bob] = await Promise.all([login('anna'), login('bob')])
  })
  after(() => installation.remove())

  const create = async (given: Readonly<Record<string, unknown>>) => {
    const answer = await shop.post<Row>('/api/v1/notifications', { title: 'T', body: 'B', ...given })
    expect(answer.status).to.equal(201)
    return answer.body
  }
  const list = (who: HttpApi, query = '') =>
    who.get<{ readonly notifications: readonly Row[]; readonly total: number }>(
      `/api/v1/notifications${query}`,
    )

  it('creates, lists with all three filters, counts, reads and deletes (X16, X21 to X25)', async () => {
    const fields = { category: 'payment', severity: 'success', icon: 'building', entity_id: 'e-1' }
    const paid = await create({ user_id: 'anna', title: 'Paid', ...fields, action_url: '/crm/1' })
    expect(paid).to.include({ title: 'Paid', body: 'B', ...fields, action_url: '/crm/1', read_at: null })
    const due = await create({ user_id: 'anna', category: 'payment' })
    const other = await create({ user_id: 'anna', category: 'crm' })
    const uuids = async (query: string) => (await list(anna, query)).notifications.map(({ uuid }) => uuid)
    expect(await uuids('')).to.deep.equal([other.uuid, due.uuid, paid.uuid])
    expect(await uuids('?limit=1')).to.deep.equal([other.uuid])
    expect((await anna.request('PUT', `/api/v1/notifications/${due.uuid}/read`)).status).to.equal(200)
    expect(await uuids('?limit=20&unread_only=true&category=payment')).to.deep.equal([paid.uuid])
    expect(await anna.get('/api/v1/notifications/summary')).to.deep.equal({ total: 3, unread: 2 })
    expect((await anna.post('/api/v1/notifications/read-all')).body).to.deep.equal({
      status: 'read',
      changed: 2,
    })
    expect((await anna.request('DELETE', `/api/v1/notifications/${paid.uuid}`)).status).to.equal(200)
    expect(await anna.get('/api/v1/notifications/summary')).to.deep.equal({ total: 2, unread: 0 })
    expect((await anna.post(`/api/v1/notifications/${paid.uuid}/restore`)).status).to.equal(200)
    expect((await list(anna)).total).to.equal(3)
  })

  it('takes numbers for users, as its document has them', async () => {
    expect((await create({ user_id: 42 })).uuid).to.be.a('string')
  })

  it('answers 404 for what belongs to somebody else, and shows nothing of it (X26)', async () => {
    const { uuid } = await create({ user_id: 'anna' })
    for (const [method, path] of [
      ['PUT', `${uuid}/read`],
      ['DELETE', uuid],
      ['POST', `${uuid}/restore`],
    ] as const) {
      const answer = await bob.request<Refused>(method, `/api/v1/notifications/${path}`)
      expect(answer.status, `${method} ${path}`).to.equal(404)
    }
    expect((await list(bob)).notifications).to.deep.equal([])
    expect((await list(anna)).notifications[0]).to.include({ uuid, read_at: null })
  })

  it('refuses what is too long, unknown or not granted (X33)', async () => {
    const given = { user_id: 'anna', title: 'T', body: 'B' }
    const statusOf = async (who: HttpApi, body: object) =>
      (await who.post('/api/v1/notifications', body)).status
    expect(await statusOf(shop, { ...given, title: 'x'.repeat(256) })).to.equal(400)
    expect(await statusOf(shop, { ...given, category: 'x'.repeat(31) })).to.equal(400)
    expect(await statusOf(shop, { ...given, severity: 'purple' })).to.equal(400)
    expect(await statusOf(shop, { ...given, colour: 'blue' })).to.equal(400)
    expect(await statusOf(shop, { ...given, user_id: 'nobody' })).to.equal(404)
    expect(await statusOf(shop, { ...given, user_id: 'eve' })).to.equal(404)
    expect(await statusOf(guest, given)).to.equal(403)
    expect(await statusOf(bob, given)).to.equal(403)
    expect(await statusOf(new HttpApi(() => program, null), given)).to.equal(401)
    const emitted = await shop.post('/api/v1/events/emit', { type: 'a/#', data: {} })
    expect(emitted.status).to.equal(400)
  })

  const LENGTHS = {
    type: 50,
    category: 30,
    icon: 50,
    title: 255,
    entity_type: 30,
    entity_id: 36,
    action_url: 500,
  } as const
  for (const [field, length] of Object.entries(LENGTHS)) {
    it(`takes ${length} characters of ${field} and no more, in both doors (X33)`, async () => {
      for (const [size, status] of [
        [length, 201],
        [length + 1, 400],
      ] as const) {
        const given = { title: 'T', [field]: 'x'.repeat(size) }
        const answer = await shop.post<Refused>('/api/v1/notifications', {
          user_id: 'anna',
          body: 'B',
          ...given,
        })
        expect(answer.status, String(size)).to.equal(status)
        if (status === 400) expect(answer.body.error.details).to.deep.equal({ field, in: 'body' })
        const message = JSON.stringify({ message: 'B', ...given })
        const published = await shop.publish('notifications/realtime/user/anna', message)
        expect(published.status, `published ${size}`).to.equal(status === 201 ? 202 : 400)
      }
    })
  }

  it('tells each administrator of the own tenant once, however often it is asked under one key (X17)', async () => {
    const ask = () =>
      shop.post<{ notifications: readonly { user_id: string; uuid: string }[] }>(
        '/api/v1/tenants/default/admins/notify',
        { title: 'Overdue', body: 'INV-1', category: 'dunning', severity: 'warning' },
        { 'idempotency-key': 'overdue-1' },
      )
    const [first, second] = [await ask(), await ask()]
    expect(first.body.notifications.map(({ user_id: id }) => id)).to.have.members(['cem', 'root'])
    expect(second.body).to.deep.equal(first.body)
    expect((await list(await login('cem'))).total).to.equal(1)
    expect(
      (await shop.post('/api/v1/tenants/acme/admins/notify', { title: 'T', body: 'B' })).status,
    ).to.equal(404)
    expect((await list(await login('eve'))).total).to.equal(0)
  })

  it('drops the unread count at once on every open tab, by reading one, all, and deleting (X26)', async () => {
    const dora = await login('dora')
    const tabs = await Promise.all(
      [1, 2, 3].map(async () => {
        const ended = new AbortController()
        const response = await fetch(`${program.url}/v1/events?since=latest`, {
          headers: { authorization: `Bearer ${dora.token}` },
          signal: ended.signal,
        })
        const tab = { text: '', close: () => ended.abort() }
        const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
        const read = async (): Promise<void> => {
          const { value, done } = (await reader?.read()) ?? { done: true }
          if (done) return
          tab.text += String(value)
          return read()
        }
        read().catch(() => {})
        return tab
      }),
    )
    const told = (total: number, unread: number) =>
      eventually(`${unread} of ${total} on every tab`, () =>
        tabs.every(({ text }) => {
          const last = [...text.matchAll(/^event: unread\n(?:.*\n)*?data: (.*)$/gm)].at(-1)?.[1] ?? '{}'
          const counted = JSON.parse(last) as { readonly total?: number; readonly unread?: number }
          return counted.total === total && counted.unread === unread
        })
          ? true
          : undefined,
      )
    const [first, second] = [await create({ user_id: 'dora' }), await create({ user_id: 'dora' })]
    await create({ user_id: 'dora' })
    await told(3, 3)
    await dora.request('PUT', `/api/v1/notifications/${first.uuid}/read`)
    await told(3, 2)
    await dora.request('DELETE', `/api/v1/notifications/${second.uuid}`)
    await told(2, 1)
    await dora.post('/api/v1/notifications/read-all')
    await told(2, 0)
    for (const tab of tabs) tab.close()
  })

  it('writes down who changed an inbox (security row 30)', async () => {
    const { uuid } = await create({ user_id: 'bob' })
    await bob.request('PUT', `/api/v1/notifications/${uuid}/read`)
    const { items } = await (
      await login('root')
    ).get<{ items: readonly { action: string; actor: string; subject: string | null }[] }>('/v1/audit')
    expect(items.map(({ action, actor, subject }) => `${action} ${actor} ${subject}`)).to.include(
      `notifications.read bob ${uuid}`,
    )
  })
})
