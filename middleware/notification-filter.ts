import {
  fault,
  isSecretName,
  REDACTED,
  redactText,
  type Fault,
  type Middleware,
  type Redaction,
} from '#engine'

/** Longest values of the notification's columns, in characters (X33). */
const LENGTHS = Object.entries({
  title: 255,
  type: 50,
  category: 30,
  severity: 20,
  icon: 50,
  entity_type: 30,
  entity_id: 36,
  action_url: 500,
})

const ID = /^[A-Za-z0-9._:-]{1,128}$/
const LINK_SCHEMES = new Set(['http:', 'https:', 'mailto:'])
const MAX_DEPTH = 32

/** Names come from the payload; a receipt repeats only so much of one. */
const MAX_NAME = 100

/** Control characters but tab and newline, overrides and isolates of the writing direction, halves of a character. */
const UNWANTED = '\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u202a-\\u202e\\u2066-\\u2069\\p{Surrogate}'
const HAS_UNWANTED = new RegExp(`[${UNWANTED}]`, 'u')
const ALL_UNWANTED = new RegExp(`[${UNWANTED}]`, 'gu')

/**
 * Cleans the body before the controller sees it (R41): takes control characters and direction overrides out of every
 * text and leaves it otherwise as it is; `context.body` is a new object when something was taken out.
 *
 * What the configuration wants redacted is taken out of what people read, and not out of ids, addresses and links, which
 * would lead elsewhere then.
 *
 * Refuses with `publish.invalid_body`, whose `details` are `{ field, reason }`: a text longer than its column (X33,
 * `too_long`), an `action_url` that is neither http(s), mailto nor relative (`scheme`), an `id` outside
 * `[A-Za-z0-9._:-]{1,128}` (`pattern`), a field name with such characters in it (`control_characters`). More than 32
 * levels are `publish.too_deep`.
 */
export function notificationFilter(): Middleware {
  return async (context, next) => {
    const body = clean(context.body, '', 1)
    if (isRecord(body)) checkFields(body)
    const { redact } = context.filter
    context.body = redact.length === 0 ? body : redactBody(body, redact)
    return next()
  }
}

/** Fields with texts for people, and those below which everything is for people. */
const WORDS = new Set(['title', 'message', 'body', 'content', 'subject', 'text', 'html', 'note'])
const OPEN = new Set(['data', 'metadata'])
/** Lists of single messages, or of whom they are for. */
const BATCHES = new Set(['messages', 'recipients'])

function redactBody(body: unknown, wanted: readonly Redaction[]): unknown {
  if (!isRecord(body)) return typeof body === 'string' ? redactText(body, wanted) : body
  return Object.fromEntries(
    Object.entries(body).map(([name, value]) => {
      if (WORDS.has(name) || OPEN.has(name)) return [name, redactAll(value, wanted)]
      if (BATCHES.has(name) && Array.isArray(value))
        return [name, value.map((item) => (isRecord(item) ? redactBody(item, wanted) : item))]
      return [name, value]
    }),
  )
}

/** As deep as the cleaned body is. A number becomes a text only where it is taken out. */
function redactAll(value: unknown, wanted: readonly Redaction[]): unknown {
  if (typeof value === 'string') return redactText(value, wanted)
  if (typeof value === 'number') return redactText(String(value), wanted) === REDACTED ? REDACTED : value
  if (Array.isArray(value)) return value.map((item) => redactAll(item, wanted))
  if (!isRecord(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => {
      const hidden = isSecretName(name, wanted) && item !== null && typeof item !== 'object'
      return [name, hidden ? REDACTED : redactAll(item, wanted)]
    }),
  )
}

/** The same value when there is nothing to take out. */
function clean(value: unknown, path: string, depth: number): unknown {
  if (typeof value === 'string') return HAS_UNWANTED.test(value) ? value.replaceAll(ALL_UNWANTED, '') : value
  if (typeof value !== 'object' || value === null) return value
  if (depth > MAX_DEPTH) throw fault('publish.too_deep')
  if (Array.isArray(value)) return cleanList(value, path, depth)
  let copy: Record<string, unknown> | null = null
  // Any JSON object is one of these; asked for its keys alone, it costs no pair for each of them.
  const record = value as Readonly<Record<string, unknown>>
  for (const key of Object.keys(record)) {
    const item = record[key]
    // Cleaning a name could make it equal to another one, or to one that was kept out on purpose.
    if (HAS_UNWANTED.test(key))
      throw refusal(path, 'control_characters', 'has a name with control characters')
    const cleaned = clean(item, path === '' ? key : `${path}.${key}`, depth + 1)
    if (cleaned === item) continue
    copy ??= { ...record }
    copy[key] = cleaned
  }
  return copy ?? value
}

function cleanList(list: readonly unknown[], path: string, depth: number): readonly unknown[] {
  let copy: unknown[] | null = null
  for (const [index, item] of list.entries()) {
    const cleaned = clean(item, path, depth + 1)
    if (cleaned === item) continue
    copy ??= [...list]
    copy[index] = cleaned
  }
  return copy ?? list
}

function checkFields(body: Readonly<Record<string, unknown>>): void {
  for (const [field, most] of LENGTHS) {
    const value = body[field]
    if (typeof value === 'string' && isLonger(value, most)) {
      throw refusal(field, 'too_long', `is longer than ${most} characters`)
    }
  }
  const { id, action_url: link } = body
  if (id !== undefined && id !== null && !(typeof id === 'string' && ID.test(id))) {
    throw refusal('id', 'pattern', 'must be 1 to 128 letters, digits or any of . _ : -')
  }
  if (typeof link === 'string' && !isSafeLink(link)) {
    throw refusal('action_url', 'scheme', 'must be an http, https or mailto link, or a relative one')
  }
}

/** Counted in characters as a database column counts them, not in UTF-16 units. */
function isLonger(text: string, most: number): boolean {
  if (text.length <= most) return false
  return text.length > most * 2 || Array.from(text).length > most
}

/** Read the way a browser reads it: it drops tabs and newlines, so `java\tscript:` is a script there. */
function isSafeLink(link: string): boolean {
  if (/[\t\n]/.test(link)) return false
  try {
    return LINK_SCHEMES.has(new URL(link, 'http://relative.invalid').protocol)
  } catch {
    return false
  }
}

function refusal(field: string, reason: string, what: string): Fault {
  const name = field.slice(0, MAX_NAME)
  return fault('publish.invalid_body', field === '' ? `The payload ${what}` : `${name} ${what}`, {
    field: name,
    reason,
  })
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
