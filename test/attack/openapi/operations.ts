import { Ajv } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'

export type Schema = Readonly<Record<string, unknown>>

export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header' | 'cookie'
  readonly required?: boolean
  readonly schema: Schema
}

export interface Operation {
  /** `get /v1/alerts/{id}`. */
  readonly key: string
  readonly method: string
  readonly path: string
  readonly parameters: readonly Parameter[]
  readonly body: {
    readonly required: boolean
    readonly content: Readonly<Record<string, Schema>>
  } | null
  /** Media types and schemas by status. */
  readonly responses: Readonly<Record<string, Readonly<Record<string, Schema>>>>
  readonly security: readonly Schema[]
}

interface Media {
  readonly schema?: Schema
}

export interface Document {
  readonly security?: readonly Schema[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, RawOperation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

interface RawOperation {
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly required?: boolean; readonly content: Readonly<Record<string, Media>> }
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, Media>> }>>
  readonly security?: readonly Schema[]
}

/** Every operation of an OpenAPI document, in its order. */
export function operationsOf(document: Document): Operation[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, raw]) => ({
      key: `${method} ${path}`,
      method: method.toUpperCase(),
      path,
      parameters: raw.parameters ?? [],
      body: raw.requestBody
        ? { required: raw.requestBody.required === true, content: schemasOf(raw.requestBody.content) }
        : null,
      responses: Object.fromEntries(
        Object.entries(raw.responses).map(([status, { content = {} }]) => [status, schemasOf(content)]),
      ),
      security: raw.security ?? document.security ?? [],
    })),
  )
}

function schemasOf(content: Readonly<Record<string, Media>>): Record<string, Schema> {
  return Object.fromEntries(Object.entries(content).map(([type, { schema = {} }]) => [type, schema]))
}

/** What a document allows, as whoever reads nothing but the document would check it. */
export interface Checks {
  /** Whether the schema allows a value of a body. */
  body(schema: Schema, value: unknown): boolean
  /** The same for what stands in a URL or header, where everything is text. */
  text(schema: Schema, value: unknown): boolean
  /** What is wrong with an answer; null when nothing is. Fields that no schema names are wrong. */
  answer(schema: Schema, value: unknown): string | null
}

export function checksOf(document: Document): Checks {
  const options = { strict: false, validateFormats: false } as const
  const json = new Ajv2020(options)
  const text = new Ajv({ ...options, coerceTypes: 'array' })
  const closed = new Ajv2020(options)
  const components = document.components.schemas
  json.addSchema({ $id: 'document', components: { schemas: components } })
  closed.addSchema({ $id: 'document', components: { schemas: withoutSurprises(components) } })
  const compiled = new Map<unknown, ReturnType<Ajv['compile']>>()
  const check = (ajv: Ajv | Ajv2020, schema: Schema, prepare = (given: unknown) => given) => {
    const known = compiled.get(schema)
    if (known) return known
    const made = ajv.compile(rooted(prepare(schema)) as Schema)
    compiled.set(schema, made)
    return made
  }
  return {
    body: (schema, value) => check(json, schema)(value) === true,
    text: (schema, value) => check(text, schema)(structuredClone(value)) === true,
    answer(schema, value) {
      const validate = check(closed, schema, withoutSurprises)
      return validate(value) === true ? null : closed.errorsText(validate.errors)
    },
  }
}

/** References of the document, seen from a schema on its own. */
function rooted(schema: unknown): unknown {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', '"document#/components/'))
}

/** An object that names its properties has no others, unless it says so. */
function withoutSurprises(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutSurprises)
  if (typeof schema !== 'object' || schema === null) return schema
  const below = Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [
      key,
      /^examples?$/.test(key) ? value : withoutSurprises(value),
    ]),
  )
  const named = 'properties' in schema && 'type' in schema && schema.type === 'object'
  return named && !('additionalProperties' in schema) ? { ...below, additionalProperties: false } : below
}
