export type Parsed =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly code: 'publish.invalid_json' | 'publish.too_deep' }

/** Security 13: deeper or wider payloads cost more than any notification is worth. */
const MAX_DEPTH = 32
export const MAX_KEYS = 1000

const utf8 = new TextDecoder('utf-8', { fatal: true })
const INVALID: Parsed = { ok: false, code: 'publish.invalid_json' }
const TOO_DEEP: Parsed = { ok: false, code: 'publish.too_deep' }

/**
 * Turns the bytes of a publish into JSON. UTF-8 is taken strictly, an empty payload counts as `{}`, and keys that
 * could pollute a prototype are dropped at any level (security 13 and 28). At most 32 levels of nesting and 1,000 keys
 * in all, or as many as the route takes. Never throws.
 */
export function parsePayload(bytes: Uint8Array, keys = MAX_KEYS): Parsed {
  if (bytes.length === 0) return { ok: true, value: {} }
  let value: unknown
  try {
    value = JSON.parse(utf8.decode(bytes))
  } catch {
    return INVALID
  }
  if (typeof value !== 'object' || value === null) return { ok: true, value }
  return clean(value, 1, keys) < 0 ? TOO_DEEP : { ok: true, value }
}

/** Drops the dangerous keys below `value`. Returns how many of `keysLeft` remain, negative when a limit is passed. */
function clean(value: object, depth: number, keysLeft: number): number {
  if (depth > MAX_DEPTH) return -1
  let left = keysLeft
  if (Array.isArray(value)) {
    for (const item of value as unknown[]) {
      if (typeof item === 'object' && item !== null) left = clean(item, depth + 1, left)
      if (left < 0) return left
    }
    return left
  }
  const record = value as Record<string, unknown>
  for (const key of Object.keys(record)) {
    left -= 1
    if (left < 0) return left
    if (key === '__proto__' || key === 'constructor' || key === 'prototype') {
      delete record[key]
      continue
    }
    const item = record[key]
    if (typeof item === 'object' && item !== null) left = clean(item, depth + 1, left)
    if (left < 0) return left
  }
  return left
}
