import type { Delivery } from '../delivery/delivery.ts'

/** One decision on the way of a message to a person. */
export interface Link {
  /** Where it was taken: `route`, `audience`, `channel`, `quiet_hours`, `step`, `delivery`, … */
  readonly stage: string
  /** What was decided, in a word. */
  readonly decision: string
  /** Why: a stable code. */
  readonly code: string
  readonly detail: Readonly<Record<string, unknown>>
  /** When, where that was kept. */
  readonly at?: number
  /** It was not kept but decided again by what is in force now, which may be another by now. */
  readonly recomputed?: true
}

/** What became of each delivery to the person, with what its provider said last. */
export function deliveryLinks(deliveries: readonly Delivery[]): readonly Link[] {
  return deliveries.map(
    ({ id, channel, state, reason, digestId, attempts, error, nextAttemptAt, ...delivery }) => ({
      stage: 'delivery',
      decision: state,
      code: reason ?? state,
      detail: {
        delivery_id: id,
        channel,
        attempts,
        ...(delivery.step !== null && { step: delivery.step }),
        ...(digestId !== null && { summary_id: `${digestId}.0` }),
        ...(error !== null && { error }),
        ...(state === 'pending' &&
          nextAttemptAt !== null && { next_attempt_at: new Date(nextAttemptAt).toISOString() }),
      },
      at: delivery.deliveredAt ?? delivery.sentAt ?? delivery.createdAt,
    }),
  )
}
