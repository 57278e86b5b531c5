import type { Alert } from '../alert/alert.ts'
import type { Registered } from '../registry/registry.ts'
import { inhibitedBy } from './inhibition/inhibitors.ts'
import { mutes, type Maintenance } from './maintenance/maintenance.ts'
import { endOf, matches, type Silence } from './silence.ts'

/** Why an alert is to be quiet. */
export interface Quiet {
  /** `silence:{id}`, `maintenance:{id}`, `alert:{id}`, or `hold` while it waits for what may explain it. */
  readonly by: string
  /** When to look again; null when something else will say. */
  readonly until: number | null
  /** For the timeline. */
  readonly text: string
}

/** What may keep an alert quiet, of its tenant. */
export interface Grounds {
  readonly silences: Iterable<Registered<Silence>>
  readonly windows: Iterable<Registered<Maintenance>>
  /** The open alert that inhibits this one. */
  readonly source: Alert | null
  /** How long after its opening this one waits for such a one; 0 when no rule says. */
  readonly holdMs: number
}

/** The `by` of alerts that wait for what may explain them. */
export const HOLD = 'hold'

/**
 * What keeps an alert quiet at an instant; null when nothing does. A silence before a maintenance window before another
 * alert, and of several silences or windows the one that ends last: then fewer changes follow.
 */
export function quietOf(alert: Alert, grounds: Grounds, now: number): Quiet | null {
  return (
    silenced(alert, grounds.silences, now) ??
    muted(alert, grounds.windows, now) ??
    inhibited(grounds.source) ??
    held(alert, grounds.holdMs, now)
  )
}

function silenced(alert: Alert, silences: Grounds['silences'], now: number): Quiet | null {
  let last: Registered<Silence> | null = null
  for (const silence of silences) {
    if (now >= endOf(silence.doc) || !matches(silence.doc.match, alert)) continue
    if (last === null || last.doc.until < silence.doc.until) last = silence
  }
  if (last === null) return null
  const { owner, reason, until } = last.doc
  return { by: `silence:${last.key}`, until, text: `Silenced by ${owner}: ${reason}` }
}

function muted(alert: Alert, windows: Grounds['windows'], now: number): Quiet | null {
  let last: Registered<Maintenance> | null = null
  for (const window of windows) {
    if (!mutes(window.doc, alert, now)) continue
    if (last === null || last.doc.end! < window.doc.end!) last = window
  }
  if (last === null) return null
  return {
    by: `maintenance:${last.key}`,
    until: last.doc.end,
    text: `Maintenance: ${last.doc.title ?? last.key}`,
  }
}

function inhibited(source: Alert | null): Quiet | null {
  if (source === null) return null
  return {
    by: inhibitedBy(source),
    until: null,
    text: `Follows ${source.type}${source.source === null ? '' : ` of ${source.source}`}`,
  }
}

function held(alert: Alert, holdMs: number, now: number): Quiet | null {
  const until = alert.createdAt + holdMs
  return now < until ? { by: HOLD, until, text: 'Waits for an alert that may explain it' } : null
}
