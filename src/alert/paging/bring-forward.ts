import type { TenantId } from '../../access/principal.ts'
import type { Core } from '../../core.ts'
import { SAME_TIME } from '../../delivery/attempt/overlap.ts'
import type { Delivery } from '../../delivery/delivery.ts'
import { deliveriesOf } from '../../store/deliveries-of.ts'
import { afterAlertCommit } from '../change/after-commit.ts'
import type { Alert } from '../alert.ts'
import { CARILLON } from '../escalation/start.ts'
import { changeOf } from '../raising.ts'
import { hasten } from '../timer.ts'

/** How often the change is decided anew because the alert changed under it. */
const TRIES = 5

/**
 * A page of this alert ended `dead`. When no other page of its step can still reach anybody, the next step is due now
 * instead of after its wait (promises P7, P20). A crash before the commit costs the shortcut, never the step.
 */
export async function bringForward(core: Core, tenant: TenantId, alertId: string): Promise<void> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const alert = await core.store.alert(tenant, alertId)
    if (alert === null) return
    const now = core.clock.now()
    const change = hasten(alert, now)
    if (change.kind !== 'changed' || (await reachesSomebody(core, alert))) return
    const paging = { alert: change.alert, deliveries: [], notifications: [] }
    const text = 'No page of this step arrived: the next step comes now'
    const timeline = [...change.timeline, { at: now, kind: 'note', by: CARILLON, text } as const]
    const moved = changeOf(alert, paging, { timeline, cancelPages: null }, now)
    if ((await core.store.changeAlert(moved)) !== 'done') continue
    afterAlertCommit(core, paging, timeline, [])
    return
  }
}

async function reachesSomebody(core: Core, alert: Alert): Promise<boolean> {
  return stillReaches(alert, await deliveriesOf(core.store, alert.tenant, alert.id))
}

/** Whether a page of the alert's present step has arrived, or still may. */
export function stillReaches(alert: Pick<Alert, 'step'>, items: readonly Delivery[]): boolean {
  const pages = items.filter(({ purpose, step }) => purpose === 'page' && step === alert.step)
  // The policy may have come by this step before; what arrived in an earlier run helps nobody now.
  const firedAt = Math.max(...pages.map(({ createdAt }) => createdAt))
  return pages.some((delivery) => {
    if (delivery.createdAt !== firedAt) return false
    if (delivery.channel === 'realtime') return delivery.state === 'delivered'
    // Another page to the same contact has just said it.
    if (delivery.reason === SAME_TIME) return true
    return ['pending', 'sending', 'sent', 'delivered'].includes(delivery.state)
  })
}
