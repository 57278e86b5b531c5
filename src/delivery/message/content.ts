import type { Alert } from '../../alert/alert.ts'
import type { Notification } from '../../notification/notification.ts'
import type { FixedContent } from '../delivery.ts'
import type { Rendered, RenderInput, Wording } from '../channel.ts'
import { cut, multiLine, oneLine } from './text.ts'

const LONGEST_TITLE = 255
/** Alerts of a group that a page lists. */
const NAMED = 5

/** What a message says, before a channel gives it its form. Texts are free of control and direction characters. */
export interface Content {
  /** `page` asks for an acknowledgement, also once more; `notice` is about an alert without asking; `fixed` stands as it was given. */
  readonly kind: 'page' | 'notice' | 'outcome' | 'notification' | 'fixed'
  readonly tone: 'critical' | 'warning' | 'neutral'
  /** One line, never empty. */
  readonly title: string
  /** May have several lines, may be empty. */
  readonly text: string
  readonly html: string | null
  /** Where a template says everything in one text, that text; null has title and text speak. */
  readonly said: string | null
  /** URLs of the files that go with it. */
  readonly attachments: readonly string[]
  readonly facts: readonly (readonly [label: string, value: string])[]
  /** How to act without the link; only on pages. */
  readonly hint: string | null
  readonly link: { readonly label: string; readonly url: string } | null
  readonly actions: Rendered['actions']
  readonly alert: Alert | null
  readonly notification: Notification | null
}

/** What a person may answer a page with. */
export const PAGE_ACTIONS: Rendered['actions'] = [
  { id: 'ack', label: 'Acknowledge' },
  { id: 'escalate', label: 'Escalate' },
  { id: 'resolve', label: 'Resolve' },
]

/** What a person may answer a summary of alerts with. */
const ACKNOWLEDGE_ALL: Rendered['actions'] = [{ id: 'ack', label: 'Acknowledge all' }]

/** Puts together what there is to say. Pure, and total: no content makes it throw. */
export function contentOf(input: RenderInput): Content {
  const content = publishedContent(input)
  const { kind } = content
  return input.wording && kind !== 'fixed' && kind !== 'outcome' ? worded(content, input.wording) : content
}

/** Where a message leads, as a link; null where it leads nowhere. */
export function messageUrl(input: RenderInput): string | null {
  return publishedContent(input).link?.url ?? null
}

/** A template's words take the place of title and text. How to act stays: no wording may cost a page its answer. */
function worded(content: Content, { title, text, html, alone }: Wording): Content {
  const ownTitle = oneLine(title ?? '')
  const ownText = multiLine(text ?? '')
  return {
    ...content,
    ...(ownTitle !== '' && { title: titled(ownTitle) }),
    ...(ownText !== '' && { text: ownText, facts: [], said: alone ? ownText : null }),
    ...(html !== undefined && html.trim() !== '' && { html }),
  }
}

function publishedContent(input: RenderInput): Content {
  const { subject, delivery, fixed } = input
  if (subject.kind === 'alert') {
    if (delivery.purpose === 'outcome') return outcomeContent(input, subject.alert)
    return alertContent(input, subject.alert)
  }
  if (fixed) return fixedContent(fixed, subject.kind === 'notification' ? subject.notification : null)
  return subject.kind === 'notification'
    ? notificationContent(input, subject.notification)
    : fixedContent({ text: '' }, null)
}

/** `CRITICAL ALERT: disk_full` (checklist R23), `WARNING: disk_full`. */
export function alertTitle(alert: Alert): string {
  const label = alert.severity === 'critical' ? 'CRITICAL ALERT' : alert.severity.toUpperCase()
  return titled(`${label}: ${alert.type}`)
}

function alertContent(input: RenderInput, alert: Alert): Content {
  const reminder = input.delivery.purpose === 'reminder'
  const page = input.delivery.purpose === 'page' || reminder
  const title = alertTitle(alert)
  return {
    kind: page ? 'page' : 'notice',
    tone: toneOf(alert),
    title: reminder ? titled(`STILL IN HAND? ${title}`) : title,
    text: multiLine(page ? alert.message + groupText(alert) : alert.message),
    html: null,
    said: null,
    attachments: [],
    facts: alertFacts(input, alert),
    hint: page ? `Acknowledge over MQTT: publish to alerts/${oneLine(alert.id)}/ack` : null,
    link: {
      label: page ? 'Open and acknowledge' : 'Open the alert',
      url: (page ? input.answerUrl : null) ?? alertUrl(input.publicUrl, alert),
    },
    actions: page ? PAGE_ACTIONS : [],
    alert,
    notification: null,
  }
}

