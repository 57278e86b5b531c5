import { expect } from 'chai'
import { request } from 'node:http'
import { eventually } from '../support/eventually.ts'
import { harness, type Harness } from '../support/harness.ts'
import { HttpApi, type Refused } from '../support/http-api.ts'

const CUSTOMER = '550e8400-e29b-41d4-a716-446655440000'
const TEST_NOTIFICATION = {
  type: 'chats',
  event: 'message_received',
  title: 'Test Notification',
  content: 'This is a test notification',
  customer_id: CUSTOMER,
  rec_type: 'chats',
  rec_id: '789e4567-e89b-12d3-a456-426614174000',
}
const SENT = { message: 'Notification sent to all connected users' }

interface Frame {
  readonly id: string
  readonly content: string
}

interface Opened {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly text: string
  readonly ended: boolean
  close(): void
}

describe('The CoreBanq API of the whole program', () => {
  let h: Harness
  let anna: HttpApi
  let bob: HttpApi
  const client = (token: string) => new HttpApi(() => ({ url: h.app.httpUrl }), token)
  const login = (user: string) => HttpApi.login(() => ({ url: h.app.httpUrl }), user, `${user}-password`)
  const open: Opened[] = []
  before(async () => {
    h = await harness({ config: { server: { dev_endpoints: true } } })
  })
  // Tests that let time pass outlive a token.
  beforeEach(async () => {
    ;[anna, bob] = await Promise.all([login('anna'), login('bob')])
  })
  afterEach(() => open.splice(0).forEach((stream) => stream.close()))
  after(() => h.close())

  /** As the document opens it (C07). */
  const sse = (who: HttpApi, headers: Readonly<Record<string, string>> = {}, query = '?since=latest') =>
    new Promise<Opened>((resolve, reject) => {
      const stream = { status: 0, headers: {}, text: '', ended: false, close: () => {} }
      const asked = request(
        `${h.app.httpUrl}/v1/notifications/sse${query}`,
        {
          headers: {
            accept: 'text/event-stream',
            'cache-control': 'no-cache',
            connection: 'keep-alive',
            authorization: `Bearer ${who.token}`,
            ...headers,
          },
        },
        (response) => {
          stream.status = response.statusCode ?? 0
          stream.headers = response.headers
          response.on('data', (chunk: Buffer) => (stream.text += chunk.toString()))
          response.on('close', () => (stream.ended = true))
          response.on('error', () => {})
          open.push(stream)
          resolve(stream)
        },
      )
      stream.close = () => asked.destroy()
      asked.on('error', reject)
      asked.end()
    })
  const framesOf = ({ text }: Opened): readonly Frame[] =>
    [...text.matchAll(/^data: (.*)$/gm)].map(([, json = '']) => JSON.parse(json) as Frame)
  const contents = (stream: Opened) => framesOf(stream).map(({ content }) => content)
  const heard = (stream: Opened, content: string) =>
    eventually(content, () => framesOf(stream).find((frame) => frame.content === content))
  const connections = async () => {
    const page = await (await fetch(`${h.app.httpUrl}/metrics`)).text()
    return Number(/^carillon_connections\{transport="corebanq_sse"\} (\d+)/m.exec(page)?.[1] ?? 0)
  }
  const inbox = (who: HttpApi, query = '') =>
    who.get<{ readonly notifications: readonly Record<string, unknown>[]; readonly total: number }>(
      `/v1/notifications${query}`,
    )

  it('streams what comes in the words of its document, to pages of any origin (C07, C08, C09)', async () => {
    const stream = await sse(anna, { origin: 'https://bank.example' })
    expect(stream.status).to.equal(200)
    expect(stream.headers['content-type']).to.match(/^text\/event-stream/)
    expect(stream.headers['cache-control']).to.include('no-cache')
    expect(stream.headers['access-control-allow-origin']).to.equal('*')
    await h.accepted('notifications/realtime/user/anna', {
      title: 'New Message',
      message: 'Hello from John',
      type: 'chat',
      event: 'message_received',
      action_url: '/chat/room/456',
      data: { link_text: 'View Message' },
    })
    const frame = await heard(stream, 'Hello from John')
    expect(frame).to.include({
      type: 'chat',
      event: 'message_received',
      title: 'New Message',
      link_url: '/chat/room/456',
      link_text: 'View Message',
      read: false,
    })
    expect(frame)
      .to.have.property('created_at')
      .which.matches(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/)
  })

  it('registers every connection of a person and cleans up after each (C08, C10)', async () => {
    const streams = await Promise.all([sse(anna), sse(anna), sse(anna), sse(bob)])
    expect(await connections()).to.equal(4)
    await h.accepted('notifications/realtime/user/anna', { message: 'on every tab' })
    for (const stream of streams.slice(0, 3)) await heard(stream, 'on every tab')
    expect(contents(streams[3]!)).to.deep.equal([])
    streams[0]?.close()
    await eventually('the clean-up', async () => ((await connections()) === 3 ? true : undefined))
    for (const stream of streams) stream.close()
    await eventually('all of it', async () => ((await connections()) === 0 ? true : undefined))
  })

  it('has as many streams as a person may have, and refuses one more until one has ended (C08, C20)', async () => {
    const streams = await Promise.all(Array.from({ length: 20 }, () => sse(anna)))
    expect(streams.map(({ status }) => status)).to.deep.equal(Array.from({ length: 20 }, () => 200))
    expect((await sse(anna)).status).to.equal(429)
    expect((await sse(bob)).status).to.equal(200)
    streams[0]?.close()
    await eventually('a free place', async () => ((await sse(anna)).status === 200 ? true : undefined))
    for (const stream of open) stream.close()
    await eventually('the clean-up', async () => ((await connections()) === 0 ? true : undefined))
  })

  it('stays open while nothing comes, kept alive by comments (C08)', async () => {
    const stream = await sse(anna)
    await h.pass(50 * 60_000)
    expect(stream.ended).to.equal(false)
    expect(stream.text.match(/^: keep-alive$/gm)?.length).to.be.within(150, 201)
    await h.accepted('notifications/realtime/user/anna', { message: 'after a long time' })
    await heard(stream, 'after a long time')
  })

  it('resumes after the frame that arrived last (C08)', async () => {
    const first = await sse(bob)
    await h.accepted('notifications/realtime/user/bob', { message: 'one' })
    await heard(first, 'one')
    const last = /^id: (.*)$/gm.exec(first.text)?.[1] ?? ''
    first.close()
    await h.accepted('notifications/realtime/user/bob', { message: 'two' })
    const second = await sse(bob, { 'last-event-id': last }, '')
    await heard(second, 'two')
    expect(contents(second)).to.deep.equal(['two'])
  })

  it('goes on from an instant or from so long ago, and refuses what is neither (N3)', async () => {
    await h.accepted('notifications/realtime/user/cem', { message: 'long ago' })
    await h.pass(10 * 60_000)
    const instant = new Date(h.now).toISOString()
    const seconds = String(h.now / 1000)
    await h.accepted('notifications/realtime/user/cem', { message: 'lately' })
    await h.pass(60_000)
    const cem = await login('cem')
    for (const since of ['5m', instant, seconds]) {
      const stream = await sse(cem, {}, `?since=${encodeURIComponent(since)}`)
      await heard(stream, 'lately')
      expect(contents(stream), since).to.deep.equal(['lately'])
    }
    const all = await sse(cem, {}, '?since=1h')
    await heard(all, 'lately')
    expect(contents(all)).to.deep.equal(['long ago', 'lately'])
    for (const since of ['5', 'yesterday', '5 minutes', '2026-01-05']) {
      const { status } = await sse(cem, {}, `?since=${encodeURIComponent(since)}`)
      expect(status, since).to.equal(since === '5' ? 200 : 400)
    }
  })

  it('sends a triggered test through everything, to the people it names (C11, C13)', async () => {
    const [stream, other] = [await sse(anna), await sse(bob)]
    const answer = await client('device-token').post('/v1/notifications/trigger', {
      ...TEST_NOTIFICATION,
      content: 'triggered',
      user_ids: ['anna'],
    })
    expect([answer.status, answer.body]).to.deep.equal([200, SENT])
    expect(await heard(stream, 'triggered')).to.include({ type: 'chat', event: 'message_received' })
    const [stored] = (await inbox(anna, `?customer_id=${CUSTOMER}`)).notifications
    expect(stored).to.include({
      content: 'triggered',
      title: 'Test Notification',
      type: 'chat',
      rec_type: 'chats',
      rec_id: TEST_NOTIFICATION.rec_id,
      customer_id: CUSTOMER,
    })
    expect(contents(other)).to.deep.equal([])
  })

  it('sends a triggered test without people to everybody (C11)', async () => {
    const { content, title } = TEST_NOTIFICATION
    expect(
      (await client('device-token').post('/v1/notifications/trigger', { content, title })).status,
    ).to.equal(200)
    for (const who of [anna, bob]) {
      const [stored] = (await inbox(who)).notifications
      expect(stored).to.include({ content, title })
    }
  })

  it('puts a direct test on open streams and nowhere else (C12)', async () => {
    const [stream, other] = [await sse(anna), await sse(bob)]
    const before = await inbox(anna)
    const answer = await client('device-token').post('/v1/notifications/sse', {
      ...TEST_NOTIFICATION,
      content: 'direct',
      link_url: '/chat/7',
      link_text: 'View',
      user_ids: ['anna'],
    })
    expect([answer.status, answer.body]).to.deep.equal([200, SENT])
    expect(await heard(stream, 'direct')).to.include({
      type: 'chat',
      event: 'message_received',
      title: 'Test Notification',
      link_url: '/chat/7',
      link_text: 'View',
      read: false,
    })
    expect(await inbox(anna)).to.deep.equal(before)
    await client('device-token').post('/v1/notifications/sse', { content: 'to all' })
    await heard(other, 'to all')
    expect(contents(other)).to.deep.equal(['to all'])
  })

  const refused: readonly (readonly [why: string, who: () => string | null, body: object, status: number])[] =
    [
      ['nobody', () => null, TEST_NOTIFICATION, 401],
      ['a person', () => anna.token, TEST_NOTIFICATION, 403],
      ['a wrong key', () => 'nonsense', TEST_NOTIFICATION, 401],
      ['a text that is missing', () => 'device-token', { title: 'T' }, 400],
      [
        'somebody who is not there',
        () => 'device-token',
        { ...TEST_NOTIFICATION, user_ids: ['anna', 'gone'] },
        404,
      ],
    ]
  for (const [why, who, body, status] of refused) {
    it(`refuses test posts for ${why}, and sends nothing (C11, C12)`, async () => {
      const before = (await inbox(anna)).total
      for (const path of ['trigger', 'sse']) {
        const token = who()
        const answer = await client('').request<Refused>(
          'POST',
          `/v1/notifications/${path}`,
          JSON.stringify(body),
          {
            authorization: '',
            ...(token !== null && { authorization: `Bearer ${token}` }),
          },
        )
        expect(answer.status, path).to.equal(status)
      }
      expect((await inbox(anna)).total).to.equal(before)
    })
  }

  it('takes the key of a client without a grant for nothing but direct tests (C11, C12)', async () => {
    const user_ids = ['anna']
    const console = client('console-token')
    expect((await console.post('/v1/notifications/trigger', { content: 'x', user_ids })).status).to.equal(403)
    expect((await console.post('/v1/notifications/sse', { content: 'x', user_ids })).status).to.equal(200)
  })

  it('has no test posts unless they are switched on (C11, C12)', async () => {
    const plain = await harness()
    try {
      for (const path of ['trigger', 'sse']) {
        const device = new HttpApi(() => ({ url: plain.app.httpUrl }), 'device-token')
        expect((await device.post(`/v1/notifications/${path}`, TEST_NOTIFICATION)).status).to.equal(404)
      }
      const { paths } = await new HttpApi(() => ({ url: plain.app.httpUrl }), null).get<{ paths: object }>(
        '/openapi.json',
      )
      expect(Object.keys(paths))
        .to.include('/v1/notifications/sse')
        .and.not.include('/v1/notifications/trigger')
    } finally {
      await plain.close()
    }
  })

  it('takes the plural of a group for the group, in preferences as well (C13)', async () => {
    const put = (groups: object) =>
      anna.request<{
        groups: Readonly<Record<string, { events: Readonly<Record<string, { enabled: boolean }>> }>>
      }>('PUT', '/v1/notifications/preferences', JSON.stringify({ groups }))
    const changed = await put({ chats: { events: { message_received: { enabled: false } } } })
    expect(changed.body.groups['chat']?.events['message_received']?.enabled).to.equal(false)
    const stream = await sse(anna)
    await client('device-token').post('/v1/notifications/trigger', {
      ...TEST_NOTIFICATION,
      content: 'unwanted',
      user_ids: ['anna'],
    })
    await h.accepted('notifications/realtime/user/anna', { message: 'wanted' })
    await heard(stream, 'wanted')
    expect(contents(stream)).to.deep.equal(['wanted'])
    await put({ chats: { events: { message_received: { enabled: true } } } })
  })
})
