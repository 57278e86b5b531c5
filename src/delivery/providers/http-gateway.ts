import type { OutgoingMessage, SendResult } from '../channel.ts'
import { fillPlaceholders, jsonEncoded } from '../message/placeholders.ts'
import { refusal, type HttpCaller } from './http-call.ts'

export interface HttpGateway {
  /** May hold `{{to}} {{from}} {{text}} {{id}}`, which are encoded for a URL. */
  readonly url: string
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly headers: Readonly<Record<string, string>>
  /** The same placeholders, encoded for the body's type: JSON, a form, or plain text. */
  readonly body: string
  readonly from: string
  /** Where in a JSON answer the provider's id is, such as `messages.0.id`. */
  readonly idPath: string | undefined
}

const ENCODERS: readonly (readonly [RegExp, (text: string) => string])[] = [
  [/[/+]json\b/i, jsonEncoded],
  [/x-www-form-urlencoded/i, encodeURIComponent],
  [/(?:)/, (text) => text],
]

/** Any provider that takes one HTTP request per message. Success is 2xx; everything else as promise P7 sorts it. */
export async function sendThroughGateway(
  caller: HttpCaller,
  gateway: HttpGateway,
  message: OutgoingMessage,
  signal: AbortSignal,
): Promise<SendResult> {
  const values: Readonly<Record<string, string>> = {
    to: message.address,
    from: gateway.from,
    text: message.rendered.text,
    id: message.idempotencyKey,
  }
  const named = Object.entries(gateway.headers).map(([name, value]) => [name.toLowerCase(), value] as const)
  const headers = { 'content-type': 'application/json', ...Object.fromEntries(named) }
  const encode = ENCODERS.find(([type]) => type.test(headers['content-type']))?.[1] ?? String
  const answer = await caller.ask(
    {
      url: fillPlaceholders(gateway.url, values, encodeURIComponent),
      method: gateway.method,
      headers: { 'idempotency-key': encodeURIComponent(message.idempotencyKey), ...headers },
      ...(gateway.method !== 'GET' && { body: fillPlaceholders(gateway.body, values, encode) }),
    },
    signal,
  )
  if ('ok' in answer) return answer
  if (answer.status < 200 || answer.status >= 300) return refusal(answer, `HTTP ${answer.status}`)
  const id = gateway.idPath === undefined ? undefined : at(answer.body, gateway.idPath)
  return { ok: true, status: answer.status, ...(id !== undefined && { providerId: id }) }
}

function at(body: string, path: string): string | undefined {
  try {
    let value: unknown = JSON.parse(body)
    for (const key of path.split('.')) {
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
      value = Reflect.get(value, key)
    }
    return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
  } catch {
    return undefined
  }
}
