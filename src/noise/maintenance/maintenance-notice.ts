import type { Draft } from '../../notification/decision.ts'
import { rfc3339 } from '../../wire/instant.ts'
import { phaseOf, type Maintenance, type MaintenancePhase } from './maintenance.ts'

/** What `state/system/{component}` shows of a window that is ahead or on. */
export function windowState(component: string, window: Maintenance, now: number) {
  const { title, message, start, end } = window
  return {
    component,
    status: phaseOf(window, now, 0) === 'begun' ? 'maintenance' : 'maintenance_scheduled',
    ...(title !== undefined && { title }),
    ...(message !== undefined && { message }),
    start: rfc3339(start),
    ...(end !== null && { end: rfc3339(end) }),
    updated_at: rfc3339(now),
  }
}

/** Something that everybody is told of a window, once for each key. */
export interface Notice {
  readonly key: string
  readonly draft: Draft
}

/**
 * What is told at this phase (checklist R35): a reminder ahead, and the end with how many alerts it muted. A window that
 * was cancelled before anybody was reminded passes unsaid, as the other phases do; the board shows those.
 */
export function noticeOf(
  id: string,
  window: Maintenance,
  at: { readonly phase: MaintenancePhase; readonly remindMs: number; readonly muted: number },
): Notice | null {
  const { start, end, cancelledAt, systems } = window
  const name = window.title ?? (systems.length > 0 ? systems.join(', ') : id)
  const made = (what: string, instant: number, message: string): Notice => ({
    key: `maintenance:${id}:${what}:${instant}`,
    draft: {
      title: `Maintenance: ${name}`,
      message,
      type: 'maintenance',
      severity: 'info',
      data: {
        maintenance_id: id,
        phase: what,
        start: rfc3339(start),
        end: rfc3339(end),
        affected_systems: systems,
        muted_alerts: at.muted,
      },
    },
  })
  const because = window.message === undefined ? '' : `. ${window.message}`
  if (at.phase === 'reminded')
    return made(
      'reminder',
      start,
      `Begins at ${minute(start)}${end === null ? '' : `, ends at ${minute(end)}`}${because}`,
    )
  if (at.phase !== 'over') return null
  if (cancelledAt === null) return made('ended', end ?? start, `Is over; ${mutedText(at.muted)}`)
  return cancelledAt < start - at.remindMs
    ? null
    : made('cancelled', cancelledAt, `Is called off; ${mutedText(at.muted)}`)
}

function mutedText(count: number): string {
  return count === 1 ? '1 alert was muted' : `${count} alerts were muted`
}

function minute(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}
