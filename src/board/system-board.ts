import type { TenantId } from '../access/principal.ts'
import type { Log } from '../log.ts'
import type { BoardPublish } from './board-publish.ts'

const PREFIX = 'state/system/'
/** Components of one tenant; a publisher must not fill the memory with names. */
const COMPONENTS = 1000
/** When something was said does not change what was said. */
const TIMES = ['timestamp', 'updated_at']

export interface SystemBoard {
  /** Publishes the state of a component when it differs from the last one (R34); says whether it did. */
  status(tenant: TenantId, component: string, state: Readonly<Record<string, unknown>>): boolean
  tenantOf(topic: string): TenantId | undefined
}

/** The last state of every component as retained messages. A component belongs to the tenant that named it first. */
export function createSystemBoard(publish: BoardPublish, log: Log): SystemBoard {
  const shown = new Map<string, { readonly tenant: TenantId; readonly state: string }>()
  const components = new Map<TenantId, number>()

  const refusal = (tenant: TenantId, component: string): string | null => {
    const known = shown.get(PREFIX + component)
    // Topics carry no tenant, so one retained message cannot be two tenants' component of the same name.
    if (known) return known.tenant === tenant ? null : 'the component belongs to another tenant'
    if (!isTopicLevel(component)) return 'the name cannot be a topic level'
    return (components.get(tenant) ?? 0) < COMPONENTS ? null : 'the tenant has too many components'
  }

  return {
    status(tenant, component, state) {
      const refused = refusal(tenant, component)
      if (refused !== null) {
        log.warn(
          { tenant, component: component.slice(0, 128), reason: refused },
          'a status is not on the board',
        )
        return false
      }
      const topic = PREFIX + component
      const known = shown.get(topic)
      const now = comparable(state)
      if (known?.state === now) return false
      if (!known) components.set(tenant, (components.get(tenant) ?? 0) + 1)
      shown.set(topic, { tenant, state: now })
      publish(topic, JSON.stringify(state), { retain: true })
      return true
    },
    tenantOf: (topic) => shown.get(topic)?.tenant,
  }
}

function isTopicLevel(name: string): boolean {
  return name.length > 0 && name.length <= 128 && !/[+#/\p{Cc}]/u.test(name)
}

/** The same text for equal states, in whatever order their fields came. */
function comparable(state: Readonly<Record<string, unknown>>): string {
  const said = Object.fromEntries(Object.entries(state).filter(([field]) => !TIMES.includes(field)))
  return JSON.stringify(said, (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  )
}
