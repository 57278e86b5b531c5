import type { TenantId } from '../../access/principal.ts'
import type { Log } from '../../log.ts'
import { recordKind, type Registry } from '../../registry/registry.ts'
import type { Alert } from '../alert.ts'

/** Under the team and the target: who was last. */
const ROUND = recordKind<{ readonly last: string }>('round_robin')

/** Whose turn it is at round-robin targets (behaviour O3), over restarts. */
export interface Rounds {
  /** Who was last at a target of this team; undefined when nobody ever was. */
  last(tenant: TenantId, team: string | null, target: string): string | undefined
  /**
   * The people of these targets are taken: at once for the next look, and on disk with or before whatever is stored
   * after this call. A turn that was taken for a change which came too late is passed over, never given twice.
   */
  took(alert: Pick<Alert, 'tenant' | 'team'>, turns: Readonly<Record<string, string>>): void
}

/** Pointers are records; what is still on its way there is kept in memory. */
export function createRounds(registry: Pick<Registry, 'get' | 'put'>, log: Log): Rounds {
  const taken = new Map<string, string>()
  return {
    last(tenant, team, target) {
      const place = { tenant, owner: team ?? '', key: target }
      return taken.get(nameOf(place)) ?? registry.get(ROUND, place)?.doc.last
    },
    took({ tenant, team }, turns) {
      for (const [target, last] of Object.entries(turns)) {
        const place = { tenant, owner: team ?? '', key: target }
        const name = nameOf(place)
        taken.set(name, last)
        registry.put(ROUND, place, { last }).then(
          () => taken.get(name) === last && taken.delete(name),
          (error: unknown) =>
            log.error({ err: error, team, target }, 'whose turn is next could not be stored'),
        )
      }
    },
  }
}

/** The length keeps apart what would read the same. */
function nameOf({ tenant, owner, key }: { tenant: string; owner: string; key: string }): string {
  return `${tenant.length} ${owner.length} ${tenant}${owner}${key}`
}
