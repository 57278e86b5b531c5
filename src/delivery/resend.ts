import type { Principal } from '../access/principal.ts'
import type { Core } from '../core.ts'
import { fault } from '../errors.ts'
import { newDelivery } from './plan.ts'
import { startDeliveries } from './start.ts'

const OVER: ReadonlySet<string> = new Set(['sent', 'delivered', 'dead', 'cancelled', 'expired', 'suppressed'])

/**
 * Puts an ended delivery up for sending again, as a row of its own under the same subject; the old one stays as it
 * is. Resolves with the new id after the commit. Faults: `request.not_found`, `request.invalid` while it still runs.
 */
export async function resendDelivery(core: Core, by: Principal, id: string): Promise<string> {
  const subjectId = id.slice(0, Math.max(id.lastIndexOf('.'), 0))
  const rows =
    subjectId === '' ? [] : (await core.store.deliveries({ tenant: by.tenant, subjectId, limit: 1000 })).items
  const old = rows.find((row) => row.id === id)
  if (old === undefined) throw fault('request.not_found', 'There is no such delivery')
  if (!OVER.has(old.state) || old.channel === 'realtime') {
    throw fault(
      'request.invalid',
      'Only an ended delivery of a channel other than realtime can be sent again',
    )
  }
  const now = core.clock.now()
  const ordinal = Math.max(...rows.map((row) => row.ordinal)) + 1
  const planned = newDelivery({
    ...old,
    ordinal,
    now,
    dueAt: now,
    ...(old.step !== null ? { step: old.step } : {}),
    ...(old.fixed !== null ? { fixed: old.fixed } : {}),
    // The person asked for it; it is no page that an acknowledgement would hold back.
    purpose: old.purpose === 'page' ? 'message' : old.purpose,
  } as Parameters<typeof newDelivery>[0])
  const accepted = await core.store.accept({
    tenant: by.tenant,
    at: now,
    principal: by.id,
    topic: `deliveries/${id}/resend`,
    once: null,
    result: { resend_of: id },
    notifications: [],
    deliveries: [{ ...planned, lease: null }],
    alert: null,
    deadLetter: null,
    release: null,
    urgent: false,
  })
  if (accepted.kind === 'accepted')
    startDeliveries(core.worker, [{ ...planned, lease: null }], [], { notification: null, alert: null })
  return planned.delivery.id
}
