import type { AlertCommandDecision, AlertDecision } from '../../notification/decision.ts'
import type { Team } from '../../directory/directory.ts'
import { acknowledgeTogether } from '../escalation/acknowledge-together.ts'
import type { Alert, AlertLevel, EscalationPolicy } from '../alert.ts'
import { changed, entryOf, refused, type Act, type Change, type Changed } from './changed.ts'
import { acksRequired, policyFor, stepAfter } from '../escalation/policy.ts'
import { isIdleTimer } from '../escalation/idle.ts'
import { confirm } from '../escalation/reminder.ts'
import { fire, start, WARNING_PATIENCE_MS, type Moved } from '../escalation/start.ts'

/** How long a new responsible has before the policy goes on without them. */
const REASSIGNED_WAIT_MS = 5 * 60_000

/**
 * Somebody takes the alert in hand: from the commit on no step fires and no page is sent (promise P15), until a
 * critical alert's ack timeout runs out, or they are asked again. Of an acknowledged alert nothing changes, unless this
 * answers a reminder: it still says who and when. Where several must acknowledge, see `acknowledgeTogether` (E17).
 */
export function acknowledge(alert: Alert, act: Act): Change {
  if (alert.status === 'resolved') return refused('alert.closed')
  if (alert.status === 'acknowledged') return alert.remindedAt ? confirm(alert, act) : { kind: 'same', alert }
  const together = acksRequired(alert) > 1 ? acknowledgeTogether(alert, act) : null
  if (together !== null && together.kind !== 'enough') return together
  const { ackReminderMs, ackTimeoutMs } = alert.policy
  const timeout = alert.severity === 'critical' ? (ackReminderMs ?? ackTimeoutMs) : null
  const acknowledged: Alert = {
    ...alert,
    status: 'acknowledged',
    acknowledgedBy: act.by,
    acknowledgedAt: act.now,
    acknowledgedVia: act.via,
    ...(together && { acks: together.acks }),
    remindedAt: null,
    suppressedBy: null,
    nextStepAt: timeout === null ? null : act.now + timeout,
  }
  return changed(alert, { alert: acknowledged, timeline: [entryOf('acknowledged', act)] }, 'acknowledged')
}

/** Hands the alert back, or ends its snooze: it starts from the top at once, because nobody has it (behaviour O8). */
export function unacknowledge(alert: Alert, act: Act): Change {
  if (alert.status === 'resolved') return refused('alert.closed')
  if (alert.status !== 'acknowledged' && alert.status !== 'snoozed') return { kind: 'same', alert }
  return startOver(alert, 'unacknowledged', act)
}

/**
 * Calls the next people of the policy now, also when somebody has acknowledged, who then no longer has it (behaviour
 * E8). An alert below critical becomes critical, which starts its policy. Refused as `alert.no_policy` when no step is
 * left that reaches anybody, and while the alert is suppressed (E21): it then stays as it is, also acknowledged.
 */
export function escalate(alert: Alert, act: Act): Change {
  if (alert.status === 'resolved') return refused('alert.closed')
  if (alert.status === 'suppressed') return refused('alert.suppressed')
  const entry = entryOf('escalated', act)
  if (alert.severity !== 'critical') {
    const promoted = promote(alert, 'critical', act)
    return { ...promoted, timeline: [entry, ...promoted.timeline] }
  }
  const next = stepAfter(alert, act.now, act.whoIs, { byHand: true })
  if (next.kind === 'finished') return refused('alert.no_policy')
  const fired = fire(inNobodysHands(alert), next, act.now, act.whoIs)
  return changed(alert, { ...fired, timeline: [entry, ...fired.timeline] })
}

/**
 * Silences the alert for a while; then it starts from the top. A later snooze replaces an earlier one. A critical alert
 * sleeps no longer at once than `act` allows (contract section 6).
 */
export function snooze(alert: Alert, forMs: number, act: Act): Change {
  if (alert.status === 'resolved') return refused('alert.closed')
  const until = act.now + forMs
  if (!(forMs > 0) || !Number.isSafeInteger(until)) {
    return refused('request.invalid', 'Say in `for` how long the alert is to sleep, for example 30m')
  }
  if (alert.severity === 'critical' && forMs > (act.longestSnoozeMs ?? Infinity))
    return refused('alert.snooze_too_long')
  const snoozed: Alert = { ...inNobodysHands(alert), status: 'snoozed', nextStepAt: until }
  const entry = entryOf('snoozed', act, `For ${forMs / 1000} s`)
  return changed(alert, { alert: snoozed, timeline: [entry] }, 'snoozed')
}

/** Ends the alert for good: no timer, no page, its dedup key is free (promise P17). A second time changes nothing. */
export function resolve(alert: Alert, act: Act): Change {
  if (alert.status === 'resolved') return { kind: 'same', alert }
  const resolved: Alert = {
    ...alert,
    status: 'resolved',
    resolvedAt: act.now,
    suppressedBy: null,
    nextStepAt: null,
  }
  return changed(alert, { alert: resolved, timeline: [entryOf('resolved', act)] }, 'resolved')
}

/** Writes something down; also about a resolved alert. An empty note is refused. */
export function note(alert: Alert, act: Act): Change {
  if (!act.note?.trim()) return refused('request.invalid', 'A note needs a text')
  // Something was heard of it: an idle alert waits anew (behaviour E26).
  const noted = isIdleTimer(alert) ? { ...alert, nextStepAt: null, idleAt: null } : alert
  return changed(alert, { alert: noted, timeline: [entryOf('note', act)] })
}

