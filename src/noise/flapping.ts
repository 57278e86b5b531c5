import type { Alert } from '../alert/alert.ts'
import { changed, entryOf, type Act, type Changed } from '../alert/change/changed.ts'

/** The `suppressed_by` of an alert that began and ended too often. */
export const FLAPPING = 'flapping'

/**
 * The end of a condition that comes and goes: the alert stays open and quiet, so that the next beginning only counts. It
 * is resolved when nothing was heard of it for `quietMs`.
 */
export function calm(alert: Alert, act: Act, quietMs: number): Changed {
  const text = 'It comes and goes: kept open until it is quiet'
  const entry = { ...entryOf('suppressed', act, text), ref: FLAPPING }
  return changed(
    alert,
    {
      alert: {
        ...alert,
        status: 'suppressed',
        suppressedBy: FLAPPING,
        clearedAt: act.now,
        nextStepAt: act.now + quietMs,
      },
      timeline: alert.suppressedBy === FLAPPING ? [] : [entry],
    },
    'suppressed',
  )
}

/** The condition is there again: the alert stays quiet, and pages when it lasts for `quietMs`. */
export function stir(alert: Alert, act: Act, quietMs: number): Changed {
  return changed(alert, { alert: { ...alert, clearedAt: null, nextStepAt: act.now + quietMs } })
}
