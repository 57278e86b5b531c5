import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import type { TLocalizedValidationError } from 'typebox/error'
import { fault, type Fault } from '../errors.ts'

interface FieldError {
  /** Dotted path of the field, empty for the payload as a whole. */
  readonly field: string
  readonly message: string
  readonly missing: boolean
}

/** Names come from the payload; a receipt repeats only so much of one. */
const MAX_NAME = 100

/**
 * Compiles a schema once. The check returns null for a body that fits, else a fault `publish.invalid_body` whose
 * message names the first field that is wrong and whose `details` are `{ field, errors: [{ field, message }] }`.
 * Values of the payload are never repeated.
 *
 * `words` replaces the message when a required field is missing, null or empty (R17 "Message is required").
 */
export function bodyCheck(schema: TSchema, words?: string): (body: unknown) => Fault | null {
  const validator = Compile(schema)
  return (body) => {
    if (validator.Check(body)) return null
    const errors = merged(validator.Errors(body)).map((error) => fieldError(schema, body, error))
    const first = errors.find((error) => error.missing) ?? errors[0]
    const message = first?.missing && words !== undefined ? words : sentence(first)
    return fault('publish.invalid_body', message, {
      field: first?.field ?? '',
      errors: errors.map(({ field, message }) => ({ field, message })),
    })
  }
}

function sentence(error: FieldError | undefined): string {
  if (!error) return 'The payload does not fit this topic'
  return error.field === '' ? `The payload ${error.message}` : `${error.field} ${error.message}`
}

/** A choice between constants is reported once per constant; one error per field that lists them all reads better. */
function merged(errors: readonly TLocalizedValidationError[]): TLocalizedValidationError[] {
  const choices = new Map<string, unknown[]>()
  for (const error of errors) {
    if (error.keyword !== 'const') continue
    const values = choices.get(error.instancePath) ?? []
    choices.set(error.instancePath, [...values, error.params.allowedValue])
  }
  const seen = new Set<string>()
  return errors.flatMap((error) => {
    const values = choices.get(error.instancePath)
    if (values && (error.keyword === 'const' || error.keyword === 'anyOf')) {
      if (seen.has(error.instancePath)) return []
      seen.add(error.instancePath)
      return [{ ...error, message: `must be ${values.map((value) => JSON.stringify(value)).join(', ')}` }]
    }
    // A field that the schema does not know is reported twice, as itself and as a surplus of its object.
    if (error.keyword === 'boolean') return []
    return [error]
  })
}

function fieldError(schema: TSchema, body: unknown, error: TLocalizedValidationError): FieldError {
  const path = error.instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  if (error.keyword === 'required') {
    const field = [...path, error.params.requiredProperties[0] ?? ''].join('.')
    return { field, message: 'is required', missing: path.length === 0 }
  }
  if (error.keyword === 'additionalProperties') {
    const name = error.params.additionalProperties[0] ?? ''
    return {
      field: [...path, name].join('.').slice(0, MAX_NAME),
      message: 'is not known here',
      missing: false,
    }
  }
  const field = path.join('.').slice(0, MAX_NAME)
  const missing = path.length === 1 && isRequired(schema, field) && isBlank(body, field)
  return { field, message: missing ? 'is required' : error.message, missing }
}

function isRequired(schema: TSchema, field: string): boolean {
  const required: unknown = 'required' in schema ? schema.required : undefined
  return Array.isArray(required) && required.includes(field)
}

function isBlank(body: unknown, field: string): boolean {
  const value: unknown = Object.entries(body ?? {}).find(([key]) => key === field)?.[1]
  return value === null || value === ''
}
