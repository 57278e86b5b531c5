import type { ChannelName } from '../../delivery/delivery.ts'
import type { Alert, AlertLevel, TimelineEntry } from '../alert.ts'
import type { ResolvedTargets, WhoIs } from '../paging/resolve-targets.ts'
import {
  fallbackOf,
  reaches,
  reachesNobody,
  stepAfter,
  type FinishedPolicy,
  type NextStep,
  type SkippedStep,
} from './policy.ts'

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
  readonly because: 'policy_step' | 'on_call' | 'team_member' | 'reassigned' | 'nobody_else' | 'reminder'
  /** User ids of the administrators who are told as well; some may be among `users`. */
  readonly admins: readonly string[]
  readonly webhooks: readonly string[]
  readonly topics: readonly string[]
  /** In place of the channels that `users` would be told on; absent: as their rules say. */
  readonly channels?: readonly ChannelName[]
  /** Turns at round-robin targets that are taken with this page. */
  readonly turns?: Readonly<Record<string, string>>
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
    acks: [],
    remindedAt: null,
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
 * Carries a step out: the alert stands on it, its timer waits for the following one, or for the window of a step to
 * open. When no step is left that reaches anybody, the fallback is told in place of the people who were not found
 * (promise P20); an explicit one also when the last step went unanswered (R42).
 */
export function fire(
  alert: Alert,
  next: Exclude<NextStep, { kind: 'none' }>,
  now: number,
  whoIs: WhoIs,
): Moved {
  const skips = next.skipped.map((skip) => skippedEntry(skip, now))
  switch (next.kind) {
    case 'finished':
      return finish(alert, next, now, whoIs)
    case 'wait': {
      const { step, repeat, after, until } = next
      const text = `Until ${new Date(until).toISOString()}`
      return {
        alert: { ...alert, ...placeOf(after), nextStepAt: until },
        timeline: [...skips, { at: now, kind: 'waiting', by: CARILLON, step, repeat, text }],
        page: null,
      }
    }
    case 'fire': {
      const { step, repeat, targets, nextAt } = next
      const { turns, users } = targets
      const channels = alert.policy.steps[step - 1]?.channels
      const entry: TimelineEntry = { at: now, kind: 'step', by: CARILLON, step, repeat, users }
      return {
        alert: { ...withTurns(alert, turns), step, repeat, nextStepAt: nextAt },
        timeline: [...skips, entry, ...(nextAt === null ? [finishedEntry(now)] : [])],
        page: {
          ...pageFor(alert, 'policy_step', targets),
          step,
          repeat,
          ...(channels && { channels }),
        },
      }
    }
  }
}

function finish(alert: Alert, end: FinishedPolicy, now: number, whoIs: WhoIs): Moved {
  const nobody = reachesNobody(alert.policy, end)
  const skips = end.skipped.map((skip) => skippedEntry(skip, now))
  const ended = { ...alert, nextStepAt: null }
  if (!nobody && alert.policy.fallback === undefined) {
    return { alert: ended, timeline: [...skips, finishedEntry(now)], page: null }
  }
  const { targets, admins } = fallbackOf(alert.policy, whoIs)
  const users = [...new Set([...targets.users, ...admins])]
  const entry: TimelineEntry = { at: now, kind: 'fallback', by: CARILLON, users }
  return {
    alert: withTurns(ended, targets.turns),
    timeline: [...skips, { ...entry, ...(nobody && { text: NOBODY }) }, finishedEntry(now)],
    page: anybody({ ...pageFor(alert, 'nobody_else', targets), admins }),
  }
}

/** What the timeline says of a fallback that was needed because nobody else could be told. */
const NOBODY = 'No step reaches anybody'

/** Whether these entries say that the policy reached nobody: the operators are to know (promise P20). */
export function reachedNobody(timeline: readonly TimelineEntry[]): boolean {
  return timeline.some(({ kind, text }) => kind === 'fallback' && text === NOBODY)
}

