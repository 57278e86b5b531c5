import { expect } from 'chai'
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createNotification } from '../../client/node.ts'
import { eventually } from '../support/eventually.ts'
import { HttpApi } from '../support/http-api.ts'
import { Installation, type Program } from '../support/program.ts'

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
const CONFIG = `
users:
  anna: { password: anna-password }
clients:
  shop: { token: shop-token, publish: ["notifications/#"] }
`

/** What a frame of the page tells: how it is connected, and what it has heard. */
interface Report {
  readonly state: string
  readonly transport: string | null
  readonly heard: readonly string[]
}

/** A page of another origin in a real browser; its two frames are to the browser what two tabs are. */
describe('A plain page with the client library', function () {
  this.timeout(60_000)
  const installation = new Installation(CONFIG)
  const profile = mkdtempSync(join(tmpdir(), 'carillon-page-'))
  const reports = new Map<string, Report>()
  let program: Program
  let server: Server
  let browser: ChildProcess | null = null
  let token = ''

  const tab = (name: string) => `<script type="module">
    import { createClient } from '${program.url}/client/carillon.js'
    const client = createClient({ url: '${program.url}', token: '${token}' })
    const heard = []
    client.events.on('notification.created', ({ data }) => heard.push(data.body))
    const report = () => fetch('/report/${name}', { method: 'POST', body:
      JSON.stringify({ state: client.state, transport: client.transport, heard }) }).then(() => setTimeout(report, 100))
    report()
  </script>`

  before(async function () {
    if (!existsSync(CHROMIUM)) {
      if (process.env['REQUIRE_CHROMIUM'] === '1')
        throw new Error(`REQUIRE_CHROMIUM is set and there is no ${CHROMIUM}`)
      console.log('    SKIPPED: Chromium is not installed (apt install chromium)')
      return this.skip()
    }
    program = await installation.start()
    ;({ token } = await HttpApi.login(() => program, 'anna', 'anna-password'))
    server = createServer((request, response) => {
      const [, what = '', name = ''] = (request.url ?? '').split('/')
      if (what === 'report') {
        let body = ''
        request.on('data', (chunk: Buffer) => (body += chunk.toString()))
        request.on('end', () => {
          reports.set(name, JSON.parse(body) as Report)
          response.end()
        })
        return
      }
      response.setHeader('content-type', 'text/html')
      response.end(
        what === 'tab' ? tab(name) : '<iframe src="/tab/one"></iframe><iframe src="/tab/two"></iframe>',
      )
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    browser = spawn(
      CHROMIUM,
      [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        `--user-data-dir=${profile}`,
        `http://127.0.0.1:${port}/`,
      ],
      { stdio: 'ignore' },
    )
  })

  after(async () => {
    if (browser) {
      const gone = new Promise((resolve) => browser?.once('exit', resolve))
      browser.kill('SIGKILL')
      await gone
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
    await installation.remove()
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
  })

  it('connects by a module script alone, once for all its tabs, each of which hears everything once', async () => {
    const both = () => [reports.get('one'), reports.get('two')]
    await eventually(
      'both tabs to be live',
      () => (both().every((report) => report?.state === 'live') ? true : undefined),
      40_000,
    )
    for (const body of ['first', 'second'])
      await createNotification(
        { user_id: 'anna', title: 'T', body },
        { url: program.url, token: 'shop-token' },
      )
    await eventually('both tabs to hear', () =>
      both().every((report) => report?.heard.includes('second')) ? true : undefined,
    )
    for (const report of both()) expect(report?.heard).to.deep.equal(['first', 'second'])
    expect(both().map((report) => report?.transport)).to.have.members(['ws', null])
    const metrics = await (await fetch(`${program.url}/metrics`)).text()
    expect(metrics).to.match(/carillon_connections\{transport="ws"\} 1\n/)
  })
})
