import type { Team } from '../../directory/directory.ts'
import type { Alert, EscalationPolicy } from '../alert.ts'
import type { WhoIs, ResolvedTargets } from '../resolve-targets.ts'

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
  return bare ? defaultPolicy() : owner.policy
}

/** A step that was passed over because its targets are nobody at this moment (promise P20). */
export interface SkippedStep {
  readonly step: number
  readonly repeat: number
  readonly unresolved: readonly string[]
}

/** The step that fires, and everything that follows from it. */
export interface FiringStep {
  readonly kind: 'fire'
  /** Counted from 1. */
  readonly step: number
  /** The run of the policy that the step belongs to, counted from 0. */
  readonly repeat: number
  readonly targets: ResolvedTargets
  /** When the next step is due; null when this is the last step of the last run. */
  readonly nextAt: number | null
  readonly skipped: readonly SkippedStep[]
}

export type NextStep =
  | FiringStep
  /** No step is left that reaches anybody. `skipped` is empty when no step is left at all. */
  | { readonly kind: 'finished'; readonly skipped: readonly SkippedStep[] }
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
 * The step after the alert's last one, due or not: what a manual escalation fires. Steps that reach nobody are skipped
 * at once. After as many skips as the policy has steps it gives up: another run would find the same nobody.
 */
export function stepAfter(
  alert: Pick<Alert, 'policy' | 'step' | 'repeat'>,
  now: number,
  whoIs: WhoIs,
): Exclude<NextStep, { kind: 'none' }> {
  const skipped: SkippedStep[] = []
  let position: Position | null = alert
  for (let looked = 0; looked < alert.policy.steps.length; looked++) {
    position = following(alert.policy, position)
    if (position === null) break
    const { step, repeat } = position
    // `following` stays within the list.
    const { notify, waitMs } = alert.policy.steps[step - 1]!
    const targets = whoIs(notify)
    if (targets.users.length + targets.webhooks.length + targets.topics.length > 0) {
      const nextAt = following(alert.policy, position) === null ? null : now + waitMs
      return { kind: 'fire', step, repeat, targets, nextAt, skipped }
    }
    skipped.push({ step, repeat, unresolved: targets.unresolved })
  }
  return { kind: 'finished', skipped }
}

interface Position {
  readonly step: number
  readonly repeat: number
}

/** The place after this one; the first step follows the last while runs are left (`repeat: 0` is one run, O6). */
function following(policy: EscalationPolicy, { step, repeat }: Position): Position | null {
  if (step < policy.steps.length) return { step: step + 1, repeat }
  if (policy.steps.length > 0 && repeat < policy.repeat) return { step: 1, repeat: repeat + 1 }
  return null
}
