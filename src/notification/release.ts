import type { Principal } from '../access/principal.ts'
import type { Core } from '../core.ts'
import type { Acceptance, Claimed } from '../store/store.ts'
import type { Arrival } from '../router/receive.ts'
import type { NotifyDecision } from './decision.ts'
import { acceptNotification } from './accept.ts'

/** What a scheduled message needs to be presented again. */
interface Scheduled {
  readonly principal: string
  readonly topic: string
  readonly messageId: string
  readonly correlationId: string
  readonly decision: NotifyDecision
}

/** The work row of a message that is to be shown and sent at `dueAt`. */
export function releaseOf(arrival: Arrival, decision: NotifyDecision, dueAt: number): NonNullable<Acceptance['release']> {
  const scheduled: Scheduled = {
    principal: arrival.publish.principal.id,
    topic: arrival.publish.topic,
    messageId: arrival.messageId,
    correlationId: arrival.publish.correlationId,
    decision,
  }
  return { ref: `${arrival.publish.principal.id}:${arrival.messageId}`, dueAt, doc: { ...scheduled } }
}

/**
 * Presents a scheduled message at its time. A crash between its acceptance and the end of the work repeats the
 * acceptance under a key of its own, so it is shown once.
 */
export async function release(core: Core, claimed: Extract<Claimed, { kind: 'release' }>): Promise<void> {
  // The document is what releaseOf wrote; a person who is gone by now makes it a log line below.
  const scheduled = claimed.doc as unknown as Scheduled
  const now = core.clock.now()
  const principal = core.directory().principal(scheduled.principal)
  if (principal !== undefined) {
    const { sendAt: _, ...draft } = scheduled.decision.draft
    const arrival: Arrival = {
      publish: enginePublish(principal, scheduled),
      messageId: `release:${scheduled.messageId}`,
      named: true,
      now,
      submitted: () => {},
    }
    await acceptNotification(core, arrival, { ...scheduled.decision, draft })
  } else {
    core.log.warn({ principal: scheduled.principal, message_id: scheduled.messageId }, 'a scheduled message lost its publisher and was dropped')
  }
  await core.store.settle({ workId: claimed.workId, token: claimed.token, at: core.clock.now(), delivery: null, nextDueAt: null, outbox: null })
}

function enginePublish(principal: Principal, scheduled: Scheduled): Arrival['publish'] {
  return {
    principal,
    topic: scheduled.topic,
    payload: new Uint8Array(),
    qos: 1,
    via: 'engine',
    fingerprint: null,
    dup: false,
    correlationId: scheduled.correlationId,
  }
}
