/** One word of an expression, with the column (from 1) at which it begins. */
export interface Token {
  readonly kind: 'number' | 'text' | 'name' | 'sign' | 'end'
  /** Of a text its value; of everything else how it was written. */
  readonly text: string
  readonly column: number
}

/** What is wrong with an expression, and where in it, counted from 1. */
export class ExpressionError extends Error {
  readonly column: number
  constructor(message: string, column: number) {
    super(message)
    this.column = column
  }
}

const SIGNS = '&& || == != <= >= < > ! + - * / % ( ) [ ] . , ? :'.split(' ')
const ESCAPED: Readonly<Record<string, string>> = { n: '\n', t: '\t' }

/** Takes an expression apart, in time linear to its length. Throws an {@link ExpressionError}. */
export function tokenize(source: string): readonly Token[] {
  const tokens: Token[] = []
  let at = 0
  while (at < source.length) {
    const char = source.charAt(at)
    if (/\s/.test(char)) {
      at += 1
      continue
    }
    const token = numberAt(source, at) ?? nameAt(source, at) ?? textAt(source, at) ?? signAt(source, at)
    if (token === null) throw new ExpressionError(`${JSON.stringify(char)} has no meaning here`, at + 1)
    tokens.push({ ...token, column: at + 1 })
    at = token.end
  }
  return [...tokens, { kind: 'end', text: 'the end', column: source.length + 1 }]
}

type Found = Omit<Token, 'column'> & { readonly end: number }

function sticky(pattern: RegExp, source: string, at: number): string | null {
  pattern.lastIndex = at
  return pattern.exec(source)?.[0] ?? null
}

function numberAt(source: string, at: number): Found | null {
  const text = sticky(/[0-9]+(\.[0-9]+)?/y, source, at)
  return text === null ? null : { kind: 'number', text, end: at + text.length }
}

function nameAt(source: string, at: number): Found | null {
  const text = sticky(/[A-Za-z_][A-Za-z0-9_]*/y, source, at)
  return text === null ? null : { kind: 'name', text, end: at + text.length }
}

function signAt(source: string, at: number): Found | null {
  const text = SIGNS.find((sign) => source.startsWith(sign, at))
  return text === undefined ? null : { kind: 'sign', text, end: at + text.length }
}

/** In single or double quotes; a backslash takes the next character as it is, but for `\n` and `\t`. */
function textAt(source: string, from: number): Found | null {
  const quote = source.charAt(from)
  if (quote !== '"' && quote !== "'") return null
  let text = ''
  for (let at = from + 1; at < source.length; at++) {
    const char = source.charAt(at)
    if (char === quote) return { kind: 'text', text, end: at + 1 }
    if (char === '\\') {
      at += 1
      const next = source.charAt(at)
      text += ESCAPED[next] ?? next
    } else text += char
  }
  throw new ExpressionError('this text has no closing quote', from + 1)
}
