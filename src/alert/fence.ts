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
  stands(alertId: string): boolean
  /** Forgets what was raised before the instant: no claim from before then is still alive. */
  forget(before: number): void
}

export function createFence(): Fence {
  const raised = new Map<string, number>()
  return {
    raise: (alertId, at) => void raised.set(alertId, at),
    lower: (alertId) => void raised.delete(alertId),
    stands: (alertId) => raised.has(alertId),
    forget(before) {
      for (const [alertId, at] of raised) if (at < before) raised.delete(alertId)
    },
  }
}
