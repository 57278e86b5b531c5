import { stringify } from 'yaml'
import { define } from '../reading/raw.ts'
import { configNode, entryOf, itemOf } from '../reading/schema-node.ts'
import type { RawMap } from '../reading/raw.ts'
import type { Config } from '../schema/schema.ts'
import type { SchemaNode } from '../reading/schema-node.ts'

const MASK = '********'

/** The configuration as it is in force, in YAML, every secret masked. */
export function printConfig(config: Config): string {
  return stringify(maskSecrets(config), { lineWidth: 0 })
}

/** A copy that may be shown to anybody who may see the configuration: every secret is a row of asterisks. */
export function maskSecrets(config: Config): unknown {
  return mask(configNode, config)
}

function mask(node: SchemaNode, value: unknown): unknown {
  if (value === undefined || value === null) return value
  if (node.secret === true) return MASK
  if (Array.isArray(value)) return value.map((item, index) => mask(itemOf(node, index) ?? {}, item))
  if (typeof value !== 'object') return value
  const out: RawMap = {}
  for (const [key, item] of Object.entries(value)) {
    define(out, key, mask(node.properties?.[key] ?? entryOf(node) ?? {}, item))
  }
  return out
}
