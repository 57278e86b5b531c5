import type { Alert } from '../../alert/alert.ts'
import { OUTCOME_STATUS } from '../../alert/outcome/outcome-of.ts'
import type { Delivery } from '../delivery.ts'

/** An outcome that comes later than this is told only if it is still so: the next one may have come before it. */
const LATE_MS = 5000

/**
 * What has happened to an alert that makes this delivery pointless, as a reason code; null when nothing has. A page
 * ends with the alert's firing and with the round it belongs to (promise P15, behaviour O10); an outcome that was held
 * up, when the alert has moved on.
 */
export function outdatedBy(
  { purpose, ordinal, attempts, createdAt, fixed }: Delivery,
  alert: Alert,
  now: number,
): string | null {
  if (purpose === 'page') {
    if (alert.status !== 'firing') return alert.status
    return ordinal < alert.pagesFrom ? 'superseded' : null
  }
  if (fixed?.outcome === undefined) return null
  const late = attempts > 1 || now - createdAt >= LATE_MS
  return late && alert.status !== OUTCOME_STATUS[fixed.outcome] ? 'superseded' : null
}
