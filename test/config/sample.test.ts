import { expect } from 'chai'
import { Value } from 'typebox/value'
import { configJsonSchema } from '../../src/config/shown/editor-schema.ts'
import { formatFault } from '../../src/config/fault.ts'
import { loadConfig } from '../../src/config/load.ts'
import { printConfig } from '../../src/config/shown/print.ts'
import { ConfigSchema } from '../../src/config/schema/schema.ts'
import { settings, settingsTable } from '../../src/config/shown/settings-table.ts'

/** The sample of contract section 2, every channel but e-mail captured. */
const SAMPLE = `
server:   { host: 127.0.0.1, http_port: 8080, mqtt_port: 1883, public_url: "http://localhost:8080", trusted_proxies: [] }
storage:  { driver: sqlite, path: ./data }
tenants:  { default: {}, acme: { admins: [anna] } }
auth:     { anonymous: null, jwt: { algorithm: HS256, secret: \${JWT_SECRET}, issuer: carillon, audience: carillon } }
users:
  anna: { name: Anna K., email: anna@example.org, phone: "+4915112345678", password: \${ANNA_PASSWORD}, roles: [admin], groups: [ops],
          timezone: Europe/Berlin, locale: de, customers: [acme],
          preferences: { realtime: true, email: true, sms: false, push: true },
          contact_rules: { critical: [{ after: 0s, via: [app, push, sms] }, { after: 3m, via: [voice] }] },
          quiet_hours: { from: "22:00", to: "07:00", except: [critical] } }
  bob: {}
clients:
  db-monitor: { token: \${DB_TOKEN}, publish: ["alerts/#", "notifications/#"], subscribe: [], rate_limit: { max_requests: 1000, window_seconds: 60 } }
customers:
  acme: { name: Mustermann GmbH, number: K-10042, phones: ["+49 30 1234567"], locale: de, url: /crm/customers/acme }
teams:
  platform:
    alert_types: ["system_failure", "temp_*"]
    schedule:   { timezone: Europe/Berlin, layers: [{ rotate: [anna, bob], every: 1w, handoff: "Mon 09:00" }], overrides: [{ user: bob, from: 2027-01-01T09:00, to: 2027-01-02T09:00 }] }
    escalation: { steps: [{ notify: [oncall], wait: 5m }, { notify: ["user:bob"], wait: 5m }, { notify: [team, "webhook:ops"] }], repeat: 2, ack_timeout: 30m }
channels:
  email:    { mode: live, smtp_url: \${SMTP_URL}, from: "Alerts <alerts@example.org>" }
  sms:      { mode: captured, provider: twilio, account_sid: …, auth_token: \${TWILIO_TOKEN}, from: "+1…", base_url: https://api.twilio.com }
  voice:    { mode: captured }
  push:     { mode: captured, service_account_file: ./fcm.json }
  web_push: { mode: captured, subject: mailto:ops@example.org, vapid_public_key: …, vapid_private_key: vapid-geheim }
  telegram: { mode: captured, bot_token: \${TELEGRAM_TOKEN}, api_root: https://api.telegram.org }
  webhook:  { allow: [], endpoints: { ops: { url: https://…, secret: hook-geheim } } }
throttle: { sms: [[5, 15m], [11, 1h], [21, 3h]], voice: [[3, 15m], [7, 1h], [15, 3h]] }
rules: []
`

const ENV = {
  JWT_SECRET: 'jwt-geheim-'.repeat(4),
  ANNA_PASSWORD: 'anna-geheim: {}',
  DB_TOKEN: 'db-geheim',
  SMTP_URL: 'smtp://user:smtp-geheim@localhost:2525',
  TWILIO_TOKEN: 'twilio-geheim',
  TELEGRAM_TOKEN: 'telegram-geheim',
}

function sample() {
  const loaded = loadConfig({ text: SAMPLE, env: ENV, flags: {} })
  if (!loaded.ok) throw new Error(loaded.faults.map(formatFault).join('\n'))
  return loaded.config
}

describe('the configuration of contract section 2', () => {
  it('loads whole', () => {
    const config = sample()
    expect(config.users['anna']).to.deep.include({
      name: 'Anna K.',
      password: 'anna-geheim: {}',
      customers: ['acme'],
    })
    expect(config.users['bob']?.preferences).to.deep.equal({
      realtime: true,
      email: true,
      sms: false,
      push: true,
    })
    expect(config.clients['db-monitor']?.token).to.equal('db-geheim')
    expect(config.teams['platform']?.escalation.steps[2]).to.deep.equal({
      notify: ['team', 'webhook:ops'],
      wait: '5m',
    })
    expect(config.channels.email.mode).to.equal('live')
    expect(config.channels.webhook.endpoints['ops']?.url).to.equal('https://…')
    expect(config.throttle.voice[1]).to.deep.equal([7, '1h'])
  })

  it('has the shape that the schema promises, as the schema library sees it', () => {
    expect([...Value.Errors(ConfigSchema, sample())]).to.deep.equal([])
  })

  it('is accepted by the schema for editors as far as it holds no references', () => {
    const plain = {
      users: { anna: { password_file: 'x', groups: ['ops'] } },
      server: { http_port: 1 },
      channels: {},
    }
    expect(Value.Check(configJsonSchema(), plain)).to.equal(true)
    expect(Value.Check(configJsonSchema(), { ...plain, servr: {} })).to.equal(false)
    expect(Value.Check(configJsonSchema(), { users: { anna: { grups: [] } } })).to.equal(false)
    expect(Value.Check(configJsonSchema(), { customers: { acme: {} } })).to.equal(false)
  })

  it('is printed without any of its secrets, and the print loads again', () => {
    const printed = printConfig(sample())
    expect(printed).not.to.match(/geheim/)
    expect(printed.match(/\*{8}/g)).to.have.length(9)
    const again = loadConfig({ text: printed.replace('"********"', 'x'.repeat(32)), env: {}, flags: {} })
    const complaints = again.ok ? [] : again.faults.map(({ path }) => path)
    // The masks that have to be a URL or a long key are the only thing the print has lost.
    expect(complaints).to.have.members(['channels.email.smtp_url', 'channels.webhook.endpoints.ops.url'])
  })
})

describe('the table of settings', () => {
  it('describes every key there is', () => {
    const silent = settings().filter(
      ({ description }) => description.replace(/ \((required|secret)\)/g, '') === '',
    )
    expect(silent.map(({ key }) => key)).to.deep.equal([])
    expect(settings().length).to.be.greaterThan(100)
  })

  it('shows key, type, default and meaning in Markdown', () => {
    const lines = settingsTable().split('\n')
    expect(lines).to.include(
      '| `server.http_port` | whole number | `8080` | Port of pages, HTTP and WebSocket; 0 takes any free port |',
    )
    expect(lines).to.include(
      '| `clients.<client>.rate_limit.window_seconds` | number | `60` | Length of the sliding window in seconds |',
    )
    expect(lines).to.include(
      '| `auth.jwt.lifetime` | duration | `1h` | How long the token of a login is valid |',
    )
    for (const line of lines) expect(line.replaceAll('\\|', '').split('|')).to.have.length(6)
  })
})
