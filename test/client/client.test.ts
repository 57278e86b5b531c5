import { expect } from 'chai'
import { WebSocket } from 'ws'
import {
  CarillonError,
  createClient,
  type AppNotification,
  type Client,
  type ClientOptions,
  type SocketLike,
  type TransportName,
} from '../../client/carillon.ts'
import { createNotification, emitEvent, notifyTenantAdmins, publish } from '../../client/node.ts'
import { eventually } from '../support/eventually.ts'
import { flakyProxy } from '../support/flaky-proxy.ts'
import { HttpApi } from '../support/http-api.ts'
import { Installation, type Program } from '../support/program.ts'
import { BROWSER, tabs } from './browser.ts'

const NAMES = [
  'anna',
  'bob',
  'cem',
  'dora',
  'emil',
  'finn',
  'gil',
  'hana',
  'ida',
  'jan',
  'kim',
  'lea',
] as const
const CONFIG = `
tenants: { default: { admins: [ida] }, acme: {} }
users:
${NAMES.map((name) => `  ${name}: { password: ${name}-password }`).join('\n')}
  root: { password: root-password, roles: [admin] }
  ulf: { password: ulf-password, tenant: acme }
clients:
  shop: { token: shop-token, publish: ["notifications/#", "events/#", "alerts/#"], rate_limit: { max_requests: 100000 } }
teams:
  platform: { alert_types: ["*"], schedule: { layers: [{ rotate: [hana] }] } }
`

