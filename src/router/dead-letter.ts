import type { Core } from '../core.ts'
import type { Fault } from '../errors.ts'
import type { DeadLetter, Once } from '../store/store.ts'
import { renderDeadLetter } from '../wire/dead-letter.ts'
import { PAYLOAD_LIMIT, type Arrival } from './arrival.ts'
import { onceOf } from './once.ts'
import type { Outcome } from './publish.ts'

/** How much of a payload over the limit is kept (contract section 4). */
const KEPT_OF_TOO_LARGE = 1024

/**
 * Keeps a publish that cannot be routed: acknowledged, stored with its reason, counted, and told to its publisher
 * and to `dlq/#` (contract section 4). A replay that is refused again changes its letter and makes no second one. The
 * outcome's id is the letter's. Rejects with a `store.…` fault when it could not be stored.
 */
export async function keepDeadLetter(core: Core, arrival: Arrival, reason: Fault): Promise<Outcome> {
  const { publish, now, messageId } = arrival
  const { principal, topic } = publish
  const deadLetter = letterOf(core, arrival, reason)
  const committed = core.store.accept({
    tenant: principal.tenant,
    at: now,
    principal: principal.id,
    topic,
    once: onceAsDead(arrival),
    result: { dead_letter_id: deadLetter.id },
    notifications: [],
    deliveries: [],
    alert: null,
    deadLetter,
    release: null,
    urgent: false,
  })
  arrival.submitted()
  const accepted = await committed
  if (accepted.kind !== 'duplicate') {
    if (!publish.replayOf) core.metrics.deadLetters.inc({ code: reason.code })
    core.log.warn(
      {
        code: reason.code,
        reason: reason.message,
        topic,
        principal: principal.id,
        dead_letter: deadLetter.id,
        correlation_id: publish.correlationId,
      },
      'dead letter',
    )
    const channel = `dlq/${reason.code}`
    if (core.wanted(channel))
      core.publish(channel, JSON.stringify(renderDeadLetter(deadLetter)), {
        qos: 1,
        tenant: principal.tenant,
      })
  }
  // Also at a resend: whoever sends again may have missed the first answer.
  core.receipts.rejected({ principal: principal.id, messageId, topic }, reason.code, reason.message)
  const id = accepted.kind === 'duplicate' ? String(accepted.result['dead_letter_id']) : deadLetter.id
  return { kind: 'dead', id, code: reason.code, message: reason.message }
}

function letterOf(core: Core, { publish, now }: Arrival, { code, message: reason }: Fault): DeadLetter {
  const { principal, topic, payload, replayOf } = publish
  if (replayOf) return { ...replayOf, code, reason, replays: replayOf.replays + 1 }
  return {
    id: core.ids.next(now),
    tenant: principal.tenant,
    topic,
    payload: payload.length > PAYLOAD_LIMIT ? payload.subarray(0, KEPT_OF_TOO_LARGE) : payload,
    principal: principal.id,
    code,
    reason,
    createdAt: now,
    replays: 0,
  }
}

/**
 * A resend of a dead message makes no second letter, while every replay counts. It keeps a key of its own: under the message's, a replay or a
 * resend after the mend would count as done before it was ever routed.
 */
function onceAsDead(arrival: Arrival): Once | null {
  const once = arrival.publish.replayOf ? null : onceOf(arrival)
  return once && { ...once, key: `dead:${once.key}` }
}
