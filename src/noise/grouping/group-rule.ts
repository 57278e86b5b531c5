import type { Alert, AlertLevel } from '../../alert/alert.ts'
import { CARILLON } from '../../alert/escalation/start.ts'
import type { Config } from '../../config/schema/schema.ts'
import { durationMs } from '../../duration.ts'
import { fieldOf } from '../inhibition/inhibition.ts'
import { matches, type AlertMatch } from '../silence.ts'

/** The group that an alert belongs to, and the times of its rule. */
export interface Membership {
  /** The same for alerts that page together, different for all others. */
  readonly name: string
  /** How long the first page waits for others. */
  readonly waitMs: number
  /** How long after a page the next one tells of what has joined or ended. */
  readonly intervalMs: number
}

/** Without a setting a critical alert is never kept waiting; a milder one waits for half a minute. */
const WAIT_MS: Readonly<Record<AlertLevel, number>> = { critical: 0, warning: 30_000, info: 0 }

/**
 * The group of an alert by the first rule of `grouping` that fits; null for none. Alerts of one group have the team,
 * the level and the values of `group_by` in common, so that nothing critical waits behind a warning. An info wakes
 * nobody, and what the product says of itself is never held up: neither is grouped.
 */
export function membershipOf(alert: Alert, rules: Config['grouping']): Membership | null {
  if (alert.severity === 'info' || alert.origin.principal === CARILLON) return null
  const index = rules.findIndex(
    ({ match }) => Object.keys(match).length === 0 || matches(match as AlertMatch, alert),
  )
  const rule = rules[index]
  if (!rule) return null
  // Alerts that both lack a field have nothing in common by it, but all the rest; they form a group of their own.
  const values = rule.group_by.map((field) => fieldOf(alert, field))
  return {
    name: JSON.stringify([index, alert.tenant, alert.team, alert.severity, ...values]),
    waitMs: rule.group_wait === undefined ? WAIT_MS[alert.severity] : durationMs(rule.group_wait),
    intervalMs: durationMs(rule.group_interval),
  }
}
