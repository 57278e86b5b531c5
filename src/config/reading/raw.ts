import { interpolate } from './interpolation.ts'
import type { Finding, Path } from '../fault.ts'

/** A text from outside YAML (a filled-in reference, a variable, a flag) that takes the type its key asks for. */
export class Loose {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/** Stands where a fault was already reported, so that no second one follows from it. */
export const BROKEN: unique symbol = Symbol('broken')

export type Environment = Readonly<Record<string, string | undefined>>

export type RawMap = Record<string, unknown>

export function isRawMap(value: unknown): value is RawMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Loose)
}

export interface Filling {
  readonly env: Environment
  report(finding: Finding): void
  /** Told when a key that holds references got its final name. */
  renamed(path: Path, writtenAs: string): void
}

/** Fills in every reference of a document's value, keys included; reports each that cannot be. */
export function fillIn(value: unknown, filling: Filling, path: Path = []): unknown {
  if (typeof value === 'string') {
    const filled = interpolate(value, filling.env)
    if (!filled) return value
    for (const message of filled.problems) filling.report({ path, message })
    return filled.problems.length > 0 ? BROKEN : new Loose(filled.text)
  }
  if (Array.isArray(value)) return value.map((item, index) => fillIn(item, filling, [...path, index]))
  if (!isRawMap(value)) return value
  const out: RawMap = {}
  for (const [key, item] of Object.entries(value)) {
    const name = interpolate(key, filling.env)
    for (const message of name?.problems ?? []) {
      filling.report({ path: [...path, key], message, atKey: true })
    }
    if (name) filling.renamed([...path, name.text], key)
    define(out, name?.text ?? key, fillIn(item, filling, [...path, name?.text ?? key]))
  }
  return out
}

/** Sets a key as plain data, also `__proto__`. */
export function define(map: RawMap, key: string, value: unknown): void {
  Object.defineProperty(map, key, { value, writable: true, enumerable: true, configurable: true })
}
