import type { Core } from '../core.ts'
import type { Settlement } from '../store/store.ts'
import type { DeliverWork } from './deliver.ts'
import type { Delivery } from './delivery.ts'

/** States that end a delivery, as a publisher's receipt names them (contract section 4). */
const TOLD: ReadonlySet<string> = new Set(['sent', 'delivered', 'dead'])

/** Why a page did not go to where it was planned for: its person will not see it either. */
const WITHHELD: ReadonlySet<string> = new Set(['opted_out', 'contact_removed'])

/** Follows a written attempt: the publisher's receipt, and an alert whose page died goes on earlier (promise P7). */
export function afterSettled(core: Core, work: DeliverWork, settlement: Settlement): void {
  const { delivery } = work
  const outcome = settlement.delivery
  if (outcome === null) return
  const { state, reason } = outcome
  if (TOLD.has(state))
    afterMove(core, delivery, { state: state as 'sent' | 'delivered' | 'dead', reason }, settlement.at)
  else if (reason !== null && WITHHELD.has(reason)) goOn(core, delivery)
}

/** The same for a delivery whose provider reported later what became of it. */
export function afterMove(
  core: Core,
  delivery: Delivery,
  { state, reason }: { readonly state: 'sent' | 'delivered' | 'dead'; readonly reason: string | null },
  at: number,
): void {
  core.receipts.moved(delivery.origin, {
    status: state,
    at,
    channel: delivery.channel,
    deliveryId: delivery.id,
    ...(delivery.userId !== null && { user: delivery.userId }),
    ...(state === 'dead' && reason !== null && { code: reason }),
  })
  if (state === 'dead') goOn(core, delivery)
}

function goOn(core: Core, { tenant, subjectId, purpose, critical }: Delivery): void {
  if (purpose !== 'page' || !critical) return
  core.bringForward(tenant, subjectId).catch((error: unknown) => {
    core.log.error({ err: error, alert: subjectId }, 'the next step could not be brought forward')
  })
}
