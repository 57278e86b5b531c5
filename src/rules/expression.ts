import { ExpressionError, tokenize, type Token } from './expression-tokens.ts'
import {
  calculate,
  contains,
  endsWith,
  equals,
  isTrue,
  lengthOf,
  matches,
  memberOf,
  numberOf,
  order,
  startsWith,
  sum,
  textOf,
  type Arithmetic,
} from './expression-values.ts'

/** What an expression may look at: plain JSON values by name. */
export type Facts = Readonly<Record<string, unknown>>

/** A condition of a rule (contract section 8), ready to be asked as often as needed. */
export interface Expression {
  readonly source: string
  /** The names that it begins its paths with: `['payload', 'device']`. */
  readonly roots: readonly string[]
  /** Pure and total: no facts make it throw, what is missing is null, and it ends in time linear to source and facts. */
  evaluate(facts: Facts): unknown
  /** Whether the value counts as yes: not null, false, zero or the empty text. */
  holds(facts: Facts): boolean
}

export type ExpressionCompilation =
  | { readonly ok: true; readonly expression: Expression }
  | { readonly ok: false; readonly fault: { readonly message: string; readonly column: number } }

const LONGEST_SOURCE = 2000
const DEEPEST = 32
const MOST_PARTS = 300

/**
 * Reads an expression: literals, lists, paths (`payload.a[0].b`), `+ - * / %`, `< <= > >= == !=`, `&& || !`,
 * `in contains startsWith endsWith matches` (a glob), `c ? a : b`, and `exists length lower number` as functions. No
 * loop, no assignment, no regular expression, nothing of the program in reach (security row 29). Pure and total: what
 * is no expression is a fault.
 */
export function compileExpression(source: string): ExpressionCompilation {
  try {
    if (source.length > LONGEST_SOURCE)
      throw new ExpressionError(`an expression has at most ${LONGEST_SOURCE} characters`, LONGEST_SOURCE)
    const parser = new Parser(tokenize(source))
    const node = parser.whole()
    const evaluate = (facts: Facts) => node(facts) ?? null
    return {
      ok: true,
      expression: {
        source,
        roots: [...parser.roots],
        evaluate,
        holds: (facts) => isTrue(evaluate(facts)),
      },
    }
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error
    return { ok: false, fault: { message: error.message, column: error.column } }
  }
}

type Node = (facts: Facts) => unknown
type Binary = (left: unknown, right: unknown) => unknown

const ordered = (test: (order: number) => boolean): Binary => {
  return (left, right) => {
    const found = order(left, right)
    return found !== null && test(found)
  }
}
const arithmetic = (sign: Arithmetic): Binary => {
  return (left, right) => calculate(sign, left, right)
}

/** Operators that look at both sides, by how tightly they bind; loosest first. */
const LEVELS: readonly Readonly<Record<string, Binary>>[] = [
  {
    '==': equals,
    '!=': (left, right) => !equals(left, right),
    '<': ordered((found) => found < 0),
    '<=': ordered((found) => found <= 0),
    '>': ordered((found) => found > 0),
    '>=': ordered((found) => found >= 0),
    in: (left, right) => contains(right, left),
    contains,
    startsWith,
    endsWith,
    matches,
  },
  { '+': sum, '-': arithmetic('-') },
  { '*': arithmetic('*'), '/': arithmetic('/'), '%': arithmetic('%') },
]

const FUNCTIONS: Readonly<Record<string, (value: unknown) => unknown>> = {
  exists: (value) => (value ?? null) !== null,
  length: lengthOf,
  lower: (value) => textOf(value)?.toLowerCase() ?? null,
  number: numberOf,
}

const CONSTANTS: Readonly<Record<string, unknown>> = { true: true, false: false, null: null }

/** Recursive descent; every production is charged, so neither depth nor size can run away. */
class Parser {
  readonly roots = new Set<string>()
  private readonly tokens: readonly Token[]
  private at = 0
  private depth = 0
  private parts = 0

  constructor(tokens: readonly Token[]) {
    this.tokens = tokens
  }

  whole(): Node {
    const node = this.choice()
    if (this.next.kind !== 'end') throw this.unexpected()
    return node
  }

  private choice(): Node {
    return this.deeper(() => {
      const condition = this.either()
      if (!this.take('?')) return condition
      const yes = this.choice()
      this.expect(':')
      const no = this.choice()
      return (facts) => (isTrue(condition(facts)) ? yes(facts) : no(facts))
    })
  }

