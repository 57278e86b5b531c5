import { DEFAULT_RATE_LIMIT, type Principal } from '../access/principal.ts'
import type { Core } from '../core.ts'
import { Fault, fault } from '../errors.ts'
import type { Arrival } from '../router/arrival.ts'
import { keepDeadLetter } from '../router/dead-letter.ts'
import type { Claimed } from '../store/store.ts'
import { acceptNotification } from './accept.ts'
import type { Scheduled } from './scheduled.ts'

type ReleaseWork = Extract<Claimed, { kind: 'release' }>

/**
 * Presents a scheduled message at its time, under the id it was published with. What cannot be shown any more, because
 * who it is for or who sent it is gone, becomes a dead letter then. A crash between its acceptance and the end of the
 * work repeats the acceptance under a key of its own, so it is shown once. Rejects when the store fails; the lease
 * brings the work back.
 */
export async function release(core: Core, claimed: ReleaseWork): Promise<void> {
  // The document is what releaseOf wrote.
  const scheduled = claimed.doc as unknown as Scheduled
  const known = core.directory().principal(scheduled.principal)
  const arrival = arrivalOf(scheduled, known ?? former(claimed, scheduled), core.clock.now())
  try {
    if (known === undefined)
      throw fault(
        'publish.unknown_user',
        `${JSON.stringify(scheduled.principal)}, who sent it, is not there any more`,
      )
    const { sendAt: _, ...draft } = scheduled.decision.draft
    await acceptNotification(core, arrival, { ...scheduled.decision, draft })
  } catch (error) {
    if (!(error instanceof Fault) || error.entry.mqtt !== 'dead') throw error
    await keepDeadLetter(core, arrival, error)
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

function arrivalOf(scheduled: Scheduled, principal: Principal, now: number): Arrival {
  return {
    publish: {
      principal,
      topic: scheduled.topic,
      payload: Buffer.from(scheduled.payload),
      qos: 1,
      via: 'engine',
      fingerprint: null,
      dup: false,
      correlationId: scheduled.correlationId,
    },
    messageId: scheduled.messageId,
    named: true,
    onceKey: `release:${scheduled.messageId}`,
    now,
    submitted: () => {},
  }
}

/** Somebody who is gone, for the name on the dead letter; may nothing. */
function former({ tenant }: ReleaseWork, { principal: id }: Scheduled): Principal {
  return { kind: 'client', id, tenant, roles: [], publish: [], subscribe: [], rateLimit: DEFAULT_RATE_LIMIT }
}
