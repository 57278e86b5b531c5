/** How long one attempt may take (promise P7). */
export const SEND_TIMEOUT_MS = 10_000

const FIRST_DELAY_MS = 1000
const LONGEST_DELAY_MS = { critical: 30_000, normal: 5 * 60_000 }
const BUDGET_MS = { critical: 60 * 60_000, normal: 24 * 60 * 60_000 }

/** The longest wish of a provider that is obeyed (promise P7); a longer one is shortened to this. */
export const LONGEST_RETRY_AFTER_MS = 10 * 60_000

/** The code of a {@link SendResult} that says: the provider refuses us, not this message (401, 403, SMTP 535). */
export const PROVIDER_DOWN = 'provider_down'

/** The code of a result that says: whoever could take it is paused, nobody was asked. */
export const PROVIDERS_PAUSED = 'providers_paused'

/** The code of a result that says: this recipient has to wait (greylisting, full mailbox); the provider is well. */
export const DEFERRED = 'deferred'

export interface Retry {
  /** How many attempts were made, this one included; counted from 1. */
  readonly attempt: number
  readonly critical: boolean
  /** 0 means no limit but the budget. */
  readonly maxAttempts: number
  /** When the delivery was to be attempted first: the budget counts from here. */
  readonly firstAt: number
  readonly now: number
  readonly retryAfterMs?: number | undefined
  /** Uniform in [0, 1). */
  readonly random: () => number
}

/**
 * When a delivery whose attempt failed for now is tried again, or why it is given up (promise P7): half to all of
 * 1 s doubled with every attempt, at most 30 s for critical and 5 min for other deliveries, never before the
 * provider wants it (10 min at most); within 1 h or 24 h of its start; direct sends three times (R24, R48).
 */
export function nextAttempt(retry: Retry): { readonly at: number } | { readonly dead: string } {
  if (retry.maxAttempts > 0 && retry.attempt >= retry.maxAttempts) return { dead: 'attempts_exhausted' }
  const loudness = retry.critical ? 'critical' : 'normal'
  const ceiling = Math.min(LONGEST_DELAY_MS[loudness], FIRST_DELAY_MS * 2 ** Math.max(0, retry.attempt - 1))
  const delay = Math.ceil((0.5 + retry.random() / 2) * ceiling)
  const wish = Math.min(Math.max(retry.retryAfterMs ?? 0, 0), LONGEST_RETRY_AFTER_MS)
  const at = retry.now + Math.max(delay, wish)
  return isOverBudget(retry, at) ? { dead: 'budget_exhausted' } : { at }
}

/** Whether the time that a delivery is tried for is over at this instant (promise P7): 1 h critical, 24 h normal. */
export function isOverBudget(
  { critical, firstAt }: Pick<Retry, 'critical' | 'firstAt'>,
  at: number,
): boolean {
  return at > firstAt + BUDGET_MS[critical ? 'critical' : 'normal']
}

/** What a provider's answer, or the lack of one, means for the delivery. */
export interface Classified {
  /** `ambiguous` is tried again too, but the provider may have the message already (promise P9). */
  readonly kind: 'retry' | 'permanent' | 'ambiguous' | 'provider-down'
  readonly code: string
}

/**
 * Sorts the outcome of a provider call that did not succeed (promise P7, E18). `written` says that the whole request
 * had left when the network failed, so that the provider may have acted on it.
 */
export function classify(
  outcome: { readonly status: number } | { readonly error: string; readonly written: boolean },
): Classified {
  if ('status' in outcome) return classifyStatus(outcome.status)
  const timedOut = /^(ETIMEDOUT|ETIMEOUT|EABORT|ABORT_ERR|AbortError|TimeoutError|UND_ERR_.*TIMEOUT)$/
  return {
    kind: outcome.written ? 'ambiguous' : 'retry',
    code: timedOut.test(outcome.error) ? 'timeout' : 'connection_failed',
  }
}

function classifyStatus(status: number): Classified {
  const code = `http_${status}`
  if (status === 401 || status === 403) return { kind: 'provider-down', code: PROVIDER_DOWN }
  if (status === 408 || status === 425 || status === 429 || status >= 500) return { kind: 'retry', code }
  return { kind: 'permanent', code }
}
