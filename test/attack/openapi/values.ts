import fc, { type Arbitrary } from 'fast-check'
import type { Schema } from './operations.ts'

/** What breaks programs: text that other languages read, characters that few expect, numbers at the edges, wrong kinds. */
const HOSTILE: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  2 ** 53,
  -(2 ** 63),
  1e308,
  '',
  ' ',
  '0',
  'null',
  '\u0000',
  'a\u0000b',
  '\ud800',
  '\u202e',
  '\r\nX-Evil: 1',
  'ÄÖÜ ß 日本語 🛎️',
  '../../etc/passwd',
  "' OR 1=1 --",
  '"); DROP TABLE alert; --',
  '<script>alert(1)</script>',
  '{{7*7}}{% for x in (1..99) %}',
  '${jndi:ldap://127.0.0.1/a}',
  '+',
  '#',
  '$SYS/broker',
  '__proto__',
  'constructor',
  'toString',
  'x'.repeat(300),
  'x'.repeat(70_000),
  '9'.repeat(400),
  '2026-13-45T99:99:99Z',
  '99999999999999',
  'P1Y',
  [],
  {},
  [[[]]],
  [null],
  { $gt: '' },
  { length: 1e9 },
]
const TEXTS = HOSTILE.filter((value) => typeof value === 'string')

export interface ValueOptions {
  /** Of a hundred values, how many are something else than the schema asks for. */
  readonly noise: number
  /** Ids and names that mean something to the program. */
  readonly known: readonly string[]
}

/** Values that fit the schema, but for the noise. */
export function valueOf(schema: Schema, options: ValueOptions): Arbitrary<unknown> {
  const fitting = fittingOf(schema, options)
  if (options.noise === 0) return fitting
  return fc.oneof(
    { weight: 100 - options.noise, arbitrary: fitting },
    { weight: options.noise, arbitrary: fc.constantFrom(...HOSTILE) },
  )
}

function fittingOf(schema: Schema, options: ValueOptions): Arbitrary<unknown> {
  if (Array.isArray(schema['enum'])) return fc.constantFrom(...(schema['enum'] as unknown[]))
  if ('const' in schema) return fc.constant(schema['const'])
  const choices = schema['anyOf'] ?? schema['oneOf']
  if (Array.isArray(choices)) {
    const { anyOf: _any, oneOf: _one, ...rest } = schema
    return fc.oneof(
      ...(choices as Schema[]).map((choice) =>
        valueOf({ ...rest, ...choice, ...merged(rest, choice) }, options),
      ),
    )
  }
  const type = Array.isArray(schema['type']) ? fc.constantFrom(...(schema['type'] as string[])) : null
  if (type !== null) return type.chain((one) => fittingOf({ ...schema, type: one }, options))
  switch (schema['type']) {
    case 'string':
      return textOf(schema, options)
    case 'integer':
    case 'number':
      return numberOf(schema)
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    case 'array':
      return listOf(schema, options)
    case 'object':
      return objectOf(schema, options)
    default:
      return anyJson()
  }
}

/** An alternative of an object says what else is required. */
function merged(rest: Schema, choice: Schema): Schema {
  if (!('properties' in rest)) return {}
  return {
    required: [
      ...((rest['required'] as string[] | undefined) ?? []),
      ...((choice['required'] as string[] | undefined) ?? []),
    ],
    properties: { ...(rest['properties'] as Schema), ...(choice['properties'] as Schema | undefined) },
  }
}

function textOf(schema: Schema, { known }: ValueOptions): Arbitrary<string> {
  const least = Number(schema['minLength'] ?? 0)
  const most = Number(schema['maxLength'] ?? 1000)
  const fits = (text: string) => Array.from(text).length >= least && Array.from(text).length <= most
  if (schema['format'] === 'date-time') return instant()
  if (typeof schema['pattern'] === 'string') {
    const pattern = new RegExp(schema['pattern'], 'u')
    const candidates = [...known, ...TEXTS, ...((schema['examples'] as string[] | undefined) ?? [])].filter(
      (text) => fits(text) && pattern.test(text),
    )
    const made = stringMatching(schema['pattern']).filter(fits)
    return candidates.length === 0 ? made : fc.oneof(made, fc.constantFrom(...candidates))
  }
  const fitting = TEXTS.filter(fits)
  const own = known.filter(fits)
  return fc.oneof(
    fc
      .string({ unit: 'grapheme', minLength: least, maxLength: Math.max(least, Math.min(most, 20)) })
      .filter(fits),
    fc
      .string({ unit: 'binary', minLength: least, maxLength: Math.max(least, Math.min(most, 20)) })
      .filter(fits),
    fc.constantFrom('x'.repeat(most), 'x'.repeat(least)),
    ...(least <= 24 && most >= 27 ? [instant()] : []),
    ...(fitting.length > 0 ? [fc.constantFrom(...fitting)] : []),
    ...(own.length > 0 ? [{ weight: 4, arbitrary: fc.constantFrom(...own) }] : []),
  )
}

