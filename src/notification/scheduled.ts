import type { Arrival } from '../router/arrival.ts'
import type { Acceptance } from '../store/store.ts'
import type { NotifyDecision } from './decision.ts'

/** What a scheduled message needs to be presented again. */
export interface Scheduled {
  readonly principal: string
  readonly topic: string
  readonly messageId: string
  readonly correlationId: string
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
    decision,
  }
  return { ref: `${arrival.publish.principal.id}:${arrival.messageId}`, dueAt, doc: { ...scheduled } }
}
