import type { Core } from '../core.ts'
import { newDelivery } from '../delivery/plan.ts'
import { roomIn, startDeliveries } from '../delivery/start.ts'
import type { Outcome } from '../router/publish.ts'
import type { Arrival } from '../router/arrival.ts'
import { acceptanceOf, originOf, storedOutcome } from './acceptance.ts'
import type { DirectDecision } from './decision.ts'

/** Messages to addresses (R24, R25, R36): stored as deliveries without a person, through the same worker as all others. */
export async function acceptDirect(core: Core, arrival: Arrival, decision: DirectDecision): Promise<Outcome> {
  const { now, publish } = arrival
  const id = core.ids.next(now)
  const mayStart = roomIn(core.worker)
  const deliveries = decision.messages.flatMap((message, ordinal) => {
    const lane = core.laneOf(decision.channel, message.address)
    return message.error !== undefined
      ? []
      : [
          newDelivery({
            tenant: publish.principal.tenant,
            subjectKind: 'direct',
            subjectId: id,
            ordinal,
            purpose: 'message',
            userId: null,
            channel: decision.channel,
            lane,
            address: message.address,
            critical: message.priority === 'critical',
            fixed: {
              ...(message.subject !== undefined && { subject: message.subject }),
              text: message.text,
              ...(message.html !== undefined && { html: message.html }),
            },
            origin: originOf(arrival),
            now,
            dueAt: Math.max(message.sendAt ?? now, now),
            leased: mayStart(lane),
          }),
        ]
  })
  const result = resultOf(id, decision)
  const committed = core.store.accept(acceptanceOf(arrival, result, { deliveries }))
  arrival.submitted()
  const accepted = await committed
  const outcome = storedOutcome(core, arrival, result, accepted)
  if (accepted.kind === 'accepted') {
    startDeliveries(core.worker, deliveries, accepted.leases, { notification: null, alert: null })
  }
  return outcome
}

function resultOf(id: string, decision: DirectDecision): Readonly<Record<string, unknown>> {
  if (decision.shape === 'batch') {
    return {
      status: 'batch_queued',
      batch_id: id,
      items: decision.messages.map(({ address, error }) => ({
        to: address,
        status: error === undefined ? 'queued' : 'failed',
        ...(error !== undefined && { error }),
      })),
    }
  }
  return decision.channel === 'email'
    ? { status: 'email_queued', email_id: id }
    : { status: 'sms_sent', result: { sms_id: id, status: 'queued' } }
}
