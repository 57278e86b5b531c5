import type { Core } from '../core.ts'
import type { Claimed } from '../store/store.ts'

type DeliverWork = Extract<Claimed, { readonly kind: 'deliver' }>

/**
 * Ends a `realtime` delivery that nobody took before its message was worthless (`ttl`): `expired`, reason `ttl`. The
 * entry of the inbox stays. Rejects when the store fails; the lease brings the work back.
 */
export async function expireRealtime(core: Core, { workId, token, delivery }: DeliverWork): Promise<void> {
  const written = await core.store.settle({
    workId,
    token,
    at: core.clock.now(),
    delivery: {
      id: delivery.id,
      state: 'expired',
      reason: 'ttl',
      providerId: null,
      error: null,
      sentAt: null,
      deliveredAt: null,
    },
    nextDueAt: null,
    outbox: null,
    untried: true,
  })
  if (written === 'done') core.metrics.deliveries.inc({ channel: delivery.channel, state: 'expired' })
}
