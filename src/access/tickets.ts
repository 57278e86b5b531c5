import { randomBytes } from 'node:crypto'
import type { Others } from '../nodes/bus.ts'
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
  /**
   * Other nodes take them as well, and hear of them by their digests; `name` tells one kind from another. A ticket that
   * is used on two nodes at the same moment is taken twice.
   */
  readonly shared?: { readonly others: Others; readonly name: string } | undefined
}): Tickets<T> {
  // In order of issue, therefore of expiry too.
  const out = new Map<string, { readonly value: T; readonly expiresAt: number }>()
  const keyOf = (ticket: string) => Buffer.from(tokenDigest(ticket)).toString('base64')
  const keep = (key: string, held: { readonly value: T; readonly expiresAt: number }, now: number) => {
    for (const [other, { expiresAt }] of out) {
      if (expiresAt > now && out.size < options.capacity) break
      out.delete(other)
    }
    out.set(key, held)
  }
  const { others, name } = options.shared ?? {}
  others?.hear(`${name}.issued`, (body) => {
    const { key, value, expiresAt } = body as unknown as { key: string; value: T; expiresAt: number }
    keep(key, { value, expiresAt }, 0)
  })
  others?.hear(`${name}.redeemed`, ({ key }) => void out.delete(String(key)))
  return {
    issue(value, now) {
      const ticket = randomBytes(32).toString('base64url')
      const expiresAt = now + options.lifetimeMs
      keep(keyOf(ticket), { value, expiresAt }, now)
      others?.tell(`${name}.issued`, { key: keyOf(ticket), value, expiresAt })
      return { ticket, expiresAt }
    },
    redeem(ticket, now) {
      const key = keyOf(ticket)
      const held = out.get(key)
      out.delete(key)
      if (held !== undefined) others?.tell(`${name}.redeemed`, { key })
      return held !== undefined && held.expiresAt > now ? held.value : null
    },
  }
}
