import Type from 'typebox'
import { LONGEST_MS, PRIORITIES, SEVERITIES, fault, parseDuration } from '#engine'

/** Fields that several payloads share. Lengths are those of checklist X33. */
export const Text = Type.String({ minLength: 1, maxLength: 65_536 })
export const MessageId = Type.Optional(
  Type.String({ pattern: '^[A-Za-z0-9._:-]{1,128}$', description: 'Makes a resend harmless for 24 h' }),
)
export const Data = Type.Optional(Type.Record(Type.String(), Type.Unknown()))
export const Priority = Type.Optional(
  Type.Union(
    PRIORITIES.map((value) => Type.Literal(value)),
    { default: 'normal' },
  ),
)
export const Severity = Type.Optional(Type.Union(SEVERITIES.map((value) => Type.Literal(value))))
export const Instant = Type.Optional(
  Type.Union([Type.Number({ description: 'Seconds since 1970' }), Type.String({ description: 'RFC 3339' })]),
)
export const SendAt = Type.Optional(
  Type.Union([Type.Number({ description: 'Seconds since 1970' }), Type.String({ description: 'RFC 3339' })], {
    description: 'When to send: at most a year ahead; up to a day ago means now',
  }),
)
export const Span = Type.Optional(
  Type.Union([
    Type.Number({ minimum: 0, description: 'Seconds' }),
    Type.String({ description: 'Such as 30s, 5m, 1h' }),
  ]),
)

/** RFC 3339 knows no later year; beyond it neither dates nor columns are sure to hold an instant. */
const LAST_INSTANT = Date.UTC(9999, 11, 31)

/** An instant in milliseconds; a fault that names the field when it is none. */
export function instantMs(field: string, value: number | string | undefined): number | undefined {
  if (value === undefined) return undefined
  const at = typeof value === 'number' ? Math.round(value * 1000) : Date.parse(value)
  if (at >= 0 && at <= LAST_INSTANT) return at
  throw fault('publish.invalid_body', `${field} is neither seconds since 1970 nor an RFC 3339 time`, {
    field,
  })
}

const DAY_MS = 24 * 60 * 60_000
const LONGEST_WAIT_MS = 366 * DAY_MS
const DATE_TIME = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?)?$/i

/**
 * When something is to be sent, in milliseconds (checklist R24). What has just passed means at once: the message may
 * have been on its way. More than a day ago or a year ahead is a mistake, such as milliseconds for seconds.
 */
export function sendAtMs(value: number | string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined
  const wrong = (what: string) => fault('publish.invalid_body', `send_at ${what}`, { field: 'send_at' })
  const neither = 'is neither seconds since 1970 nor an RFC 3339 time'
  // `Date.parse` makes a year of a bare number.
  if (typeof value === 'string' && !DATE_TIME.test(value)) throw wrong(neither)
  const at = typeof value === 'number' ? Math.round(value * 1000) : Date.parse(value)
  if (Number.isNaN(at)) throw wrong(neither)
  if (at < now - DAY_MS) throw wrong('is more than a day ago')
  if (at > now + LONGEST_WAIT_MS) throw wrong('is more than a year ahead; a number counts seconds')
  return at
}

/** A duration in milliseconds; a fault that names the field when it is none. */
export function spanMs(field: string, value: number | string | undefined): number | undefined {
  if (value === undefined) return undefined
  const length = typeof value === 'number' ? Math.round(value * 1000) : parseDuration(value)
  if (length !== null && length <= LONGEST_MS) return length
  throw fault(
    'publish.invalid_body',
    `${field} is neither a number of seconds nor a duration such as 30s, 5m, 1h`,
    { field },
  )
}
