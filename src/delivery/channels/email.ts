import { createTransport } from 'nodemailer'
import {
  oneAddress,
  type Channel,
  type OutgoingMessage,
  type Rendered,
  type RenderInput,
  type SendResult,
} from '../channel.ts'
import { parseMailbox } from '../address.ts'
import { contentOf } from '../message/content.ts'
import { attachmentName } from '../outgoing/attachment-name.ts'
import type { Attachments } from '../outgoing/attachments.ts'
import { httpCaller } from '../providers/http-call.ts'
import { sendThroughMailgun, type MailgunAccount } from '../providers/mailgun.ts'
import { headerSafeId } from '../message/header-safe-id.ts'
import { classify, DEFERRED, PROVIDER_DOWN, SEND_TIMEOUT_MS } from '../attempt/retry.ts'
import { cut, oneLine } from '../message/text.ts'
import { emailHtml, emailText } from './email-layout.ts'
import { notConfigured } from './not-configured.ts'

/** As many as the lane has slots, so that no message waits in the pool while its ten seconds run. */
const CONNECTIONS = 20
const LONGEST_REASON = 300

export interface EmailSettings {
  /** `smtp://` or `smtps://`; without it and without `mailgun` the channel only renders. */
  readonly smtpUrl: string | undefined
  /** Instead of a mail server (checklist N12). */
  readonly mailgun?: MailgunAccount | undefined
  /** The sender of everything, for example `Alerts <alerts@example.org>`. */
  readonly from: string
  /** Who fetches the files that go with a mail; without it a mail that has some is not sent. */
  readonly attachments?: Attachments
}

/** E-mail over SMTP or Mailgun (security row 20): one mailbox per message, a fixed sender, a Message-ID that retries keep (P8). */
export function emailChannel(settings: EmailSettings): Channel {
  const handedOver: HandedOver = new WeakMap()
  const transport = settings.smtpUrl === undefined ? null : openTransport(settings.smtpUrl, handedOver)
  const host = parseMailbox(settings.from)?.split('@')[1] ?? 'localhost'
  const caller = httpCaller()
  return {
    name: 'email',
    provider: settings.mailgun ? 'mailgun' : 'smtp',
    addresses: ({ email }) => oneAddress(email === undefined ? null : parseMailbox(email)),
    render: renderEmail,
    async send(message, signal) {
      const { mailgun } = settings
      if (!transport && !mailgun) return notConfigured('email')
      const to = parseMailbox(message.address)
      if (to === null)
        return { ...permanent('invalid_address', 'The address is no single mailbox'), blameless: true }
      const attachments = await filesOf(message, settings.attachments, signal)
      if ('ok' in attachments) return attachments
      const content = { ...mailOf(message, host), attachments: [...attachments] }
      // The files took their part of the ten seconds: that the rest was too short is not the server's fault.
      const excused = (result: SendResult): SendResult =>
        !result.ok && signal.aborted && attachments.length > 0 ? { ...result, blameless: true } : result
      if (!transport) {
        if (!mailgun) return notConfigured('email')
        const mail = { ...forMailgun(content), from: settings.from, to, attachments }
        return excused(await sendThroughMailgun(caller, mailgun, mail, signal))
      }
      const mail = { ...content, from: settings.from, to: { name: '', address: to }, signal }
      try {
        const info = await transport.sendMail(mail)
        return { ok: true, providerId: info.messageId }
      } catch (error) {
        const failed = failure(error, { to, handedOver: handedOver.get(signal)?.() ?? false })
        return excused(withReply(failed, error))
      }
    },
    close() {
      transport?.close()
      return caller.close()
    },
  }
}

/** By the signal of a send, whether its whole message has left: only then a lost answer leaves open what became of it. */
type HandedOver = WeakMap<AbortSignal, () => boolean>

