import { expect } from 'chai'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MAIN, start, type Command } from '../support/command.ts'
import { eventually } from '../support/eventually.ts'
import { HttpApi, type Refused } from '../support/http-api.ts'
import { MqttPerson } from '../support/mqtt-person.ts'
import { Installation, type Program } from '../support/program.ts'

const ANY_PORTS = ['--http-port', '0', '--mqtt-port', '0']

describe('Starting the program without a configuration (section 1)', function () {
  this.timeout(60_000)
  const folder = mkdtempSync(join(tmpdir(), 'carillon-demo-'))
  let demo: Command
  let ready: Readonly<Record<string, unknown>>

  before(async () => {
    demo = start(process.execPath, [MAIN, 'start', ...ANY_PORTS], { cwd: folder })
    ready = await eventually('the ready line', () =>
      linesOf(demo.said().out).find(({ msg }) => msg === 'ready'),
    )
  })

  after(async () => {
    demo.child.kill('SIGKILL')
    await demo.ended
    rmSync(folder, { recursive: true, force: true })
  })

  const url = () => String(ready['http'])

  it('says where it is and that this is the demo, on one line', () => {
    expect(ready).to.include({ demo: true })
    expect(ready['http']).to.match(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect(ready['mqtt']).to.match(/^mqtt:\/\/127\.0\.0\.1:\d+$/)
    expect(ready['docs']).to.equal(`${url()}/docs`)
  })

  it('prints a link that signs in once', async () => {
    const text = Object.values(demo.said()).join('\n')
    const [, link] = /\/login#t=([\w-]+)/.exec(text) ?? []
    expect(link, text).to.be.a('string')
    const program = { url: url() } as Program
    const redeem = () =>
      new HttpApi(() => program, null).post<{ token: string; user: string }>('/v1/login', { link })
    const first = await redeem()
    expect([first.status, first.body.user]).to.deep.equal([200, 'anna'])
    const anna = new HttpApi(() => program, first.body.token)
    expect((await anna.request('GET', '/v1/notifications')).status).to.equal(200)
    expect((await redeem()).status).to.equal(401)
  })

  it('leaves the address and the token for the command line, readable by nobody else', () => {
    const file = join(folder, 'data', 'cli.json')
    const saved = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
    expect(saved).to.have.all.keys('url', 'token')
    expect(saved['url']).to.equal(url())
    expect(statSync(file).mode & 0o777).to.equal(0o600)
  })

  it('lets the printed lines work in the same folder', async () => {
    const carillon = (...args: string[]) => start(process.execPath, [MAIN, ...args], { cwd: folder }).ended
    const notified = await carillon(
      'publish',
      'notifications/realtime/user/anna',
      '{"title":"Hello","message":"It works"}',
    )
    expect(notified).to.include({ code: 0, errors: '' })
    expect(notified.out).to.match(/^accepted /)
    const raised = await carillon(
      'publish',
      'alerts/critical/system_failure',
      '-m',
      'Database connection failed',
      '--json',
    )
    expect(raised.code).to.equal(0)
    const { result } = JSON.parse(raised.out) as { result: Record<string, unknown> }
    expect(result['status']).to.equal('critical_alert_sent')
    const outbox = await eventually('the captured pages', async () => {
      const listed = await carillon('outbox', 'ls', '--json')
      return listed.out.includes('CRITICAL: system_failure - Database connection failed') ? listed : undefined
    })
    expect(outbox.code).to.equal(0)
  })

  it('answers the probes and the documents', async () => {
    for (const [path, type] of [
      ['/healthz', 'application/json'],
      ['/readyz', 'application/json'],
      ['/metrics', 'text/plain'],
      ['/openapi.json', 'application/json'],
      ['/asyncapi.json', 'application/json'],
      ['/docs', 'text/html'],
    ] as const) {
      const response = await fetch(`${url()}${path}`)
      expect([path, response.status]).to.deep.equal([path, 200])
      expect(response.headers.get('content-type'), path).to.contain(type)
      expect((await response.text()).length, path).to.be.greaterThan(10)
    }
    const openapi = (await (await fetch(`${url()}/openapi.json`)).json()) as {
      openapi: string
      paths: object
    }
    expect(openapi.openapi).to.match(/^3\./)
    expect(Object.keys(openapi.paths)).to.include('/v1/alerts/{id}/ack')
    const asyncapi = (await (await fetch(`${url()}/asyncapi.json`)).json()) as {
      asyncapi: string
      channels: object
    }
    expect(asyncapi.asyncapi).to.match(/^3\./)
    expect(Object.values(asyncapi.channels).map(({ address }: { address: string }) => address)).to.include(
      'notifications/realtime/user/{userId}',
    )
  })
})

describe('A start that cannot be (section 1)', function () {
  this.timeout(60_000)
  const folder = mkdtempSync(join(tmpdir(), 'carillon-start-'))
  after(() => rmSync(folder, { recursive: true, force: true }))

  const run = (
    config: string,
    args: readonly string[] = ANY_PORTS,
    env: Readonly<Record<string, string>> = {},
  ) => {
    writeFileSync(join(folder, 'carillon.yaml'), config)
    return start(process.execPath, [MAIN, 'start', ...args], { cwd: folder, env }).ended
  }

  it('lists every fault of the configuration with its place, and exits 2', async () => {
    const faulty = [
      'users:',
      '  anna: { password: anna-password, emial: anna@example.org, roles: [boss] }',
      'teams:',
      '  platform:',
      '    alert_types: ["*"]',
      '    schedule: { layers: [{ rotate: [nobody] }] }',
      '    escalation: { steps: [{ notify: [oncall], wait: soon }] }',
      '',
    ].join('\n')
    const { code, errors } = await run(faulty)
    expect(code).to.equal(2)
    const places = errors.split('\n').filter((line) => /carillon\.yaml:\d+:\d+/.test(line))
    for (const [line, words] of [
      [2, /emial.*email/],
      [2, /roles.*boss|boss/],
      [6, /nobody/],
      [7, /wait/],
    ] as const) {
      expect(
        places.some((place) => place.includes(`carillon.yaml:${line}:`) && words.test(place)),
        `${words} in\n${errors}`,
      ).to.equal(true)
    }
    expect(places).to.have.length(4)
  })

  it('names the port that is in use, and exits 1', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await eventually('a port', () => taken.address() ?? undefined)
    const { port } = taken.address() as AddressInfo
    for (const args of [
      ['--http-port', String(port), '--mqtt-port', '0'],
      ['--http-port', '0', '--mqtt-port', String(port)],
    ]) {
      const { code, out, errors } = await run('users: {}\n', args)
      expect(code, out + errors).to.equal(1)
      expect(out + errors).to.contain(`port ${port} is in use`)
    }
    await new Promise((resolve) => taken.close(resolve))
  })

  it('says at its start that no page reaches anybody while every channel is captured', async () => {
    const team = 'teams: { t: { alert_types: ["*"], escalation: { steps: [{ notify: ["user:anna"] }] } } }\n'
    const warned = async (channels: string) => {
      writeFileSync(
        join(folder, 'carillon.yaml'),
        `users: { anna: { email: anna@example.org } }\n${team}channels: ${channels}\n`,
      )
      const program = start(process.execPath, [MAIN, 'start', ...ANY_PORTS], { cwd: folder })
      const lines = () => linesOf(program.said().out)
      await eventually('the ready line', () => lines().find(({ msg }) => msg === 'ready'))
      program.child.kill('SIGTERM')
      await program.ended
      return lines().filter(({ msg }) => String(msg).includes('every channel is captured')).length
    }
    expect(await warned('{}')).to.equal(1)
    expect(
      await warned(
        '{ email: { mode: both, smtp_url: "smtp://127.0.0.1:1", from: "Alerts <alerts@example.org>" } }',
      ),
    ).to.equal(0)
  })

  it('does not arm a failpoint where others can reach it', async () => {
    const env = { CARILLON_FAILPOINT: 'before-commit:1' }
    const { code, out, errors } = await run('users: {}\n', [...ANY_PORTS, '--host', '0.0.0.0'], env)
    expect(code, out + errors).to.equal(2)
    expect(out + errors).to.match(/CARILLON_FAILPOINT|failpoint/i)
  })

  it('does not let a demo be reached from elsewhere', async () => {
    const { code, errors } = await start(
      process.execPath,
      [MAIN, 'start', '--demo', ...ANY_PORTS, '--host', '0.0.0.0'],
      {
        cwd: folder,
      },
    ).ended
    expect(code).to.equal(2)
    expect(errors).to.match(/demo/)
  })

  it('knows no verb but suggests one, and exits 2', async () => {
    const { code, errors } = await start(process.execPath, [MAIN, 'strat'], { cwd: folder }).ended
    expect(code).to.equal(2)
    expect(errors).to.contain('start')
  })
})

