import type { Arrival } from '../router/arrival.ts'
import type { Acceptance } from '../store/store.ts'
import type { NotifyDecision } from './decision.ts'

/** What a scheduled message needs to be presented again. */
export interface Scheduled {
  readonly principal: string
  readonly topic: string
  readonly messageId: string
  readonly correlationId: string
  /** What was published, without the id and the time that have done their work: for the dead letter, should it become one. */
  readonly payload: string
  readonly decision: NotifyDecision
}

/** The work row of a message that is to be shown and sent at `dueAt`. */
export function releaseOf(
  arrival: Arrival,
  decision: NotifyDecision,
  dueAt: number,
): NonNullable<Acceptance['release']> {
  const scheduled: Scheduled = {
    principal: arrival.publish.principal.id,
    topic: arrival.publish.topic,
    messageId: arrival.messageId,
    correlationId: arrival.publish.correlationId,
    payload: withoutSchedule(arrival.publish.payload),
    decision,
  }
  return { ref: `${arrival.publish.principal.id}:${arrival.messageId}`, dueAt, doc: { ...scheduled } }
}

function withoutSchedule(payload: Uint8Array): string {
  // Only a JSON object says when it is to be shown.
  const {
    id: _,
    send_at: __,
    ...rest
  } = JSON.parse(Buffer.from(payload).toString()) as Record<string, unknown>
  return JSON.stringify(rest)
}