/**
 * Gives the alert to one person, who is told now and has to acknowledge; earlier timers and pages are dead (behaviour
 * E9). Should they not react, a critical alert goes on with its policy from the first step. If that step names one
 * person only, the alert was theirs before, and the new person takes their place. A warning waits anew.
 */
export function reassign(alert: Alert, userId: string, act: Act): Change {
  if (alert.status === 'resolved') return refused('alert.closed')
  const target = `user:${userId}`
  if (act.whoIs([target]).users.length === 0) return refused('publish.unknown_user')
  const fresh: Alert = {
    ...inNobodysHands(alert),
    policy: ledBy(target, alert.policy),
    acks: [],
    step: 0,
    repeat: 0,
    nextStepAt: alert.severity === 'warning' ? act.now + WARNING_PATIENCE_MS : null,
  }
  const { page, ...moved } = givenTo(userId, fresh, act)
  const timeline = [{ ...entryOf('reassigned', act), users: [userId] }, ...moved.timeline]
  return changed(
    alert,
    { ...moved, timeline, page: page && { ...page, because: 'reassigned' } },
    'reassigned',
  )
}

/**
 * Gives the alert to another team, whose policy it has from now on: its first step is told, earlier timers and pages are
 * dead (behaviour E9). `act.whoIs` must already look at that team.
 */
export function reassignToTeam(alert: Alert, team: Team, act: Act): Change {
  if (alert.status === 'resolved') return refused('alert.closed')
  const { turns: _, ...given } = { ...alert, team: team.name, policy: policyFor(team) }
  const { page, ...moved } = start(given, act.now, act.whoIs)
  // The administrators know of it already; only where nobody else would hear of it they do again.
  const people = page && (page.users.length > 0 || page.webhooks.length > 0 || page.topics.length > 0)
  const told = people ? { ...page, admins: alert.severity === 'critical' ? [] : page.admins } : page
  const entry = entryOf('reassigned', act, `To team ${team.name}`)
  return changed(alert, { ...moved, timeline: [entry, ...moved.timeline], page: told }, 'reassigned')
}

/**
 * Makes an open alert more severe and starts it from the top, which ends an acknowledgement, a snooze or a suppression
 * of the milder alert. With the publish that caused it, it counts that publish and says what it said.
 */
export function promote(alert: Alert, to: AlertLevel, act: Act, publish?: AlertDecision): Changed {
  const news = publish && {
    message: publish.message,
    affectedSystems: publish.affectedSystems,
    data: publish.data,
    count: alert.count + 1,
    lastAt: act.now,
  }
  const started = start({ ...alert, ...news, severity: to }, act.now, act.whoIs)
  const entry = entryOf('promoted', act, `From ${alert.severity} to ${to}`)
  return changed(alert, { ...started, timeline: [entry, ...started.timeline] }, 'promoted')
}

/** Starts the alert from the top, because whoever or whatever kept it quiet no longer does. */
export function startOver(
  alert: Alert,
  why: 'unacknowledged' | 'returned',
  act: Act,
  text?: string,
): Changed {
  const started = start(alert, act.now, act.whoIs)
  return changed(alert, { ...started, timeline: [entryOf(why, act, text), ...started.timeline] }, 'restarted')
}

/** Carries a command out: the one place that knows the verbs (contract section 6). */
export function command(
  alert: Alert,
  { verb, forMs, user }: Pick<AlertCommandDecision, 'verb' | 'forMs' | 'user'>,
  act: Act,
): Change {
  switch (verb) {
    case 'ack':
      return acknowledge(alert, act)
    case 'unack':
      return unacknowledge(alert, act)
    case 'escalate':
      return escalate(alert, act)
    case 'snooze':
      return snooze(alert, forMs ?? Number.NaN, act)
    case 'resolve':
      return resolve(alert, act)
    case 'note':
      return note(alert, act)
    case 'reassign':
      if (user === undefined) return refused('request.invalid', 'Say in `user` who takes the alert')
      return reassign(alert, user, act)
  }
}

/** The alert with its place in the policy and its timer, and nobody who has it. */
function inNobodysHands(alert: Alert): Alert {
  return {
    ...alert,
    status: 'firing',
    acknowledgedBy: null,
    acknowledgedAt: null,
    acknowledgedVia: null,
    // Those who acknowledged while it went on firing have not given it back.
    acks: alert.status === 'firing' ? (alert.acks ?? []) : [],
    remindedAt: null,
    suppressedBy: null,
  }
}

function givenTo(userId: string, alert: Alert, { now, whoIs }: Act): Moved {
  if (alert.severity === 'critical') {
    return fire(alert, stepAfter(alert, now, whoIs, { byHand: true }), now, whoIs)
  }
  const page = {
    level: alert.severity,
    step: null,
    repeat: 0,
    users: [userId],
    because: 'reassigned',
    admins: [],
    webhooks: [],
    topics: [],
  } as const
  return { alert, timeline: [], page }
}

/** The policy with one person before it, in place of a first step that names one person only. */
function ledBy(target: string, policy: EscalationPolicy): EscalationPolicy {
  const [first, ...rest] = policy.steps
  if (!first) return { ...policy, steps: [{ notify: [target], waitMs: REASSIGNED_WAIT_MS }] }
  const [only, ...others] = first.notify
  if (only?.startsWith('user:') && others.length === 0) {
    return { ...policy, steps: [{ notify: [target], waitMs: first.waitMs }, ...rest] }
  }
  return { ...policy, steps: [{ notify: [target], waitMs: REASSIGNED_WAIT_MS }, first, ...rest] }
}
