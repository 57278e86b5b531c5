import type { NewAuditEntry } from '../audit/entry.ts'
import type { Core } from '../core.ts'
import { fault, type Fault } from '../errors.ts'
import { acceptanceOf, storedOutcome } from '../notification/acceptance.ts'
import { audienceOf } from '../notification/audience.ts'
import type { MaintenanceDecision } from '../notification/decision.ts'
import type { Registered } from '../registry/registry.ts'
import type { Arrival } from '../router/arrival.ts'
import type { Outcome } from '../router/publish.ts'
import { MAINTENANCE, type Maintenance } from './maintenance/maintenance.ts'
import { windowState } from './maintenance/maintenance-notice.ts'

/**
 * A maintenance window is announced, changed or cancelled under its id (checklist R35). The publish, the states of its
 * components and the timer of its phases are one commit, the window itself the next; the publisher is answered after
 * both, so that what a crash parts is put together by the resend.
 */
export async function acceptMaintenance(
  core: Core,
  arrival: Arrival,
  decision: MaintenanceDecision,
): Promise<Outcome> {
  const { now, publish, messageId } = arrival
  const { tenant } = publish.principal
  const placeOf = (key: string) => ({ tenant, owner: '', key })
  audienceOf(core.directory(), tenant, { broadcast: decision.window.groups })

  const known = core.registry.get(MAINTENANCE, placeOf(messageId))
  if (decision.cancelled && known === undefined) throw nothingToCancel(arrival)
  const wanted = windowOf(decision, arrival, known)
  const version = known === undefined ? 1 : isSame(known.doc, wanted) ? known.version : known.version + 1
  const result = { ...decision.result, maintenance_id: messageId }
  const states = decision.cancelled
    ? []
    : wanted.components.map((name) => ({ name, state: windowState(name, wanted, now) }))
  const committed = core.store.accept(
    // The same id again is a change, unless it says the same.
    acceptanceOf({ ...arrival, onceKey: `maintenance:${messageId}:${version}` }, result, {
      states,
      release: { ref: `maintenance:${messageId}`, dueAt: now, doc: { maintenance: messageId, from: now } },
    }),
  )
  arrival.submitted()
  const accepted = await committed
  if (accepted.kind === 'accepted')
    for (const { name, state } of states) core.board.systemStatus(tenant, name, state)

  const id = accepted.kind === 'duplicate' ? String(accepted.result['maintenance_id']) : messageId
  const stored = core.registry.get(MAINTENANCE, placeOf(id))
  if (stored === undefined || !isSame(stored.doc, wanted)) {
    await core.registry.put(MAINTENANCE, placeOf(id), wanted)
    await core.store.audit([auditOf(arrival, id, { before: stored?.doc, wanted })])
  }
  core.worker.wake('release', now)
  const mutedBy = `maintenance:${id}`
  await core.reconsider([...core.openAlerts.all()].filter((alert) => alert.suppressedBy === mutedBy))
  return storedOutcome(core, arrival, result, accepted)
}

/** A mistyped id must not look as if the window were off. */
function nothingToCancel({ named, messageId }: Arrival): Fault {
  const message = named
    ? `There is no maintenance window "${messageId}" to cancel`
    : 'Name the maintenance window to cancel by its id'
  return fault('publish.invalid_body', message, { field: 'id' })
}

/** What the audit log says of it; titles and messages are texts of people and stay out. */
function auditOf(
  { now, publish: { principal, via } }: Arrival,
  id: string,
  { before, wanted }: { readonly before: Maintenance | undefined; readonly wanted: Maintenance },
): NewAuditEntry {
  const { start, end, systems, sources, types, cancelledAt } = wanted
  const what = cancelledAt !== null ? 'cancel' : before === undefined ? 'announce' : 'change'
  return {
    tenant: principal.tenant,
    at: now,
    actor: principal.id,
    via,
    action: `maintenance.${what}`,
    subject: id,
    detail: { start, end, systems, sources, types },
  }
}

/** What was said before stands where the change says nothing, so that an id alone cancels. */
function windowOf(
  { window, cancelled }: MaintenanceDecision,
  { now, publish }: Arrival,
  known: Registered<Maintenance> | undefined,
): Maintenance {
  const before = known?.doc
  const listed = (said: readonly string[], had: readonly string[] | undefined) =>
    said.length > 0 ? said : (had ?? [])
  const title = window.title ?? before?.title
  const message = window.message ?? before?.message
  return {
    ...(title !== undefined && { title }),
    ...(message !== undefined && { message }),
    start: window.start ?? before?.start ?? now,
    end: window.end ?? before?.end ?? null,
    components: listed(window.components, before?.components),
    systems: listed(window.systems, before?.systems),
    sources: listed(window.sources, before?.sources),
    types: listed(window.types, before?.types),
    groups: listed(window.groups, before?.groups),
    announcedAt: before?.announcedAt ?? now,
    by: before?.by ?? publish.principal.id,
    cancelledAt: cancelled ? (before?.cancelledAt ?? now) : null,
  }
}

function isSame(one: Maintenance, other: Maintenance): boolean {
  // Both are made by windowOf: the fields stand in the same order.
  return JSON.stringify(one) === JSON.stringify(other)
}
