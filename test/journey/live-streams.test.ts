import { expect } from 'chai'
import { request } from 'node:http'
import { WebSocket } from 'ws'
import { eventually } from '../support/eventually.ts'
import { HttpApi } from '../support/http-api.ts'
import { Installation, type Program } from '../support/program.ts'

const CONFIG = `
tenants: { default: {}, acme: {} }
limits: { streams_per_user: 3 }
users:
  anna: { password: anna-password }
  bob: { password: bob-password }
  cem: { password: cem-password }
  eve: { password: eve-password, tenant: acme }
clients:
  shop: { token: shop-token, publish: ["notifications/#", "events/#"] }
`

interface Frame {
  readonly type: string
  readonly id: string
  readonly data: Readonly<Record<string, unknown>>
}

describe('A person who listens to a stream', function () {
  this.timeout(60_000)
  const installation = new Installation(CONFIG)
  let program: Program
  const shop = new HttpApi(() => program, 'shop-token')
  const open: (() => void)[] = []
  before(async () => {
    program = await installation.start()
  })
  afterEach(() => open.splice(0).forEach((close) => close()))
  after(() => installation.remove())

  const login = (user: string) => HttpApi.login(() => program, user, `${user}-password`)
  const notify = (user: string, message: string) =>
    shop.publish(`notifications/realtime/user/${user}`, JSON.stringify({ message }))

  /** A WebSocket with a bearer token; resolves with its frames, or the status that refused it. */
  const socket = (token: string, query = '', headers: Readonly<Record<string, string>> = {}) =>
    new Promise<{ readonly frames: Frame[]; readonly ws: WebSocket } | number>((resolve, reject) => {
      const auth: Record<string, string> = token === '' ? {} : { authorization: `Bearer ${token}` }
      const ws = new WebSocket(`${program.url.replace('http', 'ws')}/ws${query}`, {
        headers: { ...auth, ...headers },
      })
      const frames: Frame[] = []
      ws.on('message', (raw: Buffer) => frames.push(JSON.parse(raw.toString()) as Frame))
      ws.on('open', () => {
        open.push(() => ws.terminate())
        resolve({ frames, ws })
      })
      ws.on('unexpected-response', (_, response) => resolve((ws.terminate(), response.statusCode ?? 0)))
      ws.on('error', reject)
    })
  const opened = async (...given: Parameters<typeof socket>) => {
    const made = await socket(...given)
    if (typeof made === 'number') throw new Error(`refused with ${made}`)
    return made
  }

  /** The text of an event stream as it grows. */
  const stream = (path: string, token: string, headers: Readonly<Record<string, string>> = {}) =>
    new Promise<{ readonly status: number; readonly type: string | undefined; text: string }>((resolve) => {
      const asked = request(
        `${program.url}${path}`,
        { headers: { authorization: `Bearer ${token}`, ...headers } },
        (response) => {
          const answer = {
            status: response.statusCode ?? 0,
            type: response.headers['content-type'],
            text: '',
          }
          response.on('data', (chunk: Buffer) => (answer.text += chunk.toString()))
          response.on('error', () => {})
          resolve(answer)
        },
      )
      asked.on('error', () => {})
      asked.end()
      open.push(() => asked.destroy())
    })

  it('is given what is unread and then what comes, over WebSocket and SSE alike, and nobody else is (R26, C09)', async () => {
    const [anna, eve] = await Promise.all([login('anna'), login('eve')])
    await notify('anna', 'before')
    const ws = await opened(anna.token)
    const foreign = await opened(eve.token)
    const sse = await stream('/v1/events', anna.token, { accept: 'text/event-stream' })
    const coreBanq = await stream('/v1/notifications/sse', anna.token)
    expect(sse.type).to.contain('text/event-stream')
    await notify('anna', 'after')
    await shop.publish('events/order/completed', JSON.stringify({ user_id: 'anna', total: 5 }))
    await eventually('the event', () =>
      ws.frames.some(({ type }) => type === 'order.completed') ? true : undefined,
    )
    const created = ws.frames.filter(({ type }) => type === 'notification.created')
    expect(created.map(({ data }) => data['message'])).to.deep.equal(['before', 'after'])
    expect(created[0]?.data).to.include({ body: 'before', user_id: 'anna', uuid: created[0]?.data['id'] })
    expect(ws.frames[0]?.data).to.include({ status: 'connected' })
    await eventually('the same on the event streams', () =>
      sse.text.includes('event: order.completed') && coreBanq.text.includes('"content":"after"')
        ? true
        : undefined,
    )
    expect(sse.text).to.match(/event: notification\.created\nid: \S+\ndata: \{.*"before"/)
    expect(coreBanq.text).to.not.contain('event:')
    expect(foreign.frames.filter(({ type }) => type !== 'connected' && type !== 'unread')).to.deep.equal([])
  })

  it('resumes where the last connection ended, by Last-Event-ID and by since', async () => {
    const { token } = await login('bob')
    const first = await opened(token, '?since=latest')
    await notify('bob', 'one')
    const last = await eventually('the first', () =>
      first.frames.find(({ type }) => type === 'notification.created'),
    )
    first.ws.terminate()
    await notify('bob', 'two')
    await shop.publish('events/job/done', JSON.stringify({ user_id: 'bob' }))
    const sse = await stream('/v1/events', token, { 'last-event-id': last.id })
    await eventually('what was missed', () =>
      sse.text.includes('"two"') && sse.text.includes('event: job.done') ? true : undefined,
    )
    expect(sse.text).to.not.contain('"one"')
    expect((await stream('/v1/events?since=nonsense', token)).status).to.equal(400)
    expect((await stream('/v1/events', token, { 'last-event-id': 'nonsense' })).status).to.equal(200)
  })

  it('prolongs the session with each heartbeat (R38)', async () => {
    const { token } = await login('bob')
    const { ws, frames } = await opened(token, '?session_id=tab-1&since=latest')
    ws.send('{"type":"heartbeat"}')
    const beat = await eventually('the answer', () => frames.find(({ type }) => type === 'heartbeat'))
    expect(beat.data).to.deep.equal({ status: 'alive', session_id: 'tab-1', expires_in: 3600 })
    ws.send('nonsense')
    ws.send('{"type":"heartbeat"}')
    await eventually('another answer', () =>
      frames.filter(({ type }) => type === 'heartbeat').length === 2 ? true : undefined,
    )
  })

  it('has so many connections of each kind and no more, and gets the place of one that ended', async () => {
    const { token } = await login('cem')
    const three = await Promise.all([1, 2, 3].map(() => opened(token)))
    expect(await socket(token)).to.equal(429)
    for (let n = 0; n < 3; n++) expect((await stream('/v1/events', token)).status).to.equal(200)
    expect((await stream('/v1/events', token)).status).to.equal(429)
    three[0]?.ws.close()
    await eventually('a free place', async () => {
      const made = await socket(token)
      return typeof made === 'number' ? undefined : true
    })
  })

  it('polls without end although connections are lost, because who is away gives way (limit of three)', async () => {
    const { token } = await login('cem')
    const poll = async (query: string) => {
      const response = await fetch(`${program.url}/v1/events/poll?since=latest&wait=1${query}`, {
        headers: { authorization: `Bearer ${token}` },
      })
      const body = (await response.json()) as {
        readonly session: string
        readonly cursor: number
        readonly items: readonly Frame[]
      }
      return { status: response.status, ...body }
    }
    // Each of these is a poller that never comes back.
    for (let n = 0; n < 6; n++) expect((await poll('')).status).to.equal(200)
    const first = await poll('')
    await notify('cem', 'polled')
    const again = (cursor: number) => poll(`&session=${first.session}&cursor=${cursor}`)
    const next = await eventually('the notification', async () => {
      const answer = await again(first.cursor)
      return answer.items.some(({ data }) => data['message'] === 'polled') ? answer : undefined
    })
    expect(next.session).to.equal(first.session)
    // What is not said to have arrived is given again, and only that.
    expect((await again(first.cursor)).items).to.deep.include.members([...next.items])
    const rest = await again((await again(first.cursor)).cursor)
    expect(rest.items.filter(({ type }) => type === 'notification.created')).to.deep.equal([])
  })

  it('is asked who they are, and foreign pages cannot use their cookie (security row 32)', async () => {
    expect(await socket('')).to.equal(401)
    expect(await socket('nonsense')).to.equal(401)
    expect(await socket('shop-token')).to.equal(403)
    const { token } = await login('anna')
    const cookie = `carillon=${token}`
    expect(await socket('', '', { cookie, origin: 'https://evil.example' })).to.equal(403)
    const ours = await socket('', '', { cookie, origin: program.url })
    expect(typeof ours).to.equal('object')
    const { ticket } = (await (await login('anna')).post<{ ticket: string }>('/v1/ticket')).body
    expect(typeof (await socket('', `?ticket=${ticket}`))).to.equal('object')
    expect(await socket('', `?ticket=${ticket}`)).to.equal(401)
  })

  it('is told that the program stops, and finds what came meanwhile after it has started again', async () => {
    const { token } = await login('bob')
    const { ws, frames } = await opened(token, '?since=latest')
    const { id } = await eventually('the greeting', () => frames[0])
    const code = new Promise<number>((resolve) => ws.on('close', resolve))
    await notify('bob', 'last words')
    expect(await program.end('SIGTERM')).to.equal(0)
    expect(await code).to.equal(1001)
    program = await installation.start()
    const again = await opened((await login('bob')).token, `?since=${id}`)
    await eventually('what was stored', () =>
      again.frames.some(({ data }) => data['message'] === 'last words') ? true : undefined,
    )
  })
})
