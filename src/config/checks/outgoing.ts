import { allowanceOf, checkUrl, parseAllowEntry } from '../../delivery/outgoing/address-guard.ts'
import { parseDuration } from '../../duration.ts'
import type { Finding } from '../fault.ts'
import type { Config } from '../schema/schema.ts'
import { schedules } from './teams.ts'

export function checkAllowances({ channels: { webhook, email }, watchdog }: Config): Finding[] {
  return [
    ...allowFindings(['channels', 'webhook', 'allow'], webhook.allow),
    ...allowFindings(['watchdog', 'allow'], watchdog.allow),
    ...allowFindings(['channels', 'email', 'attachments', 'allow'], email.attachments.allow),
  ]
}

/** What the URLs of followed calendars show before anything is resolved; they may be secrets and are not repeated. */
export function checkFollowedCalendars(config: Config): Finding[] {
  const allowance = allowanceOf(config.channels.webhook.allow)
  return schedules(config).flatMap(({ path, schedule }) => {
    const { ical, ical_url: url, ical_every: every } = schedule
    if (url === undefined) return []
    const findings: Finding[] = []
    if (ical !== undefined)
      findings.push({ path: [...path, 'ical_url'], message: 'a schedule has either ical or ical_url' })
    if ((parseDuration(every) ?? 0) < 60_000)
      findings.push({ path: [...path, 'ical_every'], message: 'expected at least 1m' })
    const verdict = URL.canParse(url)
      ? checkUrl(new URL(url), allowance)
      : ({ ok: false, because: 'expected a URL such as https://example.org/duty.ics' } as const)
    if (!verdict.ok) findings.push({ path: [...path, 'ical_url'], message: verdict.because })
    return findings
  })
}

/** What the URL of the dead-man ping shows before anything is resolved; it may be a secret and is not repeated. */
export function checkPing({ watchdog: { ping_url: url, allow } }: Config): Finding[] {
  if (url === undefined) return []
  const path = ['watchdog', 'ping_url']
  if (!URL.canParse(url)) return [{ path, message: 'expected a URL such as https://example.org' }]
  const verdict = checkUrl(new URL(url), allowanceOf(allow, 'watchdog.allow'))
  return verdict.ok ? [] : [{ path, message: verdict.because }]
}

function allowFindings(path: readonly string[], entries: readonly string[]): Finding[] {
  return entries.flatMap((entry, index) =>
    parseAllowEntry(entry)
      ? []
      : [
          {
            path: [...path, index],
            message: `"${entry}" is no host, address or network such as 10.0.0.0/8`,
          },
        ],
  )
}

/** What an endpoint's URL shows before anything is resolved (security row 22). The URL is no part of the message. */
export function checkWebhooks({ channels: { webhook } }: Config): Finding[] {
  if (webhook.mode === 'captured') return []
  const allowance = allowanceOf(webhook.allow)
  return Object.entries(webhook.endpoints).flatMap(([name, { url }]) => {
    const path = ['channels', 'webhook', 'endpoints', name, 'url']
    const verdict = URL.canParse(url)
      ? checkUrl(new URL(url), allowance)
      : { ok: false as const, because: 'expected a URL such as https://example.org' }
    return verdict.ok ? [] : [{ path, message: verdict.because }]
  })
}

/** Keys without which a form is refused by whom it is for, and what they look like. Values are never repeated. */
const FORMAT_KEYS = {
  pagerduty: { key: 'routing_key', form: /^[A-Za-z0-9]{32}$/, expected: '32 letters and digits' },
  ntfy: { key: 'topic', form: /^[-_A-Za-z0-9]{1,64}$/, expected: 'at most 64 letters, digits, - and _' },
} as const

export function checkWebhookFormats({ channels: { webhook } }: Config): Finding[] {
  return Object.entries(webhook.endpoints).flatMap(([name, endpoint]) => {
    const { format } = endpoint
    if (format !== 'pagerduty' && format !== 'ntfy') return []
    const { key, form, expected } = FORMAT_KEYS[format]
    const value = endpoint[key]
    const path = ['channels', 'webhook', 'endpoints', name, key]
    if (value === undefined) return [{ path, message: `is missing; format ${format} needs it` }]
    return form.test(value) ? [] : [{ path, message: `expected ${expected}` }]
  })
}

/** A token goes into the path of every request, and the root says who gets to see it. */
export function checkTelegram({ channels: { telegram } }: Config): Finding[] {
  const { mode, bot_token: token, api_root: root } = telegram
  const findings: Finding[] = []
  const at = (key: string) => ['channels', 'telegram', key]
  if (token === undefined) {
    if (mode !== 'captured')
      findings.push({ path: at('bot_token'), message: `is missing; mode ${mode} needs it` })
  } else if (mode !== 'captured' && !/^[0-9]+:[A-Za-z0-9_-]+$/.test(token)) {
    findings.push({ path: at('bot_token'), message: 'is no token such as 123456:ABC…' })
  }
  if (root !== undefined && !isRoot(root)) {
    findings.push({
      path: at('api_root'),
      message: 'expected a URL such as https://example.org, without query',
    })
  }
  return findings
}

function isRoot(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { username, password, search, hash } = new URL(text)
  return username === '' && password === '' && search === '' && hash === ''
}

/** A button acts in the name of the one person whose chat it is in. */
export function checkTelegramChats({ users }: Config): Finding[] {
  const owners = new Map<number, string>()
  return Object.entries(users).flatMap(([id, { telegram_chat_id: chat }]) => {
    if (chat === undefined) return []
    const owner = owners.get(chat)
    owners.set(chat, id)
    return owner === undefined
      ? []
      : [{ path: ['users', id, 'telegram_chat_id'], message: `is the chat of ${owner} too` }]
  })
}
