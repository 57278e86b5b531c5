import type { Alert } from '../../alert/alert.ts'
import type { FencedPage } from '../../alert/paging/fence.ts'
import type { Clock } from '../../clock.ts'
import type { Withheld } from '../../contact/withheld.ts'
import type { Directory, Person } from '../../directory/directory.ts'
import { failpoint } from '../../failpoint.ts'
import type { Log } from '../../log.ts'
import type { Metrics } from '../../metrics.ts'
import type { Claimed, Settlement, Store } from '../../store/store.ts'
import { onAmbiguous, type OnAmbiguous } from './ambiguity.ts'
import { reconciled, type ReconcileDeps } from './reconcile.ts'
import type { Breaker } from '../worker/breaker.ts'
import type {
  Channel,
  OutgoingMessage,
  Rendered,
  RenderInput,
  Subject,
  Wording,
  WordingFailure,
} from '../channel.ts'
import { sendInTrouble, type Chaos } from '../chaos.ts'
import type { Channels, ConfiguredChannel } from '../channels/index.ts'
import {
  budgetOf,
  concluded,
  end,
  expiresAt,
  UNKNOWN,
  unsent,
  type Attempted,
  type End,
} from './concluded.ts'
import { PAGE_ACTIONS } from '../message/content.ts'
import type { Delivery } from '../delivery.ts'
import type { Held, Holding } from '../digest/holding.ts'
import { outboxItem } from '../outbox.ts'
import { SAME_TIME, type Overlap } from './overlap.ts'
import { outdatedBy } from './outdated.ts'
import { isOverBudget } from './retry.ts'
import { sendOnce } from './send-once.ts'
import type { Performed } from '../worker/worker.ts'

/** A claimed delivery. */
export type DeliverWork = Extract<Claimed, { readonly kind: 'deliver' }>

export interface DeliverDeps {
  readonly channels: Channels
  readonly directory: Pick<Directory, 'user'>
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
  readonly metrics: Metrics
  /** Origin of links; asked late, because a free port is known only after listening. */
  readonly publicUrl: () => string
  /** Where its recipient acts on a page without signing in (contract section 6); absent or null, nowhere. */
  readonly answerUrl?: (delivery: Delivery) => string | null
  /** What a template makes of a message; absent, every message goes out as it was published. Never throws. */
  readonly wordingOf?: (input: RenderInput) => Wording | null
  /**
   * Whether an acknowledgement or a resolution of this alert was committed here, and the page with this ordinal may
   * not start any more (promise P15); without one, whether none may. Asked in the same tick in which the provider is
   * called.
   */
  readonly fence: (alertId: string, page?: FencedPage) => boolean
  /**
   * Whether an alert that was open before fires still: what a summary, which is about many, is held up by long after
   * the fence has forgotten them, and after a restart. Absent, all of them do.
   */
  readonly fires?: (alertId: string) => boolean
  /** Sees to it that two cycles of an alert that come due together are one message; absent, they are two. */
  readonly overlap?: Overlap
  /** Whether it goes now or waits behind a summary; absent, everything goes. */
  readonly holding?: Holding
  /** How captured channels are made to misbehave; absent, they never do. */
  readonly chaos?: Pick<Chaos, 'of' | 'everywhere'>
  readonly providerIds?: ReconcileDeps['providerIds']
  /**
   * What has answered a page meanwhile, on whatever node, as the store has it (promise P15). The last thing that is asked
   * before the provider is called; absent where this process hears of every answer itself.
   */
  readonly answered?: ((work: DeliverWork) => Promise<string | null>) | undefined
  /** Why the address may not be used any more, asked before the attempt. */
  readonly withheld: (delivery: Delivery, now: number) => Withheld | null
}

/** Lost twice with whoever held it (promise P10). */
const CRASHES_OF_POISON = 2
const SETTLE_AGAIN_MS = [200, 1000]

const GOES: Held = { hold: null, failed: () => {} }

/**
 * Makes one attempt at a claimed delivery: ends it unsent when there is a reason to, else renders it and sends or
 * captures it. Writes nothing; never throws for anything that content, recipient or provider do. A crash on the way
 * leaves the claim, whose lease runs out. `trouble` is that of a provider that this attempt is the probe of.
 */
