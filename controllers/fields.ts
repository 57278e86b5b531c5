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
