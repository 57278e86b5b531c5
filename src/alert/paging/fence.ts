/** What the fence looks at of a page: its place in the alert, and whose it is since when. */
export interface FencedPage {
  readonly ordinal: number
  readonly userId: string | null
  readonly createdAt: number
}

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
  /** Whether this page is stopped; without one, whether every page is. */
  stands(alertId: string, page?: FencedPage): boolean
  /** One of several people has acknowledged (behaviour E17): their own pages that were planned until now are fenced. */
  raiseFor(alertId: string, userId: string, at: number): void
  /** Forgets what was raised before the instant: no claim from before then is still alive. */
  forget(before: number): void
}

export function createFence(): Fence {
  const stopped = new Map<string, { readonly below: number; readonly at: number }>()
  /** By person, because an alert knows many. */
  const own = new Map<string, number>()
  const nameOf = (alertId: string, userId: string) => `${alertId} ${userId}`
  return {
    raise: (alertId, at) => void stopped.set(alertId, { below: Infinity, at }),
    lower(alertId, pagesFrom, at) {
      if (pagesFrom > 0) stopped.set(alertId, { below: pagesFrom, at })
      else stopped.delete(alertId)
    },
    raiseFor: (alertId, userId, at) => void own.set(nameOf(alertId, userId), at),
    stands: (alertId, page) =>
      (page?.ordinal ?? Number.MAX_SAFE_INTEGER) < (stopped.get(alertId)?.below ?? 0) ||
      (page?.userId != null && page.createdAt <= (own.get(nameOf(alertId, page.userId)) ?? -Infinity)),
    forget(before) {
      for (const [alertId, { at }] of stopped) if (at < before) stopped.delete(alertId)
      for (const [name, at] of own) if (at < before) own.delete(name)
    },
  }
}
