import type { Clock } from '../../clock.ts'
import type { ProviderCall } from '../attempt/attempt.ts'
import { allowance, isOut, type ProviderSign } from '../worker/breaker.ts'
import type { OutgoingMessage, SendResult } from '../channel.ts'
import { DEFERRED, LONGEST_RETRY_AFTER_MS, PROVIDER_DOWN, PROVIDERS_PAUSED } from '../attempt/retry.ts'
import type { TargetHealth } from '../worker/target-health.ts'
import { unasked, type Failed } from './http-call.ts'

export interface Provider {
  readonly name: string
  /** Beginnings of the numbers it serves, such as `+49`; empty for all. */
  readonly countries: readonly string[]
  send(message: OutgoingMessage, signal: AbortSignal): Promise<SendResult>
}

export interface FailOver {
  readonly providers: readonly Provider[]
  /** Beginnings of the numbers that may be sent to at all; empty for all. */
  readonly allowed: readonly string[]
  /** A breaker for one of several providers, which opens at its first failure: another one takes over. */
  readonly healthOf: (provider: string) => TargetHealth
  readonly clock: Pick<Clock, 'now'>
}

interface Kept extends Provider {
  readonly health: TargetHealth
  underWay: number
}

/** What no other provider would see differently. */
const FINAL: ReadonlySet<string> = new Set(['invalid_number', 'unsubscribed'])

/** When to ask again while somebody else's message is the probe. */
const PROBING_MS = 5000

type Send = (message: OutgoingMessage, signal: AbortSignal) => Promise<SendResult>

/**
 * One attempt over several providers in their order: one that is down, busy or does not serve the number is passed
 * over for the next. A doubtful one is not, because the person may have the message already (promise P9). Each has a
 * breaker of its own (promise P24): one that failed is passed over while it is paused, and then gets one message as a
 * probe. When all are paused, a critical message still tries those that merely fail. A lone provider has the breaker of
 * its lane. Operators hear of one that others stand in for; where nobody does, the lane tells of all of them at once.
 */
export function failOver({ providers, allowed, healthOf, clock }: FailOver): Send {
  const [only, ...others] = providers
  const kept: readonly Kept[] =
    others.length === 0 ? [] : providers.map((one) => ({ ...one, health: healthOf(one.name), underWay: 0 }))
  return async (message, signal) => {
    const serving = <P extends Provider>(list: readonly P[]) =>
      serves(allowed, message.address)
        ? list.filter(({ countries }) => serves(countries, message.address))
        : []
    if (serving(providers).length === 0)
      return unasked('country_not_allowed', 'Messages to this country are not allowed')
    if (kept.length === 0 && only) return only.send(message, signal)
    const calls: ProviderCall[] = []
    const able = serving(kept)
    const failures: Failed[] = []
    const told = (result: SendResult) => {
      tellOf(able, calls)
      return { ...result, calls }
    }
    const urgent = message.critical && !able.some((provider) => mayAsk(provider, false, clock.now()))
    for (const provider of able) {
      if (!mayAsk(provider, urgent, clock.now())) continue
      const result = await timed(calls, provider.name, clock, () => asked(provider, message, signal))
      if (result.ok || result.ambiguous === true || FINAL.has(result.code)) return told(result)
      failures.push(result)
      if (signal.aborted) break
    }
    const failure = milder(failures)
    // Who was passed over because it is paused has refused nothing.
    const moreToAsk = failure?.code === PROVIDER_DOWN && !able.every(({ health }) => refuses(health))
    return told(failure && !moreToAsk ? failure : paused(able, clock.now()))
  }
}

/** Of whom was asked, while somebody stands in: only after the last of them is known whether anybody does. */
function tellOf(able: readonly Kept[], calls: readonly ProviderCall[]): void {
  if (able.every(({ health }) => isOut(health.breaker))) return
  for (const { name, health } of able) if (calls.some(({ provider }) => provider === name)) health.tell(true)
}

async function timed(
  calls: ProviderCall[],
  provider: string,
  clock: Pick<Clock, 'now'>,
  ask: () => Promise<SendResult>,
): Promise<SendResult> {
  const startedAt = clock.now()
  const result = await ask()
  calls.push({ provider, startedAt, endedAt: clock.now(), result })
  return result
}

export function serves(countries: readonly string[], address: string): boolean {
  return countries.length === 0 || countries.some((prefix) => address.startsWith(prefix))
}

/** Whether its breaker lets one more message through; an urgent one also while the provider is merely failing. */
function mayAsk({ health, underWay }: Kept, critical: boolean, now: number): boolean {
  return allowance(health.breaker, { now, room: 1, inFlight: underWay, critical }) > 0
}

async function asked(provider: Kept, message: OutgoingMessage, signal: AbortSignal): Promise<SendResult> {
  provider.underWay++
  try {
    const result = await provider.send(message, signal)
    provider.health.heed(signOf(result))
    return result
  } finally {
    provider.underWay--
  }
}

function signOf(result: SendResult): ProviderSign {
  if (result.ok || !result.retry) return { sign: 'well' }
  if (result.code === PROVIDER_DOWN) return { sign: 'refused' }
  if (result.code === DEFERRED) return { sign: 'unknown' }
  return { sign: 'transient', retryAfterMs: Math.min(result.retryAfterMs ?? 0, LONGEST_RETRY_AFTER_MS) }
}

/** While one provider may still take it, it is tried again. The wish of one of them is kept by its breaker. */
function milder(failures: readonly Failed[]): Failed | undefined {
  const chosen =
    failures.find(({ retry, code }) => retry && code !== PROVIDER_DOWN) ??
    failures.find(({ retry }) => retry) ??
    failures[0]
  if (chosen === undefined) return undefined
  const { retryAfterMs: _kept, ...rest } = chosen
  return rest
}

function refuses({ breaker }: TargetHealth): boolean {
  return breaker.cause === 'refused'
}

/** Nobody could be asked: until when. What every provider refuses waits for whoever mends it. */
function paused(able: readonly Kept[], now: number): Failed {
  const refused = able.every(({ health }) => refuses(health))
  const waits = able.map(({ health: { breaker }, underWay }) =>
    Math.max(breaker.pausedUntil - now, underWay > 0 ? PROBING_MS : 0),
  )
  return {
    ok: false,
    retry: true,
    code: refused ? PROVIDER_DOWN : PROVIDERS_PAUSED,
    reason: refused ? 'Every provider refuses the credentials' : 'Every provider is paused',
    retryAfterMs: Math.min(...waits),
    untried: true,
  }
}
