import type { TenantId } from '../access/principal.ts'
import type { Delivery } from '../delivery/delivery.ts'
import type { Store } from './store.ts'

const ROWS_AT_ONCE = 1000

/** Every delivery of one subject in the order of the ordinals, however many there are. */
export async function deliveriesOf(
  store: Pick<Store, 'deliveries'>,
  tenant: TenantId,
  subjectId: string,
): Promise<readonly Delivery[]> {
  const rows: Delivery[] = []
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page = await store.deliveries({
      tenant,
      subjectId,
      limit: ROWS_AT_ONCE,
      ...(cursor !== undefined && { cursor }),
    })
    rows.push(...page.items)
    cursor = page.nextCursor
  }
  return rows
}
