import type { Core } from '../core.ts'
import { isPremium } from '../delivery/address.ts'
import type { FixedContent } from '../delivery/delivery.ts'
import { batchMayBeDone } from '../delivery/direct/batch-done.ts'
import { newDelivery } from '../delivery/plan.ts'
import { roomIn, startDeliveries } from '../delivery/worker/start.ts'
import { cut, oneLine } from '../delivery/message/text.ts'
import { fault } from '../errors.ts'
import type { Outcome } from '../router/publish.ts'
import type { Arrival } from '../router/arrival.ts'
import type { NewDelivery } from '../store/store.ts'
import { acceptanceOf, originOf, storedOutcome } from './acceptance.ts'
import type { DirectDecision, DirectMessage } from './decision.ts'

/** As much of what is no address as is kept; the longest mailbox there is. */
const LONGEST_ADDRESS = 254

/**
 * Messages to addresses (R24, R25, R36, R37): stored as deliveries without a person, through the same worker as all others.
 * Of a batch, those that cannot be sent are stored too, as `dead` with their reason, so that its progress counts them;
 * the same message to the same address is taken once.
 */
export async function acceptDirect(core: Core, arrival: Arrival, decision: DirectDecision): Promise<Outcome> {
  const id = core.ids.next(arrival.now)
  const mayStart = roomIn(core.worker)
  const entries = onceEach(withoutPremium(core, decision))
  const deliveries = entries.flatMap(({ message, duplicate }, ordinal) =>
    duplicate ? [] : [deliveryOf(core, arrival, { decision, message, id, ordinal, mayStart })],
  )
  const result = resultOf(id, decision, entries)
  const committed = core.store.accept(acceptanceOf(arrival, result, { deliveries }))
  arrival.submitted()
  const accepted = await committed
  const outcome = storedOutcome(core, arrival, result, accepted)
  if (accepted.kind === 'accepted') {
    startDeliveries(core.worker, deliveries, accepted.leases, { notification: null, alert: null })
    // Where nothing is left to be sent, no end of a message will say so.
    if (deliveries.every(({ delivery }) => delivery.state === 'dead'))
      batchMayBeDone(core, { tenant: arrival.publish.principal.tenant, id, origin: originOf(arrival) })
  }
  return outcome
}

/** Security row 21: a number that charges whoever sends to it needs the operator's word. */
function withoutPremium(core: Core, { channel, shape, messages }: DirectDecision): readonly DirectMessage[] {
  if (channel !== 'sms' || core.config().channels.sms.allow_premium) return messages
  const error = 'publish.premium_number'
  return messages.map((message) => {
    if (!isPremium(message.address)) return message
    if (shape === 'one') throw fault(error, undefined, { field: 'phone' })
    return { ...message, error }
  })
}

interface Entry {
  readonly message: DirectMessage
  /** An earlier one says the same to the same address. */
  readonly duplicate: boolean
}

function onceEach(messages: readonly DirectMessage[]): readonly Entry[] {
  const seen = new Set<string>()
  return messages.map((message) => {
    const { address, subject, text, html, attachments, error } = message
    const key = JSON.stringify([address, subject, text, html, attachments])
    const duplicate = error === undefined && seen.has(key)
    if (error === undefined) seen.add(key)
    return { message, duplicate }
  })
}

interface DeliveryParts {
  readonly decision: DirectDecision
  readonly message: DirectMessage
  readonly id: string
  readonly ordinal: number
  /** Whether one more would start at once on its lane. */
  readonly mayStart: (lane: string) => boolean
}

function deliveryOf(
  core: Core,
  arrival: Arrival,
  { decision, message, id, ordinal, mayStart }: DeliveryParts,
): NewDelivery {
  const { now, publish } = arrival
  const { channel, shape } = decision
  const { error } = message
  const address = error === undefined ? message.address : cut(oneLine(message.address), LONGEST_ADDRESS)
  const lane = core.laneOf(channel, address)
  return newDelivery({
    tenant: publish.principal.tenant,
    subjectKind: shape === 'batch' ? 'batch' : 'direct',
    subjectId: id,
    ordinal,
    purpose: 'message',
    userId: null,
    channel,
    lane,
    address,
    critical: message.priority === 'critical',
    ...(error === undefined
      ? { fixed: fixedOf(message) }
      : { dead: error.slice(error.indexOf('.') + 1), error: message.reason ?? null }),
    origin: originOf(arrival),
    now,
    dueAt: Math.max(message.sendAt ?? now, now),
    leased: error === undefined && mayStart(lane),
  })
}

function fixedOf({ subject, text, html, attachments, push, priority }: DirectMessage): FixedContent {
  return {
    ...(subject !== undefined && { subject }),
    text,
    ...(html !== undefined && { html }),
    ...(attachments !== undefined && attachments.length > 0 && { attachments }),
    ...(push !== undefined && { push: { ...push, ...(priority === 'high' && { urgent: true }) } }),
  }
}

function resultOf(
  id: string,
  decision: DirectDecision,
  entries: readonly Entry[],
): Readonly<Record<string, unknown>> {
  const { channel, shape } = decision
  const batch = shape === 'batch'
  if (channel === 'push')
    return { status: 'push_queued', push_id: id, ...(batch && { items: itemsOf(entries) }) }
  if (batch) return { status: 'batch_queued', batch_id: id, items: itemsOf(entries) }
  return channel === 'email'
    ? { status: 'email_queued', email_id: id }
    : { status: 'sms_sent', result: { sms_id: id, status: 'queued' } }
}

function itemsOf(entries: readonly Entry[]) {
  return entries.map(({ message: { address, to = address, error, reason }, duplicate }) => ({
    to,
    status: error !== undefined ? 'failed' : duplicate ? 'duplicate' : 'queued',
    ...(error !== undefined && { error }),
    ...(reason !== undefined && { reason }),
  }))
}
