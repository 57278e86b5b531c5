import type { Principal } from '../access/principal.ts'
import type { Core } from '../core.ts'
import { fault } from '../errors.ts'
import type { Outcome } from './publish.ts'
import type { Receive } from './receive.ts'

/**
 * Presents a dead letter again at the door, in the name of who published it (promise P10). When it is taken this
 * time the letter is removed; else it stays the only one, with the newest reason and one more in `replays`. A crash between the two replays it once more,
 * under the same key, which writes nothing twice.
 */
export async function replayDeadLetter(
  core: Core,
  receive: Receive,
  by: Principal,
  id: string,
): Promise<Outcome> {
  const letter = await core.store.deadLetter(by.tenant, id)
  if (letter === null) throw fault('request.not_found', 'There is no such dead letter')
  const principal = core.directory().principal(letter.principal)
  if (principal === undefined)
    throw fault(
      'publish.unknown_user',
      `${JSON.stringify(letter.principal)}, who published it, is not there any more`,
    )
  const outcome = await receive({
    principal,
    topic: letter.topic,
    payload: letter.payload,
    qos: 1,
    via: 'engine',
    fingerprint: `replay:${id}`,
    dup: true,
    correlationId: core.ids.next(core.clock.now()),
    replayOf: letter,
  })
  if (outcome.kind !== 'stored' && outcome.kind !== 'plain') return outcome
  // The message was taken, but one of the rules that look at it may have failed again.
  const left = await core.store.deadLetter(by.tenant, id)
  if (left?.replays === letter.replays) await core.store.removeDeadLetter(by.tenant, id)
  return outcome
}
