import type { Once } from '../store/store.ts'
import type { Arrival } from './arrival.ts'

const DAY_MS = 24 * 60 * 60 * 1000
/** How long a transmission without an id is remembered for its own resend (promise P3). */
const RESEND_MS = 5 * 60 * 1000

/** What makes a resend of this publish harmless: its name for a day, else its transmission for five minutes. */
export function onceOf(arrival: Arrival): Once | null {
  const { publish, messageId, named, onceKey, now } = arrival
  if (named) return { key: onceKey ?? `id:${messageId}`, expiresAt: now + DAY_MS, check: true }
  if (publish.fingerprint === null) return null
  return { key: `dup:${publish.fingerprint}`, expiresAt: now + RESEND_MS, check: publish.dup }
}
