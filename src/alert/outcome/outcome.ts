import type { Core } from '../../core.ts'
import type { Delivery } from '../../delivery/delivery.ts'
import { newDelivery } from '../../delivery/plan.ts'
import { SEND_TIMEOUT_MS } from '../../delivery/attempt/retry.ts'
import { deliveriesOf } from '../../store/deliveries-of.ts'
import type { NewDelivery } from '../../store/store.ts'
import type { Alert } from '../alert.ts'
import type { Paging } from '../paging/paging.ts'
import { outcomeOf, type OutcomeKind } from './outcome-of.ts'
import { outcomeWords } from './outcome-words.ts'
import { outcomeTargets } from './told.ts'

/** A change of an alert on its way to the store. */
export interface Turn {
  /** The alert as it was. */
  readonly before: Alert
  /** The alert as it will be, and whom the change pages. */
  readonly paging: Paging
  /** Who caused it. */
  readonly by: string
  readonly now: number
}

/** Ends that say that nothing was published. */
const NEVER_SENT: ReadonlySet<string> = new Set(['suppressed', 'cancelled', 'dead', 'expired'])
/** Reasons for giving up that leave open whether it arrived. */
const IN_DOUBT: ReadonlySet<string | null> = new Set(['poison', 'ambiguous'])
/** The attempt at a page that is under way has ended by then, so that its outcome does not arrive before it. */
const AFTER_PAGE_MS = SEND_TIMEOUT_MS + 1000

/**
 * Adds to a change of an alert what those hear of it who were paged (contract section 6, behaviour E16), in the same
 * commit: one delivery per person or endpoint, channel and address that a page reached, but for voice, for the person
 * who caused it, and for whoever this very change pages. Sirens hear of the resolution only. People on `realtime` get
 * a frame of the moment, without a row: what is open is on the board.
 */
export async function withOutcome(core: Core, turn: Turn): Promise<Paging> {
  const { before, paging } = turn
  const outcome = outcomeOf(before, paging.alert)
  if (outcome === null) return paging
  const rows = await deliveriesOf(core.store, before.tenant, before.id)
  const pages = rows.filter(({ purpose }) => purpose === 'page')
  const users = peopleToTell(turn, pages)
  let ordinal = paging.alert.nextOrdinal
  const deliveries = [...notices(core, turn, outcome, pages), ...sirens(core, turn, outcome, pages)].map(
    (plan) => plan(ordinal++),
  )
  return {
    ...paging,
    alert: { ...paging.alert, nextOrdinal: ordinal },
    deliveries: [...paging.deliveries, ...deliveries],
    outcome: { kind: outcome, by: turn.by, watching: users.filter(({ live }) => live).map(({ id }) => id) },
  }
}

type Plan = (ordinal: number) => NewDelivery

function peopleToTell({ before, paging, by }: Turn, pages: readonly Delivery[]) {
  const paged = new Set(paging.deliveries.map(({ delivery }) => delivery.userId))
  const reachedOn = new Set(pages.filter(wasReached).map(({ userId, channel }) => `${channel} ${userId}`))
  const reached = (userId: string, channel: string) =>
    channel === 'realtime' || reachedOn.has(`${channel} ${userId}`)
  return outcomeTargets(before, by, reached)
    .filter(({ userId }) => !paged.has(userId))
    .map(({ userId, channels }) => ({ id: userId, channels, live: channels.includes('realtime') }))
}

/** What people and endpoints are told, each address once. */
function notices(core: Core, turn: Turn, outcome: OutcomeKind, pages: readonly Delivery[]): Plan[] {
  const { before, paging, by, now } = turn
  const directory = core.directory()
  const channelsOf = new Map(peopleToTell(turn, pages).map(({ id, channels }) => [id, channels]))
  const paged = new Set(paging.deliveries.map(({ delivery }) => placeOf(delivery)))
  const places = new Map<string, Delivery>()
  for (const page of pages.filter(wasReached)) {
    const { userId, channel } = page
    const wanted = userId === null ? channel === 'webhook' : channelsOf.get(userId)?.includes(channel)
    if (wanted && channel !== 'realtime' && !paged.has(placeOf(page))) places.set(placeOf(page), page)
  }
  const name = directory.user(by)?.name ?? by
  return [...places.values()].map((page) => (ordinal) => {
    const person = page.userId === null ? undefined : directory.user(page.userId)
    const { locale = 'en', timezone = 'UTC' } = person ?? {}
    return newDelivery({
      ...sharedBy(paging.alert, now),
      ordinal,
      userId: page.userId,
      channel: page.channel,
      lane: core.laneOf(page.channel, page.address),
      address: page.address,
      // It wakes nobody (contract section 6).
      critical: false,
      dueAt: page.state === 'sending' ? now + AFTER_PAGE_MS : now,
      fixed: outcomeWords(outcome, before, { by: name, at: now, locale, timezone }),
    })
  })
}

/**
 * What the sirens and lamps hear that were told of an alert which is over: one delivery for every topic with a
 * `resolved_payload`. A page that is still under way counts as sent: switching off what is off does no harm, a siren
 * that is never switched off does.
 */
function sirens(core: Core, { paging, now }: Turn, outcome: OutcomeKind, pages: readonly Delivery[]): Plan[] {
  if (outcome !== 'resolved') return []
  const { alert } = paging
  const ending = new Set(
    Object.values(core.config().channels.mqtt.topics)
      .filter((topic) => topic.resolved_payload !== undefined)
      .map(({ topic }) => topic),
  )
  const told = pages
    .filter((row) => row.channel === 'mqtt' && mayHaveBeenSent(row))
    .flatMap(({ address }) => (address !== null && ending.has(address) ? [address] : []))
  return [...new Set(told)].map((address) => (ordinal) => {
    const critical = alert.severity === 'critical'
    const lane = core.laneOf('mqtt', address)
    return newDelivery({
      ...sharedBy(alert, now),
      ordinal,
      userId: null,
      channel: 'mqtt',
      lane,
      address,
      critical,
    })
  })
}

function sharedBy(alert: Alert, now: number) {
  return {
    tenant: alert.tenant,
    subjectKind: 'alert',
    subjectId: alert.id,
    purpose: 'outcome',
    origin: alert.origin,
    now,
  } as const
}

function placeOf({ userId, channel, address }: Delivery): string {
  return JSON.stringify([userId, channel, address])
}

/** Whether somebody has it, or is about to. What failed and waits for its next attempt is cancelled with the change. */
function wasReached({ state, reason }: Delivery): boolean {
  return state === 'sent' || state === 'delivered' || state === 'sending' || IN_DOUBT.has(reason)
}

/** Whether the topic may have it. What was lost with the process, twice, may have been published before. */
function mayHaveBeenSent({ state, reason }: Delivery): boolean {
  return !NEVER_SENT.has(state) || reason === 'poison'
}
