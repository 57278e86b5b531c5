import { canaryMoved } from '../../canary/canary-watch.ts'
import type { Core } from '../../core.ts'
import type { Settlement } from '../../store/store.ts'
import type { DeliverWork } from './deliver.ts'
import type { Delivery } from '../delivery.ts'
import { SAME_TIME } from './overlap.ts'
import { batchMayBeDone } from '../direct/batch-done.ts'

/** States that end a delivery, as a publisher's receipt names them (contract section 4). */
const TOLD: ReadonlySet<string> = new Set(['sent', 'delivered', 'dead'])

/**
 * Follows a written attempt: the publisher's receipt, that of the whole batch after its last one (R36), and an alert
 * whose page reached nobody goes on earlier (promise P7).
 */
export function afterSettled(core: Core, work: DeliverWork, settlement: Settlement): void {
  const { delivery } = work
  if (settlement.hold) core.worker.wake('digest', settlement.hold.open.dueAt)
  const outcome = settlement.delivery
  if (outcome === null) return
  const { state, reason } = outcome
  // What a summary or another page of the same moment stands for reaches its person.
  const spoken = settlement.hold !== undefined || reason === SAME_TIME
  const unreached = state === 'suppressed' ? !spoken : reason === 'contact_removed'
  if (unreached) hasten(core, delivery)
  if (TOLD.has(state))
    afterMove(core, delivery, { state: state as 'sent' | 'delivered' | 'dead', reason }, settlement.at)
  if (delivery.subjectKind === 'batch' && settlement.nextDueAt === null) {
    const { tenant, subjectId, origin } = delivery
    batchMayBeDone(core, { tenant, id: subjectId, origin })
  }
}

/** The same for a delivery whose provider reported later what became of it. */
export function afterMove(
  core: Core,
  delivery: Delivery,
  { state, reason }: { readonly state: 'sent' | 'delivered' | 'dead'; readonly reason: string | null },
  at: number,
): void {
  if (delivery.purpose === 'canary') {
    if (state !== 'dead') canaryMoved(core, delivery, state, at)
    return
  }
  // Its publisher hears of the outcome itself.
  if (delivery.purpose !== 'outcome') {
    core.receipts.moved(delivery.origin, {
      status: state,
      at,
      channel: delivery.channel,
      deliveryId: delivery.id,
      ...(delivery.userId !== null && { user: delivery.userId }),
      ...(state === 'dead' && reason !== null && { code: reason }),
    })
  }
  if (state === 'dead') hasten(core, delivery)
}

/** The next step of an alert need not wait for a page that nobody gets, nor for the summary that stood for it. */
function hasten(core: Core, { purpose, critical, tenant, subjectId, fixed }: Delivery): void {
  if (!critical) return
  const alertIds = purpose === 'page' ? [subjectId] : (fixed?.summary?.alertIds ?? [])
  for (const alertId of alertIds)
    core.bringForward(tenant, alertId).catch((error: unknown) => {
      core.log.error({ err: error, alert: alertId }, 'the next step could not be brought forward')
    })
}
