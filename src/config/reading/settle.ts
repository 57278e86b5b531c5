import { parse } from 'yaml'
import { BROKEN, define, isRawMap, Loose } from './raw.ts'
import { coerce, expectation, kindOf, scalarFault } from './scalar.ts'
import { entryOf, itemOf } from './schema-node.ts'
import { suggest } from '../suggest.ts'
import type { Finding, Path } from '../fault.ts'
import type { RawMap } from './raw.ts'
import type { SchemaNode } from './schema-node.ts'

export interface Settling {
  report(finding: Finding): void
  /** The content of a `*_file`; throws when it cannot be read. */
  readSecret(path: string): string
  /** Told when the value of a key was found under another one: a secret's file, or a misspelt key. */
  renamed(path: Path, writtenAs: string): void
  /** Told of a place whose fault was reported before. */
  spoilt(path: Path): void
}

/** For values that are known to be right. */
export const QUIET: Settling = {
  report: () => {},
  readSecret: () => '',
  renamed: () => {},
  spoilt: () => {},
}

/**
 * Brings a raw tree into the schema's shape: defaults at every depth, texts from outside coerced, secrets read from
 * their files. Reports every fault and goes on with something of the right type in the faulty place, so that the
 * checks after it can look at all the rest. Null counts as not given.
 */
export function settle(node: SchemaNode, raw: unknown, path: Path, settling: Settling): unknown {
  if (raw === BROKEN) {
    settling.spoilt(path)
    return placeholder(node)
  }
  if (node.anyOf) return settleChoice(node.anyOf, raw, path, settling)
  if (node.properties) return settleObject(node, structured(raw, path, settling), path, settling)
  const entry = entryOf(node)
  if (entry) return settleMap(entry, structured(raw, path, settling), path, settling)
  if (node.type === 'array') return settleList(node, structured(raw, path, settling), path, settling)
  if (node.type === undefined && !node.enum) return plain(raw)
  const value = raw instanceof Loose ? coerce(node, raw.text) : raw
  const message = scalarFault(node, value)
  if (message === null) return value
  const known = typeof value === 'string' ? suggest(value, node.enum ?? []) : undefined
  settling.report({ path, message, suggestion: known })
  return placeholder(node)
}

function settleObject(node: SchemaNode, raw: unknown, path: Path, settling: Settling): unknown {
  if (raw === BROKEN) return placeholder(node)
  if (!isRawMap(raw)) return wrongShape(node, raw, path, settling)
  const properties = node.properties ?? {}
  const given = readSecretFiles(properties, adoptMisspelt(properties, raw, path, settling), path, settling)
  const out: RawMap = {}
  for (const [key, property] of Object.entries(properties)) {
    const value = Object.hasOwn(given, key) ? given[key] : undefined
    if (value !== undefined && value !== null) {
      out[key] = settle(property, value, [...path, key], settling)
    } else if (property.default !== undefined) {
      out[key] = settle(property, property.default, [...path, key], settling)
    } else if (node.required?.includes(key)) {
      settling.report({ path: [...path, key], message: 'is missing' })
      out[key] = placeholder(property)
    }
  }
  return out
}

/** Reports unknown keys; one that must be a misspelt key that is not given counts as that key from here on. */
function adoptMisspelt(
  properties: Readonly<Record<string, SchemaNode>>,
  raw: RawMap,
  path: Path,
  settling: Settling,
): RawMap {
  const known = Object.entries(properties).flatMap(([key, property]) =>
    property.secret === true ? [key, `${key}_file`] : [key],
  )
  const given: RawMap = {}
  for (const key of Object.keys(raw)) if (known.includes(key)) given[key] = raw[key]
  for (const key of Object.keys(raw)) {
    if (known.includes(key)) continue
    const meant = suggest(key, known)
    settling.report({ path: [...path, key], message: 'unknown key', suggestion: meant, atKey: true })
    if (meant === undefined || Object.hasOwn(given, meant)) continue
    given[meant] = raw[key]
    settling.renamed([...path, meant], key)
  }
  return given
}

