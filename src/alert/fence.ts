/**
 * Alerts that must not be paged any more, known the instant their acknowledgement is on disk (promise P15).
 *
 * The store cancels what is pending in the same commit; the fence stops what was already claimed. After a crash it
 * is empty and need not be more: a claim made later reads the alert's own status.
 */
export interface Fence {
  raise(alertId: string, at: number): void
  /** The alert pages again: re-opened, escalated by hand, returned from a snooze. */
  lower(alertId: string): void
  /** Whether it stands for everybody, or for pages of this person that were planned until the instant. */
  stands(alertId: string, page?: { readonly userId: string | null; readonly createdAt: number }): boolean
  /** One of several people has acknowledged (behaviour E17): their own pages that were planned until now are fenced. */
  raiseFor(alertId: string, userId: string, at: number): void
  /** Forgets what was raised before the instant: no claim from before then is still alive. */
  forget(before: number): void
}

export function createFence(): Fence {
  const raised = new Map<string, number>()
  /** By person, because an alert knows many. */
  const own = new Map<string, number>()
  const nameOf = (alertId: string, userId: string) => `${alertId} ${userId}`
  return {
    raise: (alertId, at) => void raised.set(alertId, at),
    lower: (alertId) => void raised.delete(alertId),
    raiseFor: (alertId, userId, at) => void own.set(nameOf(alertId, userId), at),
    stands: (alertId, page) =>
      raised.has(alertId) ||
      (page?.userId != null && page.createdAt <= (own.get(nameOf(alertId, page.userId)) ?? -Infinity)),
    forget(before) {
      for (const fences of [raised, own]) for (const [key, at] of fences) if (at < before) fences.delete(key)
    },
  }
}
