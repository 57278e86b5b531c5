/**
 * Numbers whose owners answered STOP (behaviour E19). Kept in memory: after a restart the provider's own list, which
 * answers `unsubscribed`, is what holds.
 */
export interface OptOuts {
  has(phone: string): boolean
  stop(phone: string): void
  start(phone: string): void
}

export function createOptOuts(): OptOuts {
  const stopped = new Set<string>()
  return {
    has: (phone) => stopped.has(phone),
    stop: (phone) => void stopped.add(phone),
    start: (phone) => void stopped.delete(phone),
  }
}
