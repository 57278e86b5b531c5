import type { Alert, TimelineEntry } from '../alert/alert.ts'
import { resolve, startOver } from '../alert/change/change.ts'
import { changed, entryOf, type Act, type Change, type Changed } from '../alert/change/changed.ts'
import { CARILLON, type Moved } from '../alert/escalation/start.ts'
import type { WhoIs } from '../alert/paging/resolve-targets.ts'
import { onTimer } from '../alert/timer.ts'
import { FLAPPING } from './flapping.ts'
import { isInhibited } from './inhibition/inhibitors.ts'
import { HOLD, type Quiet } from './quiet.ts'

/** Why pages that were not sent yet are cancelled. */
const REASON = 'suppressed'

/** What becomes of an alert whose inhibitor is gone. */
export interface Release {
  readonly graceMs: number
  readonly closes: boolean
}

/** Opens a draft quietly: stored and on the board, nobody is told. */
export function openQuietly(draft: Alert, quiet: Quiet): Moved {
  const opened: TimelineEntry = { at: draft.createdAt, kind: 'opened', by: draft.origin.principal }
  return {
    alert: keptQuiet(draft, quiet),
    timeline: [opened, quietEntry(quiet, draft.createdAt)],
    page: null,
  }
}

/** A change that would page, without the page: what it said of the alert stands, and the alert waits quietly. */
export function quietly(before: Alert, change: Changed, quiet: Quiet, now: number): Changed {
  const { step, repeat } = before
  const said = change.timeline.filter(({ kind }) => !STEPS.has(kind))
  return {
    ...change,
    alert: keptQuiet({ ...change.alert, step, repeat }, quiet),
    timeline: [...said, quietEntry(quiet, now)],
    page: null,
    cancelPages: REASON,
  }
}

const STEPS: ReadonlySet<TimelineEntry['kind']> = new Set(['step', 'skipped', 'finished'])

/**
 * Brings an alert in line with what keeps it quiet by now, null for nothing. A firing alert falls silent; a suppressed
 * one starts from the top when its reason has gone, or first waits whether it ends by itself when that was another
 * alert. What somebody has in hand, or has put to sleep, stays as it is.
 */
export function settle(alert: Alert, quiet: Quiet | null, act: Act, release: Release): Change {
  if (alert.status === 'firing' && quiet !== null && quiet.by !== HOLD) {
    const moved = { alert: keptQuiet(alert, quiet), timeline: [quietEntry(quiet, act.now)] }
    return changed(alert, moved, REASON)
  }
  if (alert.status !== 'suppressed') return { kind: 'same', alert }
  if (alert.suppressedBy === FLAPPING) {
    if (alert.nextStepAt === null || act.now < alert.nextStepAt) return { kind: 'same', alert }
    if (typeof alert.clearedAt === 'number')
      return resolve(alert, { ...act, note: 'Quiet since it was said to be over' })
  }
  // What has found its explanation does not wait for another one.
  if (quiet !== null && !(quiet.by === HOLD && isInhibited(alert))) return keptBy(alert, quiet, act.now)
  if (isInhibited(alert)) {
    if (release.closes) return resolve(alert, { ...act, note: 'With the alert it followed' })
    if (alert.nextStepAt === null && release.graceMs > 0) {
      const note = entryOf('note', act, 'What it followed is over; pages go out unless this ends as well')
      const waiting = { ...alert, nextStepAt: act.now + release.graceMs }
      return changed(alert, { alert: waiting, timeline: [note] })
    }
    if (alert.nextStepAt !== null && act.now < alert.nextStepAt) return { kind: 'same', alert }
  }
  return startOver(alert, 'returned', act)
}

/**
 * What a due timer does to an alert in view of what keeps it quiet: see `onTimer`. What would page falls silent instead,
 * and a suppressed alert whose reason goes on waits for its new end.
 */
export function onTimerQuietly(
  alert: Alert,
  now: number,
  at: { readonly whoIs: WhoIs; readonly quiet: Quiet | null; readonly release: Release },
): Change {
  if (alert.nextStepAt === null || now < alert.nextStepAt) return { kind: 'same', alert }
  const { whoIs, quiet, release } = at
  if (alert.status === 'suppressed')
    return settle(alert, quiet, { by: CARILLON, via: 'timer', now, whoIs }, release)
  const change = onTimer(alert, now, whoIs)
  const pages = change.kind === 'changed' && change.page !== null
  return pages && quiet !== null && quiet.by !== HOLD ? quietly(alert, change, quiet, now) : change
}

function keptBy(alert: Alert, quiet: Quiet, now: number): Change {
  const same = alert.suppressedBy === quiet.by
  if (same && alert.nextStepAt === quiet.until) return { kind: 'same', alert }
  return changed(alert, {
    alert: keptQuiet(alert, quiet),
    timeline: same ? [] : [quietEntry(quiet, now)],
  })
}

function keptQuiet(alert: Alert, { by, until }: Quiet): Alert {
  return {
    ...alert,
    status: 'suppressed',
    acknowledgedBy: null,
    acknowledgedAt: null,
    acknowledgedVia: null,
    suppressedBy: by,
    nextStepAt: until,
  }
}

function quietEntry({ by, text }: Quiet, at: number): TimelineEntry {
  return { at, kind: 'suppressed', by: CARILLON, text, ...(by !== HOLD && { ref: by }) }
}
