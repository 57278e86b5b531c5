import { expect } from 'chai'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { eventually } from '../support/eventually.ts'
import { Installation, type Program } from '../support/program.ts'
import { providerServer, type ProviderServer } from '../support/provider-server.ts'
import { call, login } from './attacked.ts'

/** Each a word that stands nowhere else, of the form that its setting wants. */
const SECRETS = {
  smtpPassword: 'canary-smtp-password',
  smsToken: 'canary-sms-token',
  gatewayHeader: 'canary-gateway-header',
  gatewayQuery: 'canary-gateway-query',
  voiceToken: 'canary-voice-token',
  botToken: 'canary-bot-token',
  hookSecret: 'canary-hook-secret',
  hookToken: 'canary-hook-token',
  routingKey: 'canary0routing0key0000000000000a',
  ntfyTopic: 'canary-ntfy-topic',
  ntfyToken: 'canary-ntfy-token',
} as const
/** A webhook's URL is the address of its deliveries: kept in the store, shown nowhere. */
const HOOK_PATHS = [
  'canary-hook-path',
  'canary-chat-path',
  'canary-discord-path',
  'canary-teams-path',
] as const

const basic = (token: string) => Buffer.from(`AC1:${token}`).toString('base64')
/** What the requests themselves make of them. */
const DERIVED = [
  basic(SECRETS.smsToken),
  basic(SECRETS.voiceToken),
  Buffer.from(`\0mailer\0${SECRETS.smtpPassword}`).toString('base64'),
]
const KEPT_NOWHERE = [...Object.values(SECRETS), ...DERIVED]
const SHOWN_NOWHERE = [...KEPT_NOWHERE, ...HOOK_PATHS]

/** The failing paths, in this order for everything that is asked: a tear after the second request. */
const STATUSES = [500, null, 400, 401] as const
const WEBHOOKS = ['ops', 'chat', 'discord', 'teams', 'pager', 'phone']