  private either(): Node {
    const left = this.both()
    if (!this.take('||')) return left
    const right = this.deeper(() => this.either())
    return (facts) => isTrue(left(facts)) || isTrue(right(facts))
  }

  private both(): Node {
    const left = this.binary(0)
    if (!this.take('&&')) return left
    const right = this.deeper(() => this.both())
    return (facts) => isTrue(left(facts)) && isTrue(right(facts))
  }

  private binary(level: number): Node {
    const operators = LEVELS[level]
    if (!operators) return this.unary()
    let node = this.binary(level + 1)
    for (let chain = 0; ; chain++) {
      const { kind, text } = this.next
      const operator =
        (kind === 'sign' || kind === 'name') && Object.hasOwn(operators, text) ? operators[text] : undefined
      if (!operator) return node
      // A chain nests as deep as it is long when it is evaluated.
      if (chain >= DEEPEST) throw new ExpressionError('too many operators in a row', this.next.column)
      this.at += 1
      const left = node
      const right = this.binary(level + 1)
      node = (facts) => operator(left(facts), right(facts))
    }
  }

  private unary(): Node {
    if (this.take('!')) {
      const value = this.deeper(() => this.unary())
      return (facts) => !isTrue(value(facts))
    }
    if (this.take('-')) {
      const value = this.deeper(() => this.unary())
      return (facts) => calculate('-', 0, value(facts))
    }
    return this.path()
  }

  private path(): Node {
    let node = this.operand()
    for (;;) {
      const owner = node
      if (this.take('.')) {
        const { text } = this.name()
        this.charge()
        node = (facts) => memberOf(owner(facts), text)
      } else if (this.take('[')) {
        const key = this.choice()
        this.expect(']')
        this.charge()
        node = (facts) => memberOf(owner(facts), key(facts))
      } else return node
    }
  }

  private operand(): Node {
    const token = this.next
    this.charge()
    if (this.take('(')) {
      const inner = this.choice()
      this.expect(')')
      return inner
    }
    if (this.take('[')) return this.list()
    if (token.kind === 'number' || token.kind === 'text') {
      this.at += 1
      const value = token.kind === 'number' ? Number(token.text) : token.text
      return () => value
    }
    if (token.kind !== 'name') throw this.unexpected()
    this.at += 1
    return Object.hasOwn(CONSTANTS, token.text) ? constant(token.text) : this.named(token)
  }

  private named(token: Token): Node {
    const { text } = token
    if (!this.take('(')) {
      this.roots.add(text)
      return (facts) => memberOf(facts, text)
    }
    const call = Object.hasOwn(FUNCTIONS, text) ? FUNCTIONS[text] : undefined
    if (!call) {
      const known = Object.keys(FUNCTIONS).join(', ')
      throw new ExpressionError(`there is no function ${text}; there are ${known}`, token.column)
    }
    const value = this.choice()
    this.expect(')')
    return (facts) => call(value(facts))
  }

  private list(): Node {
    const items: Node[] = []
    if (this.take(']')) return () => []
    do items.push(this.choice())
    while (this.take(','))
    this.expect(']')
    return (facts) => items.map((item) => item(facts) ?? null)
  }

  private get next(): Token {
    // The end is never passed.
    return this.tokens[this.at]!
  }

  private take(sign: string): boolean {
    const { kind, text } = this.next
    if (kind !== 'sign' || text !== sign) return false
    this.at += 1
    return true
  }

  private expect(sign: string): void {
    if (!this.take(sign))
      throw new ExpressionError(`expected ${sign} before ${this.next.text}`, this.next.column)
  }

  private name(): Token {
    const token = this.next
    if (token.kind !== 'name') throw new ExpressionError('expected a name after the dot', token.column)
    this.at += 1
    return token
  }

  private unexpected(): ExpressionError {
    const { kind, text, column } = this.next
    return new ExpressionError(kind === 'end' ? 'ends too early' : `did not expect ${text} here`, column)
  }

  private deeper<Result>(task: () => Result): Result {
    this.depth += 1
    if (this.depth > DEEPEST)
      throw new ExpressionError(`nests more than ${DEEPEST} levels deep`, this.next.column)
    const result = task()
    this.depth -= 1
    return result
  }

  private charge(): void {
    this.parts += 1
    if (this.parts > MOST_PARTS)
      throw new ExpressionError(`has more than ${MOST_PARTS} parts`, this.next.column)
  }
}

function constant(name: string): Node {
  const value = CONSTANTS[name]
  return () => value
}
