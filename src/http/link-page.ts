import type { Alert, AlertStatus } from '../alert/alert.ts'
import type { LinkAnswer, LinkVerb, LinkView } from '../alert/link/links.ts'
import { escapeHtml } from '../delivery/channels/email-layout.ts'
import { clockTime } from '../delivery/message/clock-time.ts'
import { multiLine, oneLine } from '../delivery/message/text.ts'
import type { Person } from '../directory/directory.ts'

/** What people call whoever has this id. */
type NameOf = (id: string) => string

type Said = (by: string, at: string) => string

interface Language {
  readonly code: string
  readonly states: Readonly<Record<AlertStatus, string>>
  readonly verbs: Readonly<Record<LinkVerb, string>>
  readonly source: string
  readonly done: Readonly<Record<LinkVerb, string>>
  /** The button was pressed before, or somebody was faster. */
  readonly before: Readonly<Record<LinkVerb, Said>>
  readonly taken: Said
  readonly over: string
  readonly refused: string
  readonly expired: string
  readonly unknown: string
  readonly signIn: string
}

const EN: Language = {
  code: 'en',
  states: {
    firing: 'Nobody has taken it yet',
    acknowledged: 'Acknowledged',
    snoozed: 'Snoozed',
    suppressed: 'Held back by a silence',
    resolved: 'Resolved',
  },
  verbs: { ack: 'Acknowledge', escalate: 'Escalate', snooze: 'Snooze for 1 hour', resolve: 'Resolve' },
  source: 'Source',
  done: {
    ack: 'You have acknowledged it. Nobody else is called.',
    escalate: 'The next people are called now.',
    snooze: 'It sleeps for an hour and then starts again.',
    resolve: 'You have resolved it.',
  },
  before: {
    ack: (by, at) => `Already acknowledged by ${by} at ${at}.`,
    escalate: (by, at) => `Already escalated by ${by} at ${at}.`,
    snooze: (by, at) => `Already snoozed by ${by} at ${at}.`,
    resolve: (by, at) => `Already resolved by ${by} at ${at}.`,
  },
  taken: (by, at) => `Acknowledged by ${by} at ${at}`,
  over: 'This alert is over. There is nothing left to do.',
  refused: 'That was not possible.',
  expired: 'This link has expired. Sign in to see the alert.',
  unknown: 'This link leads nowhere any more. Sign in to see what is open.',
  signIn: 'Sign in',
}

const DE: Language = {
  code: 'de',
  states: {
    firing: 'Noch hat ihn niemand übernommen',
    acknowledged: 'Bestätigt',
    snoozed: 'Schlummert',
    suppressed: 'Durch eine Ruhezeit zurückgehalten',
    resolved: 'Erledigt',
  },
  verbs: { ack: 'Bestätigen', escalate: 'Eskalieren', snooze: '1 Stunde schlummern', resolve: 'Erledigt' },
  source: 'Quelle',
  done: {
    ack: 'Sie haben den Alarm bestätigt. Niemand sonst wird gerufen.',
    escalate: 'Die Nächsten werden jetzt gerufen.',
    snooze: 'Der Alarm schlummert eine Stunde und beginnt dann von vorn.',
    resolve: 'Sie haben den Alarm als erledigt gemeldet.',
  },
  before: {
    ack: (by, at) => `Schon bestätigt von ${by} um ${at}.`,
    escalate: (by, at) => `Schon eskaliert von ${by} um ${at}.`,
    snooze: (by, at) => `Schlummert schon, gewünscht von ${by} um ${at}.`,
    resolve: (by, at) => `Schon erledigt von ${by} um ${at}.`,
  },
  taken: (by, at) => `Bestätigt von ${by} um ${at}`,
  over: 'Dieser Alarm ist vorbei. Es ist nichts mehr zu tun.',
  refused: 'Das ging nicht.',
  expired: 'Dieser Link ist abgelaufen. Melden Sie sich an, um den Alarm zu sehen.',
  unknown: 'Dieser Link führt nirgendwohin. Melden Sie sich an, um zu sehen, was offen ist.',
  signIn: 'Anmelden',
}

