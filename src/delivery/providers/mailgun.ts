import type { SendResult } from '../channel.ts'
import type { AttachedFile } from '../outgoing/attachments.ts'
import { PROVIDER_DOWN } from '../attempt/retry.ts'
import { fieldsIn, refusal, type HttpCaller } from './http-call.ts'

const MAILGUN_URL = 'https://api.mailgun.net'

export interface MailgunAccount {
  /** The sending domain as Mailgun knows it. */
  readonly domain: string
  readonly apiKey: string
  /** `https://api.eu.mailgun.net`, or any server that speaks the interface; Mailgun's own in the US unless set. */
  readonly baseUrl: string | undefined
}

/** One mail as the interface wants it: to one mailbox, `headers` by their names. */
export interface MailgunMail {
  readonly from: string
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly html?: string
  readonly headers: Readonly<Record<string, string>>
  readonly attachments: readonly AttachedFile[]
}

/**
 * One attempt over Mailgun's HTTP interface
 * (https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/messages; checklist N12). Links are sent
 * as they are: a page's link must not become one of somebody else's. Never in the provider's own words, which may
 * repeat the address.
 */
export async function sendThroughMailgun(
  caller: HttpCaller,
  { domain, apiKey, baseUrl }: MailgunAccount,
  mail: MailgunMail,
  signal: AbortSignal,
): Promise<SendResult> {
  const root = (baseUrl ?? MAILGUN_URL).replace(/\/+$/, '')
  const encoded = new Response(formOf(mail))
  const answer = await caller.ask(
    {
      url: `${root}/v3/${encodeURIComponent(domain)}/messages`,
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`api:${apiKey}`).toString('base64')}`,
        'content-type': encoded.headers.get('content-type') ?? '',
        accept: 'application/json',
      },
      body: new Uint8Array(await encoded.arrayBuffer()),
    },
    signal,
  )
  if ('ok' in answer) return answer
  const { status } = answer
  if (status >= 200 && status < 300) {
    const id = fieldsIn(answer.body)?.['id']
    return { ok: true, status, ...(typeof id === 'string' && { providerId: id }) }
  }
  if (status === 404)
    return { ok: false, retry: true, code: PROVIDER_DOWN, reason: 'Mailgun does not know the domain' }
  return refusal(
    answer,
    status === 401 || status === 403 ? 'Mailgun refuses the key' : `Mailgun answered ${status}`,
  )
}

function formOf({ from, to, subject, text, html, headers, attachments }: MailgunMail): FormData {
  const form = new FormData()
  const fields = { from, to, subject, text, ...(html !== undefined && { html }), 'o:tracking': 'no' }
  for (const [name, value] of Object.entries(fields)) form.append(name, value)
  for (const [name, value] of Object.entries(headers)) form.append(`h:${name}`, value)
  for (const { filename, content, contentType } of attachments)
    form.append('attachment', new Blob([new Uint8Array(content)], { type: contentType }), filename)
  return form
}
