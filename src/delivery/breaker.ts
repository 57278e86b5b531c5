/**
 * What one attempt said about the provider behind a lane, as opposed to the message: it answered, it failed for now,
 * it refuses us altogether (401, 403), or nothing can be said.
 */
export interface ProviderSign {
  readonly sign: 'well' | 'transient' | 'refused' | 'unknown'
  /** The provider's own wish, for everything that goes to it. */
  readonly retryAfterMs?: number
}

/** The health of one lane's provider. A value: every sign makes a new one. */
export interface Breaker {
  /** Transient failures in a row. */
  readonly failures: number
  /** How often it opened in a row: what the pause doubles with. */
  readonly openings: number
  /** Nothing is sent before this instant. */
  readonly pausedUntil: number
  /** Why, for the operator; null while it is closed. */
  readonly cause: 'failing' | 'refused' | 'retry_after' | null
}

export const CLOSED: Breaker = { failures: 0, openings: 0, pausedUntil: 0, cause: null }

const FAILURES_TO_OPEN = 5
const SHORTEST_PAUSE_MS = 5_000
const LONGEST_PAUSE_MS = 60_000

/**
 * The breaker after a sign (promises P7, P24): five transient failures in a row pause the provider for 5 s, doubled
 * up to 60 s; a refusal pauses it for 60 s; its own wish is obeyed as it was cut to size by the caller. Signs of
 * attempts that were under way when the pause began do not lengthen it, unless they carry a wish.
 */
export function afterSign(breaker: Breaker, { sign, retryAfterMs }: ProviderSign, now: number): Breaker {
  if (sign === 'well') return breaker.pausedUntil > now && breaker.cause !== 'failing' ? breaker : CLOSED
  // Half open, this lets the next attempt be the probe.
  if (sign === 'unknown') return breaker
  const failures = breaker.failures + (sign === 'transient' ? 1 : 0)
  if (retryAfterMs !== undefined && retryAfterMs > 0) {
    const pausedUntil = Math.max(breaker.pausedUntil, now + retryAfterMs)
    return { ...breaker, failures, pausedUntil, cause: 'retry_after' }
  }
  if (sign === 'refused') {
    return { ...breaker, failures, pausedUntil: now + LONGEST_PAUSE_MS, cause: 'refused' }
  }
  if (failures < FAILURES_TO_OPEN || breaker.pausedUntil > now) return { ...breaker, failures }
  const pause = Math.min(LONGEST_PAUSE_MS, SHORTEST_PAUSE_MS * 2 ** breaker.openings)
  return { failures, openings: breaker.openings + 1, pausedUntil: now + pause, cause: 'failing' }
}

/**
 * How many more attempts may start: none during a pause, one at a time until an attempt after it succeeded, else as
 * many as there is room for. `critical` work may be the probe while the provider is merely failing, because a pager
 * should not wait for a pause to end that nobody asked for.
 */
export function allowance(
  breaker: Breaker,
  state: {
    readonly now: number
    readonly room: number
    readonly inFlight: number
    readonly critical: boolean
  },
): number {
  if (breaker.cause === null) return state.room
  const mayProbe = breaker.pausedUntil <= state.now || (state.critical && breaker.cause === 'failing')
  return mayProbe && state.inFlight === 0 ? Math.min(1, state.room) : 0
}
