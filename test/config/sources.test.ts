import { expect } from 'chai'
import { loadConfig } from '../../src/config/load.ts'
import type { Flags } from '../../src/config/reading/overrides.ts'
import type { Environment } from '../../src/config/reading/raw.ts'
import type { Config } from '../../src/config/schema/schema.ts'

function load(text: string, env: Environment = {}, flags: Flags = {}): Config {
  const loaded = loadConfig({ text, env, flags })
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults))
  return loaded.config
}

interface Row {
  readonly file?: number
  readonly nested?: number
  readonly plain?: number
  readonly flag?: number
  readonly wins: number
}

/** Contract section 1: flag beats environment beats file beats default. */
const PRECEDENCE: readonly Row[] = [
  { wins: 8080 },
  { file: 1, wins: 1 },
  { nested: 2, wins: 2 },
  { plain: 3, wins: 3 },
  { flag: 4, wins: 4 },
  { file: 1, nested: 2, wins: 2 },
  { file: 1, plain: 3, wins: 3 },
  { file: 1, flag: 4, wins: 4 },
  { nested: 2, plain: 3, wins: 3 },
  { nested: 2, flag: 4, wins: 4 },
  { plain: 3, flag: 4, wins: 4 },
  { file: 1, nested: 2, plain: 3, flag: 4, wins: 4 },
]

describe('where a setting comes from', () => {
  for (const { file, nested, plain, flag, wins } of PRECEDENCE) {
    const given = { file, nested, plain, flag }
    const names = Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [name]))
    it(`is the strongest of: default ${names.join(' ')}`.trimEnd(), () => {
      const config = load(
        file === undefined ? '' : `server: { http_port: ${file} }`,
        {
          ...(nested !== undefined && { CARILLON__SERVER__HTTP_PORT: String(nested) }),
          ...(plain !== undefined && { CARILLON_HTTP_PORT: String(plain) }),
        },
        flag === undefined ? {} : { httpPort: String(flag) },
      )
      expect(config.server.http_port).to.equal(wins)
    })
  }

  it('is told for every value that is not a default', () => {
    const loaded = loadConfig({
      file: './etc/c.yaml',
      text: 'server:\n  host: 127.0.0.2\nauth: { jwt: { issuer: me } }\n',
      env: { CARILLON_DATA: '/data', CARILLON__LIMITS__TAKEOVERS: '5' },
      flags: { mqttPort: '0' },
    })
    expect(loaded.ok && Object.fromEntries(loaded.sources)).to.deep.include({
      'server.host': { from: 'file', at: 'etc/c.yaml:2:9' },
      'auth.jwt.issuer': { from: 'file', at: 'etc/c.yaml:3:24' },
    })
    const from = loaded.ok ? [...loaded.sources].map(([path, source]) => [path, source.from, source.at]) : []
    expect(from).to.have.length(5)
    expect(from).to.deep.include(['storage.path', 'environment', 'CARILLON_DATA'])
    expect(from).to.deep.include(['limits.takeovers', 'environment', 'CARILLON__LIMITS__TAKEOVERS'])
    expect(from).to.deep.include(['server.mqtt_port', 'flag', '--mqtt-port'])
  })

  it('is each of the flags and plain variables of contract section 1', () => {
    const byFlag = load('', {}, { data: '/a', host: '127.0.0.3', httpPort: '1', mqttPort: '2' })
    expect([
      byFlag.storage.path,
      byFlag.server.host,
      byFlag.server.http_port,
      byFlag.server.mqtt_port,
    ]).to.deep.equal(['/a', '127.0.0.3', 1, 2])
    const byVariable = load('', {
      CARILLON_DATA: '/b',
      CARILLON_HOST: '::1',
      CARILLON_HTTP_PORT: '3',
      CARILLON_MQTT_PORT: '4',
      CARILLON_LOG_LEVEL: 'warn',
    })
    expect(byVariable.storage.path).to.equal('/b')
    expect(byVariable.server).to.deep.include({ host: '::1', http_port: 3, mqtt_port: 4, log_level: 'warn' })
  })

  it('may be a variable for any key, coerced to what the key takes', () => {
    const config = load('users: { anna: {} }\nclients: { db-monitor: { publish: [a, b] } }\n', {
      CARILLON__SERVER__DEV_ENDPOINTS: 'true',
      CARILLON__AUTH__ANONYMOUS: 'db-monitor',
      CARILLON__USERS__ANNA__EMAIL: 'anna@example.org',
      CARILLON__USERS__ANNA__GROUPS: '["ops", "dev"]',
      CARILLON__USERS__NEW__NAME: '007',
      CARILLON__CLIENTS__DB_MONITOR__PUBLISH__1: 'c',
      CARILLON__CLIENTS__DB_MONITOR__RATE_LIMIT__WINDOW_SECONDS: '0.5',
      CARILLON__THROTTLE__SMS: '[[1, 1h]]',
    })
    expect(config.server.dev_endpoints).to.equal(true)
    expect(config.auth.anonymous).to.equal('db-monitor')
    expect(config.users['anna']).to.deep.include({ email: 'anna@example.org', groups: ['ops', 'dev'] })
    expect(config.users['new']?.name).to.equal('007')
    expect(config.clients['db-monitor']?.publish).to.deep.equal(['a', 'c'])
    expect(config.clients['db-monitor']?.rate_limit).to.deep.equal({
      max_requests: 1000,
      window_seconds: 0.5,
    })
    expect(config.throttle.sms).to.deep.equal([[1, '1h']])
  })

  it('may be a variable that takes a value away', () => {
    const config = load('auth: { anonymous: d }\nclients: { d: {} }\n', { CARILLON__AUTH__ANONYMOUS: 'null' })
    expect(config.auth.anonymous).to.equal(null)
  })

  it('is the default for a section that is written but empty', () => {
    const config = load('server:\nrules:\nusers:\n  anna:\n')
    expect(config.server.http_port).to.equal(8080)
    expect(config.users['anna']?.timezone).to.equal('UTC')
  })

  it('is the variable even where the file has the secret in its other form', () => {
    const config = load('clients: { d: { token_file: /nowhere } }\n', { CARILLON__CLIENTS__D__TOKEN: 't' })
    expect(config.clients['d']?.token).to.equal('t')
  })

  it('is captured for every channel unless the file says otherwise', () => {
    const modes = Object.values(load('').channels).map(({ mode }) => mode)
    expect(modes).to.deep.equal(Array.from({ length: 9 }, () => 'captured'))
  })
})

