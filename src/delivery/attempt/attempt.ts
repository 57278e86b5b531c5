import type { SendResult } from '../channel.ts'
import { PROVIDER_DOWN } from './retry.ts'

/** How many attempts of one delivery are kept, the newest: a refused account would be asked once a minute for ever. */
export const MOST_ATTEMPTS = 50

export const ATTEMPT_OUTCOMES = ['sent', 'failed', 'refused', 'unknown'] as const
/**
 * What one attempt came to: the provider took the message; it did not and is asked again (`failed`) or is not
 * (`refused`); nobody knows whether it did (`unknown`, promise P9).
 */
export type AttemptOutcome = (typeof ATTEMPT_OUTCOMES)[number]

/** One call of a provider for one delivery. What is absent is not known, or there was none. */
export interface Attempt {
  /** Counted as the delivery counts its attempts; one that was passed over for another provider has the same number. */
  readonly number: number
  /** When the provider was asked; of an attempt that was lost with its process, when that took the delivery. */
  readonly startedAt: number
  /** Absent when nothing was heard of it before its process ended. */
  readonly endedAt?: number
  /** The channel's own name where it has one provider; absent when it was lost with its process. */
  readonly provider?: string
  readonly outcome: AttemptOutcome
  /** HTTP status or SMTP reply code. */
  readonly status?: number
  /** Stable, such as `http_503`, `timeout`, `provider_down`; absent for `sent`. */
  readonly code?: string
  /** The same in words, as the list shows it. */
  readonly error?: string
  readonly providerId?: string
  /** Not held against the message: a refused account is nobody's budget (promise P7). */
  readonly uncounted?: true
}

/** A provider that was asked, when, and what it answered. */
export interface ProviderCall {
  readonly provider: string
  readonly startedAt: number
  readonly endedAt: number
  readonly result: SendResult
}

/**
 * What is kept of one attempt: one entry, or one for each provider that it asked in turn; none when nobody was asked
 * (checklist C19, contract section 7). Addresses, texts and credentials are in no result, and so in no entry.
 */
export function attemptsOf(
  number: number,
  { provider, startedAt, endedAt, result }: ProviderCall,
): readonly Attempt[] {
  const uncounted = !result.ok && (result.code === PROVIDER_DOWN || result.untried === true)
  const asked = result.calls ?? []
  const nobody = asked.length === 0 && !result.ok && result.untried === true
  const calls = asked.length > 0 ? asked : nobody ? [] : [{ provider, startedAt, endedAt, result }]
  return calls.map((call) => ({ ...entryOf(number, call), ...(uncounted && { uncounted }) }))
}

function entryOf(number: number, { provider, startedAt, endedAt, result }: ProviderCall): Attempt {
  const { status } = result
  const entry = {
    number,
    startedAt,
    endedAt,
    provider,
    outcome: outcomeOf(result),
    ...(status !== undefined && { status }),
  }
  if (!result.ok) return { ...entry, code: result.code, error: result.reason }
  return { ...entry, ...(result.providerId !== undefined && { providerId: result.providerId }) }
}

function outcomeOf(result: SendResult): AttemptOutcome {
  if (result.ok) return 'sent'
  if (result.ambiguous === true) return 'unknown'
  return result.retry ? 'failed' : 'refused'
}
