import type { TenantId } from '../access/principal.ts'
import type { Core } from '../core.ts'
import { Fault } from '../errors.ts'
import { carryOut } from '../notification/carry-out.ts'
import type { AlertDecision } from '../notification/decision.ts'
import type { Arrival } from '../router/arrival.ts'
import { keepDeadLetter } from '../router/dead-letter.ts'
import { engineItself } from './apply-rules.ts'

/** An alert that nobody published: the program noticed by itself. */
export interface OwnAlert {
  readonly tenant: TenantId
  /** What it is about, for its receipts' and its dead letter's topic. */
  readonly topic: string
  /** The same for the same occasion, so that it counts once, over a crash as well. */
  readonly onceKey: string
  readonly decision: AlertDecision
}

/**
 * Raises or ends an alert in the program's own name, through the same decisions as a publish. Resolves after the
 * commit; a decision that cannot be carried out is a dead letter then. Rejects when the store takes nothing: try again.
 */
export async function raiseOwnAlert(
  core: Core,
  { tenant, topic, onceKey, decision }: OwnAlert,
): Promise<void> {
  const now = core.clock.now()
  const id = core.ids.next(now)
  const arrival: Arrival = {
    publish: {
      principal: engineItself(tenant),
      topic,
      payload: new Uint8Array(),
      qos: 1,
      via: 'engine',
      fingerprint: null,
      dup: false,
      correlationId: id,
    },
    messageId: id,
    named: true,
    onceKey,
    now,
    submitted: () => {},
  }
  try {
    await carryOut(core, arrival, decision)
  } catch (error) {
    if (!(error instanceof Fault) || error.entry.mqtt !== 'dead') throw error
    await keepDeadLetter(core, arrival, error)
  }
}
