import type { Principal } from '../access/principal.ts'
import { mayPublish } from '../access/grants.ts'
import { decideRaise, dedupKeyOf } from '../alert/raise.ts'
import { openDraft } from '../alert/raising.ts'
import { OWN_PREFIXES, type Core } from '../core.ts'
import { Fault } from '../errors.ts'
import type { AlertDecision, Decision, NotifyDecision } from '../notification/decision.ts'
import { planNotification } from '../notification/plan.ts'
import { PAYLOAD_LIMIT, type Arrival } from '../router/arrival.ts'
import { runRoute } from '../router/compose.ts'
import { parsePayload } from '../router/parse-payload.ts'
import { contextOf } from '../router/receive.ts'
import type { Router } from '../router/router.ts'
import { rehearsing } from './rehearsing.ts'
import { simulate, type SimulatedEvent } from './simulate.ts'
import type { Link } from './link.ts'

/** A publish that is not made. */
export interface Rehearsal {
  readonly topic: string
  readonly payload: Uint8Array
  readonly principal: Principal
  readonly at: number
}

export interface Explained {
  readonly chain: readonly Link[]
  /** Of an alert: everything that it would cause if nobody answered. */
  readonly timeline: readonly SimulatedEvent[]
}

/** How far ahead an alert is followed. */
const AHEAD_MS = 24 * 60 * 60_000

/**
 * Takes a publish the whole way but for the commit: rights, limits, route, middleware, schema, controller, who, which
 * channels and when. Nothing is stored, sent or counted against its publisher's rate limit. Where it would end, the
 * chain ends, with the code of the fault.
 */
export async function explain(core: Core, router: Router, rehearsal: Rehearsal): Promise<Explained> {
  const chain: Link[] = []
  const say = (stage: string, decision: string, code: string, detail: Link['detail'] = {}) =>
    void chain.push({ stage, decision, code, detail })
  try {
    return { chain, timeline: await rehearse(rehearsing(core), router, rehearsal, say) }
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    const { code, message, details } = error
    const fate = { dead: 'dead_letter', refuse: 'refused', retry: 'refused' }[error.entry.mqtt]
    say('end', fate, code, { message, ...details })
    return { chain, timeline: [] }
  }
}

type Say = (stage: string, decision: string, code: string, detail?: Link['detail']) => void

async function rehearse(
  core: Core,
  router: Router,
  { topic, payload, principal, at }: Rehearsal,
  say: Say,
): Promise<readonly SimulatedEvent[]> {
  if (!mayPublish(principal, topic)) {
    say('access', 'refused', 'publish.forbidden', { principal: principal.id })
    return []
  }
  say('access', 'granted', 'granted', { principal: principal.id })
  const match = router.match(topic)
  const [first = ''] = topic.split('/', 1)
  if (match === null) {
    const own = OWN_PREFIXES.some((prefix) => prefix === first)
    say('route', own ? 'dead_letter' : 'plain', own ? 'publish.no_route' : 'plain')
    return []
  }
  const { pattern, keys, middleware } = match.route
  say('route', 'taken', 'routed', { pattern, params: match.params, middleware: middleware.length })
  if (payload.length > PAYLOAD_LIMIT) {
    say('limits', 'dead_letter', 'publish.too_large')
    return []
  }
  const parsed = parsePayload(payload, keys)
  if (!parsed.ok) {
    say('limits', 'dead_letter', parsed.code)
    return []
  }
  const messageId = core.ids.next(at)
  const arrival: Arrival = {
    publish: {
      principal,
      topic,
      payload,
      qos: match.route.qos,
      // What the engine publishes itself is not counted by the rate limit.
      via: 'engine',
      fingerprint: null,
      dup: false,
      correlationId: messageId,
    },
    messageId,
    named: false,
    now: at,
    submitted() {},
  }
  const context = { ...contextOf(core, match, arrival, parsed.value), tell() {} }
  const decision = await runRoute(match, context)
  say('controller', decision.kind, 'decided', summaryOf(decision))
  if (decision.kind === 'notify') explainNotification(core, arrival, decision, say)
  if (decision.kind === 'alert') return explainAlert(core, arrival, decision, say)
  return []
}

function summaryOf(decision: Decision): Link['detail'] {
  switch (decision.kind) {
    case 'notify':
      return { to: decision.to, priority: decision.draft.priority ?? null }
    case 'alert':
      return { level: decision.level, type: decision.alertType, status: decision.status }
    case 'alert-command':
      return { alert_id: decision.alertId, verb: decision.verb }
    case 'direct':
      return { channel: decision.channel, messages: decision.messages.length }
    case 'drop':
      return { reason: decision.reason }
    case 'maintenance':
      return { cancelled: decision.cancelled }
    case 'inbox':
    case 'event':
    case 'status':
    case 'presence':
      return {}
  }
}

function explainNotification(core: Core, arrival: Arrival, decision: NotifyDecision, say: Say): void {
  const { sendAt } = decision.draft
  const later = sendAt !== undefined && sendAt > arrival.now
  if (later) say('schedule', 'held', 'send_at', { until: new Date(sendAt).toISOString() })
  const plan = planNotification(core, later ? { ...arrival, now: sendAt } : arrival, decision)
  say('audience', 'found', 'to' in decision ? Object.keys(decision.to).join() : '', {
    entries: plan.entries.length,
  })
  for (const { notification, deliveries } of plan.entries) {
    for (const { delivery } of deliveries) {
      const { userId, channel, state, reason, nextAttemptAt } = delivery
      say('delivery', state, reason ?? 'planned', {
        user: userId,
        channel,
        ...(nextAttemptAt !== null && { at: new Date(nextAttemptAt).toISOString() }),
      })
    }
    if (deliveries.length === 0) say('delivery', 'none', 'inbox_only', { user: notification.userId })
  }
}

async function explainAlert(
  core: Core,
  arrival: Arrival,
  decision: AlertDecision,
  say: Say,
): Promise<readonly SimulatedEvent[]> {
  const { tenant } = arrival.publish.principal
  const existing = await core.store.openAlert(tenant, dedupKeyOf(decision))
  const raise = decideRaise(existing, decision)
  say('alert', raise.kind, raise.kind, {
    dedup_key: dedupKeyOf(decision),
    ...(existing && { alert_id: existing.id, status: existing.status, count: existing.count }),
  })
  if (raise.kind !== 'open') return []
  const opened = await openDraft(core, arrival, decision)
  const { team, policy } = opened.alert
  say('team', team ?? 'none', team === null ? 'unowned' : 'owned', {
    team,
    steps: policy.steps.map(({ notify }) => notify),
    repeat: policy.repeat,
  })
  const nobody = { outages: [], silent: [], acks: [] }
  return simulate(core, { opened, at: arrival.now, forMs: AHEAD_MS, ...nobody })
}
