import { isOperator, type Principal } from '../../access/principal.ts'
import type { Alert } from '../alert.ts'
import { wasTold } from '../outcome/told.ts'

/**
 * Whether a principal may acknowledge, escalate, snooze, resolve … this alert (contract section 3, promise P16): the
 * people it was told to, the owning team's members, and operators. A client may, because the door lets it through only
 * with a grant that spells the verb. Nobody may across tenants.
 */
export function mayAct(alert: Alert, principal: Principal, teamMembers: readonly string[]): boolean {
  if (principal.tenant !== alert.tenant) return false
  if (principal.kind === 'client' || isOperator(principal)) return true
  return wasTold(alert, principal.id) || teamMembers.includes(principal.id)
}
