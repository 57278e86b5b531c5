import { isIP } from 'node:net'
import type { Finding } from '../fault.ts'
import type { Config } from '../schema/schema.ts'

export function checkPorts({ server }: Config): Finding[] {
  if (server.http_port === 0 || server.http_port !== server.mqtt_port) return []
  return [{ path: ['server', 'mqtt_port'], message: `${server.mqtt_port} is the http_port too` }]
}

export function checkNetworks({ server }: Config): Finding[] {
  return server.trusted_proxies.flatMap((network, index) =>
    isNetwork(network)
      ? []
      : [
          {
            path: ['server', 'trusted_proxies', index],
            message: `"${network}" is no address or network such as 10.0.0.0/8`,
          },
        ],
  )
}

function isNetwork(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/')
  const family = isIP(address)
  if (family === 0 || rest.length > 0) return false
  return prefix === undefined || (/^[0-9]{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128))
}

export function checkOrigins({ server }: Config): Finding[] {
  return server.allowed_origins.flatMap((origin, index) =>
    isOrigin(origin)
      ? []
      : [
          {
            path: ['server', 'allowed_origins', index],
            message: `"${origin}" is no origin such as https://console.example.org`,
          },
        ],
  )
}

function isOrigin(text: string): boolean {
  try {
    return new URL(text).origin === text
  } catch {
    return false
  }
}

/** Channels that can send. */
const AVAILABLE: ReadonlySet<string> = new Set([
  'email',
  'sms',
  'voice',
  'push',
  'web_push',
  'telegram',
  'webhook',
  'speech',
  'mqtt',
])

/** What the schema lets one write but this version cannot do. */
export function checkAvailability({ channels }: Config): Finding[] {
  const findings: Finding[] = []
  for (const [name, { mode }] of Object.entries(channels)) {
    if (AVAILABLE.has(name) || mode === 'captured') continue
    findings.push({ path: ['channels', name, 'mode'], message: `${mode} is not available yet; use captured` })
  }
  return findings
}

/** A channel that sends needs to know through whom. */
export function checkMailServer({ channels: { email } }: Config): Finding[] {
  const path = ['channels', 'email', 'smtp_url']
  if (email.provider === 'mailgun') return email.mode === 'captured' ? [] : mailgunFindings(email)
  if (email.smtp_url === undefined) {
    return email.mode === 'captured' ? [] : [{ path, message: `is missing; mode ${email.mode} needs it` }]
  }
  // The value holds a password: it is no part of the message.
  return isMailUrl(email.smtp_url) ? [] : [{ path, message: 'expected smtp://… or smtps://…' }]
}

function mailgunFindings(email: Config['channels']['email']): Finding[] {
  const absent = (['domain', 'api_key'] as const).filter((key) => !email[key])
  const at = (key: string) => ['channels', 'email', key]
  const findings = absent.map((key) => ({ path: at(key), message: 'is missing; provider mailgun needs it' }))
  if (!email.domain || /^[a-z0-9-]+(\.[a-z0-9-]+)+$/i.test(email.domain)) return findings
  return [...findings, { path: at('domain'), message: 'expected a domain such as mg.example.org' }]
}

function isMailUrl(text: string): boolean {
  try {
    const { protocol, hostname } = new URL(text)
    return (protocol === 'smtp:' || protocol === 'smtps:') && hostname !== ''
  } catch {
    return false
  }
}
