import { ConfigSchema } from '../schema/schema.ts'

/** The part of JSON Schema that the configuration's schema is made of. */
export interface SchemaNode {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean' | 'null'
  readonly description?: string
  readonly default?: unknown
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly required?: readonly string[]
  readonly patternProperties?: Readonly<Record<string, SchemaNode>>
  readonly items?: SchemaNode | readonly SchemaNode[]
  readonly minItems?: number
  readonly anyOf?: readonly SchemaNode[]
  readonly enum?: readonly string[]
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  /** Our own words, see fields.ts. */
  readonly secret?: boolean
  readonly expects?: string
  readonly entry?: string
}

// A TypeBox schema is a JSON Schema; its static type hides the keywords that the walks over it need.
export const configNode = ConfigSchema as unknown as SchemaNode

/** The schema of a map's values, when its keys are free. */
export function entryOf(node: SchemaNode): SchemaNode | undefined {
  return node.patternProperties && Object.values(node.patternProperties)[0]
}

/** The schema of the list item at `index`; every index of a plain list has the same. */
export function itemOf(node: SchemaNode, index: number): SchemaNode | undefined {
  return Array.isArray(node.items)
    ? (node.items as readonly SchemaNode[])[index]
    : (node.items as SchemaNode | undefined)
}
