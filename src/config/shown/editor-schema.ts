import { configNode, entryOf } from '../reading/schema-node.ts'
import type { SchemaNode } from '../reading/schema-node.ts'

type JsonSchema = Readonly<Record<string, unknown>>

/** JSON Schema of the configuration file for editors: what has a default may be left out, secrets may be files. */
export function configJsonSchema(): JsonSchema {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Carillon configuration',
    ...editorNode(configNode),
  }
}

function editorNode(node: SchemaNode): JsonSchema {
  const { secret: _secret, expects: _expects, entry: _entry, required: _required, ...rest } = node
  const entry = entryOf(node)
  if (entry) {
    const { patternProperties: _patterns, ...map } = rest
    return { ...map, additionalProperties: editorNode(entry) }
  }
  if (Array.isArray(node.items)) {
    return { ...rest, items: (node.items as readonly SchemaNode[]).map(editorNode) }
  }
  if (node.items) return { ...rest, items: editorNode(node.items as SchemaNode) }
  if (!node.properties) return rest
  const properties = Object.entries(node.properties).flatMap(([key, property]) => [
    [key, editorNode(property)] as const,
    ...(property.secret === true
      ? [[`${key}_file`, { type: 'string', description: `Path of a file that holds ${key}` }] as const]
      : []),
  ])
  const required = node.required?.filter((key) => node.properties?.[key]?.default === undefined) ?? []
  return { ...rest, properties: Object.fromEntries(properties), ...(required.length > 0 && { required }) }
}
