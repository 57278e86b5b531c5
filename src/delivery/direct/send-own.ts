import type { Core } from '../../core.ts'
import type { NewDelivery, Once } from '../../store/store.ts'
import { startDeliveries } from '../worker/start.ts'

/**
 * Stores messages that the program sends by itself (codes, tests, canaries, warnings) and sets them going: one commit,
 * in the name of the first one's origin. Resolves after it; under a key that was stored before, nothing is sent.
 */
export async function sendOwn(
  core: Core,
  deliveries: readonly NewDelivery[],
  once: Once | null = null,
): Promise<void> {
  const [first] = deliveries
  if (first === undefined) return
  const { tenant, subjectId, origin, createdAt } = first.delivery
  const accepted = await core.store.accept({
    tenant,
    at: createdAt,
    principal: origin.principal,
    topic: origin.topic,
    once,
    result: { message_id: subjectId },
    notifications: [],
    deliveries,
    alert: null,
    deadLetter: null,
    release: null,
    urgent: false,
  })
  if (accepted.kind === 'accepted')
    startDeliveries(core.worker, deliveries, accepted.leases, { notification: null, alert: null })
}