describe('secrets of providers that fail and repeat what they were asked', function () {
  this.timeout(400_000)
  let provider: ProviderServer
  let installation: Installation
  let program: Program
  const said: string[] = []
  const counts = new Map<string, number>()

  const countOf = (key: string) => {
    const count = (counts.get(key) ?? 0) + 1
    counts.set(key, count)
    return count
  }
  const smtp = createServer((socket) => {
    socket.on('error', () => {})
    socket.write('220 canary\r\n')
    socket.on('data', (chunk: Buffer) => {
      const line = chunk.toString().trim()
      if (/^EHLO/i.test(line)) return void socket.write('250-canary\r\n250 AUTH PLAIN\r\n')
      if (!/^AUTH/i.test(line)) return void socket.write('250 ok\r\n')
      const words = `${line} is ${SECRETS.smtpPassword}`
      const answers = [`454 4.7.0 ${words}`, null, `535 5.7.8 ${words}`]
      const answer = answers[Math.min(countOf('smtp'), answers.length) - 1]
      if (answer == null) socket.destroy()
      else socket.write(`${answer}\r\n`)
    })
  })

  before(async () => {
    await new Promise<void>((resolve) => smtp.listen(0, '127.0.0.1', resolve))
    provider = await providerServer()
    provider.answer = (asked) => {
      const status = STATUSES[Math.min(countOf(asked.path), STATUSES.length) - 1]
      if (status == null) return 'cut'
      const words = `${JSON.stringify(asked)} ${Object.values(SECRETS).join(' ')}`
      return {
        status,
        headers: { 'x-echo': encodeURIComponent(words) },
        body: { code: 12_345, message: words, description: words, error: words, errors: [words], ok: false },
      }
    }
    installation = new Installation(configuration())
    program = await installation.start()
    await scenario()
  })

  after(async () => {
    await installation.remove()
    await provider.close()
    smtp.close()
  })

  function configuration(): string {
    const { url } = provider
    const { port } = smtp.address() as AddressInfo
    return `
server: { log_level: trace, public_url: "https://bell.example.org" }
users:
  anna:
    password: a-long-password
    email: anna@example.org
    phone: "+4915112345678"
    telegram_chat_id: 11
    roles: [admin]
    contact_rules: { critical: [{ via: [email, sms, voice, telegram] }] }
teams:
  platform:
    alert_types: ["*"]
    escalation: { steps: [{ notify: ["user:anna", ${WEBHOOKS.map((name) => `"webhook:${name}"`).join(', ')}], wait: 1h }] }
clients: { device: { token: device-token, publish: ["alerts/#"] } }
channels:
  email: { mode: both, smtp_url: "smtp://mailer:${SECRETS.smtpPassword}@127.0.0.1:${port}", from: "a@example.org" }
  sms:
    mode: both
    providers:
      - { name: twilio, account_sid: AC1, auth_token: ${SECRETS.smsToken}, from: "+15005550006", base_url: "${url}/sms" }
      - name: gateway
        provider: http
        url: "${url}/gateway?key=${SECRETS.gatewayQuery}"
        headers: { x-key: ${SECRETS.gatewayHeader} }
  voice: { mode: both, account_sid: AC1, auth_token: ${SECRETS.voiceToken}, from: "+15005550006", base_url: "${url}/voice" }
  telegram: { mode: both, bot_token: "1:${SECRETS.botToken}", api_root: "${url}" }
  webhook:
    mode: both
    allow: [127.0.0.1]
    endpoints:
      ops: { url: "${url}/${HOOK_PATHS[0]}", secret: ${SECRETS.hookSecret}, token: ${SECRETS.hookToken} }
      chat: { url: "${url}/${HOOK_PATHS[1]}", format: slack }
      discord: { url: "${url}/${HOOK_PATHS[2]}", format: discord }
      teams: { url: "${url}/${HOOK_PATHS[3]}", format: teams }
      pager: { url: "${url}/v2/enqueue", format: pagerduty, routing_key: ${SECRETS.routingKey} }
      phone: { url: "${url}", format: ntfy, topic: ${SECRETS.ntfyTopic}, token: ${SECRETS.ntfyToken} }
`
  }

  const PATHS = [
    'smtp',
    '/sms/2010-04-01/Accounts/AC1/Messages.json',
    `/gateway?key=${SECRETS.gatewayQuery}`,
    '/voice/2010-04-01/Accounts/AC1/Calls.json',
    `/bot1:${SECRETS.botToken}/sendMessage`,
    `/bot1:${SECRETS.botToken}/getUpdates`,
    ...HOOK_PATHS.map((path) => `/${path}`),
    '/v2/enqueue',
    '/',
  ]

  /** Refused credentials pause a lane for a minute, so that these are not asked a fourth time. */
  const THRICE: readonly string[] = ['smtp', `/gateway?key=${SECRETS.gatewayQuery}`]
  const failed = (times: number, token: string) =>
    eventually(
      `every provider to fail ${times} times`,
      async () => {
        // What an attempt came to stands there until the next one.
        said.push((await call(program, token, 'GET', '/v1/deliveries?limit=200')).text)
        return PATHS.every((path) => countsOf(path) >= (THRICE.includes(path) ? Math.min(times, 3) : times))
          ? true
          : undefined
      },
      150_000,
    )
  const countsOf = (path: string) => counts.get(path) ?? 0

  async function scenario(): Promise<void> {
    const token = await login(program, 'anna', 'a-long-password')
    const raise = async (source: string) => {
      const body = { message: 'Disk is full', source }
      const { status } = await call(program, 'device-token', 'POST', '/v1/publish/alerts/critical/disk', body)
      expect(status).to.equal(202)
    }
    await raise('db1')
    // The gateway comes after the provider before it, which an attempt may end at.
    await failed(2, token)
    await raise('db2')
    await failed(4, token)
    const list = JSON.parse((await call(program, token, 'GET', '/v1/alerts')).text) as {
      items: readonly { id: string }[]
    }
    // What the last attempts came to has to be written down first.
    await eventually('settled attempts', async () => {
      const { text } = await call(program, token, 'GET', '/v1/deliveries?limit=200')
      said.push(text)
      return text.includes('"state":"sending"') ? undefined : true
    })
    for (const path of [
      ...list.items.map(({ id }) => `/v1/alerts/${id}`),
      '/v1/deliveries?limit=200',
      '/v1/deliveries?state=dead',
      '/v1/outbox',
      '/v1/dead-letters',
      '/v1/users/me',
      '/metrics',
      '/readyz',
      '/healthz',
    ])
      said.push((await call(program, token, 'GET', path)).text)
    said.push((await call(program, token, 'POST', '/v1/config/reload', {})).text)
    for (const [path, body] of [
      ['sms', { From: 'x', Body: 'ack' }],
      ['status?delivery=x.1', { MessageStatus: 'failed' }],
    ] as const) {
      const response = await fetch(`${program.url}/v1/callbacks/twilio/${path}`, {
        method: 'POST',
        headers: { 'x-twilio-signature': 'wrong' },
        body: new URLSearchParams(body),
      })
      said.push(await response.text())
    }
  }

  it('are what the providers got: the failing paths were all gone', () => {
    const everything = JSON.stringify(provider.asked)
    for (const secret of Object.values(SECRETS)) {
      // Signs, but is never sent; and what SMTP is given does not come here.
      if (secret === SECRETS.hookSecret || secret === SECRETS.smtpPassword) continue
      const derived = [secret, basic(secret)]
      expect(
        derived.some((form) => everything.includes(form)),
        secret,
      ).to.equal(true)
    }
    expect(said.join('\n')).to.include('"state":"dead"').and.include('http_400')
    expect(program.lines.some(({ msg }) => msg === 'delivery given up')).to.equal(true)
  })

  for (const secret of SHOWN_NOWHERE) {
    it(`stand in no log line, answer or metric: ${secret.slice(0, 20)}… (security row 26)`, () => {
      expect(program.lines.filter((line) => JSON.stringify(line).includes(secret))).to.deep.equal([])
      expect(said.filter((text) => text.includes(secret))).to.deep.equal([])
    })
  }

  it('are kept in no file of the store (security row 26)', async () => {
    await program.end('SIGTERM')
    const folder = join(installation.folder, 'data')
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    )
    expect(files).to.not.deep.equal([])
    for (const file of files) {
      const bytes = readFileSync(join(file.parentPath, file.name))
      for (const secret of KEPT_NOWHERE)
        expect(bytes.includes(secret), `${file.name} ${secret}`).to.equal(false)
    }
  })
})
