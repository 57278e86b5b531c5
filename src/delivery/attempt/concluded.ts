import type { Settlement } from '../../store/store.ts'
import type { OnAmbiguous } from './ambiguity.ts'
import { attemptsOf, type ProviderCall } from './attempt.ts'
import type { ProviderSign } from '../worker/breaker.ts'
import type { DeliverWork } from './deliver.ts'
import type { Delivery, DeliveryState } from '../delivery.ts'
import { DEFERRED, isOverBudget, LONGEST_RETRY_AFTER_MS, nextAttempt, PROVIDER_DOWN } from './retry.ts'

/** What one attempt came to: what to write, and what it says about the provider. */
export interface Attempted {
  readonly settlement: Settlement
  readonly provider: ProviderSign
}

/** How a delivery stands after an attempt. */
export type End = Omit<NonNullable<Settlement['delivery']>, 'id'>

/** A state with its reason, and nothing sent. */
export function end(state: DeliveryState, reason: string | null, error: string | null = null): End {
  return { state, reason, error, providerId: null, sentAt: null, deliveredAt: null }
}

/** The settlement of work that is over. */
export function ended(work: DeliverWork, delivery: End, now: number): Settlement {
  return {
    workId: work.workId,
    token: work.token,
    at: now,
    delivery: { id: work.delivery.id, ...delivery },
    nextDueAt: null,
    outbox: null,
  }
}

/** What says nothing about the provider. */
export const UNKNOWN: ProviderSign = { sign: 'unknown' }

const REFUSED_RETRY_MS = 60_000
/** Over this time those are spread who wait for the same moment. */
const SPREAD_MS = 5000

/** What the time counts by for which a delivery is tried: what was to wait has lost none of it by waiting. */
export function budgetOf({ critical, createdAt, firstDueAt }: Delivery) {
  return { critical, firstAt: firstDueAt ?? createdAt }
}

/** When the message is worthless (`ttl`); Infinity when never. */
export function expiresAt({ delivery, notification }: DeliverWork): number {
  return notification?.content.expiresAt ?? delivery.fixed?.push?.expiresAt ?? Infinity
}

/** The settlement of work that is over without an attempt: the one that its claim counted is taken off again. */
export function unsent(work: DeliverWork, delivery: End, now: number): Attempted {
  return { settlement: { ...ended(work, delivery, now), untried: true }, provider: UNKNOWN }
}

export interface Judging {
  readonly random: () => number
  /** What to do where nobody knows whether the provider took it (promise P9). */
  readonly onAmbiguous: OnAmbiguous
}

/**
 * Judges an attempt (promises P7, P9): sent, for good over, or when to try again; what it says of the provider, and
 * what is kept of it.
 */
export function concluded(work: DeliverWork, call: ProviderCall, judging: Judging): Attempted {
  const { settlement, provider } = judged(work, call, judging)
  const attempts = attemptsOf(work.delivery.attempts, call)
  return { settlement: { ...settlement, ...(attempts.length > 0 && { attempts }) }, provider }
}

function judged(
  work: DeliverWork,
  { result, endedAt: now }: ProviderCall,
  { random, onAmbiguous }: Judging,
): Attempted {
  const { delivery } = work
  if (result.ok) {
    const sent = { ...end('sent', null), providerId: result.providerId ?? null, sentAt: now }
    return { settlement: ended(work, sent, now), provider: { sign: 'well' } }
  }
  const { code, reason } = result
  const later = (at: number, untried = false): Settlement => ({
    ...ended(work, end('pending', null, `${code}: ${reason}`), now),
    // Its end is noticed when it comes.
    nextDueAt: Math.max(now, Math.min(at, expiresAt(work))),
    untried,
  })
  const dead = (why: string) => ended(work, end('dead', why, `${code}: ${reason}`), now)
  if (code === PROVIDER_DOWN) {
    // Neither budget nor count: it is not the message's fault, and somebody is told to mend it (promise P7).
    const at = now + Math.ceil(REFUSED_RETRY_MS * (1 + random() / 2))
    return { settlement: later(at, true), provider: { sign: 'refused' } }
  }
  const retryAfterMs = Math.min(result.retryAfterMs ?? 0, LONGEST_RETRY_AFTER_MS)
  if (result.untried) {
    const at = now + retryAfterMs + Math.ceil(SPREAD_MS * random())
    const over = isOverBudget(budgetOf(delivery), at)
    return {
      settlement: over ? dead('budget_exhausted') : later(at, true),
      provider: { sign: 'transient', retryAfterMs },
    }
  }
  if (!result.retry) {
    const sign = code === 'not_configured' || result.blameless ? 'unknown' : 'well'
    const state = result.suppressed ? 'suppressed' : 'dead'
    return {
      settlement: ended(work, end(state, code, reason), now),
      provider: { sign },
    }
  }
  const provider: ProviderSign =
    code === DEFERRED || result.blameless ? UNKNOWN : { sign: 'transient', retryAfterMs }
  if (result.ambiguous && onAmbiguous === 'give_up') return { settlement: dead('ambiguous'), provider }
  // Asking what became of it is no attempt.
  const asks = result.ambiguous === true && onAmbiguous === 'reconcile'
  const next = nextAttempt({
    attempt: delivery.attempts,
    ...budgetOf(delivery),
    maxAttempts: asks ? 0 : delivery.maxAttempts,
    now,
    retryAfterMs,
    random,
  })
  return { settlement: 'at' in next ? later(next.at) : dead(next.dead), provider }
}
