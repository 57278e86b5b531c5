import { parsePattern } from './topic.ts'

/** What a topic led to. */
export interface Match<Route> {
  readonly route: Route
  /** The pattern's parameters. Has no prototype, so that no name of a parameter or lookup reaches `Object`'s. */
  readonly params: Readonly<Record<string, string>>
}

/**
 * One level of all patterns that begin alike. Most nodes have one literal child, and a `Map` for each of them would
 * cost five times the time of a look-up at 10,000 routes, all of it in cache misses: so the first child stands in the
 * node itself, and a `Map` takes over with the second.
 */
interface Node<Route> {
  onlyText: string | null
  onlyChild: Node<Route> | null
  literals: Map<string, Node<Route>> | null
  param: Node<Route> | null
  /** Takes this level and all that follow. */
  tail: Leaf<Route> | null
  leaf: Leaf<Route> | null
}

interface Leaf<Route> {
  readonly route: Route
  readonly place: string
  readonly names: readonly string[]
}

/**
 * Finds the route of a topic. The most specific pattern wins, whatever the order of registration: at the first level
 * where two patterns differ, a literal beats `{name}` beats `{name...}`. A parameter never matches an empty level.
 * The cost follows the levels of the topic, not the number of patterns.
 */
export class TopicTrie<Route> {
  readonly #root: Node<Route> = node()
  /** Patterns that name their parameters alike share the list, and levels that read alike the string. */
  readonly #names = new Map<string, readonly string[]>()
  readonly #texts = new Map<string, string>()

  /**
   * Adds a pattern. `place` says where the registration stands; a second pattern of the same shape, whatever its
   * parameters are called, throws an `Error` that names both places.
   */
  add(pattern: string, route: Route, place: string): void {
    const levels = parsePattern(pattern)
    const names = levels.flatMap((level) => (level.kind === 'literal' ? [] : [level.name]))
    const leaf: Leaf<Route> = { route, place, names: shared(this.#names, names.join('/'), names) }
    let at = this.#root
    for (const level of levels) {
      if (level.kind === 'tail') {
        refuseDuplicate(pattern, place, at.tail)
        at.tail = leaf
        return
      }
      at =
        level.kind === 'param'
          ? (at.param ??= node())
          : literalChild(at, shared(this.#texts, level.text, level.text))
    }
    refuseDuplicate(pattern, place, at.leaf)
    at.leaf = leaf
  }

  /** The route that takes `topic`, or null. */
  match(topic: string): Match<Route> | null {
    const values: string[] = []
    const leaf = find(this.#root, topic, 0, values)
    if (!leaf) return null
    const params = new Params()
    const names = leaf.names
    for (let index = 0; index < names.length; index += 1) params[names[index]!] = values[index]!
    return { route: leaf.route, params }
  }
}

/** Instances have no inherited members, yet keep the fast shape that `Object.create(null)` gives up. */
const Params = function () {} as unknown as new () => Record<string, string>
Params.prototype = Object.create(null)

function shared<Value>(known: Map<string, Value>, key: string, value: Value): Value {
  const first = known.get(key)
  if (first !== undefined) return first
  known.set(key, value)
  return value
}

function node<Route>(): Node<Route> {
  return { onlyText: null, onlyChild: null, literals: null, param: null, tail: null, leaf: null }
}

/** The child for a literal level, made when it is new. */
function literalChild<Route>(parent: Node<Route>, text: string): Node<Route> {
  const known = literalOf(parent, text)
  if (known) return known
  const child = node<Route>()
  if (parent.literals) {
    parent.literals.set(text, child)
  } else if (parent.onlyText !== null && parent.onlyChild) {
    parent.literals = new Map([
      [parent.onlyText, parent.onlyChild],
      [text, child],
    ])
  } else {
    parent.onlyText = text
    parent.onlyChild = child
  }
  return child
}

function literalOf<Route>(parent: Node<Route>, text: string): Node<Route> | null {
  if (parent.literals) return parent.literals.get(text) ?? null
  return parent.onlyText === text ? parent.onlyChild : null
}

/** Depth first, most specific child first; `values` holds what the parameters on the way took. */
function find<Route>(at: Node<Route>, topic: string, from: number, values: string[]): Leaf<Route> | null {
  if (from > topic.length) return at.leaf
  const slash = topic.indexOf('/', from)
  const end = slash < 0 ? topic.length : slash
  const level = topic.slice(from, end)
  const literal = literalOf(at, level)
  if (literal) {
    const leaf = find(literal, topic, end + 1, values)
    if (leaf) return leaf
  }
  if (level === '') return null
  if (at.param) {
    const taken = values.length
    values.push(level)
    const leaf = find(at.param, topic, end + 1, values)
    if (leaf) return leaf
    values.length = taken
  }
  if (!at.tail || topic.endsWith('/') || topic.includes('//', from)) return null
  values.push(topic.slice(from))
  return at.tail
}

function refuseDuplicate(pattern: string, place: string, earlier: Leaf<unknown> | null): void {
  if (!earlier) return
  throw new Error(
    `Topic pattern '${pattern}' is registered twice: at ${earlier.place} and at ${place}. ` +
      'Two patterns that differ only in the names of their parameters are the same',
  )
}
