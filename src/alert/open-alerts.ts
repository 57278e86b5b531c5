import type { Alert } from './alert.ts'

/** The open alerts of this installation in memory: what a person who connects is told at once. Rebuilt at the start. */
export interface OpenAlerts {
  changed(alert: Alert): void
  /** False for one that was acknowledged, snoozed or resolved, and for one that is unknown. */
  fires(alertId: string): boolean
  /** Those that fire and page this person on `realtime`, oldest first. */
  pagesFor(userId: string): readonly Alert[]
  /** Undefined for what is resolved or unknown. */
  get(id: string): Alert | undefined
  /** Calls after every change with the alert as it is then; must not throw. */
  watch(changed: (alert: Alert) => void): void
  all(): Iterable<Alert>
}

export function createOpenAlerts(): OpenAlerts {
  const open = new Map<string, Alert>()
  const watchers: ((alert: Alert) => void)[] = []
  return {
    all: () => open.values(),
    changed(alert) {
      // A slower commit's echo must not bring an older state back.
      if (alert.status !== 'resolved' && (open.get(alert.id)?.version ?? 0) > alert.version) return
      if (alert.status === 'resolved') open.delete(alert.id)
      else open.set(alert.id, alert)
      for (const watcher of watchers) watcher(alert)
    },
    get: (id) => open.get(id),
    watch: (changed) => void watchers.push(changed),
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
