import Type, { type Static } from 'typebox'
import { fault, parseMailbox, type Context, type Decision, type DirectMessage } from '#engine'
import { Data, Instant, instantMs, MessageId, Priority } from './fields.ts'

const Subject = Type.String({ minLength: 1, maxLength: 998 })
const Body = Type.String({ minLength: 1, maxLength: 100_000 })

export const EmailBody = Type.Object({
  to: Type.String({ minLength: 1 }),
  subject: Subject,
  body: Body,
  html_body: Type.Optional(Type.String({ maxLength: 100_000 })),
  priority: Priority,
  send_at: Instant,
  id: MessageId,
})
type EmailBody = Static<typeof EmailBody>

const BatchMessage = Type.Object({
  to: Type.String(),
  subject: Type.Optional(Subject),
  body: Type.Optional(Body),
  html_body: Type.Optional(Type.String()),
  priority: Priority,
  data: Data,
})
type BatchMessage = Static<typeof BatchMessage>

export const EmailBatchBody = Type.Object({
  messages: Type.Optional(Type.Array(BatchMessage, { maxItems: 1000 })),
  subject: Type.Optional(Subject),
  body: Type.Optional(Body),
  html_body: Type.Optional(Type.String()),
  recipients: Type.Optional(Type.Array(Type.Object({ to: Type.String(), data: Data }), { maxItems: 1000 })),
  priority: Priority,
  send_at: Instant,
  id: MessageId,
})
type EmailBatchBody = Static<typeof EmailBatchBody>

/** R24: `{status: "email_queued", email_id}`. An address that is none is refused by its field's name. */
export function queueEmail(context: Context<object, EmailBody>): Decision {
  const { body } = context
  const address = parseMailbox(body.to)
  if (address === null)
    throw fault('publish.invalid_address', `to: ${JSON.stringify(body.to)} is no mailbox`, { field: 'to' })
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
        priority: body.priority ?? 'normal',
        sendAt: instantMs('send_at', body.send_at),
      },
    ],
  }
}

/** R36: one bad address does not sink the batch; `{items: [{to, status, error?}]}`. */
export function sendBatchEmail(context: Context<object, EmailBatchBody>): Decision {
  const { body } = context
  const sendAt = instantMs('send_at', body.send_at)
  const entries: readonly BatchMessage[] = body.messages ?? body.recipients ?? []
  if (entries.length === 0)
    throw fault('publish.invalid_body', 'messages, or subject, body and recipients, are required')
  const messages = entries.map((entry): DirectMessage => {
    const data = entry.data ?? {}
    const subject = entry.subject ?? body.subject
    const text = entry.body ?? body.body
    const html = entry.html_body ?? body.html_body
    const address = parseMailbox(entry.to)
    const missing = subject === undefined || text === undefined
    return {
      address: entry.to,
      subject: subject === undefined ? undefined : fill(subject, data),
      text: text === undefined ? '' : fill(text, data),
      html: html === undefined ? undefined : fill(html, data, escapeHtml),
      priority: entry.priority ?? body.priority ?? 'normal',
      sendAt,
      error: address === null ? 'publish.invalid_address' : missing ? 'publish.invalid_body' : undefined,
    }
  })
  return { kind: 'direct', channel: 'email', shape: 'batch', messages }
}

/** Puts `{{name}}` values of a recipient's data into a text; an unknown name becomes empty. */
function fill(
  text: string,
  data: Readonly<Record<string, unknown>>,
  escape: (value: string) => string = String,
): string {
  return text.replace(/\{\{\s*([A-Za-z0-9_]{1,64})\s*\}\}/g, (_, name: string) => {
    const value = Object.hasOwn(data, name) ? data[name] : undefined
    return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
      ? escape(String(value))
      : ''
  })
}

function escapeHtml(value: string): string {
  return value.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
