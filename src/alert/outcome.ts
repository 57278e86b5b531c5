import type { Core } from '../core.ts'
import type { Delivery } from '../delivery/delivery.ts'
import { newDelivery } from '../delivery/plan.ts'
import { deliveriesOf } from '../store/deliveries-of.ts'
import type { Paging } from './paging.ts'

/** Ends that say that nothing was published. */
const NEVER_SENT: ReadonlySet<string> = new Set(['suppressed', 'cancelled', 'dead', 'expired'])

/** Whether the topic may have it. What was lost with the process, twice, may have been published before. */
function mayHaveBeenSent({ state, reason }: Delivery): boolean {
  return !NEVER_SENT.has(state) || reason === 'poison'
}

/**
 * Adds to a change that resolves an alert what the sirens and lamps hear that were told of it: one delivery each, for
 * every topic with a `resolved_payload`, in the same commit as the resolution. A page that is still under way counts as
 * sent: switching off what is off does no harm, a siren that is never switched off does.
 */
export async function withOutcome(core: Core, paging: Paging, now: number): Promise<Paging> {
  const { alert } = paging
  if (alert.status !== 'resolved') return paging
  const ending = new Set(
    Object.values(core.config().channels.mqtt.topics)
      .filter((topic) => topic.resolved_payload !== undefined)
      .map(({ topic }) => topic),
  )
  if (ending.size === 0) return paging
  const rows = await deliveriesOf(core.store, alert.tenant, alert.id)
  const told = rows
    .filter((row) => row.channel === 'mqtt' && row.purpose !== 'outcome' && mayHaveBeenSent(row))
    .flatMap(({ address }) => (address !== null && ending.has(address) ? [address] : []))
  const deliveries = [...new Set(told)].map((address, index) =>
    newDelivery({
      tenant: alert.tenant,
      subjectKind: 'alert',
      subjectId: alert.id,
      ordinal: alert.nextOrdinal + index,
      purpose: 'outcome',
      userId: null,
      channel: 'mqtt',
      lane: core.laneOf('mqtt', address),
      address,
      critical: alert.severity === 'critical',
      origin: alert.origin,
      now,
    }),
  )
  return {
    ...paging,
    alert: { ...alert, nextOrdinal: alert.nextOrdinal + deliveries.length },
    deliveries: [...paging.deliveries, ...deliveries],
  }
}
