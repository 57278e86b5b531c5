import type { Core } from '../../core.ts'
import { deliveryById } from './delivery-report.ts'
import { parseKey } from '../outbox.ts'
import { answerAlert } from './reply.ts'
import type { Seen } from './seen.ts'

export interface PressedKey {
  readonly callId: string
  readonly deliveryId: string
  /** The number that was called. */
  readonly address: string
  readonly digits: string
}

/** What a person pressed on the phone, done in the name of whoever was called. Resolves with what is said to them. */
export function answerKey(core: Core, seen: Seen, pressed: PressedKey): Promise<string> {
  const reply = parseKey(pressed.digits)
  if (reply === null) return Promise.resolve('This key means nothing here. Goodbye.')
  const id = `twilio:${pressed.callId} ${pressed.digits}`
  const act = async () => {
    const delivery = await deliveryById(core, pressed.deliveryId, pressed.address, ['voice'])
    const principal = delivery?.userId == null ? undefined : core.directory().principal(delivery.userId)
    const asks = delivery?.purpose === 'page' || delivery?.purpose === 'reminder'
    if (!asks || principal?.tenant !== delivery.tenant) return 'This call asks for no answer. Goodbye.'
    const said = await answerAlert(core, delivery.subjectId, reply, { principal, via: 'voice', once: id })
    return `${said.replaceAll('_', ' ')} Goodbye.`
  }
  return seen.once(id, act, 'This was done already. Goodbye.')
}
