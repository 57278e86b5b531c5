import { DEFAULT_TENANT, type Principal } from '../../access/principal.ts'
import type { Alert } from '../../alert/alert.ts'
import type { Core } from '../../core.ts'
import type { Person } from '../../directory/directory.ts'
import { recordKind } from '../../registry/registry.ts'
import { parsePhone } from '../address.ts'
import type { CallbacksDeps } from './callbacks.ts'
import type { OptOuts } from './opt-outs.ts'
import { parseReply, type Reply } from '../outbox.ts'
import { answerAlert } from './reply.ts'
import { cut } from '../message/text.ts'

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
/** States of what the phone has, or may have. */
const REACHED = ['sending', 'sent', 'delivered'] as const
const LONGEST_ANSWER = 300

const STOP = /^(stop|stopall|unsubscribe|cancel|end|quit)$/
const START = /^(start|unstop)$/

/** An alert that this number was told of, and the person as whom the number acts on it. */
interface Paged {
  readonly alert: Alert
  readonly principal: Principal
}

/** What is known of a phone between its messages. */
interface Conversation {
  /** Answers in a row that were not understood. */
  readonly sorries: number
  /** By alert id: what `1a` names. Kept while the alert is open, so that a code never changes its meaning. */
  readonly codes: Readonly<Record<string, number>>
}

/** Under the number; over restarts, because a code that a phone has been told must not come to mean another alert. */
const CONVERSATION = recordKind<Conversation>('text_conversation')
const NEW: Conversation = { sorries: 0, codes: {} }

interface Answer {
  readonly said: string | null
  readonly conversation: Conversation
}

/** One message of a phone whose people are known. */
interface Received {
  readonly id: string
  readonly phone: string
  readonly people: readonly Person[]
  readonly text: string
}

/**
 * Answers to pages by text message (behaviour E19, checklist R25): `ack` means the last alert that paged the number,
 * `1a` the one whose code an answer named, `aa` all that are open; `stop` and `start` hold and release messages.
 * Resolves with the answer, null for none: to strangers, to repetitions, and after five answers that were not
 * understood until one is.
 */
export function createTextReplies(core: Core, { optOuts, contacts, seen }: CallbacksDeps) {
  const reply = async (received: Received): Promise<string | null> => {
    const place = { tenant: DEFAULT_TENANT, owner: '', key: received.phone }
    const before = core.registry.get(CONVERSATION, place)?.doc ?? NEW
    const { said, conversation } = await answerText(core, received, before)
    if (!isSame(before, conversation)) await core.registry.put(CONVERSATION, place, conversation)
    return said
  }
  return (message: InboundText): Promise<string | null> => {
    const phone = parsePhone(message.from)
    const people = phone === null ? [] : contacts.peopleAt(core.directory(), 'sms', phone)
    if (phone === null || people.length === 0) return Promise.resolve(null)
    const id = `twilio:${message.id}`
    const word = message.text
      .trim()
      .toLowerCase()
      .replace(/[.!]+$/, '')
    const act = () =>
      STOP.test(word) || START.test(word)
        ? held(core, optOuts, { phone, people }, STOP.test(word))
        : reply({ id, phone, people, text: message.text })
    return seen.once(id, () => core.inTurn(`texts of ${phone}`, act), null)
  }
}

async function held(
  core: Core,
  optOuts: OptOuts,
  { phone, people }: Pick<Received, 'phone' | 'people'>,
  stop: boolean,
): Promise<string> {
  const users = people.map(({ id }) => id)
  for (const tenant of new Set(people.map((person) => person.tenant)))
    await (stop ? optOuts.stop(tenant, phone, users) : optOuts.start(tenant, phone))
  core.log.warn({ users }, stop ? 'a person stopped SMS to their phone' : 'a person wants SMS again')
  return stop
    ? 'No more messages are sent to this number. Answer START to get them again.'
    : 'Messages are sent to this number again.'
}

async function answerText(
  core: Core,
  { id, phone, people, text }: Received,
  before: Conversation,
): Promise<Answer> {
  const sorry = (sentence: string, { sorries, codes }: Conversation): Answer => ({
    said: sorries < MOST_SORRIES ? sentence : null,
    conversation: { sorries: Math.min(sorries + 1, MOST_SORRIES), codes },
  })
  const reply = parseReply(text)
  if (reply === null) return sorry('Sorry, answer ack, escalate or resolve.', before)
  const paged = await pagedBy(core, phone, people)
  const codes = named(before.codes, paged)
  const meant = meantBy(reply, paged, codes)
  if (meant.length === 0) return sorry('Sorry, there is no such alert.', { ...before, codes })
  const said: string[] = []
  for (const { alert, principal } of meant)
    said.push(await answerAlert(core, alert.id, reply, { principal, via: 'sms', once: id }))
  return {
    said: cut([...said, ...othersOf(paged, meant, codes)].join(' '), LONGEST_ANSWER),
    conversation: { sorries: 0, codes },
  }
}

function isSame(a: Conversation, b: Conversation): boolean {
  const codes = Object.entries(a.codes)
  return (
    a.sorries === b.sorries &&
    codes.length === Object.keys(b.codes).length &&
    codes.every(([id, code]) => b.codes[id] === code)
  )
}

/**
 * What this number was told of by SMS, last first. How an alert ended counts as well: whoever answers `ok` to that does
 * not mean the page of another alert before it.
 */
async function pagedBy(core: Core, phone: string, people: readonly Person[]): Promise<readonly Paged[]> {
  const pages = []
  for (const { id: userId, tenant } of people) {
    const principal = core.directory().principal(userId)
    if (!principal) continue
    // State by state: what was held back in a storm must not hide what was sent before.
    const query = { tenant, userId, channel: 'sms', limit: PAGES_LOOKED_AT } as const
    const lists = await Promise.all(REACHED.map((state) => core.store.deliveries({ ...query, state })))
    for (const row of lists.flatMap(({ items }) => items)) {
      if (row.address !== phone) continue
      const at = row.sentAt ?? row.createdAt
      const about = row.subjectKind === 'alert' ? [row.subjectId] : (row.fixed?.summary?.alertIds ?? [])
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
function named(before: Conversation['codes'], paged: readonly Paged[]): Conversation['codes'] {
  const open = paged.filter(isOpen).map(({ alert }) => alert.id)
  const codes = new Map(Object.entries(before).filter(([id]) => open.includes(id)))
  for (const id of open.toReversed()) {
    if (codes.has(id)) continue
    const taken = new Set(codes.values())
    let code = 1
    while (taken.has(code)) code++
    codes.set(id, code)
  }
  return Object.fromEntries(codes)
}

function meantBy(reply: Reply, paged: readonly Paged[], codes: Conversation['codes']): readonly Paged[] {
  if (reply.all) return paged.filter(isOpen)
  if (reply.ref === undefined) return paged.slice(0, 1)
  return paged
    .filter(({ alert }) => alert.id === reply.ref || String(codes[alert.id]) === reply.ref)
    .slice(0, 1)
}

/** `Open: 1 disk_full, 3 cpu_high.`: how to name what was not meant. */
function othersOf(paged: readonly Paged[], meant: readonly Paged[], codes: Conversation['codes']): string[] {
  const others = paged
    .filter((one) => one.alert.status === 'firing' && !meant.includes(one))
    .map(({ alert }) => `${codes[alert.id] ?? ''} ${alert.type}`)
  return others.length === 0 ? [] : [`Open: ${others.toReversed().join(', ')}.`]
}

function isOpen({ alert }: Paged): boolean {
  return alert.status !== 'resolved'
}
