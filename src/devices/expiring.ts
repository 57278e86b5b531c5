import type { Core } from '../core.ts'
import { newDelivery } from '../delivery/plan.ts'
import { sendOwn } from '../delivery/direct/send-own.ts'
import type { Registered } from '../registry/registry.ts'
import { deviceAddress } from './device.ts'
import { DEVICE, type DeviceDoc } from './devices.ts'

const DAY_MS = 24 * 60 * 60_000
/** So long before a subscription ends its owner is told. */
export const WARN_MS = 7 * DAY_MS

/** When the subscription of a browser ends, if that is near and its owner was not told yet; else null. Pure. */
export function endsSoon({ target, warnedOf }: DeviceDoc, now: number): number | null {
  const endsAt = target.channel === 'web_push' ? target.subscription.expirationTime : undefined
  if (endsAt === undefined || endsAt === warnedOf) return null
  return endsAt > now && endsAt - now <= WARN_MS ? endsAt : null
}

/**
 * Tells the owners of browsers whose subscription ends within a week, there and once, while it still works (behaviour
 * N10): a page that is opened registers anew. A crash between the message and noting it tells nobody twice.
 */
export async function warnOfEnds(core: Core, now: number, limit: number): Promise<void> {
  const due = [...core.registry.all(DEVICE)].flatMap((device) => {
    const endsAt = endsSoon(device.doc, now)
    return endsAt === null || core.directory().user(device.owner) === undefined ? [] : [{ device, endsAt }]
  })
  for (const { device, endsAt } of due.slice(0, limit)) {
    await tell(core, device, endsAt, now)
    const { tenant, owner, key, doc } = device
    await core.registry.put(DEVICE, { tenant, owner, key }, { ...doc, warnedOf: endsAt })
  }
}

async function tell(core: Core, device: Registered<DeviceDoc>, endsAt: number, now: number): Promise<void> {
  const { tenant, owner: userId, key } = device
  const messageId = core.ids.next(now)
  const topic = `users/${userId}/devices`
  const address = deviceAddress({ id: key })
  const lane = core.laneOf('web_push', address)
  const planned = newDelivery({
    tenant,
    subjectKind: 'direct',
    subjectId: messageId,
    ordinal: 0,
    purpose: 'message',
    userId,
    channel: 'web_push',
    lane,
    address,
    critical: false,
    fixed: {
      subject: 'This browser will soon get no more messages',
      text: `Its subscription ends on ${new Date(endsAt).toISOString().slice(0, 10)}. Open Carillon in it before then.`,
    },
    origin: { principal: userId, messageId, topic },
    now,
    leased: core.worker.room(lane) > 0,
  })
  await sendOwn(core, [planned], { key: `device-ends:${key}:${endsAt}`, expiresAt: endsAt, check: true })
}
