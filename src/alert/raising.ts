import type { Core } from '../core.ts'
import { fault } from '../errors.ts'
import { acceptanceOf, originOf, storedOutcome } from '../notification/acceptance.ts'
import type { AlertDecision } from '../notification/decision.ts'
import type { Outcome } from '../router/publish.ts'
import type { Arrival } from '../router/arrival.ts'
import type { AcceptResult, AlertAcceptance, AlertChange } from '../store/store.ts'
import { calm, FLAPPING, stir } from '../noise/flapping.ts'
import { openQuietly, quietly } from '../noise/hush.ts'
import { HOLD } from '../noise/quiet.ts'
import { afterAlertCommit } from './change/after-commit.ts'
import type { Alert, TimelineEntry } from './alert.ts'
import { auditOf } from './audit-of.ts'
import { promote, resolve } from './change/change.ts'
import type { Act, Changed } from './change/changed.ts'
import { policyFor } from './escalation/policy.ts'
import type { Moved } from './escalation/start.ts'
import { withOutcome } from './outcome/outcome.ts'
import { planPaging, whoIsFor, type Paging } from './paging/paging.ts'
import { decideRaise, dedupKeyOf, draftAlert, open } from './raise.ts'

/** How often a publish is decided anew because the alert changed under it. */
const TRIES = 20

/**
 * A publish of a condition (R22, R23, R32, R33): opens an alert and tells its first people, counts onto the open one,
 * makes it more severe, or ends it. One commit holds the message, the alert, its first step and every delivery (P1).
 */
export async function raiseAlert(core: Core, arrival: Arrival, decision: AlertDecision): Promise<Outcome> {
  const key = `${arrival.publish.principal.tenant} ${dedupKeyOf(decision)}`
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const turn = core.inTurn(key, () => raiseInTurn(core, arrival, decision))
    // The place in the turn is the order; a later publish of the same condition waits there.
    arrival.submitted()
    const { plan, committed } = await turn
    const accepted = await committed
    if (accepted.kind === 'stale') continue
    if (accepted.kind === 'accepted') follow(core, plan, accepted)
    return storedOutcome(core, arrival, plan.result, accepted)
  }
  throw fault('store.busy', 'The alert changes faster than this publish can follow')
}

async function raiseInTurn(core: Core, arrival: Arrival, decision: AlertDecision) {
  const existing = await core.store.openAlert(arrival.publish.principal.tenant, dedupKeyOf(decision))
  const plan = await planRaise(core, arrival, decision, existing)
  const opens = plan.alert?.kind === 'open'
  const committed = core.store.accept(
    acceptanceOf(arrival, plan.result, {
      alert: plan.alert,
      // Those of a change go with the change.
      notifications: opens ? plan.paging.notifications : [],
      deliveries: opens ? plan.paging.deliveries : [],
      urgent: decision.level === 'critical',
    }),
  )
  // Repeats need not wait for each other's commit, unless their count decides (R32).
  const counts = plan.alert?.kind === 'repeat' && existing?.severity !== 'warning'
  // Not awaited there, so a failure must not go unheard before the caller listens.
  if (counts) committed.catch(() => {})
  else await committed
  return { plan, committed }
}

interface RaisePlan {
  readonly alert: AlertAcceptance | null
  readonly paging: Paging
  readonly timeline: readonly TimelineEntry[]
  readonly result: Readonly<Record<string, unknown>>
}

async function planRaise(
  core: Core,
  arrival: Arrival,
  decision: AlertDecision,
  existing: Alert | null,
): Promise<RaisePlan> {
  const { now } = arrival
  const status = `${decision.level}_alert_sent`
  const raise = decideRaise(existing, decision)
  if (raise.kind === 'open' || existing === null) {
    if (raise.kind !== 'open') return nothingToEnd(decision)
    const opened = await openInGroup(core, arrival, decision)
    const paging = planPaging(core, opened.alert, opened.page, now)
    return {
      alert: { kind: 'open', alert: paging.alert, timeline: opened.timeline },
      paging,
      timeline: opened.timeline,
      result: {
        status,
        alert_id: paging.alert.id,
        notified_users: Object.keys(paging.alert.told).length,
        ...(paging.alert.suppressedBy !== null && { suppressed_by: paging.alert.suppressedBy }),
      },
    }
  }
  switch (raise.kind) {
    case 'nothing':
      return nothingToEnd(decision)
    case 'repeat': {
      const quietMs = existing.suppressedBy === FLAPPING ? core.noise.flapsFor(existing, now) : null
      if (quietMs !== null) {
        const { alert, timeline } = stir(existing, await actOf(core, arrival, existing), quietMs)
        const paging = { alert, deliveries: [], notifications: [] }
        const change = { ...changeOf(existing, paging, { timeline, cancelPages: null }, now), counts: true }
        const result = { status, alert_id: existing.id, notified_users: 0, count: existing.count + 1 }
        return { alert: { kind: 'change', change }, paging, timeline, result }
      }
      return {
        alert: { kind: 'repeat', alertId: existing.id },
        paging: { alert: existing, deliveries: [], notifications: [] },
        timeline: [],
        result: { status, alert_id: existing.id, notified_users: 0, count: existing.count + 1 },
      }
    }
    case 'promote': {
      const change = promoteQuietly(
        core,
        existing,
        promote(existing, raise.to, await actOf(core, arrival, existing), decision),
        now,
      )
      const by = arrival.publish.principal.id
      const paged = planPaging(core, change.alert, change.page, now)
      const paging = await withOutcome(core, { before: existing, paging: paged, by, now })
      const people = change.page === null ? [] : [...change.page.users, ...change.page.admins]
      const counting = {
        ...changeOf(existing, paging, change, now),
        counts: true,
      }
      return {
        alert: { kind: 'change', change: counting },
        paging,
        timeline: change.timeline,
        result: { status, alert_id: existing.id, notified_users: new Set(people).size, promoted: true },
      }
    }
    case 'resolve': {
      const act = await actOf(core, arrival, existing)
      const quietMs = core.noise.flapsFor(existing, now)
      const change = quietMs === null ? resolve(existing, act) : calm(existing, act, quietMs)
      if (change.kind !== 'changed') return nothingToEnd(decision)
      const unpaged = { alert: change.alert, deliveries: [], notifications: [] }
      const by = arrival.publish.principal.id
      const paging = await withOutcome(core, { before: existing, paging: unpaged, by, now })
      return {
        alert: {
          kind: 'change',
          change: changeOf(existing, paging, change, now),
        },
        paging,
        timeline: change.timeline,
        result: { status: quietMs === null ? 'alert_resolved' : 'alert_flapping', alert_id: existing.id },
      }
    }
  }
}

