import type { SchemaNode } from './schema-node.ts'

/** A text from outside as the type its key asks for; the text itself when it cannot be that. */
export function coerce(node: SchemaNode, text: string): unknown {
  if (node.type === 'integer' || node.type === 'number') {
    return /^\s*[+-]?[0-9]+(\.[0-9]+)?\s*$/.test(text) ? Number(text) : text
  }
  if (node.type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text
  return text
}

/** What is wrong with a scalar, or null. Values of secrets are never part of the message. */
export function scalarFault(node: SchemaNode, value: unknown): string | null {
  const shown = () => (node.secret === true ? kindOf(value) : show(value))
  const quotes = isScalar(value) && fitsInQuotes(node, String(value)) ? '; put it in quotes' : ''
  const expected = () => `expected ${expectation(node)}, found ${shown()}${quotes}`
  if (node.enum) return typeof value === 'string' && node.enum.includes(value) ? null : expected()
  if (node.type === 'integer' || node.type === 'number') {
    if (typeof value !== 'number' || !Number.isFinite(value)) return expected()
    if (node.type === 'integer' && !Number.isSafeInteger(value)) return expected()
    if (node.minimum !== undefined && value < node.minimum) return `must be at least ${node.minimum}`
    if (node.maximum !== undefined && value > node.maximum) return `must be at most ${node.maximum}`
    if (node.exclusiveMinimum !== undefined && value <= node.exclusiveMinimum) {
      return `must be more than ${node.exclusiveMinimum}`
    }
    return null
  }
  if (typeof value !== node.type) return expected()
  if (node.pattern !== undefined && !new RegExp(node.pattern).test(String(value))) return expected()
  return null
}

const isTextual = (node: SchemaNode) => node.type === 'string' || node.enum !== undefined

/** Whether quotes alone would mend it: `5` is no duration with them either. */
function fitsInQuotes(node: SchemaNode, text: string): boolean {
  if (!isTextual(node)) return false
  if (node.enum) return node.enum.includes(text)
  return node.pattern === undefined || new RegExp(node.pattern).test(text)
}

const isScalar = (value: unknown) => typeof value === 'number' || typeof value === 'boolean'

/** What the schema wants, in words. */
export function expectation(node: SchemaNode): string {
  if (node.expects !== undefined) return node.expects
  if (node.enum) return `one of ${node.enum.join(', ')}`
  if (node.type === 'object') return 'a map of keys and values'
  if (node.type === 'array') return 'a list'
  if (node.type === 'integer') return 'a whole number'
  if (node.type === 'number') return 'a number'
  if (node.type === 'boolean') return 'true or false'
  return 'a text'
}

const show = (value: unknown) => (typeof value === 'string' ? JSON.stringify(value) : kindOf(value, true))

/** What kind of thing a value is, in words. */
export function kindOf(value: unknown, named = false): string {
  if (value === null || value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a map'
  if (typeof value === 'string') return 'a text'
  const shown = typeof value === 'number' || typeof value === 'boolean' ? String(value) : 'something else'
  return named ? shown : `a ${typeof value}`
}
