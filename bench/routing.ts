import { pathToFileURL } from 'node:url'
import { TopicTrie } from '../src/router/topic-trie.ts'

/** One cell of the table: the median processor time of finding a route with its parameters. */
export interface RoutingRow {
  readonly routes: number
  readonly contender: string
  readonly nanoseconds: number
  /** How many times the time of ours in the same run. */
  readonly ratio: number
}

interface Pattern {
  readonly levels: readonly string[]
  /** Index of each parameter's level, and its name. */
  readonly params: readonly (readonly [index: number, name: string])[]
}

interface Found {
  readonly route: number
  readonly params: Readonly<Record<string, string | undefined>>
}

type Find = (topic: string) => Found | null

interface Contender {
  readonly name: string
  /** Rejects when the package is not installed. */
  load(patterns: readonly Pattern[]): Promise<Find>
}

const SIZES = [10, 100, 1000, 10_000] as const
const ROUNDS = 9
/** How long one contender is measured in one round; short, so that a noisy neighbour hits all of them alike. */
const SLICE_MS = 15
const TOPICS = 2000

/**
 * Workload W5: match and parameters at 10, 100, 1,000 and 10,000 routes, ours against an HTTP router, the topic
 * matcher inside Aedes, and a list of regular expressions. All take turns within one run, are checked to find the
 * same, and get topics that do not repeat soon. Prints a markdown table and returns its rows; about 3 s.
 */
export async function routing(print: (line: string) => void = console.log): Promise<readonly RoutingRow[]> {
  const rows: RoutingRow[] = []
  for (const size of SIZES) rows.push(...(await measure(size, print)))
  const names = [...new Set(rows.map((row) => row.contender))]
  print(`| routes | ${names.join(' | ')} |`)
  print(`|${' ---: |'.repeat(names.length + 1)}`)
  for (const size of SIZES) {
    const cells = names.map((name) => {
      const row = rows.find((row) => row.routes === size && row.contender === name)
      return row ? `${(row.nanoseconds / 1000).toFixed(2)} µs (${row.ratio.toFixed(1)}x)` : '-'
    })
    print(`| ${size} | ${cells.join(' | ')} |`)
  }
  return rows
}

async function measure(size: number, print: (line: string) => void): Promise<RoutingRow[]> {
  const patterns = Array.from({ length: size }, (_, index) => patternOf(index))
  const topics = topicsOf(patterns)
  const runners: { readonly name: string; readonly find: Find; readonly times: number[] }[] = []
  for (const contender of CONTENDERS) {
    try {
      runners.push({ name: contender.name, find: await contender.load(patterns), times: [] })
    } catch (error) {
      if (size === SIZES[0]) print(`${contender.name} is left out: ${String(error).split('\n')[0]}`)
    }
  }
  for (const { name, find } of runners) verify(name, find, { patterns, topics })
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const { find, times } of runners) {
      const nanoseconds = timeOf(find, topics)
      // The first round only warms up.
      if (round > 0) times.push(nanoseconds)
    }
  }
  const ours = median(runners[0]?.times ?? [])
  return runners.map(({ name, times }) => {
    const nanoseconds = median(times)
    return { routes: size, contender: name, nanoseconds, ratio: nanoseconds / ours }
  })
}

/** Nanoseconds of processor time for one topic, which neighbours on the machine disturb less than the clock's. */
function timeOf(find: Find, topics: readonly string[]): number {
  const cpu = process.cpuUsage()
  const endsAt = performance.now() + SLICE_MS
  let done = 0
  let used = 0
  while (performance.now() < endsAt) {
    // A list of 10,000 regular expressions needs milliseconds for each topic; the clock is asked often enough for it.
    for (let count = 0; count < 10; count += 1)
      used += find(topics[(done * 7 + count) % TOPICS] ?? '')?.route ?? 0
    done += 10
  }
  const { user, system } = process.cpuUsage(cpu)
  if (used < 0) throw new Error('unreachable: keeps the results in use')
  return ((user + system) * 1000) / done
}

