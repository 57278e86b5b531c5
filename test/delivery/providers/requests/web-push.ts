import type { Browser } from '../../../support/browser.ts'
import { vapidClaims } from '../../../support/browser.ts'
import type { Received } from '../../../support/http-endpoint.ts'

/** What the RFCs say about the headers of a request to a push service. */
const HEADERS: readonly (readonly [name: string, form: RegExp, source: string])[] = [
  ['ttl', /^\d{1,7}$/, 'RFC 8030 section 5.2'],
  ['urgency', /^(very-low|low|normal|high)$/, 'RFC 8030 section 5.3'],
  ['topic', /^[A-Za-z0-9_-]{1,32}$/, 'RFC 8030 section 5.4'],
  ['content-encoding', /^aes128gcm$/, 'RFC 8291 section 4'],
  ['authorization', /^vapid t=[\w-]+\.[\w-]+\.[\w-]+, k=[\w-]{87}$/, 'RFC 8292 section 3'],
]
const DAY_S = 24 * 60 * 60
/** Longest content of a push service that takes no more than it must (RFC 8030 section 7.2). */
const MOST_BYTES = 4096
/** Before the record: salt, record size, length of the key and the key itself (RFC 8188 section 2.1, RFC 8291 section 4). */
const HEADER_BYTES = 16 + 4 + 1 + 65

/** Everything in which a request differs from RFC 8030, 8188, 8291 and 8292; empty when every push service takes it. */
export function webPushFaults(request: Received, reader: Browser, nowS: number): string[] {
  const { method, headers, bytes } = request
  const body = Buffer.from(bytes)
  const faults = [
    ...(method === 'POST' ? [] : [`method ${method}`]),
    ...HEADERS.filter(([name, form]) => !form.test(String(headers[name] ?? ''))).map(
      ([name, , source]) => `header ${name}: ${String(headers[name])} (${source})`,
    ),
    ...(Number(headers['content-length']) === body.length ? [] : ['header content-length is not the size']),
    ...(body.length > MOST_BYTES ? [`body: has ${body.length} of ${MOST_BYTES} bytes`] : []),
    ...(body.readUInt8(20) === 65 && body.readUInt8(21) === 4
      ? []
      : ['body: keyid is no uncompressed point']),
    ...(body.readUInt32BE(16) >= body.length - HEADER_BYTES ? [] : ['body: has more than one record']),
  ]
  const { claims } = vapidClaims(headers)
  const { aud, exp, sub } = claims
  const audience = new URL(reader.subscription.endpoint).origin
  if (aud !== audience) faults.push(`aud: ${String(aud)} (RFC 8292 section 2)`)
  if (typeof exp !== 'number' || exp <= nowS || exp > nowS + DAY_S) faults.push(`exp: ${String(exp)}`)
  if (!/^(mailto:[^\s@]+@[^\s@]+|https:\/\/\S+)$/.test(String(sub))) faults.push(`sub: ${String(sub)}`)
  try {
    const { title, body: text } = reader.read(body)
    if (typeof title !== 'string' || typeof text !== 'string' || title + text === '')
      faults.push('says nothing')
  } catch (error) {
    faults.push(`cannot be read: ${String(error)}`)
  }
  return faults
}
