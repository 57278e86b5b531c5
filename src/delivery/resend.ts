import type { Principal } from '../access/principal.ts'
import { afterAlertCommit } from '../alert/change/after-commit.ts'
import type { Alert } from '../alert/alert.ts'
import { changeOf } from '../alert/raising.ts'
import type { Core } from '../core.ts'
import { fault } from '../errors.ts'
import { deliveriesOf } from '../store/deliveries-of.ts'
import type { NewDelivery } from '../store/store.ts'
import type { Delivery } from './delivery.ts'
import { newDelivery } from './plan.ts'
import { startDeliveries } from './worker/start.ts'

const OVER: ReadonlySet<string> = new Set(['sent', 'delivered', 'dead', 'cancelled', 'expired', 'suppressed'])
/** How often the row is planned anew because the alert changed under it. */
const TRIES = 20

/**
 * Puts an ended delivery up for sending again, as a row of its own under the same subject that names it; the old one
 * stays as it is, but for the name of the newest that sends it again. Resolves with the new id after the commit. Faults: `request.not_found`, `request.invalid` while it still runs.
 */
export async function resendDelivery(core: Core, by: Principal, id: string): Promise<string> {
  const subjectId = id.slice(0, Math.max(id.lastIndexOf('.'), 0))
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const rows = subjectId === '' ? [] : await deliveriesOf(core.store, by.tenant, subjectId)
    const old = rows.find((row) => row.id === id)
    if (old === undefined) throw fault('request.not_found', 'There is no such delivery')
    if (!OVER.has(old.state) || old.channel === 'realtime') {
      throw fault(
        'request.invalid',
        'Only an ended delivery of a channel other than realtime can be sent again',
      )
    }
    if (old.fixed === null && (old.subjectKind === 'direct' || old.subjectKind === 'batch'))
      throw fault('request.invalid', 'Nothing was ever made of this message: publish a corrected one')
    const alert = old.subjectKind === 'alert' ? await core.store.alert(by.tenant, subjectId) : null
    const ordinal = Math.max(alert?.nextOrdinal ?? 0, ...rows.map((row) => row.ordinal + 1))
    const planned = again(core, old, ordinal)
    if (await put(core, by, { of: id, planned, alert })) return planned.delivery.id
  }
  throw fault('store.busy', 'The alert changes faster than this can follow')
}

function again(core: Core, old: Delivery, ordinal: number): NewDelivery {
  const { step, fixed, id, ...same } = old
  return newDelivery({
    ...same,
    ordinal,
    now: core.clock.now(),
    leased: false,
    resendOf: id,
    lane: core.laneOf(old.channel, old.address),
    ...(step !== null && { step }),
    ...(fixed !== null && { fixed }),
    // The person asked for it; it is no page that an acknowledgement would hold back.
    purpose: old.purpose === 'page' || old.purpose === 'reminder' ? 'message' : old.purpose,
  })
}

/** False when the alert has changed meanwhile. The alert counts its rows, so a new one is a change of it. */
async function put(
  core: Core,
  by: Principal,
  {
    of,
    planned,
    alert,
  }: { readonly of: string; readonly planned: NewDelivery; readonly alert: Alert | null },
): Promise<boolean> {
  const now = planned.delivery.createdAt
  const counted = alert && {
    alert: { ...alert, version: alert.version + 1, nextOrdinal: planned.delivery.ordinal + 1 },
    deliveries: [planned],
    notifications: [],
  }
  const accepted = await core.store.accept({
    tenant: by.tenant,
    at: now,
    principal: by.id,
    topic: `deliveries/${of}/resend`,
    once: null,
    result: { resend_of: of },
    notifications: [],
    deliveries: counted ? [] : [planned],
    alert: alert &&
      counted && {
        kind: 'change',
        change: changeOf(alert, counted, { timeline: [], cancelPages: null }, now),
      },
    deadLetter: null,
    release: null,
    urgent: false,
  })
  if (accepted.kind === 'stale') return false
  if (counted) afterAlertCommit(core, counted, [], [])
  else startDeliveries(core.worker, [planned], [], { notification: null, alert: null })
  return true
}
