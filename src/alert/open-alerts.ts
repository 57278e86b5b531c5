import type { Alert } from './alert.ts'

/** The open alerts of this installation in memory: what a person who connects is told at once. Rebuilt at the start. */
export interface OpenAlerts {
  changed(alert: Alert): void
  /** False for one that was acknowledged, snoozed or resolved, and for one that is unknown. */
  fires(alertId: string): boolean
  /** Those that fire and page this person on `realtime`, oldest first. */
  pagesFor(userId: string): readonly Alert[]
  all(): Iterable<Alert>
}

export function createOpenAlerts(): OpenAlerts {
  const open = new Map<string, Alert>()
  return {
    all: () => open.values(),
    changed(alert) {
      if (alert.status === 'resolved') open.delete(alert.id)
      // A slower commit's echo must not bring an older state back.
      else if ((open.get(alert.id)?.version ?? 0) <= alert.version) open.set(alert.id, alert)
    },
    fires: (alertId) => open.get(alertId)?.status === 'firing',
    pagesFor: (userId) =>
      [...open.values()].filter(
        (alert) =>
          alert.status === 'firing' &&
          alert.severity !== 'info' &&
          Object.hasOwn(alert.told, userId) &&
          alert.told[userId]?.includes('realtime'),
      ),
  }
}
