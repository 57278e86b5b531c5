import { isOperator, type Principal } from '../../access/principal.ts'
import type { Core } from '../../core.ts'
import { fault } from '../../errors.ts'
import { deliveriesOf } from '../../store/deliveries-of.ts'
import type { Delivery } from '../delivery.ts'
import { batchMayBeDone } from './batch-done.ts'

const REASON = 'cancelled_by_user'

/**
 * Cancels a delivery that waits for its time or its next attempt: `cancelled`, reason `cancelled_by_user`. Open to
 * operators and to whoever published it. Idempotent; resolves with the delivery after the commit. Faults:
 * `request.not_found`, also for what others published; `request.invalid` for pages, which end with their alert, and
 * for `realtime`; `delivery.not_pending` when it is being sent or has ended.
 */
export async function cancelDelivery(core: Core, by: Principal, id: string): Promise<Delivery> {
  const subjectId = id.slice(0, Math.max(id.lastIndexOf('.'), 0))
  const rows = subjectId === '' ? [] : await deliveriesOf(core.store, by.tenant, subjectId)
  const row = rows.find((candidate) => candidate.id === id)
  if (row === undefined || !(isOperator(by) || row.origin.principal === by.id))
    throw fault('request.not_found', 'There is no such delivery')
  if (row.subjectKind === 'alert')
    throw fault('request.invalid', 'What an alert sends ends with it: acknowledge or resolve the alert')
  if (row.channel === 'realtime')
    throw fault('request.invalid', 'The inbox cannot be cancelled: delete the notification')
  if (row.state === 'cancelled') return row
  const { tenant, origin } = row
  if (!(await core.store.cancelDelivery({ tenant, id, at: core.clock.now(), reason: REASON })))
    throw fault('delivery.not_pending')
  core.metrics.deliveries.inc({ channel: row.channel, state: 'cancelled' })
  if (row.subjectKind === 'batch') batchMayBeDone(core, { tenant, id: subjectId, origin })
  return { ...row, state: 'cancelled', reason: REASON, nextAttemptAt: null }
}