function openTransport(url: string, handedOver: HandedOver) {
  const transport = createTransport({
    url,
    pool: true,
    maxConnections: CONNECTIONS,
    // A pooled connection that the server closed meanwhile is replaced once; nothing was sent over it.
    maxRequeues: 1,
    connectionTimeout: SEND_TIMEOUT_MS,
    greetingTimeout: SEND_TIMEOUT_MS,
    socketTimeout: SEND_TIMEOUT_MS,
    dnsTimeout: SEND_TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  transport.use('stream', (mail, done) => {
    const { message, data } = mail
    const createReadStream = message.createReadStream.bind(message)
    message.createReadStream = (options) => {
      const stream = createReadStream(options)
      if (data.signal) handedOver.set(data.signal, () => stream.readableEnded)
      return stream
    }
    done()
  })
  return transport
}

function renderEmail(input: RenderInput): Rendered {
  const content = contentOf(input)
  // A direct mail is the publisher's own: its HTML stands as given, and there is none when none was given (R24).
  const html = content.kind === 'fixed' ? content.html : (content.html ?? emailHtml(content))
  const text = content.kind === 'fixed' ? content.text : emailText(content)
  return {
    subject: content.title,
    text,
    ...(html !== null && { html }),
    ...(content.attachments.length > 0 && {
      attachments: content.attachments.map((url) => ({ name: attachmentName(null, url), url })),
    }),
    actions: content.actions,
  }
}

/** The fields that go out, picked one by one so that nothing a publisher sent can become an option of the mailer. */
function mailOf(message: OutgoingMessage, host: string) {
  const id = headerSafeId(message.idempotencyKey)
  const { subject, text, html } = message.rendered
  return {
    subject: oneLine(subject ?? ''),
    text,
    ...(html !== undefined && { html }),
    messageId: `<${id}@${host}>`,
    priority: message.critical ? ('high' as const) : ('normal' as const),
    headers: { 'X-Carillon-Delivery': id, 'Auto-Submitted': 'auto-generated' },
  }
}

/** The same for who builds the mail from its parts. */
function forMailgun({ subject, text, html, messageId, priority, headers }: ReturnType<typeof mailOf>) {
  const urgent = priority === 'high' && { 'X-Priority': '1 (Highest)', Importance: 'High' }
  return {
    subject,
    text,
    ...(html !== undefined && { html }),
    headers: { 'Message-Id': messageId, ...headers, ...urgent },
  }
}

/** The files that go with it, or why it cannot be sent. */
async function filesOf(
  { rendered }: OutgoingMessage,
  attachments: Attachments | undefined,
  signal: AbortSignal,
) {
  const urls = (rendered.attachments ?? []).map(({ url }) => url)
  if (urls.length === 0) return []
  if (!attachments) return notConfigured('email')
  return attachments.fetch(urls, signal)
}

function failure(error: unknown, sent: { readonly to: string; readonly handedOver: boolean }): Failed {
  const code = text(error, 'code')
  const responseCode = Number(text(error, 'responseCode') ?? 0)
  const answer = oneLine(text(error, 'response') ?? '').replaceAll(sent.to, 'the address')
  const refused = code === 'EAUTH' || code === 'ENOAUTH' || code === 'EOAUTH2'
  const temporary = responseCode >= 400 && responseCode < 500
  if ((refused && !temporary) || responseCode === 530 || responseCode === 535) {
    // Without the server's words: some repeat the user name.
    return { ok: false, retry: true, code: PROVIDER_DOWN, reason: 'The SMTP server refuses the credentials' }
  }
  if (responseCode >= 500) return permanent(`smtp_${responseCode}`, answer)
  if (temporary) {
    // 421 is the server's own trouble, and so is anything before the envelope; the rest concerns this message only.
    const command = text(error, 'command')
    const server = refused || responseCode === 421 || command === 'CONN' || command === 'EHLO'
    return {
      ok: false,
      retry: true,
      code: server ? 'smtp_421' : DEFERRED,
      reason: refused ? 'The SMTP server cannot check the credentials now' : cut(answer, LONGEST_REASON),
    }
  }
  if (code === 'EENVELOPE' || code === 'EMESSAGE' || code === 'EFILEACCESS' || code === 'EURLACCESS') {
    return permanent('invalid_message', messageOf(error))
  }
  const classified = classify({ error: code ?? '', written: sent.handedOver })
  return {
    ok: false,
    retry: true,
    code: classified.code,
    reason: messageOf(error),
    ...(classified.kind === 'ambiguous' && { ambiguous: true }),
  }
}

/** With the SMTP server's reply code, where it said anything. */
function withReply(failed: Failed, error: unknown): Failed {
  const status = Number(text(error, 'responseCode') ?? 0)
  return status > 0 ? { ...failed, status } : failed
}

/** One of the fields that the mailer puts on its errors, as text. */
function text(error: unknown, field: string): string | undefined {
  const value: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, field) : undefined
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
}

type Failed = Extract<SendResult, { readonly ok: false }>

function permanent(code: string, reason: string): Failed {
  return { ok: false, retry: false, code, reason: cut(reason, LONGEST_REASON) }
}

function messageOf(error: unknown): string {
  return cut(oneLine(error instanceof Error ? error.message : 'unknown failure'), LONGEST_REASON)
}
