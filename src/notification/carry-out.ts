import { raiseAlert } from '../alert/raising.ts'
import { commandThroughDoor } from '../alert/change/commanding.ts'
import type { Core } from '../core.ts'
import { acceptMaintenance } from '../noise/announce.ts'
import type { Outcome } from '../router/publish.ts'
import type { Arrival } from '../router/arrival.ts'
import type { Decision } from './decision.ts'
import { acceptNotification } from './accept.ts'
import { acceptDirect } from './direct.ts'
import { acceptEvent } from './event.ts'
import { acceptInboxCommand } from './inbox.ts'
import { acceptPresence } from './presence.ts'
import { acceptStatus } from './status.ts'

/**
 * Turns what a controller decided into one commit and, after it, its effects. Resolves after the commit; rejects
 * with a fault when nothing was stored.
 */
export function carryOut(core: Core, arrival: Arrival, decision: Decision): Promise<Outcome> {
  switch (decision.kind) {
    case 'notify':
      return acceptNotification(core, arrival, decision)
    case 'alert':
      return raiseAlert(core, arrival, decision)
    case 'alert-command':
      return commandThroughDoor(core, arrival, decision)
    case 'direct':
      return acceptDirect(core, arrival, decision)
    case 'inbox':
      return acceptInboxCommand(core, arrival, decision)
    case 'event':
      return acceptEvent(core, arrival, decision)
    case 'status':
      return acceptStatus(core, arrival, decision)
    case 'maintenance':
      return acceptMaintenance(core, arrival, decision)
    case 'presence':
      return acceptPresence(core, arrival, decision)
    case 'drop':
      core.metrics.drops.inc({ reason: decision.reason })
      return Promise.resolve({
        kind: 'discarded',
        code: decision.reason === 'rate_limit_exceeded' ? 'rate_limit_exceeded' : null,
      })
    default: {
      const never: never = decision
      throw new Error(`unknown decision ${JSON.stringify(never)}`)
    }
  }
}
