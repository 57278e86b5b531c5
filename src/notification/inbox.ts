import type { Principal } from '../access/principal.ts'
import type { Core } from '../core.ts'
import { fault } from '../errors.ts'
import type { Outcome } from '../router/publish.ts'
import type { Arrival } from '../router/arrival.ts'
import { originOf } from './acceptance.ts'
import type { InboxDecision } from './decision.ts'

/** An inbox command over MQTT; idempotent by its nature, so it needs no key. */
export async function acceptInboxCommand(
  core: Core,
  arrival: Arrival,
  decision: InboxDecision,
): Promise<Outcome> {
  const marked = markInbox(core, decision, arrival.publish.principal)
  arrival.submitted()
  const ids = await marked
  const result = { status: decision.as, changed: ids.length }
  core.receipts.accepted(originOf(arrival), result)
  return { kind: 'stored', id: arrival.messageId, result, duplicate: false }
}

/** Marks entries of a person's inbox and tells their other connections and the publishers. Resolves with the ids that changed. */
export async function markInbox(
  core: Core,
  decision: InboxDecision,
  by: Principal,
): Promise<readonly string[]> {
  const person = core.directory().user(decision.userId)
  if (person === undefined || person.tenant !== by.tenant)
    throw fault('publish.unknown_user', `There is no user ${JSON.stringify(decision.userId)}`)
  const reader = { tenant: person.tenant, userId: person.id, groups: person.groups }
  const at = core.clock.now()
  const ids = await core.store.mark({ ...reader, ids: decision.ids, as: decision.as, at })
  if (ids.length > 0) core.live.changed(person.id)
  if (decision.as === 'read') {
    // Not awaited: it is done already, and a person may have read ten thousand at once.
    tellSeen(core, reader, ids, at).catch((error: unknown) =>
      core.log.warn({ err: error, user: person.id }, 'publishers were not told what was read'),
    )
  }
  return ids
}

/** Receipts `seen` to whoever published what was read, if they listen. */
async function tellSeen(
  core: Core,
  reader: Parameters<Core['store']['notification']>[0],
  ids: readonly string[],
  at: number,
): Promise<void> {
  for (const id of ids) {
    const notification = await core.store.notification(reader, id)
    if (notification === null) continue
    core.receipts.moved(notification.origin, { status: 'seen', at, user: reader.userId })
  }
}