const base = (more = '') => `
users:
  anna: { password: anna-password }
${more}
clients:
  shop: { token: shop-token, publish: ["notifications/#"], rate_limit: { max_requests: 100000, window_seconds: 60 } }
`

describe('A program that runs (section 1)', function () {
  this.timeout(60_000)
  const installation = new Installation(base())
  let program: Program
  const shop = new HttpApi(() => program, 'shop-token')

  before(async () => {
    program = await installation.start()
  })

  after(() => installation.remove())

  const toBob = () => shop.publish<Refused>('notifications/realtime/user/bob', '{"message":"Hi"}')
  const login = async (user: string, password: string) => {
    const answer = await new HttpApi(() => program, null).post('/v1/login', { user, password })
    return answer.status === 200
  }
  const said = (words: RegExp) =>
    eventually(`a line like ${words}`, () => program.lines.find(({ msg }) => words.test(String(msg))))

  it('keeps the old configuration on a faulty reload and says so, and takes a good one (P28)', async () => {
    expect((await toBob()).status).to.equal(404)
    installation.configure(base('  bob: { password: bob-password, emial: bob@example.org }'))
    process.kill(program.pid, 'SIGHUP')
    const line = await said(/faulty/)
    expect(JSON.stringify(line['faults'])).to.contain('emial')
    expect((await toBob()).status).to.equal(404)
    installation.configure(base('  bob: { password: bob-password }'))
    process.kill(program.pid, 'SIGHUP')
    await said(/reloaded/)
    expect((await toBob()).status).to.equal(202)
    expect((await HttpApi.login(() => program, 'bob', 'bob-password')).token).to.be.a('string')
  })

  it("ends the connections of whoever a reload takes access from, and nobody else's (security rows 3 and 8)", async () => {
    const connect = (username: string, password: string, clientId: string) =>
      MqttPerson.connect(program, { username, password, clientId, clean: false })
    installation.configure(base('  bob: { password: bob-password }\n  cem: { password: cem-password }'))
    process.kill(program.pid, 'SIGHUP')
    await eventually('a log-in of cem', async () => (await login('cem', 'cem-password')) || undefined)
    const bob = await connect('bob', 'bob-password', 'bob-phone')
    const cem = await connect('cem', 'cem-password', 'cem-phone')
    const shopClient = await connect('shop', 'shop-token', 'shop-1')
    const before = program.lines.filter(({ msg }) => /reloaded/.test(String(msg))).length
    installation.configure(base('  bob: { password: another-password }'))
    process.kill(program.pid, 'SIGHUP')
    await Promise.all([bob.dropped(), cem.dropped()])
    await eventually(
      'the line',
      () => program.lines.filter(({ msg }) => /reloaded/.test(String(msg)))[before],
    )
    await shopClient.publish('notifications/realtime/user/bob', { message: 'still here' })
    expect(shopClient.closed).to.equal(false)
    expect([await login('bob', 'bob-password'), await login('bob', 'another-password')]).to.deep.equal([
      false,
      true,
    ])
    for (const person of [bob, cem, shopClient]) await person.close()
  })

  it('ends on SIGTERM with 0 and keeps everything it acknowledged before (P27)', async () => {
    const acknowledged = new Set<string>()
    const publishers = await Promise.all(
      [1, 2].map(() => MqttPerson.connect(program, { username: 'shop', password: 'shop-token' })),
    )
    let sent = 0
    const flood = publishers.map(async (publisher) => {
      while (!publisher.closed) {
        const key = `message-${sent++}`
        await Promise.race([
          publisher
            .publish('notifications/realtime/user/anna', { id: key, message: key })
            .then(() => acknowledged.add(key)),
          publisher.dropped(),
        ]).catch(() => {})
      }
    })
    await eventually('some acknowledgements', () => acknowledged.size >= 100 || undefined)
    expect(await program.end('SIGTERM')).to.equal(0)
    await Promise.all(flood)
    program = await installation.start()
    const anna = await HttpApi.login(() => program, 'anna', 'anna-password')
    const found: string[] = []
    for (let offset = 0; ; offset += 200) {
      const page = await anna.get<{ notifications: { message: string }[] }>(
        `/v1/notifications?limit=200&offset=${offset}`,
      )
      found.push(...page.notifications.map(({ message }) => message))
      if (page.notifications.length < 200) break
    }
    expect([...acknowledged].filter((key) => !found.includes(key))).to.deep.equal([])
    expect(new Set(found).size).to.equal(found.length)
    await Promise.all(publishers.map((publisher) => publisher.close()))
  })
})

function linesOf(text: string): Record<string, unknown>[] {
  return text.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line) as Record<string, unknown>]
    } catch {
      return []
    }
  })
}
