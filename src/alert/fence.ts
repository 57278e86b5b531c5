/**
 * Alerts that must not be paged any more, known the instant their acknowledgement is on disk (promise P15).
 *
 * The store cancels what is pending in the same commit; the fence stops what was already claimed. After a crash it
 * is empty and need not be more: a claim made later reads the alert's own status.
 */
export interface Fence {
  /** No page of the alert starts any more. */
  raise(alertId: string, at: number): void
  /**
   * The alert pages again: re-opened, escalated by hand, returned from a snooze. Pages whose ordinal is lower than
   * `pagesFrom` belong to the round before and stay stopped.
   */
  lower(alertId: string, pagesFrom: number, at: number): void
  /** Whether a page with this ordinal is stopped; without one, whether every page is. */
  stands(alertId: string, ordinal?: number): boolean
  /** Forgets what was raised before the instant: no claim from before then is still alive. */
  forget(before: number): void
}

export function createFence(): Fence {
  const stopped = new Map<string, { readonly below: number; readonly at: number }>()
  return {
    raise: (alertId, at) => void stopped.set(alertId, { below: Infinity, at }),
    lower(alertId, pagesFrom, at) {
      if (pagesFrom > 0) stopped.set(alertId, { below: pagesFrom, at })
      else stopped.delete(alertId)
    },
    stands: (alertId, ordinal = Number.MAX_SAFE_INTEGER) => ordinal < (stopped.get(alertId)?.below ?? 0),
    forget(before) {
      for (const [alertId, { at }] of stopped) if (at < before) stopped.delete(alertId)
    },
  }
}
