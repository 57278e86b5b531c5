import type { Alert, AlertLevel, TimelineEntry } from '../alert.ts'
import type { WhoIs } from '../resolve-targets.ts'
import { stepAfter, type NextStep, type SkippedStep } from './policy.ts'

/** The name that the timeline gives to what time did. */
export const CARILLON = 'carillon'

/** A warning that nobody has acknowledged for this long becomes critical (contract section 6, R32). */
export const WARNING_PATIENCE_MS = 10 * 60_000

/** Whom a change of an alert asks the engine to tell. Which channels each one gets is `pageTargets`' decision. */
export interface Page {
  readonly level: AlertLevel
  /** The policy step that fires, counted from 1; null where no step does. */
  readonly step: number | null
  /** The run of the policy, counted from 0. */
  readonly repeat: number
  readonly users: readonly string[]
  /** Why `users` are told. */
  readonly because: 'policy_step' | 'on_call' | 'team_member' | 'reassigned' | 'nobody_else'
  /** User ids of the administrators who are told as well; some may be among `users`. */
  readonly admins: readonly string[]
  readonly webhooks: readonly string[]
  readonly topics: readonly string[]
}

/** An alert after something moved it, what the timeline says about that, and who hears of it. */
export interface Moved {
  readonly alert: Alert
  readonly timeline: readonly TimelineEntry[]
  readonly page: Page | null
}

/**
 * Starts an alert from the top, at its opening and whenever nobody is responsible for it any more: it is firing, not
 * acknowledged, and the people its level calls for are told at once. `version` stays as it is.
 *
 * Critical fires the first step that reaches anybody, and tells the admins (R23). Warning tells who is on call and the
 * admins, and waits (R32). Info tells the team, or without one the admins, and has no timer (R33).
 */
export function start(alert: Alert, now: number, whoIs: WhoIs): Moved {
  const fresh: Alert = {
    ...alert,
    status: 'firing',
    acknowledgedBy: null,
    acknowledgedAt: null,
    acknowledgedVia: null,
    suppressedBy: null,
    step: 0,
    repeat: 0,
    nextStepAt: null,
  }
  switch (alert.severity) {
    case 'critical':
      return startCritical(fresh, now, whoIs)
    case 'warning':
      return startWarning(fresh, now, whoIs)
    case 'info':
      return startInfo(fresh, whoIs)
  }
}

/**
 * Carries a step out: the alert stands on it, its timer waits for the following one. When no step is left that reaches
 * anybody, the admins are told in place of the people who were not found (promise P20).
 */
export function fire(
  alert: Alert,
  next: Exclude<NextStep, { kind: 'none' }>,
  now: number,
  whoIs: WhoIs,
): Moved {
  const skips = next.skipped.map((skip) => skippedEntry(skip, now))
  if (next.kind === 'finished') {
    return {
      alert: { ...alert, nextStepAt: null },
      timeline: [...skips, finishedEntry(now)],
      page: next.skipped.length === 0 ? null : pageOf(alert, 'nobody_else', [], whoIs(['admins']).users),
    }
  }
  const { step, repeat, targets, nextAt } = next
  const entry: TimelineEntry = { at: now, kind: 'step', by: CARILLON, step, repeat, users: targets.users }
  return {
    alert: { ...alert, step, repeat, nextStepAt: nextAt },
    timeline: [...skips, entry, ...(nextAt === null ? [finishedEntry(now)] : [])],
    page: {
      level: alert.severity,
      step,
      repeat,
      users: targets.users,
      because: 'policy_step',
      admins: [],
      webhooks: targets.webhooks,
      topics: targets.topics,
    },
  }
}

function startCritical(alert: Alert, now: number, whoIs: WhoIs): Moved {
  const next = stepAfter(alert, now, whoIs)
  const fired = fire(alert, next, now, whoIs)
  const admins = whoIs(['admins']).users
  if (next.kind === 'fire' && fired.page) return { ...fired, page: { ...fired.page, admins } }
  // A team without steps, or whose steps reach nobody, still has people (behaviour E7, promise P20).
  return { ...fired, page: pageOf(alert, 'nobody_else', firstFound(whoIs, ['oncall'], ['team']), admins) }
}

function startWarning(alert: Alert, now: number, whoIs: WhoIs): Moved {
  const onCall = firstFound(whoIs, ['oncall'], alert.policy.steps[0]?.notify ?? [], ['team'])
  return {
    alert: { ...alert, nextStepAt: now + WARNING_PATIENCE_MS },
    timeline: [],
    page: pageOf(alert, 'on_call', onCall, whoIs(['admins']).users),
  }
}

function startInfo(alert: Alert, whoIs: WhoIs): Moved {
  const members = whoIs(['team']).users
  const admins = members.length > 0 ? [] : whoIs(['admins']).users
  return { alert, timeline: [], page: pageOf(alert, 'team_member', members, admins) }
}

/** The people of the first list of targets that has any. */
function firstFound(whoIs: WhoIs, ...choices: (readonly string[])[]): readonly string[] {
  for (const targets of choices) {
    const { users } = whoIs(targets)
    if (users.length > 0) return users
  }
  return []
}

function pageOf(
  alert: Alert,
  because: Page['because'],
  users: readonly string[],
  admins: readonly string[],
): Page | null {
  if (users.length === 0 && admins.length === 0) return null
  const { severity: level, repeat } = alert
  return { level, step: null, repeat, users, because, admins, webhooks: [], topics: [] }
}

function skippedEntry({ step, repeat, unresolved }: SkippedStep, at: number): TimelineEntry {
  const text = unresolved.length === 0 ? 'The step names nobody' : `Nobody is behind ${unresolved.join(', ')}`
  return { at, kind: 'skipped', by: CARILLON, step, repeat, text }
}

function finishedEntry(at: number): TimelineEntry {
  return { at, kind: 'finished', by: CARILLON }
}
