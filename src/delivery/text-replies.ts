import type { Principal } from '../access/principal.ts'
import type { Alert } from '../alert/alert.ts'
import type { Core } from '../core.ts'
import type { Person } from '../directory/directory.ts'
import { parsePhone } from './address.ts'
import type { Seen } from './callbacks.ts'
import type { OptOuts } from './opt-outs.ts'
import { parseReply, type Reply } from './outbox.ts'
import { answerAlert } from './reply.ts'
import { cut } from './text.ts'

export interface InboundText {
  /** The provider's id of the message. */
  readonly id: string
  readonly from: string
  readonly text: string
}

/** Behaviour E19: a machine that answers every answer must not be talked to for ever. */
const MOST_SORRIES = 5
const PAGES_LOOKED_AT = 200
const ALERTS_LOOKED_AT = 200
const LONGEST_ANSWER = 300

const STOP = /^(stop|stopall|unsubscribe|cancel|end|quit)$/
const START = /^(start|unstop)$/

/** An alert that paged this number, and the person as whom the number acts on it. */
interface Paged {
  readonly alert: Alert
  readonly principal: Principal
}

/** What is known of a phone between its messages; lost with the process. */
interface Conversation {
  sorries: number
  /** By alert id: what `1a` names. Kept while the alert is open, so that a code never changes its meaning. */
  readonly codes: Map<string, number>
}

/**
 * Answers to pages by text message (behaviour E19, checklist R25): `ack` means the last alert that paged the number,
 * `1a` the one whose code an answer named, `aa` all that are open; `stop` and `start` hold and release messages.
 * Resolves with the answer, null for none: to strangers, to repetitions, and after five answers that were not
 * understood until one is.
 */
export function createTextReplies(core: Core, optOuts: OptOuts, seen: Seen) {
  const conversations = new Map<string, Conversation>()
  const conversationOf = (phone: string) => {
    const known = conversations.get(phone) ?? { sorries: 0, codes: new Map<string, number>() }
    conversations.set(phone, known)
    return known
  }
  const answer = async (phone: string, people: readonly Person[], text: string): Promise<string | null> => {
    const conversation = conversationOf(phone)
    const word = text
      .trim()
      .toLowerCase()
      .replace(/[.!]+$/, '')
    if (STOP.test(word) || START.test(word)) return held(phone, people, STOP.test(word))
    const sorry = (sentence: string) => (++conversation.sorries > MOST_SORRIES ? null : sentence)
    const reply = parseReply(text)
    if (reply === null) return sorry('Sorry, answer ack, escalate or resolve.')
    const paged = await pagedBy(core, phone, people)
    name(conversation, paged)
    const meant = meantBy(reply, paged, conversation)
    if (meant.length === 0) return sorry('Sorry, there is no such alert.')
    conversation.sorries = 0
    const said: string[] = []
    for (const { alert, principal } of meant)
      said.push(await answerAlert(core, alert.id, reply, { principal, via: 'sms' }))
    return cut([...said, ...othersOf(paged, meant, conversation)].join(' '), LONGEST_ANSWER)
  }
  const held = (phone: string, people: readonly Person[], stop: boolean) => {
    if (stop) optOuts.stop(phone)
    else optOuts.start(phone)
    const users = people.map(({ id }) => id)
    core.log.warn({ users }, stop ? 'a person stopped SMS to their phone' : 'a person wants SMS again')
    return stop
      ? 'No more messages are sent to this number. Answer START to get them again.'
      : 'Messages are sent to this number again.'
  }
  return (message: InboundText): Promise<string | null> => {
    const phone = parsePhone(message.from)
    const directory = core.directory()
    const people = directory
      .tenants()
      .flatMap((tenant) => directory.users(tenant))
      .filter((person) => phone !== null && person.phone !== undefined && parsePhone(person.phone) === phone)
    if (phone === null || people.length === 0) return Promise.resolve(null)
    return seen.once(message.id, () => answer(phone, people, message.text), null)
  }
}

/** What paged this number by SMS, last first. */
async function pagedBy(core: Core, phone: string, people: readonly Person[]): Promise<readonly Paged[]> {
  const pages = []
  for (const { id: userId, tenant } of people) {
    const principal = core.directory().principal(userId)
    if (!principal) continue
    const { items } = await core.store.deliveries({ tenant, userId, channel: 'sms', limit: PAGES_LOOKED_AT })
    for (const row of items) {
      const at = row.sentAt ?? (row.state === 'sending' ? row.createdAt : null)
      if (row.address !== phone || at === null) continue
      const about = row.purpose === 'page' ? [row.subjectId] : (row.fixed?.summary?.alertIds ?? [])
      for (const alertId of about) pages.push({ at, alertId, principal })
    }
  }
  const alerts = new Map<string, Paged>()
  for (const { alertId, principal } of pages.toSorted((a, b) => b.at - a.at)) {
    const key = `${principal.tenant} ${alertId}`
    if (alerts.has(key) || alerts.size >= ALERTS_LOOKED_AT) continue
    const alert = await core.store.alert(principal.tenant, alertId)
    if (alert !== null) alerts.set(key, { alert, principal })
  }
  return [...alerts.values()]
}

/** Gives every open alert the lowest free code, the oldest first. */
function name({ codes }: Conversation, paged: readonly Paged[]): void {
  const open = paged.filter(isOpen).map(({ alert }) => alert.id)
  for (const id of codes.keys()) if (!open.includes(id)) codes.delete(id)
  for (const id of open.toReversed()) {
    if (codes.has(id)) continue
    const taken = new Set(codes.values())
    let code = 1
    while (taken.has(code)) code++
    codes.set(id, code)
  }
}

function meantBy(reply: Reply, paged: readonly Paged[], { codes }: Conversation): readonly Paged[] {
  if (reply.all) return paged.filter(isOpen)
  if (reply.ref === undefined) return paged.slice(0, 1)
  return paged
    .filter(({ alert }) => alert.id === reply.ref || String(codes.get(alert.id)) === reply.ref)
    .slice(0, 1)
}

/** `Open: 1 disk_full, 3 cpu_high.`: how to name what was not meant. */
function othersOf(paged: readonly Paged[], meant: readonly Paged[], { codes }: Conversation): string[] {
  const others = paged
    .filter((one) => one.alert.status === 'firing' && !meant.includes(one))
    .map(({ alert }) => `${codes.get(alert.id) ?? ''} ${alert.type}`)
  return others.length === 0 ? [] : [`Open: ${others.toReversed().join(', ')}.`]
}

function isOpen({ alert }: Paged): boolean {
  return alert.status !== 'resolved'
}