describe('The client library', function () {
  this.timeout(60_000)
  const installation = new Installation(CONFIG)
  let program: Program
  const open: { close(): unknown }[] = []
  before(async () => {
    program = await installation.start()
  })
  afterEach(() => Promise.all(open.splice(0).map((each) => each.close())))
  after(() => installation.remove())

  const target = () => ({ url: program.url, token: 'shop-token' })
  const tokenOf = async (user: string) => (await HttpApi.login(() => program, user, `${user}-password`)).token
  const client = async (user: string, options: ClientOptions = {}): Promise<Client> => {
    const made = createClient({
      url: program.url,
      token: await tokenOf(user),
      share: false,
      surroundings: BROWSER,
      ...options,
    })
    open.push(made)
    return made
  }
  const live = async (user: string, options: ClientOptions = {}): Promise<Client> => {
    const made = await client(user, options)
    await eventually(`${user} to be live`, () => (made.state === 'live' ? true : undefined))
    return made
  }
  const notify = (user: string, body: string) =>
    createNotification({ user_id: user, title: 'T', body }, target())
  const bodies = (subject: Client) => {
    const heard: string[] = []
    subject.events.on<AppNotification>('notification.created', ({ data }) => heard.push(data.body))
    return heard
  }

  for (const [transport, user] of [
    ['ws', 'anna'],
    ['sse', 'bob'],
    ['poll', 'cem'],
    ['mqtt', 'jan'],
  ] as const satisfies readonly (readonly [TransportName, string])[]) {
    it(`loses nothing and tells nothing twice over ${transport}, in order, through twenty drops [X20]`, async () => {
      const proxy = await flakyProxy(program.httpPort)
      open.push(proxy)
      const subject = await live(user, { url: proxy.url, transport })
      const heard = bodies(subject)
      const orders: unknown[] = []
      subject.events.on<{ n: number }>('order.*', ({ data }) => orders.push(data.n))
      let dropped = 0
      for (let round = 0; round < 20; round++) {
        for (const part of ['a', 'b', 'c']) {
          await notify(user, `${round}${part}`)
          await emitEvent('order.moved', { user_id: user, n: round * 3 + 'abc'.indexOf(part) }, target())
          if (part === 'b') dropped += Math.min(1, proxy.drop())
        }
        await eventually('the end of the round', () => (heard.at(-1) === `${round}c` ? true : undefined))
      }
      await eventually('the last event', () => (orders.at(-1) === 59 ? true : undefined))
      expect(dropped).to.equal(20)
      expect(heard).to.deep.equal(
        Array.from({ length: 20 }, (_, round) => [`${round}a`, `${round}b`, `${round}c`]).flat(),
      )
      expect(orders).to.deep.equal(Array.from({ length: 60 }, (_, n) => n))
      expect(subject.transport).to.equal(transport)
    })
  }

  it('falls back to event streams where WebSockets do not get through, and to polling where those do not', async () => {
    class Blocked implements SocketLike {
      onopen = null
      onmessage = null
      onclose: SocketLike['onclose'] = null
      onerror = null
      constructor() {
        queueMicrotask(() => this.onclose?.({ code: 1006 } as never))
      }
      send() {}
      close() {}
    }
    const first = await live('dora', { surroundings: { ...BROWSER, webSocket: Blocked } })
    expect(first.transport).to.equal('sse')
    const noStreams: typeof fetch = (input, init) =>
      typeof input === 'string' && input.includes('/v1/events?')
        ? Promise.reject(new Error('cut'))
        : fetch(input, init)
    const second = await live('dora', {
      surroundings: { ...BROWSER, webSocket: Blocked, fetch: noStreams },
    })
    expect(second.transport).to.equal('poll')
    const heard = bodies(second)
    await notify('dora', 'over polling')
    await eventually('the notification', () => (heard.length > 0 ? true : undefined))
  })

  it('says that it is offline, and is live again by itself', async () => {
    const proxy = await flakyProxy(program.httpPort)
    open.push(proxy)
    const subject = await live('emil', { url: proxy.url })
    const states: string[] = []
    subject.onState((state) => states.push(state))
    proxy.drop()
    await eventually('it to be live again', () => (states.at(-1) === 'live' ? true : undefined))
    expect(states[0]).to.equal('offline')
  })

  it('shares one connection among the tabs of a person, and another tab takes over when that one closes', async () => {
    const surroundings = tabs()
    const [one, two, three] = await Promise.all(
      [1, 2, 3].map(() => live('finn', { share: true, surroundings })),
    )
    if (!one || !two || !three) throw new Error('three were made')
    const all = [one, two, three].map((tab) => ({ tab, heard: bodies(tab) }))
    const leaders = () => all.filter(({ tab }) => tab.transport !== null)
    expect(leaders()).to.have.length(1)
    const leader = leaders()[0]
    await notify('finn', 'first')
    await eventually('every tab', () => (all.every(({ heard }) => heard.length === 1) ? true : undefined))
    leader?.tab.close()
    const rest = all.filter((each) => each !== leader)
    for (let n = 0; n < 5; n++) await notify('finn', `next ${n}`)
    await eventually('the others', () =>
      rest.every(({ heard }) => heard.at(-1) === 'next 4') ? true : undefined,
    )
    const expected = ['first', ...Array.from({ length: 5 }, (_, n) => `next ${n}`)]
    for (const { heard } of rest) expect(heard).to.deep.equal(expected)
    expect(rest.filter(({ tab }) => tab.transport !== null)).to.have.length(1)
  })

  it('lists, reads, deletes and takes back, with the unread count in step on every tab [X21-X26]', async () => {
    const surroundings = tabs()
    const [here, there] = await Promise.all([1, 2].map(() => live('gil', { share: true, surroundings })))
    if (!here || !there) throw new Error('two were made')
    const counts: number[] = []
    const changes: unknown[] = []
    there.events.on<{ unread: number }>('unread', ({ data }) => counts.push(data.unread))
    there.events.on('inbox.changed', ({ data }) => changes.push(data))
    for (const body of ['a', 'b', 'c']) await notify('gil', body)
    const list = await here.notifications.list({ limit: 2 })
    expect(list.map(({ body }) => body)).to.deep.equal(['c', 'b'])
    const [c, b] = list
    if (!c || !b) throw new Error('two were listed')
    const until = (unread: number) =>
      eventually(`${unread} unread`, () => (counts.at(-1) === unread ? true : undefined))
    await until(3)
    await here.notifications.markRead(c.uuid)
    await until(2)
    expect(await here.notifications.undo()).to.equal(true)
    await until(3)
    await here.notifications.remove(b.uuid)
    await until(2)
    expect(await here.notifications.summary()).to.deep.equal({ total: 2, unread: 2 })
    await here.notifications.undo()
    await until(3)
    expect(await here.notifications.undo()).to.equal(false)
    await here.notifications.markAllRead()
    await until(0)
    expect(await here.notifications.list({ unreadOnly: true })).to.deep.equal([])
    expect(changes).to.deep.include.members([
      { as: 'deleted', ids: [b.uuid] },
      { as: 'restored', ids: [b.uuid] },
      { as: 'read', ids: 'all' },
    ])
  })

  it('rings for a page, and acknowledges it', async () => {
    const subject = await live('hana')
    const pages: { alert: { id: string } }[] = []
    subject.events.on<{ alert: { id: string } }>('critical_alert', ({ data }) => pages.push(data))
    await publish('alerts/critical/fire', { message: 'Fire' }, target())
    const page = await eventually('the page', () => pages[0])
    expect((await subject.alerts.list({ status: 'firing' })).items.map(({ id }) => id)).to.include(
      page.alert.id,
    )
    expect((await subject.alerts.ack(page.alert.id, 'On it'))['acknowledged_by']).to.equal('hana')
  })

  it('keeps and shows preferences, and signs in with a password', async () => {
    const subject = createClient({ url: program.url, share: false, surroundings: BROWSER })
    open.push(subject)
    const refused = await subject.notifications.summary().catch((error: unknown) => error)
    expect(refused).to.be.instanceOf(CarillonError)
    expect((refused as CarillonError).status).to.equal(401)
    await subject.login('ida', 'ida-password')
    await eventually('it to be live', () => (subject.state === 'live' ? true : undefined))
    const row = { event_type: 'payment.*', channel: 'email', enabled: false }
    await subject.preferences.set([row])
    expect((await subject.preferences.get()).preferences).to.deep.include(row)
  })

  it('asks for a new token when one was refused', async () => {
    let asked = 0
    const subject = createClient({
      url: program.url,
      share: false,
      surroundings: BROWSER,
      getToken: () => ((asked += 1) === 1 ? 'old' : tokenOf('ida')),
    })
    open.push(subject)
    await eventually('it to be live', () => (subject.state === 'live' ? true : undefined))
    expect(asked).to.be.greaterThan(1)
  })

  it('makes notifications, tells administrators and emits events from a server [X16, X17, X18]', async () => {
    const made = await createNotification(
      { user_id: 'ida', title: 'New', body: 'Body', category: 'crm', severity: 'success', icon: 'building' },
      { ...target(), idempotencyKey: 'once' },
    )
    const again = await createNotification(
      { user_id: 'ida', title: 'New', body: 'Body', category: 'crm', severity: 'success', icon: 'building' },
      { ...target(), idempotencyKey: 'once' },
    )
    expect(made).to.include({ title: 'New', body: 'Body', category: 'crm', icon: 'building' })
    expect(again['uuid']).to.equal(made['uuid'])
    const { notifications } = await notifyTenantAdmins(
      { tenant_id: 'default', title: 'Overdue', body: 'INV-1' },
      target(),
    )
    expect(notifications.map(({ user_id: id }) => id)).to.have.members(['root', 'ida'])
    const subject = await live('ida')
    const heard: unknown[] = []
    subject.events.on('order.completed', (event) => heard.push(event))
    await emitEvent('order.completed', { user_id: 'ida', total: 299 }, { ...target(), source: 'shop' })
    const event = (await eventually('the event', () => heard[0])) as Record<string, unknown>
    expect(event).to.deep.include({ type: 'order.completed', source: 'shop' })
    expect(event['data']).to.include({ total: 299 })
    const elsewhere = await notifyTenantAdmins({ tenant_id: 'acme', title: 'T', body: 'B' }, target()).catch(
      (error: unknown) => error,
    )
    expect((elsewhere as CarillonError).status).to.equal(404)
  })

  it('is served to plain pages as a module, of any origin (contract section 10)', async () => {
    const response = await fetch(`${program.url}/client/carillon.js`)
    expect(response.status).to.equal(200)
    expect(response.headers.get('content-type')).to.contain('javascript')
    expect(response.headers.get('access-control-allow-origin')).to.equal('*')
    expect(response.headers.get('cross-origin-resource-policy')).to.equal('cross-origin')
    const imports = [...(await response.text()).matchAll(/from ['"](\.\/[^'"]+)['"]/g)]
    expect(imports).to.not.have.length(0)
    for (const [, path = ''] of imports)
      expect((await fetch(new URL(path, response.url))).status, path).to.equal(200)
    expect((await fetch(`${program.url}/client/carillon.d.ts`)).status).to.equal(404)
  })

  it('closes for good', async () => {
    const sockets: WebSocket[] = []
    const subject = await live('dora', {
      surroundings: {
        ...BROWSER,
        webSocket: class extends WebSocket {
          constructor(url: string) {
            super(url)
            sockets.push(this)
          }
        } as unknown as new (url: string) => SocketLike,
      },
    })
    subject.close()
    await eventually('the socket to close', () =>
      sockets.every(({ readyState }) => readyState === WebSocket.CLOSED) ? true : undefined,
    )
    expect(sockets).to.have.length(1)
  })
})
