import type { Principal } from '../access/principal.ts'
import type { Core } from '../core.ts'
import type { Claimed } from '../store/store.ts'
import type { Arrival } from '../router/arrival.ts'
import { acceptNotification } from './accept.ts'
import type { Scheduled } from './scheduled.ts'

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
    core.log.warn(
      { principal: scheduled.principal, message_id: scheduled.messageId },
      'a scheduled message lost its publisher and was dropped',
    )
  }
  await core.store.settle({
    workId: claimed.workId,
    token: claimed.token,
    at: core.clock.now(),
    delivery: null,
    nextDueAt: null,
    outbox: null,
  })
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