/** How many others the page stands for, and the first of them by name; empty for none. */
function groupText({ group }: Alert): string {
  const others = group?.alerts ?? []
  if (others.length === 0) return ''
  const names = others.slice(0, NAMED).map(({ name }) => name)
  return `\nAnd ${others.length} more of its group: ${names.join(', ')}${others.length > NAMED ? ', …' : ''}`
}

function alertFacts(input: RenderInput, alert: Alert): Content['facts'] {
  const step = input.delivery.step ?? alert.step
  const facts: (readonly [string, string | null])[] = [
    ['Source', alert.source],
    ['Affected systems', alert.affectedSystems.join(', ')],
    ['Time', instant(alert.createdAt, input.recipient?.timezone)],
    ['Step', step > 0 && alert.policy.steps.length > 0 ? `${step} of ${alert.policy.steps.length}` : null],
    ['Alert', alert.id],
  ]
  return facts.flatMap(([label, value]) => {
    const line = oneLine(value ?? '')
    return line === '' ? [] : [[label, line] as const]
  })
}

function outcomeContent(input: RenderInput, alert: Alert): Content {
  const { fixed } = input
  const title = titled(
    fixed?.subject ?? `${alert.status === 'resolved' ? 'RESOLVED' : 'UPDATE'}: ${alert.type}`,
  )
  return {
    kind: 'outcome',
    tone: 'neutral',
    title,
    text: multiLine(fixed?.text ?? alert.message),
    html: null,
    said: null,
    attachments: [],
    facts: alertFacts(input, alert).filter(([label]) => label !== 'Step'),
    hint: null,
    link: { label: 'Open the alert', url: alertUrl(input.publicUrl, alert) },
    actions: [],
    alert,
    notification: null,
  }
}

function notificationContent(input: RenderInput, notification: Notification): Content {
  const { content } = notification
  const url = content.actionUrl === undefined ? null : linkUrl(content.actionUrl, input.publicUrl)
  return {
    kind: 'notification',
    tone:
      content.priority === 'critical' ? 'critical' : content.severity === 'warning' ? 'warning' : 'neutral',
    title: titled(content.title),
    text: multiLine(content.message),
    html: null,
    said: null,
    attachments: [],
    facts: [],
    hint: null,
    link: url === null ? null : { label: 'Open', url },
    actions: url === null ? [] : [{ id: 'open', label: 'Open', url }],
    alert: null,
    notification,
  }
}

function fixedContent(fixed: FixedContent, notification: Notification | null): Content {
  return {
    kind: 'fixed',
    tone: 'neutral',
    title: titled(fixed.subject ?? ''),
    text: multiLine(fixed.text),
    html: fixed.html ?? null,
    said: null,
    attachments: fixed.attachments ?? [],
    facts: [],
    hint: null,
    link: null,
    actions: (fixed.summary?.alertIds.length ?? 0) > 0 ? ACKNOWLEDGE_ALL : [],
    alert: null,
    notification,
  }
}

function toneOf(alert: Alert): Content['tone'] {
  return alert.severity === 'info' ? 'neutral' : alert.severity
}

function titled(text: string): string {
  return cut(oneLine(text), LONGEST_TITLE) || 'Notification'
}

function alertUrl(publicUrl: string, alert: Alert): string {
  return `${publicUrl.replace(/\/+$/, '')}/alerts/${encodeURIComponent(oneLine(alert.id))}`
}

/** A publisher's link as an absolute http(s) URL, or null: `javascript:` and its like never become a link. */
function linkUrl(text: string, publicUrl: string): string | null {
  const base = URL.canParse(publicUrl) ? publicUrl : 'http://localhost'
  if (!URL.canParse(text, base)) return null
  const url = new URL(text, base)
  return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : null
}

function instant(at: number, timezone: string | undefined): string {
  if (!Number.isFinite(at) || Math.abs(at) > 8.64e15) return ''
  try {
    return formatOf(timezone ?? 'UTC').format(at)
  } catch {
    // A time zone this system does not know.
    return new Date(at).toISOString()
  }
}

/** Making a format costs a hundred times what using it does; there are a few hundred zones at most. */
const formats = new Map<string, Intl.DateTimeFormat>()

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone)
  if (known) return known
  const format = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'long', timeZone })
  formats.set(timeZone, format)
  return format
}
