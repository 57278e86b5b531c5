const WINDOW_MS = 60_000
/** How long an id is held off that was taken over too often. */
export const TAKEOVER_BAN_MS = 60_000
/** Ids that are remembered at once; the oldest are forgotten first. */
const REMEMBERED_IDS = 10_000

/**
 * Limits how often a client id may be taken over (security row 12): two devices with one id would otherwise throw each
 * other out for ever.
 */
export class Takeovers {
  private readonly limit: number
  private readonly seen = new Map<string, { at: number[]; bannedUntil: number }>()

  /** @param limit Take-overs that one id may have in a minute. */
  constructor(limit: number) {
    this.limit = limit
  }

  /** Whether the id may connect now. `takesOver` says whether a connection has it. */
  admit(id: string, takesOver: boolean, now: number): boolean {
    const entry = this.seen.get(id)
    if (entry && now < entry.bannedUntil) return false
    if (!takesOver) return true
    const at = (entry?.at ?? []).filter((instant) => now - instant < WINDOW_MS)
    at.push(now)
    const bannedUntil = at.length > this.limit ? now + TAKEOVER_BAN_MS : 0
    this.seen.delete(id)
    this.seen.set(id, { at: bannedUntil > 0 ? [] : at, bannedUntil })
    if (this.seen.size > REMEMBERED_IDS)
      for (const oldest of this.seen.keys()) {
        this.seen.delete(oldest)
        break
      }
    return bannedUntil === 0
  }
}
