import { Ajv, type AnySchema } from 'ajv'

const OPTIONS = { useDefaults: true, allErrors: false } as const
/** Query, path and headers are text, whatever they mean: `limit=5` is a number where the schema asks for one. */
const ofText = new Ajv({ ...OPTIONS, coerceTypes: 'array' })
/** JSON says itself what is text, number or nothing; taking one for the other would let in what nobody meant. */
const ofJson = new Ajv(OPTIONS)

/** Compiles what a request is held to: the same schemas that the OpenAPI document shows. */
export function validatorOf({ schema, httpPart }: { readonly schema?: unknown; readonly httpPart?: string }) {
  // Whoever registers a route gives a JSON Schema.
  return (httpPart === 'body' ? ofJson : ofText).compile(schema as AnySchema)
}
