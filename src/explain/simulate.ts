import type { Alert, TimelineEntry } from '../alert/alert.ts'
import { stillReaches } from '../alert/paging/bring-forward.ts'
import { acknowledge } from '../alert/change/change.ts'
import type { Change } from '../alert/change/changed.ts'
import type { Moved } from '../alert/escalation/start.ts'
import { planPaging, whoIsFor } from '../alert/paging/paging.ts'
import { hasten } from '../alert/timer.ts'
import type { Core } from '../core.ts'
import type { ChannelName, Delivery } from '../delivery/delivery.ts'
import { nextAttempt } from '../delivery/attempt/retry.ts'
import { onTimerQuietly } from '../noise/hush.ts'
import { rehearsing } from './rehearsing.ts'

export interface Scenario {
  /** The alert as it opens, and who is told at once. */
  readonly opened: Moved
  readonly at: number
  /** How long it is looked at. */
  readonly forMs: number
  /** Channels whose provider fails all the time. */
  readonly outages: readonly ChannelName[]
  /** Who does not answer, whatever `acks` says. */
  readonly silent: readonly string[]
  /** Who acknowledges, how long after the first message that reached them. */
  readonly acks: readonly { readonly user: string; readonly afterMs: number }[]
}

/** One thing that would happen. */
export interface SimulatedEvent {
  readonly at: number
  readonly kind: TimelineEntry['kind'] | 'sent' | 'in_app' | 'failed' | 'suppressed' | 'cancelled' | 'dead'
  readonly user: string | null
  readonly channel: ChannelName | null
  readonly step: number | null
  /** Why not, or what happened in words. */
  readonly reason: string | null
}

interface Waiting {
  delivery: Delivery
  dueAt: number
}

/**
 * What a simulation says nothing about, by name: budgets and digests (`throttle:`, `digests:`), pauses of providers, the
 * notices about how an alert ended, and other alerts, silences and windows that would come, or end early, meanwhile.
 */
export const LEFT_OUT = [
  'throttle',
  'digests',
  'provider_pauses',
  'outcome_notices',
  'later_changes',
] as const

/** Everything that is going on, from the beginning on. A mistake in here must not run for ever. */
const MOST_EVENTS = 10_000

/**
 * What would become of an alert, on a clock that costs no time: the same decisions as in the running program about
 * steps, people, channels, contact rules, quiet hours, retries and acknowledgements, with everything that is in force
 * now and the duties of the time at hand. Silences, maintenance windows and alerts that are open now keep it quiet as
 * long as they would. Stores and sends nothing. Retries wait for three quarters of their longest delay; see
 * {@link LEFT_OUT} for the rest.
 */
export async function simulate(live: Core, scenario: Scenario): Promise<readonly SimulatedEvent[]> {
  const core = rehearsing(live)
  const { at, forMs, outages, silent, acks } = scenario
  const events: SimulatedEvent[] = []
  const all = new Map<string, Delivery>()
  let waiting: Waiting[] = []
  let answers: { readonly at: number; readonly user: string }[] = []
  const reached = new Set<string>()
  let alert: Alert = scenario.opened.alert

  const tell = (
    now: number,
    kind: SimulatedEvent['kind'],
    of: Delivery | null,
    reason: string | null = null,
  ) =>
    events.push({
      at: now,
      kind,
      user: of?.userId ?? null,
      channel: of?.channel ?? null,
      step: of?.step ?? null,
      reason,
    })
  const put = (delivery: Delivery) => void all.set(delivery.id, delivery)

  const apply = (moved: Moved, cancelPages: string | null, now: number) => {
    for (const { delivery } of cancelPages === null ? [] : waiting) {
      put({ ...delivery, state: 'cancelled' })
      tell(now, 'cancelled', delivery, cancelPages)
    }
    if (cancelPages !== null) waiting = []
    for (const entry of moved.timeline) {
      const { kind, step = null, by, text } = entry
      events.push({
        at: now,
        kind,
        user: by,
        channel: null,
        step,
        reason: text ?? entry.users?.join(', ') ?? null,
      })
    }
    const paging = planPaging(core, moved.alert, moved.page, now)
    ;({ alert } = paging)
    for (const { delivery, dueAt } of paging.deliveries) {
      put(delivery)
      if (delivery.state === 'suppressed') tell(now, 'suppressed', delivery, delivery.reason)
      else if (delivery.channel === 'realtime') tell(now, 'in_app', delivery)
      else waiting.push({ delivery, dueAt: dueAt ?? now })
    }
  }
  const change = (made: Change, now: number) => {
    if (made.kind === 'changed') apply(made, made.cancelPages, now)
  }

  const attempt = (one: Waiting, now: number) => {
    waiting = waiting.filter((other) => other !== one)
    const delivery = { ...one.delivery, attempts: one.delivery.attempts + 1 }
    if (!outages.includes(delivery.channel)) {
      put({ ...delivery, state: 'sent' })
      tell(now, 'sent', delivery)
      answer(delivery.userId, now)
      return
    }
    const { critical, maxAttempts, createdAt, attempts } = delivery
    const next = nextAttempt({
      attempt: attempts,
      critical,
      maxAttempts,
      firstAt: createdAt,
      now,
      random: () => 0.5,
    })
    if ('at' in next) {
      put(delivery)
      if (attempts === 1) tell(now, 'failed', delivery, 'outage')
      waiting.push({ delivery, dueAt: next.at })
      return
    }
    put({ ...delivery, state: 'dead' })
    tell(now, 'dead', delivery, next.dead)
    const brought = hasten(alert, now)
    if (critical && brought.kind === 'changed' && !stillReaches(alert, [...all.values()]))
      change(brought, now)
  }
  const answer = (user: string | null, now: number) => {
    if (user === null || reached.has(user)) return
    reached.add(user)
    const ack = silent.includes(user) ? undefined : acks.find((one) => one.user === user)
    if (ack) answers.push({ at: now + ack.afterMs, user })
  }

  apply(scenario.opened, null, at)
  while (events.length < MOST_EVENTS) {
    const said = earliest(answers, (one) => one.at)
    const due = earliest(waiting, (one) => one.dueAt)
    const instants = [said?.at, due?.dueAt, alert.nextStepAt ?? undefined].filter((one) => one !== undefined)
    const now = Math.min(...instants)
    if (instants.length === 0 || now > at + forMs) break
    const whoIs = await whoIsFor(core, alert, now)
    if (due?.dueAt === now) attempt(due, now)
    else if (said?.at === now) {
      answers = answers.filter((one) => one !== said)
      change(acknowledge(alert, { by: said.user, via: 'http', now, whoIs }), now)
    } else {
      const quiet = core.noise.quietOf(alert, now)
      const made = onTimerQuietly(alert, now, { whoIs, quiet, release: core.noise.releaseOf(alert) })
      if (made.kind !== 'changed') break
      change(made, now)
    }
  }
  return events
}

function earliest<T>(items: readonly T[], at: (item: T) => number): T | undefined {
  return items.reduce<T | undefined>((best, item) => (best && at(best) <= at(item) ? best : item), undefined)
}