/** Whether a locale, or the first language of `Accept-Language`, is German. */
export function isGerman(locale: string | undefined): boolean {
  return /^\s*de\b/i.test(locale ?? '')
}

/** The alert with a button for everything that can be done about it. Pure, as all of this file; everything is escaped. */
export function viewPage(view: Extract<LinkView, { kind: 'open' }>, nameOf: NameOf): string {
  const language = isGerman(view.person.locale) ? DE : EN
  return alertPage(view, nameOf, view.alert.status === 'resolved' ? language.over : null)
}

/** What a press of a button came to, and the alert as it is now. */
export function answerPage(answer: Extract<LinkAnswer, { readonly alert: Alert }>, nameOf: NameOf): string {
  const { alert, person } = answer
  const language = isGerman(person.locale) ? DE : EN
  if (answer.kind === 'refused') {
    const over = alert.status === 'resolved'
    return alertPage(answer, nameOf, over ? language.over : `${language.refused} ${answer.why}`)
  }
  const { verb, anew, last } = answer
  if (anew || last === null) return alertPage(answer, nameOf, language.done[verb])
  const at = clockTime(last.at, person.timezone)
  return alertPage(answer, nameOf, language.before[verb](nameOf(last.by), at))
}

/** What a link shows that opens nothing: where to sign in instead. */
export function deadPage(view: Exclude<LinkView, { readonly kind: 'open' }>, german: boolean): string {
  const language = german ? DE : EN
  const target = view.kind === 'expired' ? `/alerts/${encodeURIComponent(view.alertId)}` : '/'
  const said = view.kind === 'expired' ? language.expired : language.unknown
  const body = `<p class="said">${escapeHtml(said)}</p>\n<p><a class="button" href="${escapeHtml(target)}">${language.signIn}</a></p>`
  return documentOf(language.code, 'Carillon', body)
}

function alertPage(
  { alert, person }: { readonly alert: Alert; readonly person: Person },
  nameOf: NameOf,
  said: string | null,
): string {
  const language = isGerman(person.locale) ? DE : EN
  const { severity, acknowledgedBy: by, acknowledgedAt: at } = alert
  const taken = alert.status === 'acknowledged' && by !== null && at !== null
  const state = taken
    ? language.taken(nameOf(by), clockTime(at, person.timezone))
    : language.states[alert.status]
  const buttons = verbsFor(alert).map(
    (verb) =>
      `<form method="post"><button class="${verb}" name="action" value="${verb}">${language.verbs[verb]}</button></form>`,
  )
  const source = oneLine(alert.source ?? '')
  const body = [
    said === null ? '' : `<p class="said" role="status">${escapeHtml(said)}</p>`,
    `<p class="severity">${escapeHtml(severity)}</p>`,
    `<h1>${escapeHtml(oneLine(alert.type))}</h1>`,
    `<p>${escapeHtml(multiLine(alert.message)).replaceAll('\n', '<br>')}</p>`,
    source === '' ? '' : `<p class="soft">${language.source}: ${escapeHtml(source)}</p>`,
    `<p class="state">${escapeHtml(state)}</p>`,
    ...buttons,
  ]
  return documentOf(language.code, oneLine(alert.type), body.filter(Boolean).join('\n'), severity)
}

/** What can be done about an alert in its state. */
function verbsFor({ status, severity }: Alert): readonly LinkVerb[] {
  const byStatus: Readonly<Record<AlertStatus, readonly LinkVerb[]>> = {
    firing: ['ack', 'escalate', 'snooze', 'resolve'],
    acknowledged: ['escalate', 'snooze', 'resolve'],
    snoozed: ['ack', 'escalate', 'resolve'],
    suppressed: ['ack', 'resolve'],
    resolved: [],
  }
  return severity === 'info' ? byStatus[status].filter((verb) => verb !== 'snooze') : byStatus[status]
}

function documentOf(language: string, title: string, body: string, tone = 'none'): string {
  return `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<link rel="stylesheet" href="/web/link.css">
</head>
<body>
<main class="${escapeHtml(tone)}">
${body}
</main>
</body>
</html>
`
}
