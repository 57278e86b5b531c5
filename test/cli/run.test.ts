import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { findConnection, saveConnection } from '../../src/cli/connection.ts'
import { runCli } from '../../src/cli/run.ts'
import { CliFailure } from '../../src/cli/terminal.ts'
import { fakeTerminal } from './fake-terminal.ts'
import type { Flags } from '../../src/config/reading/overrides.ts'
import type { FakeTerminal } from './fake-terminal.ts'

describe('the command line', () => {
  const folder = mkdtempSync(join(tmpdir(), 'carillon-cli-'))
  after(() => rmSync(folder, { recursive: true }))
  let terminal: FakeTerminal
  let started: Flags[] = []
  beforeEach(() => {
    started = []
    terminal = fakeTerminal({ CARILLON_DATA: join(folder, 'none') })
  })

  const run = (...argv: string[]) =>
    runCli(argv, terminal, {
      start: (flags) => {
        started.push(flags)
        return Promise.resolve(7)
      },
      version: '1.2.3',
    })

  const USAGE: readonly (readonly [argv: readonly string[], message: string])[] = [
    [['pubish'], "error: unknown command 'pubish'\n(Did you mean publish?)\n"],
    [['alerts', 'akc', 'a1'], "error: unknown command 'akc'\n(Did you mean ack?)\n"],
    [['outbox', 'lst'], "error: unknown command 'lst'\n(Did you mean ls?)\n"],
    [['config', 'chek'], "error: unknown command 'chek'\n(Did you mean check?)\n"],
    [['start', '--htp-port', '1'], "error: unknown option '--htp-port'\n(Did you mean --http-port?)\n"],
    [['publish'], "error: missing required argument 'topic'\n"],
    [['alerts', 'snooze', 'a1'], "error: required option '--for <duration>' not specified\n"],
    [['deliveries', 'ls', 'x'], "error: too many arguments for 'ls'. Expected 0 arguments but got 1.\n"],
  ]
  for (const [argv, message] of USAGE) {
    it(`answers 2 and a hint to "carillon ${argv.join(' ')}"`, async () => {
      expect(await run(...argv)).to.equal(2)
      expect(terminal.err()).to.equal(message)
      expect(terminal.out()).to.equal('')
    })
  }

  it('shows its verbs to who gives none, and counts that as usage', async () => {
    expect(await run()).to.equal(2)
    expect(terminal.err()).to.match(/^Usage: carillon/)
    for (const verb of ['start', 'publish', 'alerts', 'outbox', 'deliveries', 'oncall', 'config']) {
      expect(terminal.err()).to.contain(`  ${verb}`)
    }
  })

  it('answers --version and --help with 0', async () => {
    expect(await run('--version')).to.equal(0)
    expect(terminal.out()).to.equal('1.2.3\n')
    expect(await run('alerts', '--help')).to.equal(0)
    expect(terminal.err()).to.equal('')
  })

  it('hands the flags of start over and takes its exit code', async () => {
    const argv = '--config c.yaml --data /d --host ::1 --http-port 0 --mqtt-port 1 --demo'.split(' ')
    expect(await run('start', ...argv)).to.equal(7)
    expect(started).to.deep.equal([
      { config: 'c.yaml', data: '/d', host: '::1', httpPort: '0', mqttPort: '1', demo: true },
    ])
    await run('start')
    expect(started[1]).to.deep.equal({})
  })

  it('lets a bug through', async () => {
    const start = () => Promise.reject(new TypeError('bug'))
    let thrown: unknown
    await runCli(['start'], terminal, { start, version: '' }).catch((error: unknown) => (thrown = error))
    expect(thrown).to.be.instanceOf(TypeError)
  })

  describe('config', () => {
    const good = join(folder, 'good.yaml')
    const bad = join(folder, 'bad.yaml')
    writeFileSync(good, 'clients: { d: { token: geheim } }\n')
    writeFileSync(bad, 'servr: {}\nusers:\n  anna: { email: x }\n')

    it('check says that there is no fault', async () => {
      expect(await run('config', 'check', '--config', good)).to.equal(0)
      expect(terminal.out()).to.equal(`${good}: no faults\n`)
      expect(await run('config', 'check', '--config', good, '--json')).to.equal(0)
      expect(terminal.out()).to.contain('{"ok":true}\n')
    })

    it('check lists every fault and ends with 2', async () => {
      expect(await run('config', 'check', '--config', bad)).to.equal(2)
      expect(terminal.err()).to.equal(
        `${bad}:1:1 servr: unknown key (did you mean "server"?)\n` +
          `${bad}:3:18 users.anna.email: "x" is no mailbox such as anna@example.org\n`,
      )
      expect(terminal.out()).to.equal('')
    })

    it('check --json gives the faults as data', async () => {
      expect(await run('config', 'check', '--config', bad, '--json')).to.equal(2)
      expect(JSON.parse(terminal.out())).to.deep.equal({
        ok: false,
        faults: [
          { at: `${bad}:1:1`, path: 'servr', message: 'unknown key', suggestion: 'server' },
          {
            at: `${bad}:3:18`,
            path: 'users.anna.email',
            message: '"x" is no mailbox such as anna@example.org',
          },
        ],
      })
    })

    it('print shows what is in force with the environment in it, and no secret', async () => {
      terminal = fakeTerminal({ CARILLON_HTTP_PORT: '9000', CARILLON_CONFIG: good })
      expect(await run('config', 'print')).to.equal(0)
      expect(terminal.out()).to.contain('http_port: 9000').and.not.to.contain('geheim')
      expect(await run('config', 'print', '--config', bad)).to.equal(2)
    })

    it('print --json is JSON, and schema is a JSON Schema', async () => {
      expect(await run('config', 'print', '--config', good, '--json')).to.equal(0)
      const printed = JSON.parse(terminal.out()) as { clients: { d: { token: string } } }
      expect(printed.clients.d.token).to.equal('********')
      terminal = fakeTerminal()
      expect(await run('config', 'schema')).to.equal(0)
      expect(JSON.parse(terminal.out())).to.include({ title: 'Carillon configuration', type: 'object' })
    })
  })
})

