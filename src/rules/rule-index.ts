import { parsePattern } from '../router/topic.ts'

/** One pattern that a topic fits, with what its parameters took. */
export interface Hit<Entry> {
  readonly entry: Entry
  readonly params: Readonly<Record<string, string>>
}

interface Node<Entry> {
  readonly literals: Map<string, Node<Entry>>
  param: Node<Entry> | null
  readonly tails: Leaf<Entry>[]
  readonly leaves: Leaf<Entry>[]
}

interface Leaf<Entry> {
  readonly entry: Entry
  readonly names: readonly string[]
  readonly position: number
}

/**
 * Finds every pattern that takes a topic, where a router finds the one that takes it best. Patterns are those of
 * router/topic.ts. What a topic costs that none takes follows its levels, not the number of patterns.
 */
export class RuleIndex<Entry> {
  readonly #root: Node<Entry> = node()
  #count = 0

  /** Throws as `parsePattern` does. */
  add(pattern: string, entry: Entry): void {
    const levels = parsePattern(pattern)
    const names = levels.flatMap((level) => (level.kind === 'literal' ? [] : [level.name]))
    const leaf = { entry, names, position: this.#count++ }
    let at = this.#root
    for (const level of levels) {
      if (level.kind === 'tail') return void at.tails.push(leaf)
      if (level.kind === 'param') at = at.param ??= node()
      else {
        const known = at.literals.get(level.text)
        const next = known ?? node<Entry>()
        if (!known) at.literals.set(level.text, next)
        at = next
      }
    }
    at.leaves.push(leaf)
  }

  /** In the order in which they were added. */
  match(topic: string): readonly Hit<Entry>[] {
    if (this.#count === 0) return NONE
    const found: { leaf: Leaf<Entry>; values: readonly string[] }[] = []
    collect(this.#root, topic, { from: 0, values: [], found })
    if (found.length === 0) return NONE
    return found
      .toSorted((a, b) => a.leaf.position - b.leaf.position)
      .map(({ leaf: { entry, names }, values }) => ({
        entry,
        params: Object.fromEntries(names.map((name, index) => [name, values[index] ?? ''])),
      }))
  }
}

const NONE: readonly never[] = []

function node<Entry>(): Node<Entry> {
  return { literals: new Map(), param: null, tails: [], leaves: [] }
}

interface Walk<Entry> {
  readonly from: number
  readonly values: readonly string[]
  readonly found: { leaf: Leaf<Entry>; values: readonly string[] }[]
}

function collect<Entry>(at: Node<Entry>, topic: string, { from, values, found }: Walk<Entry>): void {
  if (from > topic.length) {
    for (const leaf of at.leaves) found.push({ leaf, values })
    return
  }
  const slash = topic.indexOf('/', from)
  const end = slash < 0 ? topic.length : slash
  const level = topic.slice(from, end)
  const literal = at.literals.get(level)
  if (literal) collect(literal, topic, { from: end + 1, values, found })
  if (level === '') return
  if (at.param) collect(at.param, topic, { from: end + 1, values: [...values, level], found })
  if (at.tails.length === 0 || topic.endsWith('/') || topic.includes('//', from)) return
  for (const leaf of at.tails) found.push({ leaf, values: [...values, topic.slice(from)] })
}
