import type { Alert, AlertLevel } from '../alert/alert.ts'
import { fitsPattern } from '../directory/alert-type.ts'
import { recordKind } from '../registry/registry.ts'

/** Which alerts are meant: every field that is there has to fit, and `*` in type and source stands for anything. */
export interface AlertMatch {
  readonly type?: string
  readonly source?: string
  readonly severity?: AlertLevel
  readonly team?: string
}

/** A silence as people ask for it (contract section 6). Instants in milliseconds. */
export interface Silence {
  readonly match: AlertMatch
  /** Principal id. */
  readonly owner: string
  readonly reason: string
  readonly createdAt: number
  readonly until: number
  /** When and by whom it was ended before its time. */
  readonly ended?: { readonly at: number; readonly by: string }
}

/** Stored under the silence's id; never removed before {@link KEPT_MS} after its end. */
export const SILENCE = recordKind<Silence>('silence')

/** How long what is over stays listed. */
export const KEPT_MS = 7 * 24 * 60 * 60_000

/** The longest that critical alerts may be silenced for (contract section 6). */
export const LONGEST_CRITICAL_MS = 24 * 60 * 60_000

/** Whether the alert is one of those meant. A match without fields means none. */
export function matches(match: AlertMatch, alert: Pick<Alert, keyof AlertMatch>): boolean {
  const { type, source, severity, team } = match
  if (type === undefined && source === undefined && severity === undefined && team === undefined) return false
  return (
    (type === undefined || fitsPattern(alert.type, type)) &&
    (source === undefined || (alert.source !== null && fitsPattern(alert.source, source))) &&
    (severity === undefined || alert.severity === severity) &&
    (team === undefined || alert.team === team)
  )
}

/** When a silence is or was over. */
export function endOf({ until, ended }: Pick<Silence, 'until' | 'ended'>): number {
  return ended?.at ?? until
}