function readSecretFiles(
  properties: Readonly<Record<string, SchemaNode>>,
  given: RawMap,
  path: Path,
  settling: Settling,
): RawMap {
  const out = { ...given }
  for (const [key, property] of Object.entries(properties)) {
    const fileKey = `${key}_file`
    const named = out[fileKey]
    if (property.secret !== true || named === undefined || named === null) continue
    const at = [...path, fileKey]
    const file = named instanceof Loose ? named.text : named
    if (out[key] !== undefined && out[key] !== null) {
      settling.report({ path: at, message: `stands beside ${key}; give only one of them` })
    } else if (named === BROKEN) {
      out[key] = BROKEN
    } else if (typeof file !== 'string') {
      settling.report({ path: at, message: `expected the path of a file, found ${kindOf(file)}` })
      out[key] = BROKEN
    } else {
      settling.renamed([...path, key], fileKey)
      try {
        out[key] = settling.readSecret(file).replace(/\r?\n$/, '')
      } catch (error) {
        if (onlyCaptures(properties, out)) continue
        settling.report({ path: at, message: `cannot read ${file} (${reasonOf(error)})` })
        out[key] = BROKEN
      }
    }
  }
  return out
}

/** A channel that sends nothing does without what it would need to send. */
function onlyCaptures(properties: Readonly<Record<string, SchemaNode>>, given: RawMap): boolean {
  const mode = given['mode'] ?? properties['mode']?.default
  return (mode instanceof Loose ? mode.text : mode) === 'captured'
}

function settleMap(entry: SchemaNode, raw: unknown, path: Path, settling: Settling): unknown {
  if (raw === BROKEN) return {}
  if (!isRawMap(raw))
    return wrongShape({ type: 'object', patternProperties: { '': entry } }, raw, path, settling)
  const out: RawMap = {}
  for (const [key, value] of Object.entries(raw)) {
    const at = [...path, key]
    if (key === '__proto__') settling.report({ path: at, message: 'this name is not possible', atKey: true })
    else define(out, key, settle(entry, value ?? {}, at, settling))
  }
  return out
}

function settleList(node: SchemaNode, raw: unknown, path: Path, settling: Settling): unknown {
  if (raw === BROKEN) return []
  const fixed = Array.isArray(node.items) ? node.items.length : undefined
  if (!Array.isArray(raw) || (fixed !== undefined && raw.length !== fixed)) {
    return wrongShape(node, raw, path, settling)
  }
  if (raw.length < (node.minItems ?? 0)) {
    settling.report({ path, message: `needs at least ${node.minItems} entry` })
  }
  return (raw as unknown[]).map((item, index) =>
    settle(itemOf(node, index) ?? {}, item, [...path, index], settling),
  )
}

function settleChoice(choices: readonly SchemaNode[], raw: unknown, path: Path, settling: Settling): unknown {
  const outside = raw instanceof Loose && (raw.text === '' || raw.text === 'null') ? null : raw
  const nullable = choices.some((choice) => choice.type === 'null')
  const [first] = choices.filter((choice) => choice.type !== 'null')
  if (outside === null && nullable) return null
  return settle(first ?? {}, outside, path, settling)
}

/** A text from outside in the place of a map or list is read as YAML, of which JSON is a part. */
function structured(raw: unknown, path: Path, settling: Settling): unknown {
  if (!(raw instanceof Loose)) return raw
  try {
    return parse(raw.text) as unknown
  } catch {
    settling.report({ path, message: 'expected JSON or YAML' })
    return BROKEN
  }
}

function wrongShape(node: SchemaNode, raw: unknown, path: Path, settling: Settling): unknown {
  settling.report({ path, message: `expected ${expectation(node)}, found ${kindOf(raw)}` })
  return placeholder(node)
}

/** Something of the right type where the real value is faulty. */
function placeholder(node: SchemaNode): unknown {
  if (node.default !== undefined) return settle(node, node.default, [], QUIET)
  if (node.properties) return settle(node, {}, [], QUIET)
  if (node.patternProperties) return {}
  if (node.enum) return node.enum[0]
  if (node.type === 'array') {
    return Array.isArray(node.items) ? (node.items as readonly SchemaNode[]).map(placeholder) : []
  }
  if (node.type === 'integer' || node.type === 'number') return node.minimum ?? 1
  if (node.type === 'boolean') return false
  return node.type === 'string' ? '' : null
}

/** The value without the marks of this folder, for keys whose content is not looked at yet. */
function plain(raw: unknown): unknown {
  if (raw === BROKEN) return null
  if (raw instanceof Loose) return raw.text
  if (Array.isArray(raw)) return raw.map(plain)
  if (!isRawMap(raw)) return raw
  const out: RawMap = {}
  for (const [key, value] of Object.entries(raw)) define(out, key, plain(value))
  return out
}

const reasonOf = (error: unknown) =>
  error instanceof Error && 'code' in error ? String(error.code) : 'it cannot be opened'
