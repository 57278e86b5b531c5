import type { ChannelName } from '../delivery.ts'

export const ON_AMBIGUOUS = ['retry', 'give_up', 'reconcile'] as const
/**
 * What becomes of a delivery of which nobody knows whether its provider took it: a time-out after the request had left,
 * or a crash between sending and settling (promise P9). `reconcile` asks the provider, and sends again only what it does
 * not have.
 */
export type OnAmbiguous = (typeof ON_AMBIGUOUS)[number]

/** Where the provider can be asked what it took. */
export const RECONCILABLE: ReadonlySet<ChannelName> = new Set(['sms', 'voice'])

/**
 * The policy for one delivery: as configured, else sending twice is better than not at all, except for the channel
 * whose every message costs money when nobody's sleep depends on it (promise P9).
 */
export function onAmbiguous(
  channel: ChannelName,
  critical: boolean,
  configured: OnAmbiguous | undefined,
): OnAmbiguous {
  return configured ?? (channel === 'sms' && !critical ? 'give_up' : 'retry')
}
