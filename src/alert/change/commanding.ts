import type { Principal } from '../../access/principal.ts'
import type { Core } from '../../core.ts'
import type { Team } from '../../directory/directory.ts'
import { parseDuration } from '../../duration.ts'
import { fault } from '../../errors.ts'
import { failpoint } from '../../failpoint.ts'
import { acceptanceOf, storedOutcome } from '../../notification/acceptance.ts'
import type { AlertCommandDecision } from '../../notification/decision.ts'
import type { Outcome } from '../../router/publish.ts'
import type { Arrival } from '../../router/arrival.ts'
import type { AlertChange } from '../../store/store.ts'
import { afterAlertCommit } from './after-commit.ts'
import type { Alert } from '../alert.ts'
import { command, reassignToTeam } from './change.ts'
import type { Act, Change } from './changed.ts'
import { policyFor } from '../escalation/policy.ts'
import { mayAct } from './may-act.ts'
import { withOutcome } from '../outcome/outcome.ts'
import { planPaging, whoIsFor, type Paging } from '../paging/paging.ts'
import { changeOf } from '../raising.ts'

/** How often a command is decided anew because the alert changed under it. */
const TRIES = 20
const DAY_MS = 24 * 60 * 60_000
/** How long a callback that acted is known by what it wrote. */
const CALLBACK_MS = 24 * 60 * 60_000

/** A command in somebody's name. */
export interface Commander {
  readonly principal: Principal
  /** `mqtt`, `http`, `outbox`, … */
  readonly via: string
  /** What brought the command, when that may come again: it acts once on each alert, over a crash as well. */
  readonly once?: string
}

/**
 * Somebody acts on an alert (contract section 6). Resolves after the commit, so that once the caller has been answered
 * no page of an acknowledged alert starts (promise P15). Doing what is done already answers with the alert as it is.
 * Faults: `publish.unknown_alert`, `alert.forbidden`, and what the change itself refuses.
 */
export async function commandAlert(
  core: Core,
  decision: AlertCommandDecision,
  by: Commander,
): Promise<Alert> {
  return (await commandOnce(core, decision, by)).alert
}

/** The same, and whether anything was left to do: not when it was so already, or `once` has acted before. */
export async function commandOnce(
  core: Core,
  decision: AlertCommandDecision,
  by: Commander,
): Promise<{ readonly alert: Alert; readonly anew: boolean }> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const plan = await planCommand(core, decision, by)
    if (plan.change === null) return { alert: plan.alert, anew: false }
    const committed = await commit(core, decision, plan.change, by)
    if (committed === 'stale') continue
    if (committed === 'repeated') return { alert: plan.alert, anew: false }
    failpoint('after-ack-commit-before-reply')
    afterAlertCommit(core, plan.paging, plan.change.timeline, [])
    return { alert: plan.paging.alert, anew: true }
  }
  throw fault('store.busy', 'The alert changes faster than this command can follow')
}

async function commit(
  core: Core,
  { alertId, verb }: AlertCommandDecision,
  change: AlertChange,
  { principal, once }: Commander,
): Promise<'done' | 'stale' | 'repeated'> {
  if (once === undefined) return (await core.store.changeAlert(change)) === 'done' ? 'done' : 'stale'
  const accepted = await core.store.accept({
    tenant: principal.tenant,
    at: change.at,
    principal: principal.id,
    topic: `alerts/${alertId}/${verb}`,
    once: { key: `callback:${once}:${alertId}`, expiresAt: change.at + CALLBACK_MS, check: true },
    result: {},
    notifications: [],
    deliveries: [],
    alert: { kind: 'change', change },
    deadLetter: null,
    release: null,
    urgent: true,
  })
  if (accepted.kind === 'accepted') return 'done'
  return accepted.kind === 'stale' ? 'stale' : 'repeated'
}

/** The same as a publish: recorded with its message id, so that a resend does nothing twice (promise P3). */
export async function commandThroughDoor(
  core: Core,
  arrival: Arrival,
  decision: AlertCommandDecision,
): Promise<Outcome> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const plan = await planCommand(core, decision, {
      principal: arrival.publish.principal,
      via: arrival.publish.via,
    })
    const { alert } = plan.paging
    const result = {
      status: alert.status,
      alert_id: alert.id,
      acknowledged_by: alert.acknowledgedBy,
      acknowledged_at: alert.acknowledgedAt === null ? null : new Date(alert.acknowledgedAt).toISOString(),
      step: alert.step,
    }
    const committed = core.store.accept(
      acceptanceOf(arrival, result, {
        alert: plan.change === null ? null : { kind: 'change', change: plan.change },
        urgent: true,
      }),
    )
    arrival.submitted()
    const accepted = await committed
    if (accepted.kind === 'stale') continue
    failpoint('after-ack-commit-before-reply')
    if (accepted.kind === 'accepted' && plan.change !== null)
      afterAlertCommit(core, plan.paging, plan.change.timeline, accepted.leases)
    return storedOutcome(core, arrival, result, accepted)
  }
  throw fault('store.busy', 'The alert changes faster than this command can follow')
}

interface CommandPlan {
  readonly alert: Alert
  readonly paging: Paging
  /** Null when the alert already is as asked. */
  readonly change: AlertChange | null
}

async function planCommand(
  core: Core,
  decision: AlertCommandDecision,
  { principal, via }: Commander,
): Promise<CommandPlan> {
  const alert = await core.store.alert(principal.tenant, decision.alertId)
  if (alert === null) throw fault('publish.unknown_alert', undefined, { alert_id: decision.alertId })
  const team = alert.team === null ? undefined : core.directory().team(alert.tenant, alert.team)
  if (!mayAct(alert, principal, team?.members ?? [])) throw fault('alert.forbidden')
  const receiver = receiverOf(core, decision, alert)
  const now = core.clock.now()
  const act: Act = {
    by: actorOf(core, decision, principal),
    via,
    now,
    whoIs: await whoIsFor(
      core,
      receiver ? { ...alert, team: receiver.name, policy: policyFor(receiver) } : alert,
      now,
    ),
    note: decision.note,
    longestSnoozeMs: parseDuration(core.config().alerts.longest_snooze) ?? DAY_MS,
  }
  const change = receiver ? reassignToTeam(alert, receiver, act) : command(alert, decision, act)
  return planned(core, alert, change, act)
}

/** The team that is to have the alert from now on, if the command names one. */
function receiverOf(core: Core, { verb, team }: AlertCommandDecision, { tenant }: Alert): Team | null {
  if (verb !== 'reassign' || team === undefined) return null
  const receiver = core.directory().team(tenant, team)
  if (!receiver) throw fault('publish.unknown_team', undefined, { team })
  return receiver
}

async function planned(core: Core, alert: Alert, change: Change, { by, now }: Act): Promise<CommandPlan> {
  switch (change.kind) {
    case 'refused':
      throw fault(change.code, change.message)
    case 'same':
      return { alert, paging: { alert, deliveries: [], notifications: [] }, change: null }
    case 'changed': {
      const paged = planPaging(core, change.alert, change.page, now)
      const paging = await withOutcome(core, { before: alert, paging: paged, by, now })
      return { alert, paging, change: changeOf(alert, paging, change, now) }
    }
  }
}

/** A machine may say which person pressed its button; a person always acts as themselves. */
function actorOf(core: Core, decision: AlertCommandDecision, principal: Principal): string {
  if (principal.kind !== 'client' || decision.verb === 'reassign' || decision.user === undefined)
    return principal.id
  return core.directory().user(decision.user)?.tenant === principal.tenant ? decision.user : principal.id
}