function stringMatching(pattern: string): Arbitrary<string> {
  try {
    return fc.stringMatching(new RegExp(pattern))
  } catch {
    return fc.stringMatching(/^[a-z]{1,20}$/)
  }
}

/** Around the day of the run, where times mean something, and far away. */
function instant(): Arbitrary<string> {
  const day = 86_400_000
  return fc
    .oneof(
      fc.integer({ min: -2 * day, max: 30 * day }),
      fc.integer({ min: -(40 * 365) * day, max: 400 * 365 * day }),
    )
    .map((offset) => new Date(Date.now() + offset).toISOString())
}

function numberOf(schema: Schema): Arbitrary<number> {
  const min = Number(schema['minimum'] ?? -1e15)
  const max = Number(schema['maximum'] ?? 1e15)
  const edges = fc.constantFrom(min, max)
  if (schema['type'] === 'integer') return fc.oneof(edges, fc.integer({ min, max }), small(min, max))
  return fc.oneof(edges, fc.double({ min, max, noNaN: true }), small(min, max))
}

function small(min: number, max: number): Arbitrary<number> {
  const least = Math.ceil(Math.max(min, -3))
  return fc.integer({ min: least, max: Math.max(least, Math.floor(Math.min(max, 60))) })
}

function listOf(schema: Schema, options: ValueOptions): Arbitrary<unknown[]> {
  const items = valueOf((schema['items'] as Schema | undefined) ?? {}, options)
  const least = Number(schema['minItems'] ?? 0)
  const most = Number(schema['maxItems'] ?? 1000)
  const some = fc.array(items, { minLength: least, maxLength: Math.max(least, Math.min(most, 4)) })
  const many = items.map((item) => Array.from({ length: most + Math.sign(options.noise) }, () => item))
  return most > 100 ? some : fc.oneof({ weight: 20, arbitrary: some }, { weight: 1, arbitrary: many })
}

function objectOf(schema: Schema, options: ValueOptions): Arbitrary<Record<string, unknown>> {
  const properties = (schema['properties'] ?? {}) as Readonly<Record<string, Schema>>
  const required = (schema['required'] ?? []) as readonly string[]
  const values = Object.fromEntries(
    Object.entries(properties).map(([name, below]) => [name, valueOf(below, options)]),
  )
  const kept = options.noise === 0 ? [...required].filter((name) => name in values) : []
  const named = fc.record(values, { requiredKeys: kept }).chain((record) =>
    // Where there is noise even what is required is left out, but seldom.
    options.noise === 0 ? fc.constant(record) : completed(record, required, properties, options),
  )
  const further = furtherOf(schema, options)
  return further === null ? named : fc.tuple(named, further).map(([record, more]) => ({ ...more, ...record }))
}

function completed(
  record: Readonly<Record<string, unknown>>,
  required: readonly string[],
  properties: Readonly<Record<string, Schema>>,
  options: ValueOptions,
): Arbitrary<Record<string, unknown>> {
  const missing = required.filter((name) => !(name in record) && name in properties)
  const filled = Object.fromEntries(missing.map((name) => [name, valueOf(properties[name] ?? {}, options)]))
  return fc.oneof(
    { weight: 9, arbitrary: fc.record(filled).map((more) => ({ ...record, ...more })) },
    { weight: 1, arbitrary: fc.constant({ ...record }) },
  )
}

/** Properties that the schema does not name. */
function furtherOf(schema: Schema, options: ValueOptions): Arbitrary<Record<string, unknown>> | null {
  const patterns = schema['patternProperties'] as Readonly<Record<string, Schema>> | undefined
  const open = schema['additionalProperties']
  const below = patterns
    ? Object.values(patterns)[0]
    : typeof open === 'object'
      ? (open as Schema)
      : undefined
  if (below !== undefined) return fc.dictionary(key(options), valueOf(below, options), { maxKeys: 3 })
  if (open === false && options.noise === 0) return null
  return fc.oneof(
    { weight: 9, arbitrary: fc.constant({}) },
    { weight: 1, arbitrary: fc.dictionary(key(options), anyJson(), { maxKeys: 2 }) },
  )
}

const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype'])

function key({ noise }: ValueOptions): Arbitrary<string> {
  const names = fc.oneof(
    fc.string({ maxLength: 12 }),
    fc.constantFrom('a.b', '*', 'x y', 'toString', '\u0000'),
  )
  return names.filter((name) => noise > 0 || !FORBIDDEN.has(name))
}

function anyJson(): Arbitrary<unknown> {
  return fc.oneof(
    fc
      .jsonValue({ maxDepth: 2 })
      .filter((value) => !/"(__proto__|constructor|prototype)"/.test(JSON.stringify(value))),
    fc.constantFrom('text', 7, { message: 'Hello', title: 'A title' }),
  )
}
