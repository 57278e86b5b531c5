import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { Value } from 'typebox/value'
import { isLoopback } from '../../src/config/checks/exposure.ts'
import { demoConfig } from '../../src/config/demo.ts'
import { loadConfig } from '../../src/config/load.ts'
import { ConfigSchema } from '../../src/config/schema/schema.ts'

const demo = (env = {}, flags = {}) => loadConfig({ env, flags: { demo: true, ...flags } })

describe('the demo', () => {
  it('runs when there is no configuration file', () => {
    const before = process.cwd()
    const empty = mkdtempSync(join(tmpdir(), 'carillon-demo-'))
    process.chdir(empty)
    const loaded = loadConfig({ env: {}, flags: {} })
    process.chdir(before)
    rmSync(empty, { recursive: true })
    expect(loaded.ok && loaded.demo).to.equal(true)
    expect(loaded.ok && loaded.file).to.equal(null)
  })

  it('has three people who can be reached, one team with steps of 12 s, and captures every channel', () => {
    const config = demoConfig()
    expect(Object.keys(config.users)).to.deep.equal(['anna', 'bob', 'cem'])
    for (const user of Object.values(config.users)) {
      expect(user.email).to.match(/@example\.org$/)
      expect(user.phone).to.match(/^\+49/)
      expect(user.devices).to.have.length(1)
    }
    expect(config.users['anna']?.preferences.sms).to.equal(true)
    expect(Object.keys(config.teams)).to.deep.equal(['platform'])
    expect(config.teams['platform']?.alert_types).to.deep.equal(['*'])
    expect(config.teams['platform']?.escalation.steps).to.deep.equal([
      { notify: ['oncall'], wait: '12s' },
      { notify: ['oncall.next'], wait: '12s' },
      { notify: ['team'], wait: '12s' },
    ])
    expect(new Set(Object.values(config.channels).map(({ mode }) => mode))).to.deep.equal(
      new Set(['captured']),
    )
    expect(config.server.host).to.equal('127.0.0.1')
  })

  it('is a configuration without faults', () => {
    expect([...Value.Errors(ConfigSchema, demoConfig())]).to.deep.equal([])
    expect(demo().ok).to.equal(true)
  })

  it('makes new credentials in every start', () => {
    const [one, two] = [demoConfig(), demoConfig()]
    const credentials = [one, two].flatMap((config) => [
      config.clients['demo']?.token,
      ...Object.values(config.users).map(({ password }) => password),
    ])
    expect(new Set(credentials).size).to.equal(8)
    for (const credential of credentials) expect(credential).to.match(/^[\w-]{24}$/)
  })

  it('lets its client acknowledge, which alerts/# alone does not', () => {
    expect(demoConfig().clients['demo']?.publish).to.include.members([
      'notifications/#',
      'alerts/#',
      'alerts/+/ack',
    ])
  })

  it('takes ports and data folder from flags and environment', () => {
    const loaded = demo({ CARILLON_DATA: '/d' }, { httpPort: '0' })
    expect(loaded.ok && [loaded.config.storage.path, loaded.config.server.http_port]).to.deep.equal(['/d', 0])
  })

  it('refuses to listen where others can reach it', () => {
    const loaded = demo({}, { host: '0.0.0.0' })
    expect(loaded.ok ? [] : loaded.faults).to.deep.equal([
      {
        at: '--host',
        path: 'server.host',
        message:
          'the demo listens on 127.0.0.1 only, not on 0.0.0.0; write a configuration with users: and clients: of your own',
      },
    ])
  })

  it('refuses a failpoint there too, and allows it at home', () => {
    expect(demo({ CARILLON_FAILPOINT: 'after-puback:1' }).ok).to.equal(true)
    const loaded = demo({ CARILLON_FAILPOINT: 'after-puback:1', CARILLON_HOST: '::' })
    expect(loaded.ok ? 0 : loaded.faults.length).to.equal(2)
  })

  it('takes no configuration file beside it', () => {
    const loaded = demo({}, { config: 'c.yaml' })
    expect(loaded.ok ? [] : loaded.faults.map(({ at }) => at)).to.deep.equal(['--demo'])
  })
})

describe('a loopback address', () => {
  const ROWS: readonly (readonly [string, boolean])[] = [
    ['127.0.0.1', true],
    ['127.9.9.9', true],
    ['localhost', true],
    ['LOCALHOST', true],
    ['::1', true],
    ['[::1]', true],
    ['::ffff:127.0.0.1', true],
    ['0.0.0.0', false],
    ['::', false],
    ['', false],
    ['127.0.0.1.example.org', false],
    ['127.example.org', false],
    ['localhost.example.org', false],
    ['192.168.0.1', false],
    ['::ffff:10.0.0.1', false],
  ]
  for (const [host, is] of ROWS) {
    it(`is ${is ? '' : 'not '}"${host}"`, () => {
      expect(isLoopback(host)).to.equal(is)
    })
  }
})
