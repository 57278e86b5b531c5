import type { Core } from '../core.ts'
import type { Outcome } from '../router/publish.ts'
import type { Arrival } from '../router/arrival.ts'
import { acceptanceOf, storedOutcome } from './acceptance.ts'
import type { StatusDecision } from './decision.ts'

/** R34: the state is stored with the publish and then shown, retained, on `state/system/{component}` if it changed. */
export async function acceptStatus(core: Core, arrival: Arrival, decision: StatusDecision): Promise<Outcome> {
  const { tenant } = arrival.publish.principal
  const states = decision.components.map(({ name, state }) => ({
    name,
    state: { ...state, updated_at: new Date(arrival.now).toISOString() },
  }))
  const committed = core.store.accept(acceptanceOf(arrival, decision.result, { states }))
  arrival.submitted()
  const accepted = await committed
  const outcome = storedOutcome(core, arrival, decision.result, accepted)
  if (accepted.kind === 'accepted')
    for (const { name, state } of states) core.board.systemStatus(tenant, name, state)
  return outcome
}
