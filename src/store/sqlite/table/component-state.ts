import type { TenantId } from '../../../access/principal.ts'
import type { ComponentState } from '../../store.ts'
import type { Database, Row } from '../file/database.ts'

/** Undoes what `put` stored. */
export function readComponentState(row: Row): ComponentState & { readonly tenant: TenantId } {
  const [tenant, name, state] = row as unknown as readonly [TenantId, string, string]
  return { tenant, name, state: JSON.parse(state) as ComponentState['state'] }
}

/** The reader's statement on component states. */
export function componentStateReads(db: Database) {
  const all = db.prepare('SELECT tenant, name, state FROM component_state ORDER BY tenant, name')
  return { states: (): Row[] => all.all() }
}

/** The writer's statement on component states. */
export function componentStateWrites(db: Database) {
  const put = db.prepare(`
    INSERT INTO component_state (tenant, name, state) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET state = excluded.state`)
  return {
    put: (tenant: string, { name, state }: ComponentStateRow) => void put.run(tenant, name, state),
  }
}

/** A state on its way to the file: as JSON. */
export interface ComponentStateRow {
  readonly name: string
  readonly state: string
}
