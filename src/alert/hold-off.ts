import type { Alert, TimelineEntry } from './alert.ts'

/**
 * How long a step's wait really lasts for whom it concerns: it is decided before the commit, and people are told after
 * it. The timer is held off by what lies between, so that nobody sees the next step early (promise P12). In memory: after
 * a restart more time has passed than it could hold back.
 */
export interface HoldOff {
  /** The alert was told of at `toldAt`; answers when its timer may fire at the earliest, or null without a timer. */
  told(alert: Alert, timeline: readonly TimelineEntry[], toldAt: number): number | null
  /** When the timer of the alert may fire at the earliest; null when nothing holds it off. */
  until(alertId: string): number | null
}

export function createHoldOff(): HoldOff {
  const earliest = new Map<string, number>()
  return {
    told(alert, timeline, toldAt) {
      const decidedAt = timeline.at(-1)?.at
      earliest.delete(alert.id)
      if (alert.nextStepAt === null) return null
      // A step that is brought forward is wanted now.
      if (decidedAt === undefined || alert.nextStepAt <= decidedAt) return alert.nextStepAt
      const at = alert.nextStepAt + Math.max(toldAt - decidedAt, 0)
      earliest.set(alert.id, at)
      return at
    },
    until: (alertId) => earliest.get(alertId) ?? null,
  }
}
