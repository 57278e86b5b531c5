import type { Principal } from '../access/principal.ts'
import { commandAlert, type Commander } from '../alert/commanding.ts'
import type { Core } from '../core.ts'
import { Fault, fault } from '../errors.ts'
import type { AlertCommandDecision } from '../notification/decision.ts'
import { parseReply, type Reply } from './outbox.ts'

/** How long a person's `snooze` without a time lasts. */
const SNOOZE_MS = 60 * 60 * 1000

/**
 * A person's answer to a captured message, as their phone would send it: acts in that person's name (contract
 * section 7). Resolves, after the commit, with what they get back. Faults: `request.not_found` for the message,
 * `request.invalid` for an answer that is none.
 */
export async function replyToOutbox(
  core: Core,
  by: Principal,
  itemId: string,
  reply: { readonly text?: string; readonly action?: string },
): Promise<string> {
  const item = await core.store.outboxItem(by.tenant, itemId)
  if (item === null) throw fault('request.not_found', 'There is no such message in the outbox')
  const answer = reply.action ?? reply.text ?? ''
  const understood = parseReply(answer)
  if (understood === null) return 'Sorry, answer ack, escalate or resolve.'
  if (item.alertId === undefined || item.userId === null)
    throw fault('request.invalid', 'This message asks for no answer')
  const person = core.directory().principal(item.userId)
  if (person === undefined)
    throw fault('publish.unknown_user', `There is no user ${JSON.stringify(item.userId)} any more`)
  return answerAlert(core, item.alertId, understood, { principal: person, via: 'outbox' })
}

/**
 * Does to an alert what a person answered, in their name. Resolves, after the commit, with a sentence for them, also
 * when the alert refuses it.
 */
export async function answerAlert(
  core: Core,
  alertId: string,
  { verb, forMs = SNOOZE_MS }: Reply,
  answering: Commander,
): Promise<string> {
  const decision: AlertCommandDecision = {
    kind: 'alert-command',
    alertId,
    verb,
    ...(verb === 'snooze' && { forMs }),
  }
  try {
    const alert = await commandAlert(core, decision, answering)
    const by = alert.status === 'acknowledged' ? ` by ${alert.acknowledgedBy}` : ''
    return `${alert.type} is ${alert.status}${by}; the last step was ${alert.step}.`
  } catch (error) {
    // The phone gets a sentence; only what the caller did wrong is an error of the call.
    if (error instanceof Fault && error.code.startsWith('alert.')) return error.message
    throw error
  }
}