describe('references to the environment', () => {
  const ROWS: readonly (readonly [title: string, written: string, env: Environment, read: string])[] = [
    ['take the value', '${A}', { A: 'x' }, 'x'],
    ['take an empty value', '"a${A}b"', { A: '' }, 'ab'],
    ['take the default when unset', '${A:-d e}', {}, 'd e'],
    ['take the default when empty', '${A:-d}', { A: '' }, 'd'],
    ['prefer the value to the default', '${A:-d}', { A: 'x' }, 'x'],
    ['may have an empty default', '"x${A:-}"', {}, 'x'],
    ['may be several in one text', '${A}-${B:-2}', { A: '1' }, '1-2'],
    ['may stand in single quotes', "'${A}'", { A: 'x' }, 'x'],
    ['do not read the value as YAML', '${A}', { A: 'a: {b}, [c] #d "e"' }, 'a: {b}, [c] #d "e"'],
    ['do not fill in the value again', '${A}', { A: '${B}', B: 'no' }, '${B}'],
    ['are escaped by a second dollar sign', '"$${A}"', { A: 'x' }, '${A}'],
    ['leave a lone dollar sign alone', '"a$b"', { b: 'x' }, 'a$b'],
    ['may have signs of YAML in the default', '${A:-a, b: c #d}', {}, 'a, b: c #d'],
  ]
  for (const [title, written, env, read] of ROWS) {
    it(title, () => {
      expect(load(`users: { anna: { name: ${written} } }\n`, env).users['anna']?.name).to.equal(read)
      expect(load(`users:\n  anna:\n    name: ${written}\n`, env).users['anna']?.name).to.equal(read)
    })
  }

  it('take the type of their key', () => {
    const env = { PORT: '9000', DEV: 'true', GRANTS: '["a/#", b]' }
    const config = load(
      'server: { http_port: ${PORT}, dev_endpoints: ${DEV} }\nclients: { d: { publish: ${GRANTS} } }\n',
      env,
    )
    expect(config.server).to.deep.include({ http_port: 9000, dev_endpoints: true })
    expect(config.clients['d']?.publish).to.deep.equal(['a/#', 'b'])
  })

  it('may stand in a key, and faults below it keep their place', () => {
    const text = 'users:\n  ${WHO}: { email: bad }\n'
    const loaded = loadConfig({ file: 'c.yaml', text, env: { WHO: 'anna' }, flags: {} })
    expect(loaded.ok ? [] : loaded.faults.map(({ at, path }) => `${at} ${path}`)).to.deep.equal([
      'c.yaml:2:20 users.${WHO}.email',
    ])
  })

  it('keep the columns of what follows them on the line', () => {
    const loaded = loadConfig({
      file: 'c.yaml',
      text: 'users: { a: { name: ${LONG_NAME}, x: 1 } }',
      env: { LONG_NAME: '' },
      flags: {},
    })
    expect(loaded.ok ? [] : loaded.faults.map(({ at }) => at)).to.deep.equal(['c.yaml:1:35'])
  })

  it('do nothing to text that holds private signs already', () => {
    expect(load('users: { anna: { name: "\uE024 \uE0A0" } }').users['anna']?.name).to.equal('\uE024 \uE0A0')
  })
})
