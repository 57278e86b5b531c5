import { Agent, request } from 'undici'
import type { SendResult } from '../channel.ts'
import { classify, SEND_TIMEOUT_MS } from '../attempt/retry.ts'
import { cut, oneLine } from '../message/text.ts'

const LONGEST_ANSWER_BYTES = 64 * 1024
const LONGEST_REASON = 300
/** Half of an attempt, so that a provider that cannot be connected to is told from one that says nothing. */
const CONNECT_TIMEOUT_MS = SEND_TIMEOUT_MS / 2

export type Failed = Extract<SendResult, { readonly ok: false }>

export interface ProviderRequest {
  readonly url: string
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

export interface ProviderAnswer {
  readonly status: number
  /** At most 64 KB; empty when it broke off. */
  readonly body: string
  readonly retryAfterMs?: number
}

/** Calls a provider. `ask` resolves with its answer, or with what its absence means; it never rejects. */
export interface HttpCaller {
  ask(request: ProviderRequest, signal: AbortSignal): Promise<ProviderAnswer | Failed>
  close(): Promise<void>
}

/**
 * Every request has a connection of its own: a kept one that the provider closed meanwhile would leave open whether
 * the message had arrived (promise P9), and these channels send little. Redirects are answers, never followed.
 */
export function httpCaller(): HttpCaller {
  const dispatcher = new Agent({
    pipelining: 0,
    connect: { timeout: CONNECT_TIMEOUT_MS },
    maxResponseSize: LONGEST_ANSWER_BYTES,
  })
  return {
    async ask({ url, method, headers, body }, signal) {
      if (signal.aborted) return lost('ABORT_ERR', false)
      try {
        const response = await request(url, {
          dispatcher,
          method,
          headers,
          signal,
          ...(body !== undefined && { body }),
        })
        const retryAfterMs = retryAfter(response.headers)
        return {
          status: response.statusCode,
          // The status has said what became of the message; a torn body costs no more than its details.
          body: await response.body.text().catch(() => ''),
          ...(retryAfterMs !== undefined && { retryAfterMs }),
        }
      } catch (error) {
        const code = codeOf(error)
        return lost(code, !BEFORE_WRITING.test(code))
      }
    },
    close: () => (dispatcher.destroyed ? Promise.resolve() : dispatcher.destroy()),
  }
}

/** What an answer other than success means, where the provider has no words of its own for it (promise P7). */
export function refusal({ status, retryAfterMs }: ProviderAnswer, reason: string): Failed {
  const { kind, code } = classify({ status })
  return {
    ok: false,
    retry: kind !== 'permanent',
    code,
    reason: cut(oneLine(reason), LONGEST_REASON),
    status,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  }
}

/** The fields of a JSON object; null for everything else. */
export function fieldsIn(body: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null
  } catch {
    return null
  }
}

/** An end that no later attempt changes. */
export function permanent(code: string, reason: string): Failed {
  return { ok: false, retry: false, code, reason: cut(oneLine(reason), LONGEST_REASON) }
}

/** The same, of which the provider was not asked: it may be well or not. */
export function unasked(code: string, reason: string): Failed {
  return { ...permanent(code, reason), blameless: true }
}

/** Failures of finding and reaching the provider: nothing of the message had left. */
const BEFORE_WRITING =
  /^(ECONNREFUSED|ENOTFOUND|EAI_\w+|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|UND_ERR_CONNECT_TIMEOUT|UND_ERR_INVALID_ARG|ERR_TLS_\w+|ERR_SSL_\w+|CERT_\w+|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+|EPROTO)$/

function lost(code: string, written: boolean): Failed {
  const classified = classify({ error: code, written })
  return {
    ok: false,
    retry: true,
    code: classified.code,
    reason: `No answer of the provider (${code || 'unknown failure'})`,
    ...(classified.kind === 'ambiguous' && { ambiguous: true }),
  }
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return ''
  if (error.name === 'AbortError') return 'ABORT_ERR'
  // Several addresses that all failed come as one error around one of each.
  const inner: unknown = error instanceof AggregateError ? error.errors[0] : undefined
  const code: unknown = Reflect.get(error, 'code') ?? (inner instanceof Error && Reflect.get(inner, 'code'))
  return typeof code === 'string' ? code : ''
}

/** RFC 9110 section 10.2.3. A date is measured by the provider's own clock, which is in the same answer. */
function retryAfter(headers: Readonly<Record<string, string | string[] | undefined>>): number | undefined {
  const { 'retry-after': wish, date } = headers
  if (typeof wish !== 'string') return undefined
  if (/^[0-9]{1,9}$/.test(wish)) return Number(wish) * 1000
  const wait = Date.parse(wish) - Date.parse(String(date))
  return Number.isNaN(wait) ? undefined : Math.max(wait, 0)
}