export async function attempt(
  work: DeliverWork,
  deps: DeliverDeps,
  trouble: Breaker['cause'] = null,
): Promise<Attempted> {
  const ready = prepare(work, deps, trouble)
  if ('settlement' in ready) return ready
  const { channel, mode, policy } = ready
  if (mode !== 'captured' && policy === 'reconcile') {
    const known = await reconciled(work, { channel, message: () => messageOf(work, ready, deps) }, deps)
    if (known) return known
  }
  const now = deps.clock.now()
  const held = (await deps.holding?.(work, now)) ?? GOES
  if (held.hold === null) {
    const answered = await deps.answered?.(work)
    if (answered === undefined || answered === null) return send(work, { ready, held }, deps)
    held.failed()
    return unsent(work, end('cancelled', answered), deps.clock.now())
  }
  const { settlement, provider } = unsent(work, end('suppressed', held.reason), now)
  const ends = expiresAt(work)
  const hold = { ...held.hold, ...(ends < Infinity && { expiresAt: ends }) }
  return { settlement: { ...settlement, hold }, provider }
}

/** What an attempt needs, once nothing speaks against making it. */
interface Ready extends ConfiguredChannel {
  readonly address: string
  readonly input: RenderInput
  readonly policy: OnAmbiguous
}

function prepare(work: DeliverWork, deps: DeliverDeps, trouble: Breaker['cause']): Ready | Attempted {
  const { delivery } = work
  const now = deps.clock.now()
  const recipient = delivery.userId === null ? null : personOf(delivery, deps.directory)
  const configured = deps.channels.get(delivery.channel)
  if (isUnclear(work, configured)) deps.metrics.ambiguous.inc({ channel: delivery.channel })
  const reason = reasonNotToSend(work, { configured, recipient, now, trouble })
  if (reason) return unsent(work, reason, now)
  if (!configured) throw new Error('unreachable: a delivery without a channel ends unsent')

  const address = delivery.address ?? (recipient && configured.channel.addresses(recipient)[0]) ?? null
  const subject = subjectOf(work)
  if (address === null) return unsent(work, end('suppressed', 'no_address'), now)
  const withheld = deps.withheld({ ...delivery, address }, now)
  if (withheld) return unsent(work, end(withheld.state, withheld.reason), now)
  if (!subject) return unsent(work, end('cancelled', 'subject_gone'), now)
  const input = {
    delivery,
    subject,
    recipient,
    fixed: delivery.fixed,
    publicUrl: deps.publicUrl(),
    answerUrl: deps.answerUrl?.(delivery) ?? null,
  }
  const policy = onAmbiguous(delivery.channel, delivery.critical, configured.onAmbiguous)
  return { ...configured, address, policy, input: { ...input, wording: deps.wordingOf?.(input) ?? null } }
}

function messageOf(
  { delivery }: DeliverWork,
  { channel, address, input }: Ready,
  { log }: DeliverDeps,
): OutgoingMessage {
  return {
    idempotencyKey: delivery.id,
    address,
    rendered: render(channel, input, log),
    critical: delivery.critical,
    ...(delivery.subjectKind === 'alert' && { alertId: delivery.subjectId }),
  }
}

