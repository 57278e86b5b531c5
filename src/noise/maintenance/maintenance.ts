import type { Alert } from '../../alert/alert.ts'
import { fitsPattern } from '../../directory/alert-type.ts'
import { recordKind } from '../../registry/registry.ts'

/** A maintenance window (checklist R35). Instants in milliseconds. */
export interface Maintenance {
  readonly title?: string
  readonly message?: string
  readonly start: number
  /** Null when nobody said: then it is announced and mutes nothing. */
  readonly end: number | null
  /** Parts of `state/system/{component}` that show it. */
  readonly components: readonly string[]
  /** What is affected: systems by name, sources and alert types as patterns. */
  readonly systems: readonly string[]
  readonly sources: readonly string[]
  readonly types: readonly string[]
  /** Who hears of it; empty for everybody. */
  readonly groups: readonly string[]
  /** When it was first announced: what was open then goes on (behaviour E21). */
  readonly announcedAt: number
  readonly by: string
  readonly cancelledAt: number | null
}

/** Stored under the window's id. */
export const MAINTENANCE = recordKind<Maintenance>('maintenance')

/** Whether a window mutes the alert at this instant: it began in the window and is about something affected (E21). */
export function mutes(window: Maintenance, alert: Alert, now: number): boolean {
  const { start, end, announcedAt, cancelledAt } = window
  if (cancelledAt !== null || end === null || now < start || now >= end) return false
  if (alert.createdAt < Math.max(start, announcedAt)) return false
  const { systems, sources, types } = window
  return (
    types.some((pattern) => fitsPattern(alert.type, pattern)) ||
    (alert.source !== null &&
      [...sources, ...systems].some((pattern) => fitsPattern(alert.source!, pattern))) ||
    alert.affectedSystems.some((system) => systems.includes(system))
  )
}

/** What a window is in the middle of. */
export type MaintenancePhase = 'announced' | 'reminded' | 'begun' | 'over'

/** Where a window stands at an instant; it is reminded of `remindMs` before its start. */
export function phaseOf(window: Maintenance, now: number, remindMs: number): MaintenancePhase {
  const { start, end, cancelledAt } = window
  if (cancelledAt !== null || (end !== null && now >= end)) return 'over'
  if (now >= start) return 'begun'
  return now >= start - remindMs ? 'reminded' : 'announced'
}

/** When the next phase begins; null when there is none. */
export function nextPhaseAt(window: Maintenance, now: number, remindMs: number): number | null {
  switch (phaseOf(window, now, remindMs)) {
    case 'announced':
      return window.start - remindMs
    case 'reminded':
      return window.start
    case 'begun':
      return window.end
    case 'over':
      return null
  }
}
