import type { OutgoingMessage, SendResult } from '../channel.ts'
import { PROVIDER_DOWN } from '../retry.ts'
import { permanent, type Failed } from './http-call.ts'

export interface Provider {
  readonly name: string
  /** Beginnings of the numbers it serves, such as `+49`; empty for all. */
  readonly countries: readonly string[]
  send(message: OutgoingMessage, signal: AbortSignal): Promise<SendResult>
}

/** What no other provider would see differently. */
const FINAL: ReadonlySet<string> = new Set(['invalid_number', 'unsubscribed'])

/** How often the configured order is tried although its first provider failed last time. */
const PROBE_EVERY = 10

/**
 * One attempt over several providers in their order: one that is down, busy or does not serve the number is passed
 * over for the next. A doubtful one is not, because the person may have the message already (promise P9). A provider
 * that failed comes last until it succeeds, so that one that hangs does not use up every attempt.
 */
export function failOver(
  providers: readonly Provider[],
  allowed: readonly string[],
): (message: OutgoingMessage, signal: AbortSignal) => Promise<SendResult> {
  const failing = new Set<Provider>()
  let sends = 0
  return async (message, signal) => {
    const able = serves(allowed, message.address)
      ? providers.filter(({ countries }) => serves(countries, message.address))
      : []
    if (able.length === 0) return permanent('country_not_allowed', 'Messages to this country are not allowed')
    const probe = ++sends % PROBE_EVERY === 0
    const order = probe ? able : able.toSorted((a, b) => Number(failing.has(a)) - Number(failing.has(b)))
    const failures: Failed[] = []
    for (const provider of order) {
      const result = await provider.send(message, signal)
      if (result.ok || !result.retry) failing.delete(provider)
      else failing.add(provider)
      if (result.ok || result.ambiguous === true || FINAL.has(result.code)) return result
      failures.push(result)
      if (signal.aborted) break
    }
    return milder(failures)
  }
}

export function serves(countries: readonly string[], address: string): boolean {
  return countries.length === 0 || countries.some((prefix) => address.startsWith(prefix))
}

/** While one provider may still take it, it is tried again. */
function milder(failures: readonly Failed[]): Failed {
  const chosen =
    failures.find(({ retry, code }) => retry && code !== PROVIDER_DOWN) ??
    failures.find(({ retry }) => retry) ??
    failures[0]
  if (!chosen) throw new Error('unreachable: there is at least one provider')
  return chosen
}
