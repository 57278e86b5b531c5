import type { Rendered } from './channel.ts'
import type { Delivery, OutboxItem } from './delivery.ts'

/**
 * The kept form of a rendered message (contract section 7). Its id is the delivery's, so that keeping it twice keeps
 * it once.
 */
export function outboxItem(delivery: Delivery, rendered: Rendered, now: number): OutboxItem {
  const { subject, text, html, actions, segments, attachments } = rendered
  return {
    id: delivery.id,
    tenant: delivery.tenant,
    channel: delivery.channel,
    userId: delivery.userId,
    address: delivery.address,
    ...(subject !== undefined && { subject }),
    text,
    ...(html !== undefined && { html }),
    actions,
    ...(segments !== undefined && { segments }),
    ...(attachments !== undefined && { attachments }),
    deliveryId: delivery.id,
    ...(delivery.subjectKind === 'alert' && { alertId: delivery.subjectId }),
    ...(delivery.subjectKind === 'notification' && { notificationId: delivery.subjectId }),
    createdAt: now,
  }
}

/** What a person's answer asks for. Without `ref` and `all` it means the message it answers. */
export interface Reply {
  readonly verb: 'ack' | 'escalate' | 'resolve' | 'snooze'
  /** The code or id the person named: `4711` of `ack 4711`, `1` of `1a`. */
  readonly ref?: string
  /** Everything that is open for this person: `aa`, `ack all`. */
  readonly all?: true
  /** `snooze` only; absent when the person named no time. */
  readonly forMs?: number
}

const WORDS: Readonly<Record<string, Reply['verb']>> = {
  a: 'ack',
  ack: 'ack',
  acknowledge: 'ack',
  acknowledged: 'ack',
  ok: 'ack',
  okay: 'ack',
  c: 'resolve',
  close: 'resolve',
  closed: 'resolve',
  r: 'resolve',
  resolve: 'resolve',
  resolved: 'resolve',
  e: 'escalate',
  escalate: 'escalate',
  s: 'snooze',
  snooze: 'snooze',
}

const KEYS: Readonly<Record<string, Reply['verb']>> = { 4: 'ack', 6: 'escalate', 5: 'resolve' }

const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

/**
 * Reads an answer such as `ack`, `ok`, `ack 4711`, `1a`, `aa`, `close`, `snooze 30m` (behaviour E19); capitals,
 * blanks around it and a closing dot or exclamation mark do not matter. Null when it is none of them: guessing what
 * a person meant could silence an alert.
 */
export function parseReply(text: string): Reply | null {
  if (text.length > 200) return null
  const words = text
    .trim()
    .toLowerCase()
    .replace(/[.!]+$/, '')
    .trim()
    .split(/\s+/)
  const [first = '', second, third] = words
  if (third !== undefined) return null
  if (second !== undefined) return withWord(verbOf(first), second)
  if (first === 'aa') return { verb: 'ack', all: true }
  if (first === 'cc') return { verb: 'resolve', all: true }
  const coded = /^([0-9]{1,9})([acers])$/.exec(first)
  if (coded?.[1] !== undefined && coded[2] !== undefined) return withWord(verbOf(coded[2]), coded[1])
  const verb = verbOf(first)
  return verb && { verb }
}

/** What a key pressed during a call asks for; the call says which is which. */
export function parseKey(key: string): Reply | null {
  const verb = KEYS[key.trim()]
  return verb ? { verb } : null
}

function verbOf(word: string): Reply['verb'] | null {
  return Object.hasOwn(WORDS, word) ? (WORDS[word] ?? null) : null
}

function withWord(verb: Reply['verb'] | null, word: string): Reply | null {
  if (verb === null) return null
  const time = /^([1-9][0-9]{0,3})([mhd])$/.exec(word)
  if (verb === 'snooze' && time) return { verb, forMs: Number(time[1]) * (UNIT_MS[time[2] ?? ''] ?? 0) }
  if (word === 'all') return verb === 'snooze' || verb === 'escalate' ? null : { verb, all: true }
  const ref = word.replace(/^#/, '')
  return /^(?=.*[0-9])[a-z0-9][a-z0-9._-]{0,63}$/.test(ref) ? { verb, ref } : null
}
