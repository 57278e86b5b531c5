/**
 * Topic patterns: `realtime/user/{userId}` has one parameter of exactly one level, `events/{path...}` takes all the
 * levels that are left. Everything else is literal; nothing needs escaping, because no regular expression is made.
 */

/** The parameters that a pattern gives, by name: `TopicParams<'user/{userId}'>` is `{ readonly userId: string }`. */
export type TopicParams<Pattern extends string> = string extends Pattern
  ? Readonly<Record<string, string>>
  : Pattern extends string // distributes, so that of two prefixes only the names of both are promised
    ? { readonly [Name in ParamName<Pattern>]: string }
    : never
type ParamName<Pattern extends string> = Pattern extends `${infer Level}/${infer Rest}`
  ? LevelParam<Level> | ParamName<Rest>
  : LevelParam<Pattern>
type LevelParam<Level extends string> = Level extends `{${infer Name}}`
  ? Name extends `${infer Tail}...`
    ? Tail
    : Name
  : never

/** A group's prefix and a pattern below it; an empty one leaves the other as it is. */
export type Join<Prefix extends string, Pattern extends string> = Prefix extends ''
  ? Pattern
  : Pattern extends ''
    ? Prefix
    : `${Prefix}/${Pattern}`

/** The value-level twin of {@link Join}. */
export function join(prefix: string, pattern: string): string {
  if (prefix === '') return pattern
  return pattern === '' ? prefix : `${prefix}/${pattern}`
}

/** One level of a pattern. A `param` takes one non-empty level, a `tail` one or more of them. */
export type Level =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'param'; readonly name: string }
  | { readonly kind: 'tail'; readonly name: string }

/** Topics may have no more levels than this (security 13), so a longer pattern could never match. */
export const MAX_LEVELS = 16

/** Names that would reach into an object's prototype wherever params are copied into a plain object. */
const UNSAFE_NAMES = new Set(['__proto__', 'constructor', 'prototype'])

/**
 * Takes a pattern apart. Throws an `Error` that names the pattern and what is wrong with it: empty levels, MQTT
 * wildcards, a leading `$`, braces that are not a whole level, a name twice, a tail that is not last, too many levels.
 */
export function parsePattern(pattern: string): readonly Level[] {
  const refuse = (why: string): never => {
    throw new Error(`Topic pattern '${pattern}': ${why}`)
  }
  if (pattern.startsWith('$')) refuse('topics that begin with $ belong to the broker')
  const levels = pattern.split('/').map((text): Level => {
    if (text === '') return refuse('a level is empty')
    if (/[+#\0]/.test(text)) return refuse('+ and # are for subscriptions, write {name} or {name...}')
    const braced = /^\{([A-Za-z_][A-Za-z0-9_]*)(\.\.\.)?\}$/.exec(text)
    if (braced) return { kind: braced[2] ? 'tail' : 'param', name: braced[1] ?? '' }
    if (/[{}]/.test(text)) return refuse(`'${text}' is no parameter, write {name} as a whole level`)
    return { kind: 'literal', text }
  })
  const names = levels.flatMap((level) => (level.kind === 'literal' ? [] : [level.name]))
  if (levels.length > MAX_LEVELS) refuse(`it has more than ${MAX_LEVELS} levels`)
  if (levels.slice(0, -1).some((level) => level.kind === 'tail'))
    refuse('only the last level may be {name...}')
  for (const [index, name] of names.entries()) {
    if (UNSAFE_NAMES.has(name)) refuse(`{${name}} is not allowed as a name`)
    if (names.indexOf(name) !== index) refuse(`{${name}} is there twice`)
  }
  return levels
}

/** The MQTT subscription filter that covers a pattern: `user/{userId}` gives `user/+` (R45). */
export function toFilter(pattern: string): string {
  return parsePattern(pattern)
    .map((level) => (level.kind === 'literal' ? level.text : level.kind === 'param' ? '+' : '#'))
    .join('/')
}
