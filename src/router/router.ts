import { fileURLToPath } from 'node:url'
import type { Static, TSchema, TUnknown } from 'typebox'
import type { Fault } from '../errors.ts'
import type { Decision } from '../notification/decision.ts'
import { bodyCheck } from './body-check.ts'
import { compose, type Run } from './compose.ts'
import type { Context, Handler, Middleware } from './context.ts'
import { Gate } from './gate.ts'
import { MAX_KEYS } from './parse-payload.ts'
import { join, parsePattern, toFilter, type Join, type TopicParams } from './topic.ts'
import { TopicTrie, type Match } from './topic-trie.ts'

/** What may be said about a route beside its pattern and its handler (R45). */
export interface RouteOptions<Schema extends TSchema = TUnknown> {
  /** What the payload must look like; `context.body` has its type. */
  readonly body?: Schema
  /** The QoS that publishers are expected to use; any is accepted. */
  readonly qos?: 0 | 1 | 2
  /** Bounds how many handlers of this route run at once to `workerCount`, 1 by default (R46). */
  readonly shared?: boolean
  readonly workerCount?: number
  /** One line for the topic table and AsyncAPI. */
  readonly summary?: string
  /** What the `result` of the receipt looks like, for AsyncAPI. */
  readonly reply?: TSchema
  /** What a publisher is told when a required field is missing. */
  readonly invalid?: string
  /** The payload is not ours: an `id` in it names it only together with its topic, and need not be fit to be a name. */
  readonly foreign?: boolean
  /** How many keys a payload may have in all; 1,000 unless set (security 13). */
  readonly keys?: number
  /** Runs after the middleware of the groups around it. */
  readonly middleware?: readonly Middleware[]
}

/** One line of the topic table. */
export interface Route {
  /** With the prefixes of its groups. */
  readonly pattern: string
  /** The same as an MQTT subscription filter. */
  readonly filter: string
  /** Names of the parameters in the order of the pattern. */
  readonly params: readonly string[]
  /** The pattern of the same registration under its group's first prefix; null for the first itself. */
  readonly aliasOf: string | null
  readonly qos: 0 | 1 | 2
  readonly shared: boolean
  /** How many handlers may run at once; null when there is no bound. */
  readonly workerCount: number | null
  readonly foreign: boolean
  readonly keys: number
  readonly body: TSchema | null
  readonly reply: TSchema | null
  readonly summary: string | null
  /** In the order in which it runs. */
  readonly middleware: readonly Middleware[]
  /** `file:line` of the registration. */
  readonly place: string
  /** Middleware, body check, worker bound and handler in one; see `runRoute`. */
  readonly run: Run
}

/** A place where routes are registered; `Prefix` is a union when the group stands under several prefixes. */
export interface Group<Prefix extends string> {
  /**
   * Registers a route. `handler` must not need parameters that prefix and pattern do not have. Throws an `Error` for
   * a pattern that is none and for a second route of the same shape; both places are named then.
   */
  on<const P extends string>(
    pattern: P,
    handler: Handler<TopicParams<Join<Prefix, NoInfer<P>>>, unknown>,
  ): void
  on<const P extends string, Schema extends TSchema = TUnknown>(
    pattern: P,
    options: RouteOptions<Schema>,
    handler: Handler<TopicParams<Join<Prefix, NoInfer<P>>>, Static<NoInfer<Schema>>>,
  ): void
  /**
   * Registers routes under a prefix, or the same routes under several (`['notifications/alerts', 'alerts']`): `define`
   * is called once, and a route's workers are shared by its spellings. The middleware runs in the order of the list,
   * after that of the groups around it and before that of a route.
   */
  group<const P extends string>(
    prefix: P | readonly P[],
    middleware: readonly Middleware[],
    define: (group: Group<Join<Prefix, P>>) => void,
  ): void
}

export interface Router extends Group<''> {
  /** Every route in the order of registration; each spelling is a line. */
  readonly routes: readonly Route[]
  /** The most specific route that takes this topic, or null. At most a microsecond, however many routes there are. */
  match(topic: string): Match<Route> | null
  /** What publishes pass that no route can take: they cost as much as others, so they are limited as others are. */
  otherwise(middleware: readonly Middleware[]): void
  /** In place of a match: runs the middleware of `otherwise` and then rejects with the reason. */
  unroutable(reason: Fault): Match<Pick<Route, 'pattern' | 'run'>>
}

/** What the implementation registers, after the types have done their work. */
type AnyHandler = (context: Context) => Decision | Promise<Decision>

