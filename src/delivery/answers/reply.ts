import { acksRequired } from '../../alert/escalation/policy.ts'
import type { Principal } from '../../access/principal.ts'
import { commandAlert, type Commander } from '../../alert/change/commanding.ts'
import type { Core } from '../../core.ts'
import { Fault, fault } from '../../errors.ts'
import type { AlertCommandDecision } from '../../notification/decision.ts'
import { deliveriesOf } from '../../store/deliveries-of.ts'
import type { OutboxItem } from '../delivery.ts'
import { parseReply, type Reply } from '../outbox.ts'
import { cut } from '../message/text.ts'

/** How long a person's `snooze` without a time lasts. */
const SNOOZE_MS = 60 * 60 * 1000
const LONGEST_ANSWER = 300

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
  const alertIds = item.alertId === undefined ? await summarised(core, item) : [item.alertId]
  if (alertIds.length === 0 || item.userId === null)
    throw fault('request.invalid', 'This message asks for no answer')
  const person = core.directory().principal(item.userId)
  if (person === undefined)
    throw fault('publish.unknown_user', `There is no user ${JSON.stringify(item.userId)} any more`)
  const said: string[] = []
  for (const alertId of alertIds)
    said.push(await answerAlert(core, alertId, understood, { principal: person, via: 'outbox' }))
  return cut(said.join(' '), LONGEST_ANSWER)
}

/** The alerts that a kept summary stands for. */
async function summarised(core: Core, { tenant, deliveryId }: OutboxItem): Promise<readonly string[]> {
  const subjectId = deliveryId.slice(0, Math.max(deliveryId.lastIndexOf('.'), 0))
  const rows = await deliveriesOf(core.store, tenant, subjectId)
  return rows.find(({ id }) => id === deliveryId)?.fixed?.summary?.alertIds ?? []
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
    if (verb === 'ack' && alert.status === 'firing') {
      return `${alert.type} is acknowledged by ${alert.acks?.length ?? 0} of ${acksRequired(alert)}; the others are still asked.`
    }
    const by = alert.status === 'acknowledged' ? ` by ${alert.acknowledgedBy}` : ''
    return `${alert.type} is ${alert.status}${by}; the last step was ${alert.step}.`
  } catch (error) {
    // The phone gets a sentence; only what the caller did wrong is an error of the call.
    if (error instanceof Fault && error.code.startsWith('alert.')) return error.message
    throw error
  }
}
