import type { Team } from '../../directory/directory.ts'
import type { Alert, EscalationPolicy, EscalationStep } from '../alert.ts'
import type { WhoIs, ResolvedTargets } from '../paging/resolve-targets.ts'
import { opensAt } from './time-window.ts'

const MINUTE_MS = 60_000

/**
 * For alerts that no team owns: the admins and the catch-all team, at once, and every 5 minutes again, at most 3 times
 * (contract section 6).
 */
export function defaultPolicy(): EscalationPolicy {
  return { steps: [{ notify: ['team', 'admins'], waitMs: 5 * MINUTE_MS }], repeat: 3, ackTimeoutMs: null }
}

/** The policy an alert of this team starts with; a catch-all team need not bring one. */
export function policyFor(owner: Pick<Team, 'alertTypes' | 'policy'> | undefined): EscalationPolicy {
  if (!owner) return defaultPolicy()
  const bare = owner.alertTypes.includes('*') && owner.policy.steps.length === 0
  return bare ? { ...owner.policy, ...defaultPolicy() } : owner.policy
}

/**
 * Who is told when the policy reaches nobody, or at its end where it says so: whom it names, else the catch-all team and
 * the admins (promise P20).
 */
export function fallbackOf(
  { fallback }: EscalationPolicy,
  whoIs: WhoIs,
): { readonly targets: ResolvedTargets; readonly admins: readonly string[] } {
  if (fallback !== undefined) return { targets: whoIs(fallback), admins: [] }
  return { targets: whoIs(['catch_all']), admins: whoIs(['admins']).users }
}

/** How many people must acknowledge where the alert stands (behaviour E17). Milder alerts ask for one. */
export function acksRequired({
  severity,
  policy,
  step,
}: Pick<Alert, 'severity' | 'policy' | 'step'>): number {
  if (severity !== 'critical') return 1
  return policy.steps[step - 1]?.acksRequired ?? policy.acksRequired ?? 1
}

/** A step that was passed over because it reaches nobody at this moment (promise P20), or is not called for (O5). */
export interface SkippedStep {
  readonly step: number
  readonly repeat: number
  readonly unresolved: readonly string[]
  /** People whom none of the step's channels reaches. */
  readonly unreachable?: readonly string[]
  /** How many alerts the team had, where the step asks for more. */
  readonly alerts?: number
}

/** The step that fires, and everything that follows from it. */
export interface FiringStep {
  readonly kind: 'fire'
  /** Counted from 1. */
  readonly step: number
  /** The run of the policy that the step belongs to, counted from 0. */
  readonly repeat: number
  readonly targets: ResolvedTargets
  /** When the next step, an explicit fallback or the closing end is due; null when nothing follows. */
  readonly nextAt: number | null
  readonly skipped: readonly SkippedStep[]
}

/** The step that is next but whose window is closed. */
export interface WaitingStep {
  readonly kind: 'wait'
  readonly step: number
  readonly repeat: number
  /** The place before it: what was passed over on the way is not looked at again. */
  readonly after: Position
  readonly until: number
  readonly skipped: readonly SkippedStep[]
}

/** No step is left that reaches anybody. `skipped` is empty when no step is left at all. */
export interface FinishedPolicy {
  readonly kind: 'finished'
  readonly skipped: readonly SkippedStep[]
}

export type NextStep =
  | FiringStep
  | WaitingStep
  | FinishedPolicy
  /** Nothing is due: too early, or the alert's status or level does not escalate. */
  | { readonly kind: 'none' }

/**
 * What the escalation of an alert does at `now` (checklist R42): only a firing, critical alert escalates, never before
 * its timer is due (promise P12), and one step per call however late it is, because the next step is due a full wait
 * after this one really fired (promise P14).
 */
export function nextStep(alert: Alert, now: number, whoIs: WhoIs): NextStep {
  const escalates = alert.severity === 'critical' && alert.status === 'firing'
  if (!escalates || alert.nextStepAt === null || now < alert.nextStepAt) return { kind: 'none' }
  return stepAfter(alert, now, whoIs)
}

/**
 * The step after the alert's last one, due or not. Steps that reach nobody, or that too few alerts call for, are passed
 * over at once; the first one whose window is closed is waited for. `byHand` asks for neither window nor number, because
 * a person asked for the step. After as many skips as the policy has steps it gives up: another run would find the same.
 */
export function stepAfter(
  alert: Pick<Alert, 'policy' | 'step' | 'repeat'>,
  now: number,
  whoIs: WhoIs,
  { byHand = false }: { readonly byHand?: boolean } = {},
): Exclude<NextStep, { kind: 'none' }> {
  const { policy } = alert
  const skipped: SkippedStep[] = []
  let before: Position = alert
  for (let looked = 0; looked < policy.steps.length; looked++) {
    const position = following(policy, before)
    if (position === null) break
    const { step, repeat } = position
    // `following` stays within the list.
    const next = policy.steps[step - 1]!
    const called = byHand ? null : notCalledFor(next, now, whoIs)
    if (called !== null) {
      skipped.push({ step, repeat, unresolved: [], alerts: called })
      before = position
      continue
    }
    const until = byHand || !next.window ? null : opensAt(next.window, policy.timezone ?? 'UTC', now)
    if (until !== null) return { kind: 'wait', step, repeat, after: before, until, skipped }
    const targets = whoIs(next.notify, next.channels)
    if (reaches(targets)) {
      return { kind: 'fire', step, repeat, targets, nextAt: dueAfter(policy, position, now), skipped }
    }
    const { unresolved, unreachable } = targets
    skipped.push({ step, repeat, unresolved, ...(unreachable && { unreachable }) })
    before = position
  }
  return { kind: 'finished', skipped }
}

/** Whether the policy ends because its steps reach nobody; not when they were only not called for (promise P20). */
export function reachesNobody({ steps }: EscalationPolicy, { skipped }: FinishedPolicy): boolean {
  return steps.length === 0 || skipped.some(({ alerts }) => alerts === undefined)
}

/** Whether there is anybody, or anything, that hears of it. */
export function reaches({ users, webhooks, topics, unreachable = [] }: ResolvedTargets): boolean {
  return users.length - unreachable.length + webhooks.length + topics.length > 0
}

/** How many alerts there were where the step asks for more; null when it is called for (behaviour O5). */
function notCalledFor({ ifMoreThan }: EscalationStep, now: number, whoIs: WhoIs): number | null {
  if (!ifMoreThan) return null
  const alerts = (whoIs.openings ?? []).filter((at) => at > now - ifMoreThan.withinMs).length
  return alerts > ifMoreThan.count ? null : alerts
}

/** Whether this end closes the alert (behaviour O7): never one that reached nobody, which has to wake somebody else. */
export function closesAtEnd(policy: EscalationPolicy, end: FinishedPolicy): boolean {
  return policy.resolveAtEnd === true && !reachesNobody(policy, end)
}

interface Position {
  readonly step: number
  readonly repeat: number
}

function dueAfter(policy: EscalationPolicy, position: Position, now: number): number | null {
  const ends = policy.fallback !== undefined || policy.resolveAtEnd === true
  const more = ends || following(policy, position) !== null
  // `following` gave the position, so the step is in the list.
  return more ? now + policy.steps[position.step - 1]!.waitMs : null
}

/** The place after this one; the first step follows the last while runs are left (`repeat: 0` is one run, O6). */
function following(policy: EscalationPolicy, { step, repeat }: Position): Position | null {
  if (step < policy.steps.length) return { step: step + 1, repeat }
  if (policy.steps.length > 0 && repeat < policy.repeat) return { step: 1, repeat: repeat + 1 }
  return null
}
