import { define, isRawMap, Loose } from './raw.ts'
import { configNode, entryOf, itemOf } from './schema-node.ts'
import { suggest } from '../suggest.ts'
import type { ConfigFault, Path } from '../fault.ts'
import type { Environment, RawMap } from './raw.ts'
import type { SchemaNode } from './schema-node.ts'

/** The flags of `carillon start` that have to do with the configuration, as text. */
export interface Flags {
  readonly config?: string | undefined
  readonly data?: string | undefined
  readonly host?: string | undefined
  readonly httpPort?: string | undefined
  readonly mqttPort?: string | undefined
  readonly demo?: boolean | undefined
}

/** One value that a variable or flag puts over the file's. */
export interface Override {
  readonly path: Path
  readonly value: string
  /** The name of the variable or flag. */
  readonly at: string
  readonly from: 'environment' | 'flag'
}

/** Variables with a name of their own. */
export const PLAIN_VARIABLES: readonly {
  variable: string
  flag?: keyof Flags
  option?: string
  path: Path
}[] = [
  { variable: 'CARILLON_DATA', flag: 'data', option: '--data', path: ['storage', 'path'] },
  { variable: 'CARILLON_HOST', flag: 'host', option: '--host', path: ['server', 'host'] },
  { variable: 'CARILLON_HTTP_PORT', flag: 'httpPort', option: '--http-port', path: ['server', 'http_port'] },
  { variable: 'CARILLON_MQTT_PORT', flag: 'mqttPort', option: '--mqtt-port', path: ['server', 'mqtt_port'] },
  { variable: 'CARILLON_LOG_LEVEL', path: ['server', 'log_level'] },
]

const NESTED = 'CARILLON__'

/**
 * What environment and flags say, weakest first: `CARILLON__A__B`, then the plain variables, then flags
 * (contract section 1). Names of entries such as user ids are found in `raw` whatever their case, `_` standing
 * for `-`, because a variable's name can hold neither.
 */
export function readOverrides(
  raw: unknown,
  env: Environment,
  flags: Flags,
): { readonly overrides: readonly Override[]; readonly faults: readonly ConfigFault[] } {
  const overrides: Override[] = []
  const faults: ConfigFault[] = []
  for (const name of Object.keys(env).toSorted()) {
    const value = env[name]
    if (value === undefined || !name.startsWith(NESTED)) continue
    const found = pathOf(name.slice(NESTED.length).split('__'), raw)
    if ('path' in found) overrides.push({ path: found.path, value, at: name, from: 'environment' })
    else faults.push({ at: name, path: '', ...found })
  }
  for (const { variable, path } of PLAIN_VARIABLES) {
    const value = env[variable]
    if (value !== undefined && value !== '')
      overrides.push({ path, value, at: variable, from: 'environment' })
  }
  for (const { flag, option, path } of PLAIN_VARIABLES) {
    const value = flag && flags[flag]
    if (typeof value === 'string' && option) overrides.push({ path, value, at: option, from: 'flag' })
  }
  return { overrides, faults }
}

const plainName = (name: string) => name.toLowerCase().replaceAll('-', '_')

function pathOf(
  segments: readonly string[],
  raw: unknown,
): { path: Path } | { message: string; suggestion?: string } {
  const path: (string | number)[] = []
  let node: SchemaNode | undefined = configNode
  let value = raw
  for (const segment of segments) {
    const wanted = plainName(segment)
    const here = isRawMap(value) ? value : {}
    const free: SchemaNode | undefined = entryOf(node)
    if (node.properties) {
      const key: string | undefined = propertyNames(node).find((name) => plainName(name) === wanted)
      if (key === undefined) {
        const near = suggest(wanted, propertyNames(node).map(plainName))
        return {
          message: `no key ${wanted} there`,
          ...(near !== undefined && { suggestion: near.toUpperCase() }),
        }
      }
      node = node.properties[key] ?? { type: 'string' }
      path.push(key)
      value = here[key]
    } else if (free) {
      const key = Object.keys(here).find((name) => plainName(name) === wanted) ?? segment.toLowerCase()
      node = free
      path.push(key)
      value = here[key]
    } else if (node.type === 'array' && /^[0-9]+$/.test(segment) && Array.isArray(value)) {
      const index = Number(segment)
      if (index >= value.length) return { message: `the list has only ${value.length} entries` }
      node = itemOf(node, index) ?? {}
      path.push(index)
      value = value[index] as unknown
    } else {
      return { message: `nothing lies under ${segments.slice(0, path.length).join('__')}` }
    }
  }
  return { path }
}

/** The keys of an object, with the `…_file` twin of each secret. */
function propertyNames(node: SchemaNode): string[] {
  return Object.entries(node.properties ?? {}).flatMap(([key, property]) =>
    property.secret === true ? [key, `${key}_file`] : [key],
  )
}

/** Puts the overrides into a copy of the raw tree; a place that is no map stays as it is, for the check to report. */
export function applyOverrides(raw: unknown, overrides: readonly Override[]): unknown {
  return overrides.reduce((tree, { path, value }) => put(tree, path, new Loose(value)), raw)
}

function put(tree: unknown, path: Path, value: Loose): unknown {
  const [head, ...rest] = path
  if (head === undefined) return value
  if (typeof head === 'number') {
    return Array.isArray(tree)
      ? (tree as unknown[]).map((item, index) => (index === head ? put(item, rest, value) : item))
      : tree
  }
  if (tree !== undefined && tree !== null && !isRawMap(tree)) return tree
  const copy: RawMap = { ...tree }
  // A secret that comes from outside replaces the file's, whichever of its two forms that has.
  if (rest.length === 0) delete copy[head.endsWith('_file') ? head.slice(0, -5) : `${head}_file`]
  define(copy, head, put(copy[head], rest, value))
  return copy
}