/** Of alerts of one group that open at the same moment one leads, and the others follow. */
async function openInGroup(core: Core, arrival: Arrival, decision: AlertDecision): Promise<Moved> {
  for (;;) {
    const opened = await openDraft(core, arrival, decision)
    const { status, suppressedBy } = opened.alert
    const pages = status === 'firing' || suppressedBy === HOLD
    if (!pages || core.noise.groups().claim(opened.alert, arrival.now)) return opened
  }
}

/** The alert that this publish would open, and who would be told at once. Stores nothing. */
export async function openDraft(core: Core, arrival: Arrival, decision: AlertDecision) {
  const { now, publish } = arrival
  const { tenant } = publish.principal
  const directory = core.directory()
  const owner = directory.owner(tenant, decision.alertType)
  const draft = draftAlert(decision, {
    id: core.ids.next(now),
    tenant,
    team: owner?.name ?? null,
    policy: policyFor(owner),
    origin: originOf(arrival),
    now,
  })
  const quiet = core.noise.quietOf(draft, now)
  return quiet === null ? open(draft, await whoIsFor(core, draft, now)) : openQuietly(draft, quiet)
}

/** What is quiet stays so when it becomes more severe, unless its reason is about the milder level only. */
function promoteQuietly(core: Core, before: Alert, change: Changed, now: number): Changed {
  const quiet = core.noise.quietOf(change.alert, now)
  if (quiet === null || (quiet.by === HOLD && before.status !== 'suppressed')) return change
  return quietly(before, change, quiet, now)
}

async function actOf(core: Core, { publish, now }: Arrival, alert: Alert): Promise<Act> {
  const whoIs = await whoIsFor(core, alert, now)
  return { by: publish.principal.id, via: publish.via, now, whoIs }
}

/** The end of something that never began: accepted, and nothing comes of it (behaviour E14). */
function nothingToEnd(decision: AlertDecision): RaisePlan {
  const result = { status: 'alert_not_open', dedup_key: dedupKeyOf(decision) }
  return { alert: null, paging: NO_PAGING, timeline: [], result }
}

// Never looked at: there is no alert in this plan.
const NO_PAGING = { deliveries: [], notifications: [] } as unknown as Paging

function follow(core: Core, plan: RaisePlan, accepted: Extract<AcceptResult, { kind: 'accepted' }>): void {
  if (plan.alert === null) return
  if (plan.alert.kind === 'repeat') {
    if (accepted.alert) {
      core.openAlerts.changed(accepted.alert)
      core.board.alertChanged(accepted.alert)
    }
    return
  }
  // As it was committed: repeats may have been counted since the change was decided.
  const alert = accepted.alert ?? plan.paging.alert
  afterAlertCommit(core, { ...plan.paging, alert }, plan.timeline, accepted.leases)
  plan.paging.notifications.forEach((notification, index) => {
    core.live.stored({ ...notification, seq: accepted.seqs[index] ?? 0, readAt: null })
  })
  if (plan.alert.kind === 'open') core.noise.opened(alert)
  if (plan.alert.kind === 'open' && alert.status === 'firing') void core.reconsider([alert])
  if (plan.alert.kind === 'open' && alert.status === 'firing' && plan.paging.deliveries.length === 0) {
    core.log.error(
      { alert: plan.paging.alert.id, alert_type: plan.paging.alert.type },
      'an alert reaches nobody: no team, no administrator',
    )
  }
}

/** A change in the store's terms. Its deliveries are claimed, not leased: only an acceptance answers with leases. */
export function changeOf(
  before: Alert,
  paging: Paging,
  { timeline, cancelPages, cancelPagesOf }: Pick<Changed, 'timeline' | 'cancelPages' | 'cancelPagesOf'>,
  now: number,
): AlertChange {
  return {
    tenant: before.tenant,
    alertId: before.id,
    at: now,
    expectVersion: before.version,
    alert: paging.alert,
    timeline,
    deliveries: paging.deliveries.map((planned) => ({ ...planned, lease: null })),
    notifications: paging.notifications,
    claimed: null,
    cancelPages,
    audit: auditOf(before, timeline),
    ...(cancelPagesOf !== undefined && { cancelPagesOf }),
  }
}
