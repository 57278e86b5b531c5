import { createHmac } from 'node:crypto'
import type { Clock } from '../../clock.ts'
import type { Channel, OutgoingMessage, SendResult } from '../channel.ts'
import { contentOf } from '../message/content.ts'
import { headerSafeId } from '../message/header-safe-id.ts'
import type { Answer, Outgoing } from '../outgoing/outgoing.ts'
import { retryAfterMs } from '../outgoing/retry-after.ts'
import { classify, SEND_TIMEOUT_MS } from '../attempt/retry.ts'
import { webhookAddress } from '../webhook-address.ts'
import type { WebhookFormat } from '../message/webhook-format.ts'
import { notConfigured } from './not-configured.ts'
import { webhookBody } from './webhook-body.ts'

export interface WebhookEndpoint {
  /** Told apart by it: `webhook:<name>` in steps. */
  readonly name: string
  readonly url: string
  /** Without one requests are not signed. */
  readonly secret?: string | undefined
  readonly format: WebhookFormat
  /** Sent as `Authorization: Bearer`. */
  readonly token?: string | undefined
  /** `pagerduty`: the key of the integration. */
  readonly routingKey?: string | undefined
  /** `ntfy`: where the message is shown. Who knows it may read along, so that it is as good as a secret. */
  readonly topic?: string | undefined
}

export interface WebhookSettings {
  readonly endpoints: readonly WebhookEndpoint[]
  readonly outgoing: Outgoing
  readonly clock: Pick<Clock, 'now'>
}

/**
 * Requests to other programs (security row 22): a signed POST to a configured endpoint, whose URL and name are the
 * delivery's address (`webhookAddress`). People have no such address; targets such as `webhook:ops` get theirs where
 * the step is planned.
 *
 * `Idempotency-Key` is the same on every attempt (P8). `X-Carillon-Signature` is `v1=` and the hexadecimal
 * HMAC-SHA256 of `{X-Carillon-Timestamp}.{body}` under the endpoint's secret; the timestamp counts seconds.
 * What an endpoint answers is never repeated. Each has a lane of its own.
 */
export function webhookChannel({ endpoints, outgoing, clock }: WebhookSettings): Channel {
  const byAddress = new Map(
    endpoints.map((endpoint) => [webhookAddress(endpoint.name, endpoint.url), endpoint]),
  )
  return {
    name: 'webhook',
    targets: endpoints.map(({ name }) => name),
    target: (address) => byAddress.get(address)?.name ?? null,
    addresses: () => [],
    render(input) {
      const { title, actions } = contentOf(input)
      const format = byAddress.get(input.delivery.address ?? '')?.format ?? 'json'
      return { subject: title, text: JSON.stringify(webhookBody(format, input)), actions }
    },
    async send(message, signal) {
      const endpoint = byAddress.get(message.address)
      // Never to an address that merely stands in the store: its secret and its permission are gone.
      if (!endpoint) return notConfigured('webhook')
      const body = withCredentials(message.rendered.text, endpoint)
      const answer = await outgoing.post({
        url: endpoint.url,
        headers: headersOf(message, endpoint, { body, now: clock.now() }),
        body,
        signal,
        waitMs: SEND_TIMEOUT_MS,
      })
      return resultOf(answer, clock.now())
    },
    close: () => Promise.resolve(),
  }
}

/** The body as the provider wants it. Its credentials are put in last, because the outbox shows what was rendered. */
function withCredentials(body: string, { format, routingKey, topic }: WebhookEndpoint): string {
  const credentials =
    format === 'pagerduty' ? { routing_key: routingKey } : format === 'ntfy' ? { topic } : null
  return credentials === null ? body : JSON.stringify({ ...credentials, ...asObject(body) })
}

function asObject(json: string): object {
  const value: unknown = JSON.parse(json)
  return typeof value === 'object' && value !== null ? value : {}
}

function headersOf(
  message: OutgoingMessage,
  { secret, token }: WebhookEndpoint,
  { body, now }: { readonly body: string; readonly now: number },
) {
  const timestamp = String(Math.floor(now / 1000))
  return {
    'content-type': 'application/json; charset=utf-8',
    'user-agent': 'Carillon',
    'idempotency-key': headerSafeId(message.idempotencyKey),
    'x-carillon-timestamp': timestamp,
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...(secret !== undefined && {
      'x-carillon-signature': `v1=${signatureOf(secret, timestamp, body)}`,
    }),
  }
}

function signatureOf(secret: string, timestamp: string, body: string): string {
  return createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')
}

function resultOf(answer: Answer, now: number): SendResult {
  if (answer.kind === 'refused')
    return { ok: false, retry: false, code: 'address_refused', reason: answer.because }
  if (answer.kind === 'failed') {
    const { kind, code } = classify({ error: answer.code, written: answer.written })
    const reason = `${code} (${answer.code})`
    return { ok: false, retry: true, code, reason, ...(kind === 'ambiguous' && { ambiguous: true }) }
  }
  const { status } = answer
  if (status >= 200 && status < 300) return { ok: true, status }
  const reason = `The endpoint answered ${status}`
  const { kind, code } = classify({ status })
  const wish = retryAfterMs(answer.retryAfter, now)
  return {
    ok: false,
    retry: kind !== 'permanent',
    code,
    reason,
    status,
    ...(wish !== undefined && { retryAfterMs: wish }),
  }
}
