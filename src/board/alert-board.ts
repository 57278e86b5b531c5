import type { TenantId } from '../access/principal.ts'
import type { Alert } from '../alert/alert.ts'
import type { BoardPublish } from './board-publish.ts'

const PREFIX = 'state/alerts/'
/** Alerts that were cleared last keep their tenant, because the clearing message itself is still being forwarded. */
const CLEARED = 10_000

interface Shown {
  readonly tenant: TenantId
  readonly version: number
  readonly count: number
}

export interface AlertBoard {
  changed(alert: Alert): void
  rebuild(open: Iterable<Alert> | AsyncIterable<Alert>, retained: Iterable<string>): Promise<void>
  tenantOf(topic: string): TenantId | undefined
}

/** The open alerts as retained messages: one each, cleared on resolve (contract section 5). */
export function createAlertBoard(publish: BoardPublish, wireAlert: (alert: Alert) => unknown): AlertBoard {
  const shown = new Map<string, Shown>()
  const cleared = new Map<string, Shown>()

  const show = (alert: Alert) => {
    const { id, tenant, version, count } = alert
    // Changes are told after their commits, each from its own continuation: an older one never covers a newer one.
    if (cleared.has(id)) return
    const known = shown.get(id)
    if (known && (version < known.version || (version === known.version && count < known.count))) return
    if (alert.status === 'resolved') {
      shown.delete(id)
      cleared.set(id, { tenant, version, count })
      const [oldest] = cleared.keys()
      if (cleared.size > CLEARED && oldest !== undefined) cleared.delete(oldest)
      publish(PREFIX + id, '', { retain: true })
      return
    }
    shown.set(id, { tenant, version, count })
    publish(PREFIX + id, JSON.stringify(wireAlert(alert)), { retain: true })
  }

  return {
    changed: show,
    async rebuild(open, retained) {
      for await (const alert of open) show(alert)
      for (const topic of retained)
        if (topic.startsWith(PREFIX) && !shown.has(topic.slice(PREFIX.length)))
          publish(topic, '', { retain: true })
    },
    tenantOf(topic) {
      if (!topic.startsWith(PREFIX)) return undefined
      const id = topic.slice(PREFIX.length)
      return (shown.get(id) ?? cleared.get(id))?.tenant
    },
  }
}
