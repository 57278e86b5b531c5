import Type, { type TSchemaOptions } from 'typebox'

/**
 * The building blocks of the schema. Beside JSON Schema's own keywords a node may carry `secret` (never printed,
 * may be given as `<key>_file`), `expects` (what a value that breaks `pattern` should have been) and `entry` (what
 * the free keys of a map are called).
 */
export const closed = { additionalProperties: false } as const

export const text = (description: string, options: TSchemaOptions & { default?: string } = {}) =>
  Type.String({ ...options, description })

export const optionalText = (description: string) => Type.Optional(Type.String({ description }))

/** A value that is masked wherever the configuration is shown. */
export const secret = (description: string) => Type.Optional(Type.String({ description, secret: true }))

export const texts = (description: string, fallback: readonly string[] = []) =>
  Type.Array(Type.String(), { description, default: [...fallback] })

export const duration = (description: string, fallback?: string) =>
  Type.String({
    description,
    pattern: '^[0-9]+(ms|s|m|h|d|w)$',
    expects: 'a duration such as 500ms, 12s, 5m, 1h, 1d or 1w',
    ...(fallback !== undefined && { default: fallback }),
  })

export const whole = (description: string, options: { minimum: number; maximum?: number; default: number }) =>
  Type.Integer({ ...options, description })

export const flag = (description: string, fallback: boolean) =>
  Type.Boolean({ description, default: fallback })

export const tenant = () => text('Tenant it belongs to', { default: 'default' })

export const clockTime = (description: string) =>
  Type.String({
    description,
    pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]$',
    expects: 'a time of day such as 07:00',
  })

export const mode = () =>
  Type.Enum(['live', 'captured', 'both'], {
    description: '`live` sends, `captured` keeps the message in the outbox instead, `both` does both',
    default: 'captured',
  })

export const httpUrl = (description: string) =>
  Type.String({ description, pattern: '^https?://[^\\s/]+', expects: 'a URL such as https://example.org' })
