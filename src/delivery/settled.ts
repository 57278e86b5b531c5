import type { Core } from '../core.ts'
import type { Settlement } from '../store/store.ts'
import type { DeliverWork } from './deliver.ts'

/** States that end a delivery, as a publisher's receipt names them (contract section 4). */
const TOLD: ReadonlySet<string> = new Set(['sent', 'delivered', 'dead'])

/** Follows a written attempt: the publisher's receipt, and an alert whose page died goes on earlier (promise P7). */
export function afterSettled(core: Core, work: DeliverWork, settlement: Settlement): void {
  const { delivery } = work
  const outcome = settlement.delivery
  if (outcome === null || !TOLD.has(outcome.state)) return
  core.receipts.moved(delivery.origin, {
    status: outcome.state as 'sent' | 'delivered' | 'dead',
    at: settlement.at,
    channel: delivery.channel,
    deliveryId: delivery.id,
    ...(delivery.userId !== null && { user: delivery.userId }),
    ...(outcome.state === 'dead' && outcome.reason !== null && { code: outcome.reason }),
  })
  if (outcome.state === 'dead' && delivery.purpose === 'page' && delivery.critical) {
    core.bringForward(delivery.tenant, delivery.subjectId).catch((error: unknown) => {
      core.log.error({ err: error, alert: delivery.subjectId }, 'the next step could not be brought forward')
    })
  }
}
