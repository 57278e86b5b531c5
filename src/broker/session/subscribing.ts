import type { Principal } from '../../access/principal.ts'
import { isReserved } from '../../access/topic-filter.ts'
import type { BrokerDoor } from '../broker.ts'
import { topicFault } from '../mqtt-text.ts'

/** Filters of one session. */
export const SESSION_FILTERS = 1000

export type SubscribeDecision =
  | { readonly kind: 'granted' }
  /** SUBACK 128, with one log line. */
  | { readonly kind: 'denied'; readonly reason: string; readonly hint: string }
  /** The connection is closed. */
  | { readonly kind: 'unusable'; readonly reason: string }

/** Decides on one filter of a SUBSCRIBE: denied unless granted (security row 7). `held` is how many the session has. */
export function decideSubscribe(
  door: Pick<BrokerDoor, 'maySubscribe'>,
  principal: Principal,
  filter: string,
  held: number,
): SubscribeDecision {
  const fault = topicFault(filter)
  if (fault !== null) return { kind: 'unusable', reason: fault }
  if (filter.startsWith('$share/'))
    return {
      kind: 'denied',
      reason: 'shared subscriptions are not supported',
      hint: 'subscribe to the filter itself with one client, or give each worker topics of its own',
    }
  if (isReserved(filter))
    return {
      kind: 'denied',
      reason: 'topics below $SYS are readable by nobody',
      hint: 'read GET /metrics for figures of the server',
    }
  if (held >= SESSION_FILTERS)
    return {
      kind: 'denied',
      reason: `a session holds at most ${SESSION_FILTERS} filters`,
      hint: 'use wildcards',
    }
  if (!door.maySubscribe(principal, filter))
    return {
      kind: 'denied',
      reason: 'the filter is not granted',
      hint: 'add the filter to `subscribe:` of the client',
    }
  return { kind: 'granted' }
}