interface Scope {
  readonly prefixes: readonly string[]
  readonly middleware: readonly Middleware[]
}

/** An empty router. Routes are registered at start and never removed. */
export function createRouter(): Router {
  const routes: Route[] = []
  const trie = new TopicTrie<Route>()
  const register = (route: Route) => {
    trie.add(route.pattern, route, route.place)
    routes.push(route)
  }
  let others: readonly Middleware[] = []
  return {
    ...groupOf({ prefixes: [''], middleware: [] }, register),
    routes,
    match: (topic) => trie.match(topic),
    otherwise: (middleware) => void (others = middleware),
    unroutable: (reason) => ({
      route: { pattern: '', run: compose(others, () => Promise.reject(reason)) },
      params: {},
    }),
  }
}

function groupOf<Prefix extends string>(scope: Scope, register: (route: Route) => void): Group<Prefix> {
  const on = (pattern: string, ...rest: [AnyHandler] | [RouteOptions<TSchema>, AnyHandler]) => {
    const place = placeOutside(on)
    const [options, handler] = rest.length === 1 ? [{}, rest[0]] : rest
    for (const route of routesOf(scope, { pattern, options, handler, place })) register(route)
  }
  return {
    // The overloads of `on` promise more about the handler than one implementation can say.
    on: on as Group<Prefix>['on'],
    group(prefix, middleware, define) {
      const below = typeof prefix === 'string' ? [prefix] : prefix
      define(groupOf(
        {
          prefixes: scope.prefixes.flatMap((outer) => below.map((inner) => join(outer, inner))),
          middleware: [...scope.middleware, ...middleware],
        },
        register,
      ))
    },
  }
}

interface Registration {
  readonly pattern: string
  readonly options: RouteOptions<TSchema>
  readonly handler: AnyHandler
  readonly place: string
}

function routesOf(scope: Scope, { pattern, options, handler, place }: Registration): Route[] {
  const patterns = scope.prefixes.map((prefix) => join(prefix, pattern))
  const middleware = [...scope.middleware, ...(options.middleware ?? [])]
  const workerCount = workersOf(options, `'${patterns[0]}' at ${place}`)
  const run = compose(middleware, endpointOf(options, workerCount, handler))
  return patterns.map((pattern, index) => ({
    pattern,
    filter: toFilter(pattern),
    params: parsePattern(pattern).flatMap((level) => (level.kind === 'literal' ? [] : [level.name])),
    aliasOf: index === 0 ? null : (patterns[0] ?? null),
    qos: options.qos ?? 0,
    shared: options.shared ?? false,
    workerCount,
    foreign: options.foreign ?? false,
    keys: options.keys ?? MAX_KEYS,
    body: options.body ?? null,
    reply: options.reply ?? null,
    summary: options.summary ?? null,
    middleware,
    place,
    run,
  }))
}

/** The bound of R46; throws for one that could not hold or would be ignored. */
function workersOf(options: RouteOptions<TSchema>, where: string): number | null {
  const { shared = false, workerCount } = options
  if (workerCount !== undefined && !(Number.isInteger(workerCount) && workerCount >= 1)) {
    throw new Error(`Route ${where}: workerCount must be a whole number from 1`)
  }
  if (!shared && workerCount !== undefined) {
    throw new Error(`Route ${where}: workerCount counts only with shared: true`)
  }
  return shared ? (workerCount ?? 1) : null
}

function endpointOf(
  options: RouteOptions<TSchema>,
  workerCount: number | null,
  handler: AnyHandler,
): (context: Context) => Decision | Promise<Decision> {
  const check = options.body ? bodyCheck(options.body, options.invalid) : () => null
  const gate = workerCount === null ? null : new Gate(workerCount)
  return (context) => {
    const refusal = check(context.body)
    if (refusal) throw refusal
    return gate ? gate.run(() => handler(context)) : handler(context)
  }
}

/** `file:line` of whoever called `callee`. */
function placeOutside(callee: (...args: never[]) => unknown): string {
  const holder: { stack?: string } = {}
  Error.captureStackTrace(holder, callee)
  const frame = holder.stack?.split('\n').find((line) => line.trimStart().startsWith('at ')) ?? ''
  const [, file, line] = /\(?((?:file:)?\/[^()]*|[A-Za-z]:\\[^()]*):(\d+):\d+\)?$/.exec(frame) ?? []
  if (file === undefined) return 'an unknown place'
  return `${file.startsWith('file:') ? fileURLToPath(file) : file}:${line}`
}