function startCritical(alert: Alert, now: number, whoIs: WhoIs): Moved {
  const next = stepAfter(alert, now, whoIs)
  const fired = fire(alert, next, now, whoIs)
  const admins = whoIs(['admins']).users
  if (next.kind === 'fire' && fired.page) return { ...fired, page: { ...fired.page, admins } }
  if (next.kind === 'wait' || (next.kind === 'finished' && !reachesNobody(alert.policy, next)))
    return {
      ...fired,
      page: anybody({ ...(fired.page ?? pageFor(alert, 'policy_step', NO_TARGETS)), admins }),
    }
  // A team without steps, or whose steps reach nobody, still has people (behaviour E7, promise P20).
  const people = firstFound(whoIs, ['oncall'], ['team'])
  const { steps, fallback } = alert.policy
  const stepless = steps.length === 0 && fallback === undefined && people.users.length > 0
  const moved = stepless
    ? { alert: { ...alert, nextStepAt: null }, timeline: [finishedEntry(now)], page: null }
    : fired
  const page = moved.page ?? pageFor(alert, 'nobody_else', NO_TARGETS)
  const users = [...new Set([...people.users, ...page.users])]
  return { ...moved, page: anybody({ ...page, users, admins }) }
}

function startWarning(alert: Alert, now: number, whoIs: WhoIs): Moved {
  const onCall = firstFound(whoIs, ['oncall'], alert.policy.steps[0]?.notify ?? [], ['team'])
  const page = { ...pageFor(alert, 'on_call', onCall), admins: whoIs(['admins']).users }
  return {
    alert: { ...withTurns(alert, onCall.turns), nextStepAt: now + WARNING_PATIENCE_MS },
    timeline: [],
    page: anybody({ ...page, webhooks: [], topics: [] }),
  }
}

function startInfo(alert: Alert, whoIs: WhoIs): Moved {
  const members = whoIs(['team']).users
  const admins = members.length > 0 ? [] : whoIs(['admins']).users
  return { alert, timeline: [], page: pageOf(alert, 'team_member', members, admins) }
}

const NO_TARGETS: ResolvedTargets = { users: [], webhooks: [], topics: [], unresolved: [] }

/** What the first list of targets stands for that has people. */
function firstFound(whoIs: WhoIs, ...choices: (readonly string[])[]): ResolvedTargets {
  for (const targets of choices) {
    const found = whoIs(targets)
    if (found.users.length > 0) return found
  }
  return NO_TARGETS
}

function pageFor(
  { severity: level, repeat }: Alert,
  because: Page['because'],
  { users, webhooks, topics, turns }: ResolvedTargets,
): Page {
  return { level, step: null, repeat, users, because, admins: [], webhooks, topics, ...(turns && { turns }) }
}

/** The page, unless nobody and nothing would hear of it. */
function anybody(page: Page): Page | null {
  return page.admins.length > 0 || reaches({ ...page, unresolved: [] }) ? page : null
}

function pageOf(
  alert: Alert,
  because: Page['because'],
  users: readonly string[],
  admins: readonly string[],
): Page | null {
  return anybody({ ...pageFor(alert, because, { ...NO_TARGETS, users }), admins })
}

function withTurns(alert: Alert, turns: ResolvedTargets['turns']): Alert {
  return turns ? { ...alert, turns: { ...alert.turns, ...turns } } : alert
}

const placeOf = ({ step, repeat }: Pick<Alert, 'step' | 'repeat'>) => ({ step, repeat })

function skippedEntry(skip: SkippedStep, at: number): TimelineEntry {
  const { step, repeat } = skip
  return { at, kind: 'skipped', by: CARILLON, step, repeat, text: whySkipped(skip) }
}

function whySkipped({ unresolved, unreachable = [], alerts }: SkippedStep): string {
  if (alerts !== undefined) return `Only ${alerts} alerts lately`
  if (unreachable.length > 0) return `No channel reaches ${[...unreachable, ...unresolved].join(', ')}`
  return unresolved.length === 0 ? 'The step names nobody' : `Nobody is behind ${unresolved.join(', ')}`
}

function finishedEntry(at: number): TimelineEntry {
  return { at, kind: 'finished', by: CARILLON }
}
