import type { TenantId } from '../access/principal.ts'
import type { Clock } from '../clock.ts'
import type { Channel, SendResult } from './channel.ts'
import type { ChannelName } from './delivery.ts'
import { refusal } from './providers/http-call.ts'

/** How a provider behaves that has a bad day. */
export interface Trouble {
  /** Which part of all attempts fails, 0 to 1. */
  readonly failRate: number
  /** How long it takes to answer; beyond the ten seconds of an attempt that is a time-out. */
  readonly delayMs: number
  /** The HTTP status of the failures, 400 to 599: it decides about retry and breaker as a live provider's does. */
  readonly status: number
}

export type Troubles = ReadonlyMap<ChannelName, Trouble>

/**
 * Trouble for captured channels (contract section 7), so that retries, breakers and dead letters can be watched without
 * a provider. Every tenant makes its own; the breaker is one for all, and opens only where all of them are in trouble.
 * Kept in memory only: a restart ends it.
 */
export interface Chaos {
  /** The channels that are captured, and so can be troubled. */
  readonly channels: ReadonlySet<ChannelName>
  of(tenant: TenantId, channel: ChannelName): Trouble | undefined
  /** Whether every tenant made the same trouble: only then does it say anything about what they share. */
  everywhere(channel: ChannelName): boolean
  all(tenant: TenantId): Troubles
  /** In place of everything that was set for the tenant before. */
  set(tenant: TenantId, troubles: Troubles): void
}

export function createChaos(channels: ReadonlySet<ChannelName>, tenants: () => readonly TenantId[]): Chaos {
  const set = new Map<TenantId, Troubles>()
  return {
    channels,
    of: (tenant, channel) => set.get(tenant)?.get(channel),
    everywhere: (channel) => tenants().every((tenant) => set.get(tenant)?.has(channel) === true),
    all: (tenant) => set.get(tenant) ?? new Map(),
    set: (tenant, troubles) => void set.set(tenant, troubles),
  }
}

/** What an attempt comes to; `random` is uniform in [0, 1). */
export function troubledResult({ failRate, status }: Trouble, random: number): SendResult {
  if (random >= failRate) return { ok: true, providerId: 'captured' }
  return refusal({ status, body: '' }, `Chaos answered ${status}`)
}

/** Sends nothing: answers as a provider in this trouble would, after its delay, or with a time-out when it is aborted. */
export function sendInTrouble(
  trouble: Trouble,
  { clock, random }: { readonly clock: Clock; readonly random: () => number },
): Channel['send'] {
  return (_message, signal) =>
    new Promise((resolve) => {
      if (trouble.delayMs === 0) return resolve(troubledResult(trouble, random()))
      const cancel = clock.at(clock.now() + trouble.delayMs, () => resolve(troubledResult(trouble, random())))
      signal.addEventListener('abort', () => {
        cancel()
        const reason = 'Chaos did not answer in time'
        resolve({ ok: false, retry: true, code: 'timeout', reason, ambiguous: true })
      })
    })
}
