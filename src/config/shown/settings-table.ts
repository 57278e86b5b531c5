import { configNode, entryOf } from '../reading/schema-node.ts'
import type { SchemaNode } from '../reading/schema-node.ts'

export interface Setting {
  /** Such as `users.<user>.email`; `[]` stands for each entry of a list. */
  readonly key: string
  readonly type: string
  /** As it would be written; null when there is none. */
  readonly fallback: string | null
  readonly description: string
}

/** Every key that can be set, in the order of the schema. */
export function settings(): readonly Setting[] {
  return walk(configNode, '', true)
}

/** The README's table of settings, in Markdown. */
export function settingsTable(): string {
  const rows = settings().map(({ key, type, fallback, description }) =>
    [`\`${key}\``, type, fallback === null ? '' : `\`${fallback}\``, description]
      .map((cell) => cell.replaceAll('|', '\\|'))
      .join(' | '),
  )
  return ['| key | type | default | meaning |', '|---|---|---|---|', ...rows.map((row) => `| ${row} |`)].join(
    '\n',
  )
}

function walk(node: SchemaNode, key: string, required: boolean): Setting[] {
  const entry = entryOf(node)
  if (entry) {
    return [setting(node, key, 'map'), ...walk(entry, `${key}.<${node.entry ?? 'name'}>`, true)]
  }
  if (node.properties) {
    return Object.entries(node.properties).flatMap(([name, property]) =>
      walk(property, key === '' ? name : `${key}.${name}`, node.required?.includes(name) ?? false),
    )
  }
  const items = node.items
  if (items && !Array.isArray(items) && (items as SchemaNode).properties) {
    return [setting(node, key, 'list'), ...walk(items as SchemaNode, `${key}[]`, true)]
  }
  return [setting(node, key, typeOf(node), required)]
}

function setting(node: SchemaNode, key: string, type: string, required = false): Setting {
  const empty = type === 'map' || node.default === undefined
  const needed = required && node.default === undefined && type !== 'map'
  return {
    key,
    type,
    fallback: empty ? null : JSON.stringify(node.default).replace(/^"(.*)"$/, '$1'),
    description: `${node.description ?? ''}${needed ? ' (required)' : ''}${node.secret === true ? ' (secret)' : ''}`,
  }
}

function typeOf(node: SchemaNode): string {
  if (node.enum) return node.enum.join(', ')
  if (node.anyOf) return node.anyOf.map(typeOf).join(' or ')
  if (node.type === 'array') {
    const item = Array.isArray(node.items) ? undefined : (node.items as SchemaNode | undefined)
    if (item?.type === 'array') return 'list of pairs'
    return item?.enum ? `list of ${item.enum.join(', ')}` : 'list'
  }
  if (node.expects?.startsWith('a duration') === true) return 'duration'
  if (node.type === 'integer') return 'whole number'
  if (node.type === 'boolean') return 'true or false'
  return node.type === 'string' ? 'text' : (node.type ?? 'any')
}
