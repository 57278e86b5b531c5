import type { TenantId } from '../access/principal.ts'
import type { Core } from '../core.ts'
import type { Alert } from './alert.ts'
import { afterAlertCommit } from './after-commit.ts'
import { changeOf } from './raising.ts'

/** How often the change is decided anew because the alert changed under it. */
const TRIES = 5

/**
 * A page of this alert ended `dead`. When no other page of its step can still reach anybody, the next step is due now
 * instead of after its wait (promises P7, P20). A crash before the commit costs the shortcut, never the step.
 */
export async function bringForward(core: Core, tenant: TenantId, alertId: string): Promise<void> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const alert = await core.store.alert(tenant, alertId)
    if (alert === null || alert.status !== 'firing' || alert.nextStepAt === null) return
    const now = core.clock.now()
    if (alert.nextStepAt <= now || (await reachesSomebody(core, alert))) return
    const brought: Alert = { ...alert, nextStepAt: now, version: alert.version + 1 }
    const entry = { at: now, kind: 'note', by: 'carillon', text: 'No page of this step arrived: the next step comes now' } as const
    const paging = { alert: brought, deliveries: [], notifications: [] }
    if ((await core.store.changeAlert(changeOf(alert, paging, [entry], now, null))) !== 'done') continue
    afterAlertCommit(core, paging, [entry], [])
    return
  }
}

async function reachesSomebody(core: Core, alert: Alert): Promise<boolean> {
  const { items } = await core.store.deliveries({ tenant: alert.tenant, subjectId: alert.id, limit: 1000 })
  return items.some((delivery) => {
    if (delivery.purpose !== 'page' || delivery.step !== alert.step) return false
    if (delivery.channel === 'realtime') return delivery.state === 'delivered'
    return ['pending', 'sending', 'sent', 'delivered'].includes(delivery.state)
  })
}
