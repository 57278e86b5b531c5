import type { Alert, AlertStatus } from '../alert.ts'

/** What those who were paged are told of an alert's way: somebody took it, nobody has it any more, it is over. */
export type OutcomeKind = 'acknowledged' | 'unacknowledged' | 'resolved'

/** The status that each of them tells of. */
export const OUTCOME_STATUS: Readonly<Record<OutcomeKind, AlertStatus>> = {
  acknowledged: 'acknowledged',
  unacknowledged: 'firing',
  resolved: 'resolved',
}

/**
 * What a change of an alert means for those who were paged (contract section 6, behaviour E16); null for nothing.
 * An info pages nobody, so nobody waits for its end.
 */
export function outcomeOf(
  before: Pick<Alert, 'status' | 'severity'>,
  after: Pick<Alert, 'status'>,
): OutcomeKind | null {
  if (before.severity === 'info' || before.status === 'resolved' || before.status === after.status)
    return null
  if (after.status === 'acknowledged' || after.status === 'resolved') return after.status
  return before.status === 'acknowledged' && after.status === 'firing' ? 'unacknowledged' : null
}
