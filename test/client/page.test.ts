import { expect } from 'chai'
import { existsSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'
import { createNotification } from '../../client/node.ts'
import { eventually } from '../support/eventually.ts'
import { HttpApi } from '../support/http-api.ts'
import { Installation, type Program } from '../support/program.ts'

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
const CONFIG = `
users:
  anna: { password: anna-password }
  bob: { password: bob-password }
  cem: { password: cem-password }
clients:
  shop: { token: shop-token, publish: ["notifications/#"] }
`

/** What a page tells: how it is connected, and what it has heard. */
interface Report {
  readonly state: string
  readonly transport: string | null
  readonly heard: readonly string[]
}

/** What a service worker has, as far as these tests look at it. */
interface WorkerScope {
  opened: string[]
  readonly clients: { openWindow: (url: string) => Promise<null> }
  readonly registration: {
    getNotifications(): Promise<readonly { title: string; body: string; data: unknown }[]>
  }
  readonly NotificationEvent: new (type: string, init: object) => Event
  dispatchEvent(event: Event): boolean
}

/** Pages in a real browser: the tabs of one person, of another origin than the program's, by a module script alone. */
describe('A plain page with the client library', function () {
  this.timeout(90_000)
  const installation = new Installation(CONFIG)
  let program: Program
  let server: Server
  let browser: Browser | null = null
  let context: BrowserContext
  let origin = ''

  const page = (token: string) => `<!doctype html><script type="module">
    import { createClient } from '${program.url}/client/carillon.js'
    const client = createClient({ url: '${program.url}', token: '${token}' })
    const heard = []
    client.events.on('notification.created', ({ data }) => heard.push(data.body))
    client.events.on('signed_out', ({ type }) => heard.push(type))
    globalThis.client = client
    globalThis.report = () => ({ state: client.state, transport: client.transport, heard })
  </script>`

  before(async function () {
    if (!existsSync(CHROMIUM)) {
      if (process.env['REQUIRE_CHROMIUM'] === '1')
        throw new Error(`REQUIRE_CHROMIUM is set and there is no ${CHROMIUM}`)
      console.log('    SKIPPED: Chromium is not installed (apt install chromium)')
      return this.skip()
    }
    program = await installation.start()
    server = createServer((request, response) => {
      const { searchParams } = new URL(request.url ?? '', 'http://localhost')
      response.setHeader('content-type', 'text/html').end(page(searchParams.get('token') ?? ''))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] })
  })
  beforeEach(async () => {
    if (browser) context = await browser.newContext()
  })
  afterEach(() => context.close())
  after(async () => {
    if (browser) {
      await browser.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
    await installation.remove()
  })

  const tokenOf = async (user: string) => (await HttpApi.login(() => program, user, `${user}-password`)).token
  const tab = async (token: string): Promise<Page> => {
    const opened = await context.newPage()
    await opened.goto(`${origin}/?token=${token}`)
    return opened
  }
  const reportOf = (opened: Page) =>
    opened.evaluate(() => (globalThis as unknown as { report?: () => Report }).report?.())
  const all = (tabs: readonly Page[], what: string, holds: (report: Report) => boolean) =>
    eventually(
      what,
      async () => {
        const reports = (await Promise.all(tabs.map(reportOf))).filter((report) => report !== undefined)
        return reports.length === tabs.length && reports.every(holds) ? reports : undefined
      },
      40_000,
    )
  const notify = (user: string, body: string) =>
    createNotification({ user_id: user, title: 'T', body }, { url: program.url, token: 'shop-token' })
  const connections = async () => {
    const metrics = await (await fetch(`${program.url}/metrics`)).text()
    return Number(/carillon_connections\{transport="ws"\} (\d+)/.exec(metrics)?.[1])
  }

  it('connects once for five tabs, each of which hears everything once, whichever of them closes, until one signs out', async () => {
    const token = await tokenOf('anna')
    const tabs = await Promise.all([1, 2, 3, 4, 5].map(() => tab(token)))
    await all(tabs, 'five live tabs', ({ state }) => state === 'live')
    expect(await connections()).to.equal(1)
    await notify('anna', 'first')
    const reports = await all(tabs, 'all to hear', ({ heard }) => heard.length === 1)
    const leader = reports.findIndex(({ transport }) => transport === 'ws')
    expect(reports.filter(({ transport }) => transport !== null)).to.have.length(1)
    await tabs[leader]?.close()
    const rest = tabs.toSpliced(leader, 1)
    await notify('anna', 'second')
    await notify('anna', 'third')
    const after = await all(rest, 'the others to hear', ({ heard }) => heard.includes('third'))
    for (const { heard } of after) expect(heard).to.deep.equal(['first', 'second', 'third'])
    await eventually('one connection', async () => ((await connections()) === 1 ? true : undefined))
    await rest[0]?.evaluate(() =>
      (globalThis as unknown as { client: { logout(): Promise<void> } }).client.logout(),
    )
    await all(rest, 'all to be signed out', ({ state, heard }) => state === 'offline' && heard.length === 4)
    await eventually('no connection', async () => ((await connections()) === 0 ? true : undefined))
  })

  it('is offline without a network, and live again with one, without a loss', async () => {
    const one = await tab(await tokenOf('bob'))
    await all([one], 'it to be live', ({ state }) => state === 'live')
    await context.setOffline(true)
    await all([one], 'it to be offline', ({ state }) => state === 'offline')
    await notify('bob', 'meanwhile')
    await context.setOffline(false)
    const [report] = await all(
      [one],
      'it to hear',
      ({ state, heard }) => state === 'live' && heard.length > 0,
    )
    expect(report?.heard).to.deep.equal(['meanwhile'])
  })

  it('shows what a push brings, and opens its link when it is clicked', async () => {
    await context.grantPermissions(['notifications'], { origin: program.url })
    const opened = await context.newPage()
    await opened.goto(program.url)
    const coming = context.waitForEvent('serviceworker')
    // A string, because the compiler of these tests knows no pages.
    await opened.evaluate("navigator.serviceWorker.register('/client/push-worker.js').then(() => {})")
    const worker = await coming
    const cdp = await context.newCDPSession(opened)
    const registration = new Promise<string>((resolve) => {
      cdp.on('ServiceWorker.workerVersionUpdated', ({ versions }) => {
        const active = versions.find(({ status }) => status === 'activated')
        if (active) resolve(active.registrationId)
      })
    })
    await cdp.send('ServiceWorker.enable')
    const payload = { title: 'CRITICAL: fire', body: 'In the kitchen', tag: 'a1', url: `${program.url}/a/x` }
    await cdp.send('ServiceWorker.deliverPushMessage', {
      origin: program.url,
      registrationId: await registration,
      data: JSON.stringify(payload),
    })
    const shown = () =>
      worker.evaluate(async () => {
        const { registration: own } = globalThis as unknown as WorkerScope
        return (await own.getNotifications()).map(({ title, body, data }) => ({ title, body, data }))
      })
    const [notification] = await eventually('the notification', async () => {
      const list = await shown()
      return list.length > 0 ? list : undefined
    })
    expect(notification).to.deep.equal({
      title: payload.title,
      body: payload.body,
      data: { url: payload.url },
    })
    // A browser without a screen has nothing to click on: the event is made here, and only the last step is replaced.
    const links = await worker.evaluate(async () => {
      const scope = globalThis as unknown as WorkerScope
      scope.opened = []
      scope.clients.openWindow = async (url) => {
        scope.opened.push(url)
        return null
      }
      for (const clicked of await scope.registration.getNotifications())
        scope.dispatchEvent(new scope.NotificationEvent('notificationclick', { notification: clicked }))
      return scope.opened
    })
    expect(links).to.deep.equal([payload.url])
    await eventually('it to be closed', async () => ((await shown()).length === 0 ? true : undefined))
  })
})
