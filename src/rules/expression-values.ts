/**
 * What the operators of expressions do. Total: no value makes one throw, what makes no sense is null, and the work is
 * linear to the values, the shorter operand of a search being bounded.
 */

/** Characters of the longest text that is searched for, and of the longest glob. */
const LONGEST_NEEDLE = 256
/** Characters of the longest text that `+` makes. */
const LONGEST_SUM = 64 * 1024

/** Null, false, zero and the empty text count as no. */
export function isTrue(value: unknown): boolean {
  return value !== null && value !== undefined && value !== false && value !== 0 && value !== ''
}

/** An own member of an object or list, or null; never anything inherited. */
export function memberOf(value: unknown, key: unknown): unknown {
  if (typeof value !== 'object' || value === null) return null
  if (typeof key !== 'string' && typeof key !== 'number') return null
  if (Array.isArray(value)) return typeof key === 'number' ? ((value as unknown[])[key] ?? null) : null
  if (!Object.hasOwn(value, key)) return null
  return (value as Readonly<Record<string | number, unknown>>)[key] ?? null
}

/** A number, or the number that a text spells; else null. */
export function numberOf(value: unknown): number | null {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  if (typeof value !== 'string' || value.length > 40 || value.trim() === '') return null
  const number = Number(value)
  return Number.isFinite(number) ? number : null
}

/** `+`: the sum of two numbers, else two scalars as one text. */
export function sum(left: unknown, right: unknown): unknown {
  const [a, b] = [numberOf(left), numberOf(right)]
  if (a !== null && b !== null) return numberOf(a + b)
  if (!isScalar(left) || !isScalar(right)) return null
  const text = `${left}${right}`
  return text.length > LONGEST_SUM ? null : text
}

export type Arithmetic = '-' | '*' | '/' | '%'

/** Null where an operand is no number, and for what has no finite result. */
export function calculate(sign: Arithmetic, left: unknown, right: unknown): number | null {
  const [a, b] = [numberOf(left), numberOf(right)]
  if (a === null || b === null) return null
  switch (sign) {
    case '-':
      return numberOf(a - b)
    case '*':
      return numberOf(a * b)
    case '/':
      return numberOf(a / b)
    case '%':
      return numberOf(a % b)
  }
}

/** Scalars by value, a number equal to the text that spells it; objects and lists equal nothing. */
export function equals(left: unknown, right: unknown): boolean {
  const [a, b] = [left ?? null, right ?? null]
  if (typeof a === 'object' && a !== null) return false
  if (a === b) return true
  const mixed =
    (typeof a === 'number' && typeof b === 'string') || (typeof a === 'string' && typeof b === 'number')
  return mixed && numberOf(a) !== null && numberOf(a) === numberOf(b)
}

/** Below zero when `left` comes first; null when the two cannot be ordered, as with anything missing. */
export function order(left: unknown, right: unknown): number | null {
  if (typeof left === 'string' && typeof right === 'string') {
    const [a, b] = [numberOf(left), numberOf(right)]
    if (a === null || b === null) return left < right ? -1 : left > right ? 1 : 0
  }
  const [a, b] = [numberOf(left), numberOf(right)]
  return a === null || b === null ? null : a - b
}

/** A text that has the other in it, a list that has the value, or an object that has the key. */
export function contains(whole: unknown, part: unknown): boolean {
  if (Array.isArray(whole)) return (whole as unknown[]).some((item) => equals(item, part))
  if (typeof whole === 'object' && whole !== null)
    return typeof part === 'string' && Object.hasOwn(whole, part)
  const [text, needle] = [textOf(whole), textOf(part)]
  return text !== null && needle !== null && needle.length <= LONGEST_NEEDLE && text.includes(needle)
}

export function startsWith(whole: unknown, part: unknown): boolean {
  const [text, prefix] = [textOf(whole), textOf(part)]
  return text !== null && prefix !== null && text.startsWith(prefix)
}

export function endsWith(whole: unknown, part: unknown): boolean {
  const [text, suffix] = [textOf(whole), textOf(part)]
  return text !== null && suffix !== null && text.endsWith(suffix)
}

/** A glob over the whole text: `*` stands for any characters, `?` for one. No regular expression is made. */
export function matches(whole: unknown, pattern: unknown): boolean {
  const [text, glob] = [textOf(whole), textOf(pattern)]
  if (text === null || glob === null || glob.length > LONGEST_NEEDLE) return false
  let at = 0
  let inGlob = 0
  let star = -1
  let resume = 0
  while (at < text.length) {
    const sign = glob[inGlob]
    if (sign === '*') {
      star = inGlob++
      resume = at
    } else if (inGlob < glob.length && (sign === '?' || sign === text[at])) {
      at += 1
      inGlob += 1
    } else if (star >= 0) {
      inGlob = star + 1
      at = ++resume
    } else return false
  }
  while (glob[inGlob] === '*') inGlob += 1
  return inGlob === glob.length
}

/** Characters of a text, entries of a list, members of an object; null of everything else. */
export function lengthOf(value: unknown): number | null {
  if (typeof value === 'string' || Array.isArray(value)) return value.length
  return typeof value === 'object' && value !== null ? Object.keys(value).length : null
}

export function textOf(value: unknown): string | null {
  return isScalar(value) ? String(value) : null
}

function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}