/** Services with areas, as a plant or a shop has them; most patterns end in one or two parameters. */
function patternOf(index: number): Pattern {
  const levels = [`service${index % 50}`, `area${Math.floor(index / 50)}`, '{site}', 'user', '{userId}']
  const shapes = [
    levels,
    [...levels, 'state'],
    [...levels.slice(0, 2), 'orders', '{orderId}', 'lines', '{line}'],
  ]
  const shape = shapes[index % shapes.length] ?? levels
  const params = shape.flatMap((level, at) =>
    level.startsWith('{') ? [[at, level.slice(1, -1)] as const] : [],
  )
  return { levels: shape, params }
}

function topicsOf(patterns: readonly Pattern[]): string[] {
  return Array.from({ length: TOPICS }, (_, index) => {
    const pattern = patterns[(index * 7919) % patterns.length]
    const text = pattern?.levels.map((level) => (level.startsWith('{') ? `v${index}` : level)).join('/') ?? ''
    // As the broker gets it: a string made of bytes, not one that the compiler knows.
    return Buffer.from(text).toString()
  })
}

function verify(
  name: string,
  find: Find,
  given: { readonly patterns: readonly Pattern[]; readonly topics: readonly string[] },
): void {
  for (const [index, topic] of given.topics.slice(0, 200).entries()) {
    const wanted = (index * 7919) % given.patterns.length
    const found = find(topic)
    const names = given.patterns[wanted]?.params.map(([, name]) => name) ?? []
    if (found?.route !== wanted || names.some((name) => found.params[name] !== `v${index}`)) {
      throw new Error(`${name} did not find the route of ${topic}`)
    }
  }
  if (find('service0/area0/nothing') !== null) throw new Error(`${name} finds a route where there is none`)
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

/** Imports a package that only a comparison needs and nothing of ours depends on. */
async function peer<Module>(name: string): Promise<Module> {
  // The name is no literal, so the compiler cannot know the module; the caller says what it uses of it.
  return (await import(name)) as Module
}

interface FindMyWay {
  readonly default: () => {
    on(method: 'GET', path: string, handler: () => void, store: { readonly route: number }): void
    find(
      method: 'GET',
      path: string,
    ): { readonly store: { readonly route: number }; readonly params: Found['params'] } | null
  }
}

interface QlobberModule {
  readonly default: {
    readonly Qlobber: new (options: object) => {
      add(filter: string, value: number): void
      match(topic: string): readonly number[]
    }
  }
}

const CONTENDERS: readonly Contender[] = [
  {
    name: 'Carillon',
    async load(patterns) {
      const trie = new TopicTrie<number>()
      for (const [index, { levels }] of patterns.entries()) trie.add(levels.join('/'), index, `${index}`)
      return (topic) => trie.match(topic)
    },
  },
  {
    name: 'find-my-way',
    async load(patterns) {
      const { default: create } = await peer<FindMyWay>('find-my-way')
      const router = create()
      for (const [index, { levels }] of patterns.entries()) {
        const path = levels.map((level) => level.replace(/^\{(.*)\}$/, ':$1')).join('/')
        router.on('GET', `/${path}`, () => {}, { route: index })
      }
      return (topic) => {
        const found = router.find('GET', `/${topic}`)
        return found && { route: found.store.route, params: found.params }
      }
    },
  },
  {
    name: 'qlobber',
    async load(patterns) {
      const { default: module } = await peer<QlobberModule>('qlobber')
      const options = { separator: '/', wildcard_one: '+', wildcard_some: '#' }
      const matcher = new module.Qlobber(options)
      for (const [index, { levels }] of patterns.entries()) {
        matcher.add(levels.map((level) => (level.startsWith('{') ? '+' : level)).join('/'), index)
      }
      return (topic) => {
        const route = matcher.match(topic)[0]
        if (route === undefined) return null
        // It gives no parameters; whoever routes with it has to cut them out.
        const levels = topic.split('/')
        const params: Record<string, string | undefined> = {}
        for (const [index, name] of patterns[route]?.params ?? []) params[name] = levels[index]
        return { route, params }
      }
    },
  },
  {
    name: 'regular expressions',
    async load(patterns) {
      const list = patterns.map(
        ({ levels }) =>
          new RegExp(`^${levels.map((level) => level.replace(/^\{(.*)\}$/, '(?<$1>[^/]+)')).join('/')}$`),
      )
      return (topic) => {
        for (const [route, expression] of list.entries()) {
          const found = expression.exec(topic)
          if (found) return { route, params: found.groups ?? {} }
        }
        return null
      }
    },
  },
]

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) await routing()
