import Type, { type Static } from 'typebox'
import { fault, parseMailbox, type Context, type Decision, type DirectMessage } from '#engine'
import { Data, MessageId, Priority, SendAt, sendAtMs } from './fields.ts'
import { escapeHtml, fill } from './fill.ts'

const LONGEST_SUBJECT = 998
const LONGEST_BODY = 100_000
const LONGEST_URL = 2048
const MOST_ATTACHMENTS = 10
const MOST_RECIPIENTS = 1000
/** Of all mails of a batch together, placeholders filled: what one commit may have to hold. */
const LONGEST_BATCH = 16 * 1024 * 1024

const Subject = Type.String({ minLength: 1, maxLength: LONGEST_SUBJECT })
const Body = Type.String({ minLength: 1, maxLength: LONGEST_BODY })
const HtmlBody = Type.Optional(Type.String({ maxLength: LONGEST_BODY }))
const Attachments = Type.Optional(
  Type.Array(Type.String({ maxLength: LONGEST_URL }), {
    maxItems: MOST_ATTACHMENTS,
    description: 'http(s) URLs of files to send along',
  }),
)

export const EmailBody = Type.Object(
  {
    to: Type.String({ minLength: 1 }),
    subject: Subject,
    body: Body,
    html_body: HtmlBody,
    attachments: Attachments,
    priority: Priority,
    send_at: SendAt,
    id: MessageId,
  },
  { examples: [{ to: 'anna@example.org', subject: 'Your order', body: 'It is on its way.' }] },
)
type EmailBody = Static<typeof EmailBody>

/** Loose where {@link messageOf} says what is wrong with one of them, so that it does not sink the others. */
const Address = Type.Optional(Type.Unknown({ description: 'One mailbox' }))
const BatchMessage = Type.Object({
  to: Address,
  subject: Type.Optional(Type.String()),
  body: Type.Optional(Type.String()),
  html_body: Type.Optional(Type.String()),
  attachments: Type.Optional(Type.Array(Type.String())),
  priority: Priority,
  data: Data,
})
type BatchMessage = Static<typeof BatchMessage>

const Recipient = Type.Object({ to: Address, data: Data })

export const EmailBatchBody = Type.Object(
  {
    messages: Type.Optional(Type.Array(BatchMessage, { maxItems: MOST_RECIPIENTS })),
    subject: Type.Optional(Subject),
    body: Type.Optional(Body),
    html_body: HtmlBody,
    attachments: Attachments,
    recipients: Type.Optional(Type.Array(Recipient, { maxItems: MOST_RECIPIENTS })),
    priority: Priority,
    send_at: SendAt,
    id: MessageId,
  },
  {
    examples: [
      {
        subject: 'Order {{number}}',
        body: 'Dear {{name}}',
        recipients: [{ to: 'anna@example.org', data: { number: 7, name: 'Anna' } }],
      },
    ],
  },
)
type EmailBatchBody = Static<typeof EmailBatchBody>

/** R24: `{status: "email_queued", email_id}`. An address that is none is refused by its field's name. */
export function queueEmail(context: Context<object, EmailBody>): Decision {
  const { body, now } = context
  const address = parseMailbox(body.to)
  if (address === null) {
    const given = JSON.stringify(body.to.slice(0, LONGEST_SHOWN))
    throw fault('publish.invalid_address', `to: ${given} is no mailbox`, { field: 'to' })
  }
  return {
    kind: 'direct',
    channel: 'email',
    shape: 'one',
    messages: [
      {
        address,
        subject: body.subject,
        text: body.body,
        html: body.html_body,
        attachments: attachmentsOf(body.attachments),
        priority: body.priority ?? 'normal',
        sendAt: sendAtMs(body.send_at, now),
      },
    ],
  }
}

/** As much of an address as is repeated to whoever sent it. */
const LONGEST_SHOWN = 320

/**
 * R36: one bad recipient does not sink the batch; `{items: [{to, status, error?, reason?}]}`. Placeholders are filled
 * for recipients that have `data`, and for all that share one text.
 */
