import { Alias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml'
import type { Document, Node, Pair, YAMLMap } from 'yaml'
import { hideReferences, showReferences } from './interpolation.ts'
import type { Path } from '../fault.ts'

export interface SourceDocument {
  /** The plain value with references still hidden; undefined when the text is no YAML. */
  readonly value: unknown
  readonly syntaxFaults: readonly {
    readonly line: number
    readonly column: number
    readonly message: string
  }[]
  /** Line and column (from 1) of the value or key at a path, or of the nearest thing around it. */
  locate(path: Path, part: 'key' | 'value'): { readonly line: number; readonly column: number }
}

/** Reads YAML 1.2 and remembers where everything stands. Never throws. */
export function readDocument(text: string): SourceDocument {
  const lines = new LineCounter()
  const document = parseDocument(hideReferences(text), {
    lineCounter: lines,
    prettyErrors: false,
    merge: true,
    stringKeys: true,
  })
  const position = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  const syntaxFaults = document.errors.map((error) => ({
    ...position(error.pos[0]),
    message: showReferences(error.message),
  }))
  visit(document, {
    Alias(_key, alias, around) {
      const anchored = alias.resolve(document)
      // A value without end would be followed until the stack is full.
      const within = anchored !== undefined && around.includes(anchored)
      if (anchored && !within) return
      syntaxFaults.push({
        ...position(alias.range?.[0] ?? 0),
        message: within ? `&${alias.source} holds itself` : `no anchor &${alias.source} comes before`,
      })
    },
  })
  const usable = document.errors.every((error) => error.code === 'DUPLICATE_KEY')
  const plain =
    usable && syntaxFaults.length === document.errors.length ? toPlain(document) : { value: undefined }
  if (plain.problem !== undefined) syntaxFaults.push({ line: 1, column: 1, message: plain.problem })
  return {
    value: plain.value,
    syntaxFaults,
    locate: (path, part) => position(offsetOf(document, path, part)),
  }
}

function toPlain(document: Document): { value: unknown; problem?: string } {
  try {
    return { value: document.toJS() as unknown }
  } catch (error) {
    // Aliases that would unfold without end.
    return { value: undefined, problem: (error as Error).message }
  }
}

function offsetOf(document: Document, path: Path, part: 'key' | 'value'): number {
  let node: Node | null = isNode(document.contents) ? document.contents : null
  let offset = node?.range?.[0] ?? 0
  for (const [index, segment] of path.entries()) {
    if (node instanceof Alias) node = node.resolve(document) ?? null
    if (isMap(node)) {
      const pair: Pair | undefined = pairsOf(node).get(String(segment))
      if (!pair) return offset
      node = isNode(pair.value) ? pair.value : null
      const keyOffset: number = (isNode(pair.key) ? pair.key.range?.[0] : undefined) ?? offset
      const isLast = index === path.length - 1
      // A value that is missing or a block stands for itself by its key.
      const inline = node !== null && !((isMap(node) || isSeq(node)) && node.flow !== true) && hasText(node)
      offset = isLast && part === 'value' && inline ? (node?.range?.[0] ?? keyOffset) : keyOffset
      continue
    }
    if (!isSeq(node)) return offset
    const item: unknown = node.items[Number(segment)]
    if (!isNode(item)) return offset
    node = item
    offset = node.range?.[0] ?? offset
  }
  return offset
}

/** Pairs by key, made once for each map: a file of thousands of users is asked for each of them. */
const pairs = new WeakMap<YAMLMap, Map<string, Pair>>()

function pairsOf(map: YAMLMap): Map<string, Pair> {
  const known = pairs.get(map)
  if (known) return known
  const made = new Map<string, Pair>()
  for (const pair of map.items) {
    const key = keyOf(pair)
    if (key !== undefined && !made.has(key)) made.set(key, pair)
  }
  pairs.set(map, made)
  return made
}

const keyOf = (pair: Pair): string | undefined =>
  isScalar(pair.key) ? String(pair.key.value) : typeof pair.key === 'string' ? pair.key : undefined

/** False for the empty node behind `key:`, whose range lies on the next token. */
const hasText = (node: Node): boolean => !isScalar(node) || node.value !== null || node.source !== ''
