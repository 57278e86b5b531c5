import { isOperator, type Principal } from '../access/principal.ts'
import type { Core } from '../core.ts'
import type { Delivery } from '../delivery/delivery.ts'
import { fault } from '../errors.ts'
import { deliveriesOf } from '../store/deliveries-of.ts'
import type { Link } from './link.ts'
import { whyAlert } from './why-alert.ts'
import { whyNotification } from './why-notification.ts'

export interface Why {
  readonly user: string
  readonly subject: { readonly kind: 'notification' | 'alert'; readonly id: string }
  readonly chain: readonly Link[]
  readonly deliveries: readonly Delivery[]
}

/**
 * Why somebody was or was not told of a notification or alert. For that person themselves and for operators; to
 * everybody else, and about what is another person's or tenant's, it is a `request.not_found` fault.
 */
export async function why(core: Core, by: Principal, id: string, userId: string): Promise<Why> {
  const { tenant } = by
  const operator = isOperator(by)
  const person = core.directory().user(userId)
  if (person?.tenant !== tenant || !(operator || by.id === userId)) throw fault('request.not_found')
  const [alert, notification, rows] = await Promise.all([
    core.store.alert(tenant, id),
    core.store.anyNotification(tenant, id, userId),
    deliveriesOf(core.store, tenant, id),
  ])
  const deliveries = rows.filter((row) => row.userId === userId)
  if (alert !== null) {
    const timeline = await core.store.timeline(tenant, id)
    const chain = whyAlert(core.directory(), person, { alert, timeline, deliveries })
    return { user: userId, subject: { kind: 'alert', id }, chain, deliveries }
  }
  if (notification === null) throw fault('request.not_found')
  const chain = whyNotification(core, notification, person, deliveries)
  const out = chain.some(({ stage, decision }) => stage === 'audience' && decision === 'out')
  // That there is something for somebody else is nobody's business.
  if (out && !operator) throw fault('request.not_found')
  return { user: userId, subject: { kind: 'notification', id }, chain, deliveries }
}