export function sendBatchEmail(context: Context<object, EmailBatchBody>): Decision {
  const { body, now } = context
  const sendAt = sendAtMs(body.send_at, now)
  const attachments = attachmentsOf(body.attachments)
  const entries: readonly BatchMessage[] = body.messages ?? body.recipients ?? []
  if (entries.length === 0)
    throw fault('publish.invalid_body', 'messages, or subject, body and recipients, are required')
  const shared = body.messages === undefined
  const messages = entries.map((entry): DirectMessage => {
    const own = {
      data: entry.data ?? (shared ? {} : undefined),
      attachments: entry.attachments ?? attachments,
    }
    return { ...messageOf(body, entry, own), priority: entry.priority ?? body.priority ?? 'normal', sendAt }
  })
  const length = messages.reduce((sum, { text, html = '' }) => sum + text.length + html.length, 0)
  if (length > LONGEST_BATCH)
    throw fault(
      'publish.too_large',
      `The mails of the batch have ${length} characters, over ${LONGEST_BATCH}`,
    )
  return { kind: 'direct', channel: 'email', shape: 'batch', messages }
}

type Values = Readonly<Record<string, unknown>>
type Made = Omit<DirectMessage, 'priority' | 'sendAt'>

/** The mail to one recipient of a batch, or what is wrong with it. */
function messageOf(
  body: EmailBatchBody,
  entry: BatchMessage,
  { data, attachments }: { readonly data: Values | undefined; readonly attachments: Made['attachments'] },
): Made {
  const to = (typeof entry.to === 'string' ? entry.to : (JSON.stringify(entry.to) ?? '')).slice(
    0,
    LONGEST_SHOWN,
  )
  const bad = (error: NonNullable<Made['error']>, reason?: string): Made => ({
    address: to,
    text: '',
    error,
    ...(reason !== undefined && { reason }),
  })
  const address = typeof entry.to === 'string' ? parseMailbox(entry.to) : null
  if (address === null) return bad('publish.invalid_address')
  const wrong = attachmentFault(attachments)
  if (wrong !== null) return bad('publish.invalid_body', wrong)
  const parts = [
    filled('subject', entry.subject ?? body.subject ?? '', data, { longest: LONGEST_SUBJECT }),
    filled('body', entry.body ?? body.body ?? '', data, { longest: LONGEST_BODY }),
    filled('html_body', entry.html_body ?? body.html_body ?? '', data, {
      longest: LONGEST_BODY,
      escape: escapeHtml,
    }),
  ] as const
  for (const part of parts) if ('error' in part) return bad(part.error, part.reason)
  const [subject = '', text = '', html = ''] = parts.map((part) => ('text' in part ? part.text : ''))
  if (subject === '' || text === '') return bad('publish.invalid_body', 'subject and body are required')
  return { address, to, subject, text, html: html === '' ? undefined : html, attachments }
}

function filled(
  field: string,
  text: string,
  data: Values | undefined,
  options: { readonly longest: number; readonly escape?: (value: string) => string },
): { readonly text: string } | { readonly error: NonNullable<Made['error']>; readonly reason: string } {
  if (data === undefined && text.length <= options.longest) return { text }
  const made = data === undefined ? { kind: 'too_long' as const } : fill(text, data, options)
  if (made.kind === 'text') return { text: made.text }
  if (made.kind === 'missing')
    return { error: 'publish.missing_value', reason: `data.${made.name}, which ${field} needs, is missing` }
  return { error: 'publish.too_large', reason: `${field} has more than ${options.longest} characters` }
}

/** The URLs as they were given; a fault names the first that is none. */
function attachmentsOf(urls: readonly string[] | undefined): readonly string[] | undefined {
  const wrong = attachmentFault(urls)
  if (wrong !== null) throw fault('publish.invalid_body', wrong, { field: 'attachments' })
  return urls
}

/** What is wrong with the URLs of attachments; never the URL itself, which may be a secret. */
function attachmentFault(urls: readonly string[] = []): string | null {
  if (urls.length > MOST_ATTACHMENTS) return `attachments: at most ${MOST_ATTACHMENTS} are sent along`
  const wrong = urls.findIndex((url) => !isFetchable(url))
  if (wrong === -1) return null
  return `attachments.${wrong} is no http(s) URL of at most ${LONGEST_URL} characters without user name and password`
}

function isFetchable(text: string): boolean {
  if (text.length > LONGEST_URL || !/^https?:\/\/[^\s\p{Cc}]+$/iu.test(text) || !URL.canParse(text))
    return false
  const { protocol, username, password } = new URL(text)
  return /^https?:$/.test(protocol) && username === '' && password === ''
}
