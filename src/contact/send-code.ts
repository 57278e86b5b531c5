import type { Core } from '../core.ts'
import { newDelivery } from '../delivery/plan.ts'
import { sendOwn } from '../delivery/direct/send-own.ts'
import type { Person } from '../directory/directory.ts'
import { codeMessage } from './code.ts'
import type { ContactChannel } from './contact.ts'

export interface CodeToSend {
  readonly messageId: string
  readonly channel: ContactChannel
  readonly address: string
  readonly code: string
  readonly now: number
}

/** Hands a code to the delivery engine, like any other message; resolves after the commit. */
export async function sendCode(core: Core, person: Person, sending: CodeToSend): Promise<void> {
  const { messageId, channel, address, code, now } = sending
  const { tenant, id: userId } = person
  const topic = `users/${userId}/contacts`
  const lane = core.laneOf(channel, address)
  const planned = newDelivery({
    tenant,
    subjectKind: 'direct',
    subjectId: messageId,
    ordinal: 0,
    purpose: 'code',
    userId,
    channel,
    lane,
    address,
    critical: false,
    fixed: codeMessage(channel, code),
    origin: { principal: userId, messageId, topic },
    now,
    leased: core.worker.room(lane) > 0,
  })
  await sendOwn(core, [planned])
}
