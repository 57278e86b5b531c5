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
const MAX_ERRORS = 8

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
    const errors = fieldErrors(schema, body, validator.Errors(body))
    const first = errors.find((error) => error.missing) ?? errors[0]
    const message = first?.missing && words !== undefined ? words : sentence(first)
    return fault('publish.invalid_body', message, {
      field: first?.field ?? '',
      errors: errors.slice(0, MAX_ERRORS).map(({ field, message }) => ({ field, message })),
    })
  }
}

function sentence(error: FieldError | undefined): string {
  if (!error) return 'The payload does not fit this topic'
  return error.field === '' ? `The payload ${error.message}` : `${error.field} ${error.message}`
}

/** In the order found, and once each: of a choice every alternative is reported, and then the choice itself. */
function fieldErrors(
  schema: TSchema,
  body: unknown,
  found: readonly TLocalizedValidationError[],
): FieldError[] {
  const once = new Map<string, FieldError>()
  for (const error of found) {
    const path = pathOf(error.instancePath)
    const own = path.join('.').slice(0, MAX_NAME)
    const below = (name: string) => [...path, name].join('.').slice(0, MAX_NAME)
    const add = (field: string, message: string, missing = false) => {
      const key = `${field}\0${message}`
      if (!once.has(key)) once.set(key, { field, message, missing })
    }
    if (error.keyword === 'required') {
      for (const name of error.params.requiredProperties) add(below(name), 'is required', path.length === 0)
    } else if (error.keyword === 'additionalProperties') {
      for (const name of error.params.additionalProperties) add(below(name), 'is not known here')
    } else if (path.length === 1 && isRequired(schema, own) && isBlank(body, own)) {
      add(own, 'is required', true)
    } else if (error.keyword === 'const' || error.keyword === 'anyOf') {
      add(own, choiceOf(found.filter((other) => other.instancePath === error.instancePath)))
    } else if (error.keyword !== 'boolean') {
      // A field that the schema does not know comes as `boolean` too, besides the surplus of its object.
      add(own, error.message)
    }
  }
  return [...once.values()]
}

/** The library stops after some errors, so that not every alternative may be there: then none is named. */
function choiceOf(atOnePlace: readonly TLocalizedValidationError[]): string {
  const values = atOnePlace.flatMap((error) =>
    error.keyword === 'const' ? [JSON.stringify(error.params.allowedValue)] : [],
  )
  const complete = atOnePlace.some((error) => error.keyword === 'anyOf')
  if (complete && values.length > 1) return `must be one of ${values.join(', ')}`
  return values.length === 1 ? `must be ${values[0]}` : 'must be one of the allowed values'
}

function pathOf(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function isRequired(schema: TSchema, field: string): boolean {
  const required: unknown = 'required' in schema ? schema.required : undefined
  return Array.isArray(required) && required.includes(field)
}

function isBlank(body: unknown, field: string): boolean {
  const value: unknown = Object.entries(body ?? {}).find(([key]) => key === field)?.[1]
  return value === null || value === ''
}
