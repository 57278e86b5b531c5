import { expect } from 'chai'
import { TopicTrie } from '../../src/router/topic-trie.ts'
import { seededRandom } from '../support/seeded-random.ts'

function trieOf(patterns: readonly string[]): TopicTrie<string> {
  const trie = new TopicTrie<string>()
  for (const pattern of patterns) trie.add(pattern, pattern, `routes.ts:${patterns.indexOf(pattern) + 1}`)
  return trie
}

/** The rule written down without a thought for speed: compare every pattern, keep the most specific. */
function naiveMatch(
  patterns: readonly string[],
  topic: string,
): { route: string; params: Record<string, string> } | null {
  const levels = topic.split('/')
  const rank = (level: string) => (level.endsWith('...}') ? 2 : level.startsWith('{') ? 1 : 0)
  const fitting = patterns.filter((pattern) => {
    const wanted = pattern.split('/')
    const tail = wanted.at(-1)?.endsWith('...}') ?? false
    if (tail ? levels.length < wanted.length : levels.length !== wanted.length) return false
    if (tail && levels.slice(wanted.length - 1).includes('')) return false
    return wanted.every((level, index) => (rank(level) > 0 ? levels[index] !== '' : level === levels[index]))
  })
  fitting.sort((a, b) => {
    const [ranksA, ranksB] = [a, b].map((pattern) => pattern.split('/').map(rank))
    const differs = ranksA!.findIndex((value, index) => value !== ranksB![index])
    return (ranksA![differs] ?? 0) - (ranksB![differs] ?? 0)
  })
  const route = fitting[0]
  if (route === undefined) return null
  const params: Record<string, string> = {}
  for (const [index, level] of route.split('/').entries()) {
    if (rank(level) === 1) params[level.slice(1, -1)] = levels[index]!
    if (rank(level) === 2) params[level.slice(1, -4)] = levels.slice(index).join('/')
  }
  return { route, params }
}

describe('topic trie', () => {
  it('finds the most specific pattern, going back where a literal leads nowhere (R45)', () => {
    const trie = trieOf([
      'alerts/{alertId}/ack',
      'alerts/critical/{alertType}',
      'alerts/{alertId}/{verb}',
      'a/b/c/d',
      'a/{x}/c/{y}',
      'a/b/{z}/e',
      '{any}/b/c/f',
      'events/{path...}',
      'events/{one}',
      'events/order/created',
      'solo',
    ])
    const table: [topic: string, route: string | null, params?: Record<string, string>][] = [
      ['alerts/critical/ack', 'alerts/critical/{alertType}', { alertType: 'ack' }],
      ['alerts/42/ack', 'alerts/{alertId}/ack', { alertId: '42' }],
      ['alerts/42/resolve', 'alerts/{alertId}/{verb}', { alertId: '42', verb: 'resolve' }],
      ['alerts/critical', null],
      ['alerts/critical/disk/full', null],
      ['a/b/c/d', 'a/b/c/d', {}],
      ['a/b/c/x', 'a/{x}/c/{y}', { x: 'b', y: 'x' }],
      ['a/b/c/e', 'a/b/{z}/e', { z: 'c' }],
      ['a/b/c/f', 'a/{x}/c/{y}', { x: 'b', y: 'f' }],
      ['z/b/c/f', '{any}/b/c/f', { any: 'z' }],
      ['z/b/c/g', null],
      ['events/order/created', 'events/order/created', {}],
      ['events/order', 'events/{one}', { one: 'order' }],
      ['events/order/paid', 'events/{path...}', { path: 'order/paid' }],
      ['events/order/created/late', 'events/{path...}', { path: 'order/created/late' }],
      ['events', null],
      ['solo', 'solo', {}],
      ['', null],
      ['/', null],
      ['Solo', null],
    ]
    for (const [topic, route, params] of table) {
      const found = trie.match(topic)
      expect(found?.route ?? null, topic).to.equal(route)
      if (params) expect({ ...found?.params }, topic).to.deep.equal(params)
    }
  })

  it('never gives a parameter an empty level', () => {
    const trie = trieOf(['user/{userId}', '{a}/{b}/{c}', 'events/{path...}'])
    for (const topic of [
      'user/',
      '/x',
      '//',
      'a//c',
      'a/b/',
      'events/',
      'events//a',
      'events/a/',
      'events/a//b',
    ]) {
      expect(trie.match(topic), topic).to.equal(null)
    }
  })

  it('takes topics literally that are special elsewhere (fault 12, security 28)', () => {
    const trie = trieOf(['a.b/{x}', '__proto__/{y}', 'constructor', '(a|b)*/{z}'])
    expect(trie.match('aXb/1')).to.equal(null)
    expect(trie.match('a.b/1')?.params.x).to.equal('1')
    expect(trie.match('__proto__/1')?.params.y).to.equal('1')
    expect(trie.match('constructor')?.route).to.equal('constructor')
    expect(trie.match('(a|b)*/1')?.params.z).to.equal('1')
    expect(trie.match('toString')).to.equal(null)
  })

  it('gives parameters that inherit nothing (security 28)', () => {
    const params = trieOf(['user/{userId}']).match('user/__proto__')?.params
    expect(params?.userId).to.equal('__proto__')
    expect(params?.['constructor']).to.equal(undefined)
    expect(params?.['toString']).to.equal(undefined)
    expect('hasOwnProperty' in (params ?? {})).to.equal(false)
    expect(JSON.stringify(params)).to.equal('{"userId":"__proto__"}')
  })

  it('refuses a second pattern of the same shape, whatever its parameters are called, naming both places', () => {
    const table: [first: string, second: string][] = [
      ['user/{userId}', 'user/{user_id}'],
      ['a/b', 'a/b'],
      ['e/{path...}', 'e/{rest...}'],
      ['{a}/x/{b}', '{b}/x/{a}'],
    ]
    for (const [first, second] of table) {
      const trie = new TopicTrie<string>()
      trie.add(first, first, 'routes/one.ts:3')
      expect(() => trie.add(second, second, 'routes/two.ts:7'), second).to.throw(
        /registered twice: at routes\/one\.ts:3 and at routes\/two\.ts:7/,
      )
    }
    const different = trieOf(['user/{userId}', 'user/{userId}/x', 'user/me', 'user/{rest...}'])
    expect(different.match('user/me')?.route).to.equal('user/me')
  })

  it('agrees with comparing every pattern, on random routes and topics', () => {
    const random = seededRandom(20260105).next
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!
    const words = ['a', 'b', 'c', '__proto__', 'length']
    for (let round = 0; round < 300; round += 1) {
      const shapes = new Map<string, string>()
      for (let count = 0; count < 25; count += 1) {
        const levels = Array.from({ length: 1 + Math.floor(random() * 4) }, (_, index) =>
          random() < 0.35 ? `{p${index}}` : pick(words),
        )
        if (random() < 0.1) levels.push('{rest...}')
        shapes.set(levels.join('/'), levels.join('/'))
      }
      const patterns = [...shapes.values()]
      const trie = trieOf(patterns)
      for (let count = 0; count < 60; count += 1) {
        const levels = Array.from({ length: 1 + Math.floor(random() * 5) }, () => pick([...words, 'z', '']))
        const topic = levels.join('/')
        const expected = naiveMatch(patterns, topic)
        const found = trie.match(topic)
        expect(
          found && { route: found.route, params: { ...found.params } },
          `${topic} in ${patterns.join(' ')}`,
        ).to.deep.equal(expected)
      }
    }
  })
})