async function send(
  work: DeliverWork,
  { ready, held }: { readonly ready: Ready; readonly held: Extract<Held, { readonly hold: null }> },
  deps: DeliverDeps,
): Promise<Attempted> {
  const { delivery } = work
  const { channel, mode, address, input, policy } = ready
  const failure = input.wording?.failure
  const message = messageOf(work, ready, deps)
  const now = deps.clock.now()
  const copy = outboxItem({ ...delivery, address }, message.rendered, now)
  failpoint('after-claim-before-send')
  // Nothing may be awaited between here and the call of the provider (promise P15).
  if (isFenced(delivery, deps)) {
    held.failed()
    return unsent(work, end('cancelled', 'acknowledged'), now)
  }
  if (delivery.purpose === 'page' && deps.overlap?.admits(work, now) === false) {
    held.failed()
    return unsent(work, end('suppressed', SAME_TIME), now)
  }
  const chaos = mode === 'captured' ? deps.chaos?.of(delivery.tenant, delivery.channel) : undefined
  const judging = { random: deps.random, onAmbiguous: policy }
  if (mode === 'captured' && chaos === undefined) {
    const result = { ok: true, providerId: 'captured' } as const
    const call = { provider: 'captured', startedAt: now, endedAt: now, result }
    const { settlement } = concluded(work, call, judging)
    return { settlement: withFailure({ ...settlement, outbox: copy }, failure), provider: UNKNOWN }
  }
  const provider = chaos ? { name: channel.name, send: sendInTrouble(chaos, deps) } : channel
  const result = await sendOnce(provider, message, deps)
  if (!result.ok && !result.ambiguous) {
    held.failed()
    deps.overlap?.failed(delivery)
  }
  if (!result.ok && result.ambiguous) deps.metrics.ambiguous.inc({ channel: delivery.channel })
  const asked = chaos ? 'captured' : (channel.provider ?? channel.name)
  const call = { provider: asked, startedAt: now, endedAt: deps.clock.now(), result }
  const attempted = concluded(work, call, judging)
  const final = attempted.settlement.nextDueAt === null
  // What a live provider refused never reached the phone that the outbox stands for.
  const kept = chaos ? result.ok : mode === 'both' && final
  const settlement = withFailure(attempted.settlement, failure)
  // One tenant's rehearsal is no reason to have the others wait (promise P24).
  const rehearsed = chaos !== undefined && deps.chaos?.everywhere(delivery.channel) === false
  const sign = rehearsed ? UNKNOWN : attempted.provider
  return { provider: sign, settlement: kept ? { ...settlement, outbox: copy } : settlement }
}

/** What was sent in other words than were meant for it says why. */
function withFailure(settlement: Settlement, failure: WordingFailure | undefined): Settlement {
  if (failure === undefined || settlement.delivery?.state !== 'sent') return settlement
  const { code: reason, message: error } = failure
  return { ...settlement, delivery: { ...settlement.delivery, reason, error } }
}

/**
 * Performs claimed deliveries for the worker: one attempt, then its settlement, tried again while the store is
 * away. `settled` hears of every settlement that was written, after its commit: receipts, and the next step of an
 * alert whose page ended `dead` (promise P7), start there.
 */
export function createDeliver(
  deps: DeliverDeps & {
    readonly store: Pick<Store, 'settle'>
    readonly settled?: (work: DeliverWork, settlement: Settlement) => void
  },
): (work: Claimed, trouble?: Breaker['cause']) => Promise<Performed> {
  return async (work, trouble) => {
    if (work.kind !== 'deliver') throw new Error(`a ${work.kind} is no delivery`)
    const { settlement, provider } = await attempt(work, deps, trouble)
    failpoint('after-send-before-mark')
    const written = await settleSurely(settlement, deps)
    if (written === 'done') {
      const state = settlement.delivery?.state ?? 'pending'
      // Canaries have a metric of their own: what is counted here are messages.
      if (work.delivery.purpose !== 'canary')
        deps.metrics.deliveries.inc({ channel: work.delivery.channel, state })
      if (state === 'dead') {
        const { id, channel } = work.delivery
        const { reason, error } = settlement.delivery ?? {}
        deps.log.warn({ delivery: id, channel, reason, error }, 'delivery given up')
      }
      try {
        deps.settled?.(work, settlement)
      } catch (error) {
        deps.log.error({ err: error, delivery: work.delivery.id }, 'what follows a delivery failed')
      }
    }
    return { provider, nextDueAt: settlement.nextDueAt ?? settlement.hold?.expiresAt ?? null }
  }
}

/** A page is held up by its alert's acknowledgement, a summary by those of all alerts it is about, and only if it names all. */
function isFenced(delivery: Delivery, { fence, fires }: Pick<DeliverDeps, 'fence' | 'fires'>): boolean {
  if (delivery.purpose === 'page') return fence(delivery.subjectId, delivery)
  const about = delivery.fixed?.summary
  if (about === undefined || about.notifications > 0 || (about.unnamed ?? 0) > 0) return false
  return about.alertIds.every((id) => fence(id) || fires?.(id) === false)
}

