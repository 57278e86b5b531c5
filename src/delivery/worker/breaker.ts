/**
 * What one attempt said about the target it went to, as opposed to the message: it answered, it failed for now, it
 * refuses us altogether (401, 403), or nothing can be said.
 */
export interface ProviderSign {
  readonly sign: 'well' | 'transient' | 'refused' | 'unknown'
  /** The provider's own wish, for everything that goes to it. */
  readonly retryAfterMs?: number
}

/** The health of one target: a provider, or one endpoint of a webhook. A value: every sign makes a new one. */
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

/** In a row; fewer where another provider takes over at once. */
export const FAILURES_TO_OPEN = 5
const SHORTEST_PAUSE_MS = 5_000
const LONGEST_PAUSE_MS = 60_000

/**
 * The breaker after a sign (promises P7, P24): five transient failures in a row pause the provider for 5 s, doubled
 * up to 60 s; a refusal pauses it for 60 s; its own wish is obeyed as it was cut to size by the caller. Signs of
 * attempts that were under way when the pause began do not lengthen it, unless they carry a wish. With `patience`
 * another number of failures opens it.
 */
export function afterSign(
  breaker: Breaker,
  { sign, retryAfterMs }: ProviderSign,
  now: number,
  patience = FAILURES_TO_OPEN,
): Breaker {
  if (sign === 'well') return breaker.pausedUntil > now && breaker.cause !== 'failing' ? breaker : CLOSED
  // Half open, this lets the next attempt be the probe.
  if (sign === 'unknown') return breaker
  const failures = breaker.failures + (sign === 'transient' ? 1 : 0)
  // An attempt that was under way when the pause began opens nothing anew.
  const openings = breaker.openings + (breaker.pausedUntil > now ? 0 : 1)
  if (retryAfterMs !== undefined && retryAfterMs > 0) {
    const pausedUntil = Math.max(breaker.pausedUntil, now + retryAfterMs)
    return { failures, openings, pausedUntil, cause: 'retry_after' }
  }
  if (sign === 'refused') {
    return { failures, openings, pausedUntil: now + LONGEST_PAUSE_MS, cause: 'refused' }
  }
  if ((breaker.cause === null && failures < patience) || breaker.pausedUntil > now)
    return { ...breaker, failures }
  const pause = Math.min(LONGEST_PAUSE_MS, SHORTEST_PAUSE_MS * 2 ** breaker.openings)
  return { failures, openings, pausedUntil: now + pause, cause: 'failing' }
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

/** So often in a row, which takes half a minute at least, and it is no hiccup any more. */
const OPENINGS_TO_TELL = 4

/** Whether nothing is to be hoped of it now. Who merely asked for patience is not out, unless that goes on and on. */
export function isOut(breaker: Breaker): boolean {
  const { cause } = breaker
  return cause === 'failing' || cause === 'refused' || troubleOf(breaker) !== null
}

/** What an operator has to be told of a target: it refuses us, or it stays in trouble; null while there is nothing. */
export function troubleOf({ cause, openings }: Breaker): 'refused' | 'failing' | null {
  if (cause === 'refused') return 'refused'
  return cause !== null && openings >= OPENINGS_TO_TELL ? 'failing' : null
}
