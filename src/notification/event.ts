import type { Core } from '../core.ts'
import type { Outcome } from '../router/publish.ts'
import type { Arrival } from '../router/arrival.ts'
import { acceptanceOf, storedOutcome } from './acceptance.ts'
import type { EventDecision } from './decision.ts'

/**
 * A domain event (X18): recorded as accepted, then handed to the streams of the person it names (`data.user_id`), or
 * of everybody in the tenant when it names nobody. Streams are live only; an event is not an inbox entry.
 */
export async function acceptEvent(core: Core, arrival: Arrival, decision: EventDecision): Promise<Outcome> {
  const { publish, now } = arrival
  const named = personNamed(decision.data)
  const { tenant } = publish.principal
  const person = named === null ? undefined : core.directory().user(named)
  const users =
    named === null
      ? core.directory().users(tenant)
      : person !== undefined && person.tenant === tenant
        ? [person]
        : []
  const result = { status: 'event_emitted', type: decision.type, users: users.length }
  const committed = core.store.accept(acceptanceOf(arrival, result))
  arrival.submitted()
  const accepted = await committed
  const outcome = storedOutcome(core, arrival, result, accepted)
  if (accepted.kind === 'accepted') {
    if (users.length === 0) return outcome
    const { type, data, source } = decision
    const id = core.events.add({ tenant, userId: named, type, data: JSON.stringify(data), source, at: now })
    const event = JSON.stringify({ id, type, data, source, timestamp: now / 1000 })
    const levels = type.replaceAll('.', '/')
    for (const user of users) {
      const topic = `users/${user.id}/events/${levels}`
      if (core.wanted(topic)) core.publish(topic, event, { qos: 1, tenant })
    }
  }
  return outcome
}

/** Whom an event is for: a person's id, which the xynap document has as a number (X16). Null for everybody. */
function personNamed({ user_id: named }: EventDecision['data']): string | null {
  if (named === undefined || named === null) return null
  return typeof named === 'string' ? named : JSON.stringify(named)
}
