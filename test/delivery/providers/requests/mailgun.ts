import type { Asked } from '../../../support/provider-server.ts'
import { mismatches, text, type Shape } from './shape.ts'

const PAGE = 'https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/messages'
const MAILBOX = /^[^\s<>,"]+@[a-z0-9.-]+$/
const any: Shape = { kind: 'text', longest: Infinity }

const FORM: Shape = {
  kind: 'object',
  required: {
    from: text(998, { form: /^[^\r\n,]*<[^\s<>,]+@[a-z0-9.-]+>$/ }),
    to: text(320, { form: MAILBOX }),
    subject: { kind: 'text', longest: 998, form: /^[^\r\n]*$/ },
    text: any,
    'o:tracking': { kind: 'exactly', value: 'no' },
    'h:Message-Id': text(500, { form: /^<[A-Za-z0-9._-]+@[a-z0-9.-]+>$/ }),
    'h:Auto-Submitted': { kind: 'exactly', value: 'auto-generated' },
    'h:X-Carillon-Delivery': text(200, { form: /^[A-Za-z0-9._-]+$/ }),
  },
  optional: {
    html: any,
    'h:X-Priority': { kind: 'exactly', value: '1 (Highest)' },
    'h:Importance': { kind: 'exactly', value: 'High' },
  },
}
/** Options and headers together (same page); and a whole message. */
const MOST_OPTION_BYTES = 16 * 1024
const MOST_BYTES = 25 * 1024 * 1024

/** Everything in which a request differs from what Mailgun's page says of `POST /v3/{domain_name}/messages`. */
export async function mailgunFaults({ method, path, headers, body }: Asked): Promise<string[]> {
  const type = headers['content-type'] ?? ''
  const form = await new Response(body, { headers: { 'content-type': type } }).formData()
  const entries = [...form].map(([name, value]) => [name, value] as const)
  const options = entries.filter(([name]) => /^[ohvt]:/.test(name))
  const size = Buffer.byteLength(body)
  return [
    ...(method === 'POST' ? [] : [`method ${method}`]),
    ...(/^\/v3\/[a-z0-9.-]+\/messages$/.test(path) ? [] : [`path ${path}`]),
    ...(/^multipart\/form-data; boundary=\S+$/.test(type) ? [] : [`header content-type: ${type}`]),
    ...(/^Basic [A-Za-z0-9+/]+={0,2}$/.test(headers.authorization ?? '') ? [] : ['header authorization']),
    ...(Number(headers['content-length']) === size ? [] : ['header content-length is not the size']),
    ...(size > MOST_BYTES ? [`body: has ${size} bytes`] : []),
    ...(Buffer.byteLength(JSON.stringify(options)) > MOST_OPTION_BYTES ? ['options: are too long'] : []),
    ...(new Set(entries.map(([name]) => name)).size === entries.length ? [] : ['body: a field comes twice']),
    ...mismatches(Object.fromEntries(entries), FORM),
  ].map((what) => `${what} (${PAGE})`)
}
