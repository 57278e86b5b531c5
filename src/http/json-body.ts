import { fault } from '../errors.ts'

/** Security row 13. */
const DEEPEST = 32
const MOST_KEYS = 1000

/**
 * Parses a JSON body. An empty one is `undefined`. Throws `request.invalid` for what is no JSON, nests too deeply, has
 * too many keys, or names a member that would reach into prototypes (security row 28).
 */
export function parseJsonBody(text: string, mostKeys = MOST_KEYS): unknown {
  if (text.trim() === '') return undefined
  refuseDeep(text)
  let keys = 0
  try {
    return JSON.parse(text, (key, value: unknown) => {
      keys += 1
      if (keys > mostKeys) throw new RangeError('too many keys')
      if (key === '__proto__' || key === 'constructor' || key === 'prototype') throw new RangeError(key)
      return value
    })
  } catch (error) {
    if (error instanceof RangeError) {
      throw fault('request.invalid', `The body has more than ${mostKeys} keys or one that is not allowed`)
    }
    throw fault('request.invalid', 'The body is not valid JSON')
  }
}

/** Before parsing, because a parser that recurses has lost already. */
function refuseDeep(text: string): void {
  let depth = 0
  let inString = false
  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    if (inString) {
      if (char === '\\') at += 1
      else if (char === '"') inString = false
    } else if (char === '"') inString = true
    else if (char === '{' || char === '[') {
      depth += 1
      if (depth > DEEPEST) throw fault('request.invalid', `The body nests more than ${DEEPEST} levels deep`)
    } else if (char === '}' || char === ']') depth -= 1
  }
}