describe('the connection of the command line', () => {
  const folder = mkdtempSync(join(tmpdir(), 'carillon-connection-'))
  after(() => rmSync(folder, { recursive: true }))
  const saved = join(folder, 'saved')
  saveConnection(saved, { url: 'http://localhost:8080', token: 'demo' })

  const ROWS: readonly {
    title: string
    options?: { url?: string; token?: string; data?: string }
    env?: Record<string, string>
    found: { url: string; token?: string; from?: string }
  }[] = [
    {
      title: 'is what a demo left in the data folder',
      env: { CARILLON_DATA: saved },
      found: { url: 'http://localhost:8080', token: 'demo', from: join(saved, 'cli.json') },
    },
    {
      title: 'looks into the folder of --data',
      options: { data: saved },
      found: { url: 'http://localhost:8080', token: 'demo', from: join(saved, 'cli.json') },
    },
    {
      title: 'is the environment before the file',
      env: { CARILLON_DATA: saved, CARILLON_URL: 'https://a.org/', CARILLON_TOKEN: 't' },
      found: { url: 'https://a.org', token: 't' },
    },
    {
      title: 'is the option before the environment',
      options: { url: 'http://b.org', token: 'o' },
      env: { CARILLON_URL: 'https://a.org', CARILLON_TOKEN: 't' },
      found: { url: 'http://b.org', token: 'o' },
    },
    {
      title: 'never takes the saved token to another server',
      env: { CARILLON_DATA: saved, CARILLON_URL: 'http://evil.example' },
      found: { url: 'http://evil.example' },
    },
    {
      title: 'takes the saved token to the saved server, however its URL is given',
      options: { url: 'http://localhost:8080/' },
      env: { CARILLON_DATA: saved },
      found: { url: 'http://localhost:8080', token: 'demo' },
    },
    {
      title: 'takes another token to the saved server',
      options: { token: 'mine' },
      env: { CARILLON_DATA: saved },
      found: { url: 'http://localhost:8080', token: 'mine', from: join(saved, 'cli.json') },
    },
  ]
  for (const { title, options, env, found } of ROWS) {
    it(title, () => {
      expect(findConnection(options ?? {}, fakeTerminal(env))).to.deep.equal(found)
    })
  }

  it('is left for its owner alone, also where a file was before', () => {
    const open = join(folder, 'open')
    saveConnection(open, { url: 'http://a', token: 'a' })
    const file = join(open, 'cli.json')
    rmSync(file)
    writeFileSync(file, '{}', { mode: 0o644 })
    saveConnection(open, { url: 'http://b', token: 'b' })
    expect(statSync(file).mode & 0o777).to.equal(0o600)
    expect(findConnection({ data: open }, fakeTerminal())).to.deep.include({ url: 'http://b', token: 'b' })
  })

  const MISSING: readonly (readonly [
    title: string,
    content: string | null,
    url: string | undefined,
    message: RegExp,
  ])[] = [
    ['is nowhere', null, undefined, /^where is the server\? Give --url and --token/],
    ['is in a file of something else', '{"a": 1}', undefined, /holds no \{"url", "token"\}/],
    ['is in a broken file', '{', undefined, /holds no \{"url", "token"\}/],
    ['is no URL', null, 'localhost:8080', /"localhost:8080" is no URL/],
  ]
  for (const [title, content, url, message] of MISSING) {
    it(`ends with 2 and says what to do when it ${title}`, () => {
      const data = mkdtempSync(join(folder, 'missing-'))
      if (content !== null) writeFileSync(join(data, 'cli.json'), content)
      expect(() => findConnection({ data, ...(url !== undefined && { url }) }, fakeTerminal()))
        .to.throw(CliFailure, message)
        .with.property('exitCode', 2)
    })
  }
})