function reasonNotToSend(
  work: DeliverWork,
  context: {
    readonly configured: ConfiguredChannel | undefined
    readonly recipient: Person | null | undefined
    readonly now: number
    readonly trouble: Breaker['cause']
  },
): End | null {
  const { delivery, alert, crashes } = work
  const { configured, recipient, now, trouble } = context
  if (crashes >= CRASHES_OF_POISON) {
    return end('dead', 'poison', `In flight when the process ended, ${crashes} times`)
  }
  const outdated = alert && (answeredBy(delivery, alert) ?? outdatedBy(delivery, alert, now))
  if (outdated) return end('cancelled', outdated)
  if (expiresAt(work) <= now) return end('expired', 'ttl')
  if (!configured) return end('dead', 'no_channel', `Nothing sends ${delivery.channel}`)
  if (delivery.userId !== null && !recipient) return end('suppressed', 'unknown_user')
  const policy = onAmbiguous(delivery.channel, delivery.critical, configured.onAmbiguous)
  if (isUnclear(work, configured) && policy === 'give_up') return end('dead', 'ambiguous')
  // Behind a provider that fails and gets one probe at a time, its turn may come long after its time (promise P7).
  if (trouble !== null && trouble !== 'refused' && isOverBudget(budgetOf(delivery), now))
    return end('dead', 'budget_exhausted', delivery.error ?? 'The provider was paused all the time')
  return null
}

/** What has answered a claimed page or reminder since it was claimed, or outdated it, by the alert as it is stored now. */
export async function answeredSince(
  { delivery }: DeliverWork,
  store: Pick<Store, 'alert'>,
  now: number,
): Promise<string | null> {
  if (delivery.subjectKind !== 'alert') return null
  const alert = await store.alert(delivery.tenant, delivery.subjectId)
  return alert && (answeredBy(delivery, alert) ?? outdatedBy(delivery, alert, now))
}

/** What ended the question that a page or a reminder asks; null while it is open (promise P15, behaviour E17). */
function answeredBy({ purpose, userId, createdAt }: Delivery, alert: Alert): string | null {
  if (purpose === 'reminder' && alert.status === 'acknowledged') return alert.remindedAt ? null : 'confirmed'
  if (purpose === 'reminder') return alert.status
  if (purpose !== 'page') return null
  if (alert.status !== 'firing') return alert.status
  const own = alert.acks?.some(({ by, at }) => by === userId && at >= createdAt) ?? false
  return own ? 'acknowledged' : null
}

/** Whether an earlier attempt may have arrived. A captured message and its mark are one commit: never in doubt. */
function isUnclear(work: DeliverWork, configured: ConfiguredChannel | undefined): boolean {
  return work.ambiguous && configured?.mode !== 'captured'
}

function personOf(delivery: Delivery, directory: Pick<Directory, 'user'>): Person | null {
  const person = delivery.userId === null ? undefined : directory.user(delivery.userId)
  return person?.tenant === delivery.tenant ? person : null
}

function subjectOf({ delivery, notification, alert }: DeliverWork): Subject | null {
  if (delivery.subjectKind === 'alert' && alert) return { kind: 'alert', alert }
  if (delivery.subjectKind === 'notification' && notification) return { kind: 'notification', notification }
  return delivery.fixed ? { kind: 'direct' } : null
}

/** A template that throws costs the message its form, not its arrival (promise P10). */
function render(channel: Channel, input: RenderInput, log: Log): Rendered {
  try {
    return channel.render(input)
  } catch (error) {
    log.error({ err: error, delivery: input.delivery.id, channel: channel.name }, 'rendering failed')
    const { delivery, subject, fixed } = input
    const actions = delivery.purpose === 'page' ? PAGE_ACTIONS : []
    if (fixed)
      return { ...(fixed.subject !== undefined && { subject: fixed.subject }), text: fixed.text, actions }
    if (subject.kind === 'alert') return { subject: subject.alert.type, text: subject.alert.message, actions }
    if (subject.kind === 'direct') return { text: '', actions }
    const { title, message } = subject.notification.content
    return { subject: title, text: message, actions }
  }
}

async function settleSurely(
  settlement: Settlement,
  { store, clock, log }: { readonly store: Pick<Store, 'settle'>; readonly clock: Clock; readonly log: Log },
): Promise<'done' | 'fenced'> {
  for (const delay of SETTLE_AGAIN_MS) {
    try {
      return await store.settle(settlement)
    } catch (error) {
      // An attempt without its mark is made again after the lease: worth some patience.
      log.warn({ err: error, delivery: settlement.delivery?.id }, 'settling failed, trying again')
      await new Promise<void>((resolve) => void clock.at(clock.now() + delay, resolve))
    }
  }
  return store.settle(settlement)
}
