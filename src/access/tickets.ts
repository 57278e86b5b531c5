import { randomBytes } from 'node:crypto'
import { tokenDigest } from './tokens.ts'

/** One-use tickets for what must stand in a URL (contract section 3): WebSockets, SSE, the log-in link of the demo mode. */
export interface Tickets<T> {
  issue(value: T, now: number): { readonly ticket: string; readonly expiresAt: number }
  /** Its value, once, until it expires; null ever after and for what was never issued. */
  redeem(ticket: string, now: number): T | null
}

/**
 * Kept in memory under their digests and gone with the process. At most `capacity` are out: the oldest gives way.
 * `lifetimeMs` is how long one is good for.
 */
export function createTickets<T>(options: {
  readonly capacity: number
  readonly lifetimeMs: number
}): Tickets<T> {
  // In order of issue, therefore of expiry too.
  const out = new Map<string, { readonly value: T; readonly expiresAt: number }>()
  const keyOf = (ticket: string) => Buffer.from(tokenDigest(ticket)).toString('base64')
  return {
    issue(value, now) {
      for (const [key, { expiresAt }] of out) {
        if (expiresAt > now && out.size < options.capacity) break
        out.delete(key)
      }
      const ticket = randomBytes(32).toString('base64url')
      const expiresAt = now + options.lifetimeMs
      out.set(keyOf(ticket), { value, expiresAt })
      return { ticket, expiresAt }
    },
    redeem(ticket, now) {
      const key = keyOf(ticket)
      const held = out.get(key)
      out.delete(key)
      return held !== undefined && held.expiresAt > now ? held.value : null
    },
  }
}
