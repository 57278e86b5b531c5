import { expect } from 'chai'
import { execFile } from 'node:child_process'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Installation, type Program } from '../support/program.ts'
import { call, login } from './attacked.ts'
import { publishPacket, RawMqtt } from './raw-mqtt.ts'

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url))

/** Each a word that stands nowhere else. */
const SECRETS = {
  jwt: 'canary-jwt-0123456789-0123456789-abcdef',
  annaPassword: 'canary-anna-password',
  deviceToken: 'canary-device-token',
  smtpPassword: 'canary-smtp-password',
  smsToken: 'canary-sms-token',
  voiceToken: 'canary-voice-token',
  vapidKey: 'canary-vapid-key',
  serviceAccount: 'canary-service-account',
  phoneToken: 'canary-phone-token',
  botToken: 'canary-bot-token',
  webhookSecret: 'canary-webhook-secret',
  webhookPath: 'canary-webhook-path',
} as const
/** Given by callers, right or wrong: nobody’s business either. */
const GIVEN = [
  'canary-wrong-password',
  'canary-wrong-token',
  'canary-wrong-key',
  'canary-payload-text',
  'canary-cookie',
  'canary-ticket',
  'canary-query',
] as const

describe('secrets', function () {
  this.timeout(40_000)
  // Takes a connection, refuses the password in words that repeat it, as some servers do.
  const smtp = createServer((socket) => {
    socket.on('error', () => {})
    socket.write('220 canary\r\n')
    socket.on('data', (chunk: Buffer) => {
      const line = chunk.toString()
      if (/^EHLO/i.test(line)) socket.write('250-canary\r\n250 AUTH PLAIN LOGIN\r\n')
      else if (/^AUTH/i.test(line))
        socket.write(`535 5.7.8 ${SECRETS.smtpPassword} is wrong: ${line.trim()}\r\n`)
      else socket.write('250 ok\r\n')
    })
  })
  let installation: Installation
  let program: Program
  const said: string[] = []
  const tokens: string[] = []

  before(async () => {
    await new Promise<void>((resolve) => smtp.listen(0, '127.0.0.1', resolve))
    const { port } = smtp.address() as AddressInfo
    installation = new Installation(`
server: { log_level: trace }
auth: { jwt: { secret: ${SECRETS.jwt} } }
users: { anna: { password: ${SECRETS.annaPassword}, email: anna@example.org, phone: "+4915112345678", roles: [admin], devices: [{ platform: ios, token: ${SECRETS.phoneToken} }] } }
clients: { device: { token: ${SECRETS.deviceToken}, publish: ["notifications/#", "alerts/#"] } }
teams: { platform: { alert_types: ["*"], escalation: { steps: [{ notify: [team, "webhook:ops"], wait: 5m }] } } }
channels:
  email: { mode: live, smtp_url: "smtp://mailer:${SECRETS.smtpPassword}@127.0.0.1:${port}", from: "Alerts <alerts@example.org>" }
  sms: { mode: captured, account_sid: AC1, auth_token: ${SECRETS.smsToken}, from: "+15005550006" }
  voice: { mode: captured, account_sid: AC1, auth_token: ${SECRETS.voiceToken}, from: "+15005550006" }
  push: { mode: captured, service_account: ${SECRETS.serviceAccount} }
  web_push: { mode: captured, subject: "mailto:ops@example.org", vapid_public_key: public, vapid_private_key: ${SECRETS.vapidKey} }
  telegram: { mode: live, bot_token: "1:${SECRETS.botToken}", api_root: "http://127.0.0.1:1" }
  webhook: { mode: live, allow: [127.0.0.1], endpoints: { ops: { url: "http://127.0.0.1:1/${SECRETS.webhookPath}", secret: ${SECRETS.webhookSecret} } } }
`)
    program = await installation.start()
    await scenario()
  })

  after(async () => {
    await installation.remove()
    smtp.close()
  })

  async function scenario(): Promise<void> {
    const token = await login(program, 'anna', SECRETS.annaPassword)
    const keep = async (...asked: Parameters<typeof call> extends [Program, ...infer Rest] ? Rest : never) =>
      void said.push((await call(program, ...asked)).text)
    for (const [user, password] of [
      ['anna', 'canary-wrong-password'],
      ['nobody', 'canary-wrong-password'],
    ])
      await keep(null, 'POST', '/v1/login', { user, password })
    await keep(null, 'POST', '/v1/login', '{"user":"anna","password":"canary-wrong-password"')
    for (const wrong of ['canary-wrong-token', `eyJhbGciOiJIUzI1NiJ9.canary-wrong-token.x`])
      await keep(wrong, 'GET', '/v1/alerts')
    for (const headers of [
      { 'x-api-key': 'canary-wrong-key' },
      { 'x-service-id': 'device', 'x-service-token': 'canary-wrong-key' },
      { cookie: 'carillon=canary-cookie' },
      { authorization: 'Basic canary-wrong-key' },
    ])
      said.push(await (await fetch(`${program.url}/v1/alerts`, { headers })).text())
    for (const path of [
      '/v1/alerts?ticket=canary-ticket',
      '/nothing?token=canary-query',
      '/mqtt?ticket=canary-ticket',
    ])
      said.push(await (await fetch(program.url + path)).text())
    for (const [username, password] of [
      ['device', 'canary-wrong-token'],
      ['anna', 'canary-wrong-password'],
      ['device', SECRETS.deviceToken],
    ]) {
      const raw = await RawMqtt.open(program.mqttPort)
      await raw.connect({ clientId: 'x', username: username ?? '', password: password ?? '' })
      raw.send(
        publishPacket('notifications/realtime/user/nobody', '{"message":"canary-payload-text"}', 1),
        publishPacket('notifications/nowhere', 'canary-payload-text', 1, 2),
        publishPacket('forbidden', 'canary-payload-text', 1, 3),
      )
      await raw.closed
    }
    await keep(SECRETS.deviceToken, 'POST', '/v1/publish/alerts/critical/x', {
      message: 'canary-payload-text',
    })
    await keep(
      SECRETS.deviceToken,
      'POST',
      '/v1/publish/notifications/realtime/user/anna',
      '{"message":canary-payload-text',
    )
    // The refused mail is tried, fails and is recorded.
    for (;;) {
      const { text } = await call(program, token, 'GET', '/v1/deliveries?channel=email')
      if (
        text.includes('refuses the credentials') ||
        program.lines.some((line) => JSON.stringify(line).includes('provider_down'))
      )
        break
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    for (const path of [
      '/v1/deliveries',
      '/v1/users/me',
      '/v1/teams',
      '/metrics',
      '/healthz',
      '/readyz',
      '/openapi.json',
      '/asyncapi.json',
    ])
      await keep(token, 'GET', path)
    process.kill(program.pid, 'SIGHUP')
    while (!program.lines.some((line) => String(line['msg']).includes('configuration')))
      await new Promise((resolve) => setTimeout(resolve, 20))
    tokens.push(token)
  }

  for (const secret of [...Object.values(SECRETS), ...GIVEN])
    it(`stand in no log line, not even at trace: ${secret.slice(0, 16)}… (row 26)`, () => {
      const found = program.lines.filter((line) => JSON.stringify(line).includes(secret))
      expect(found).to.deep.equal([])
    })

  it('stand in no log line as what a log-in gave (row 26)', () => {
    for (const token of tokens)
      expect(program.lines.filter((line) => JSON.stringify(line).includes(token))).to.deep.equal([])
  })

  it('stand in no answer, no error and no metric (row 26)', () => {
    for (const secret of Object.values(SECRETS))
      expect(
        said.filter((text) => text.includes(secret)),
        secret,
      ).to.deep.equal([])
    for (const given of GIVEN.slice(0, 3))
      expect(
        said.filter((text) => text.includes(given)),
        given,
      ).to.deep.equal([])
  })

  for (const args of [['print'], ['print', '--json'], ['check'], ['check', '--json']])
    it(`are not shown by \`carillon config ${args.join(' ')}\` (row 26)`, async () => {
      const output = await new Promise<string>((resolve) =>
        execFile(
          process.execPath,
          [MAIN, 'config', ...args, '--config', join(installation.folder, 'carillon.yaml')],
          (_, stdout, stderr) => resolve(stdout + stderr),
        ),
      )
      expect(output.length).to.be.greaterThan(0)
      for (const secret of Object.values(SECRETS)) expect(output, secret).not.to.include(secret)
    })

  it('are not shown by a start that finds neither MongoDB nor Redis, nor by `carillon config print` (row 26)', async () => {
    const away = new Installation(`
server: { log_level: trace }
storage: { driver: mongo, url: "mongodb://app:canary-mongo-password@127.0.0.1:1/x", redis_url: "redis://:canary-redis-password@127.0.0.1:1/0" }
users: { anna: { password: ${SECRETS.annaPassword} } }
`)
    const config = join(away.folder, 'carillon.yaml')
    const run = (...args: readonly string[]) =>
      new Promise<string>((resolve) =>
        execFile(
          process.execPath,
          [MAIN, ...args, '--config', config],
          { timeout: 20_000 },
          (_, stdout, stderr) => resolve(stdout + stderr),
        ),
      )
    const outputs = await Promise.all([
      run('start', '--http-port', '0', '--mqtt-port', '0'),
      run('config', 'print'),
    ])
    await away.remove()
    expect(outputs[0]).to.include('MongoDB')
    for (const output of outputs) expect(output).not.to.match(/canary-(mongo|redis)/)
  })

  it('are not repeated by a fault of the configuration (row 26)', async () => {
    const faulty = new Installation(
      `auth: { jwt: { secret: canary-short } }\nusers: { anna: { password: { a: canary-nested }, email: canary } }\nclients: { device: { token: [canary-list] } }\nchannels: { email: { smtp_url: "http://u:canary-url@x" } }\n`,
    )
    const output = await faulty.start().then(
      () => 'started',
      (error: unknown) => String(error),
    )
    await faulty.remove()
    for (const secret of ['canary-short', 'canary-nested', 'canary-list', 'canary-url'])
      expect(output).not.to.include(secret)
    expect(output).to.include('faults')
  })
})
