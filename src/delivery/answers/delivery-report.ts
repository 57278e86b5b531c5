import type { Core } from '../../core.ts'
import type { ChannelName, Delivery } from '../delivery.ts'
import { afterMove } from '../attempt/settled.ts'

export interface DeliveryReport {
  readonly deliveryId: string
  /** The provider's id of the attempt that it speaks of. */
  readonly providerId: string
  /** Whom it was sent to; together with the id it names the delivery. */
  readonly address: string
  readonly state: 'delivered' | 'dead'
  /** Of `dead`: a stable code such as `twilio_30003`. */
  readonly reason: string | null
}

/** A report may come before the attempt it speaks of was written down. */
const TRIES = 5
const AGAIN_MS = 1000

/**
 * Moves a sent delivery to what its provider reports, once; the publisher's receipt and the alert's next step follow
 * (promise P7). Unknown deliveries, repetitions and reports in the wrong order change nothing.
 */
export async function reportDelivery(core: Core, report: DeliveryReport, tries: number): Promise<void> {
  const found = await deliveryById(core, report.deliveryId, report.address, ['sms', 'voice'])
  if (found === null) return
  if (found.state === 'sending' && tries < TRIES) {
    core.clock.at(core.clock.now() + AGAIN_MS, () => {
      reportDelivery(core, report, tries + 1).catch((error: unknown) => {
        core.log.error({ err: error, delivery: found.id }, 'a report of the provider was lost')
      })
    })
    return
  }
  // An earlier attempt may have arrived all the same; that it failed says nothing about the later one.
  if (report.state === 'dead' && found.providerId !== report.providerId) return
  const at = core.clock.now()
  const { tenant, id: deliveryId } = found
  const { state, reason } = report
  if ((await core.store.progress([{ tenant, deliveryId, state, reason, at }])) === 0) return
  core.metrics.deliveries.inc({ channel: found.channel, state })
  if (state === 'dead')
    core.log.warn({ delivery: deliveryId, channel: found.channel, reason }, 'delivery given up')
  afterMove(core, found, { state, reason }, at)
}

/** The delivery of this id to this address, whichever tenant's it is; null when there is none. */
export async function deliveryById(
  core: Core,
  id: string,
  address: string,
  channels: readonly ChannelName[],
): Promise<Delivery | null> {
  const subjectId = id.slice(0, Math.max(id.lastIndexOf('.'), 0))
  if (subjectId === '') return null
  for (const tenant of core.directory().tenants()) {
    const { items } = await core.store.deliveries({ tenant, subjectId, limit: 1000 })
    const found = items.find(
      (row) => row.id === id && row.address === address && channels.includes(row.channel),
    )
    if (found) return found
  }
  return null
}
