import type { Core } from '../core.ts'
import type { Outcome } from '../router/publish.ts'
import type { Arrival } from '../router/arrival.ts'
import { originOf } from './acceptance.ts'
import type { PresenceDecision } from './decision.ts'

/** Sessions are live state of this node (R26, R27, R38): nothing to store, so nothing to lose. */
export function acceptPresence(core: Core, arrival: Arrival, decision: PresenceDecision): Promise<Outcome> {
  arrival.submitted()
  const result = core.presence.apply(decision)
  core.receipts.accepted(originOf(arrival), result)
  return Promise.resolve({ kind: 'stored', id: arrival.messageId, result, duplicate: false })
}
