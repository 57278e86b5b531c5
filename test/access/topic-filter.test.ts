import { expect } from 'chai'
import {
  filterCovers,
  literalLevel,
  matchFilter,
  validFilter,
  validTopic,
} from '../../src/access/topic-filter.ts'
import { seededRandom } from '../support/seeded-random.ts'

describe('topic filters', () => {
  const matches: [filter: string, topic: string, matches: boolean][] = [
    ['a/b', 'a/b', true],
    ['a/b', 'a/B', false],
    ['a/b', 'a', false],
    ['a/b', 'a/b/c', false],
    ['a/b', 'a/bc', false],
    ['a/bc', 'a/b', false],
    ['a/+', 'a/b', true],
    ['a/+', 'a/', true],
    ['a/+', 'a', false],
    ['a/+', 'a/b/c', false],
    ['+', 'a', true],
    ['+', '/a', false],
    ['+/+', '/a', true],
    ['a/#', 'a', true],
    ['a/#', 'a/b/c', true],
    ['a/#', 'ab', false],
    ['a/+/#', 'a', false],
    ['a/+/#', 'a/b', true],
    ['#', 'a/b', true],
    ['#', '$SYS/a', false],
    ['+/a', '$SYS/a', false],
    ['$SYS/#', '$SYS/a', true],
    ['a/#', 'a/$b', true],
  ]
  for (const [filter, topic, expected] of matches) {
    it(`${filter} ${expected ? 'matches' : 'does not match'} ${topic}`, () => {
      expect(matchFilter(filter, topic)).to.equal(expected)
    })
  }

  const covers: [grant: string, filter: string, covered: boolean][] = [
    ['a/#', 'a/#', true],
    ['a/#', 'a', true],
    ['a/#', 'a/+/c', true],
    ['a/#', 'a/b/#', true],
    ['a/#', '#', false],
    ['a/#', '+/b', false],
    ['a/#', 'b', false],
    ['a/+', 'a/+', true],
    ['a/+', 'a/b', true],
    ['a/+', 'a/#', false],
    ['a/+', 'a', false],
    ['a/+/#', 'a/#', false],
    ['a/+/#', 'a/+', true],
    ['a/b', 'a/+', false],
    ['a/b', 'a/b/#', false],
    ['#', '#', true],
    ['#', '+/a', true],
    ['#', '$SYS/#', false],
    ['+/+', '$SYS/a', false],
    ['$SYS/#', '$SYS/a', true],
    ['#', '$share/g/a', false],
    ['$share/g/#', '$share/g/a', false],
    ['a/#', 'a/#/b', false],
    ['a/#', 'a/b#', false],
    ['a/#/b', 'a/x/b', false],
    ['#', 'a\u0000', false],
    ['#', '', false],
  ]
  for (const [grant, filter, expected] of covers) {
    it(`a grant of ${grant} ${expected ? 'covers' : 'does not cover'} ${JSON.stringify(filter)} (security 6, 7)`, () => {
      expect(filterCovers(grant, filter)).to.equal(expected)
    })
  }

  it('matches with the grant whatever a covered filter matches, over 300,000 random cases (security 6)', () => {
    const { below: random } = seededRandom(20260105)
    const words = ['a', 'b', '', '$s', 'ab']
    const one = (wildcards: boolean) => {
      const levels = Array.from({ length: 1 + random(4) }, () =>
        wildcards && random(3) === 0 ? '+' : (words[random(words.length)] ?? ''),
      )
      if (wildcards && random(3) === 0) levels.push('#')
      return levels.join('/')
    }
    let covered = 0
    for (let i = 0; i < 300_000; i++) {
      const grant = random(20) === 0 ? '#' : one(true)
      const filter = random(20) === 0 ? '#' : one(true)
      const topic = one(false)
      if (!filterCovers(grant, filter) || !matchFilter(filter, topic)) continue
      covered += 1
      if (!matchFilter(grant, topic)) throw new Error(`${grant} covers ${filter} but does not match ${topic}`)
    }
    expect(covered).to.be.above(2000)
  })

  it('says no only where some topic shows why, but for filters that begin with # or are not valid', () => {
    const levels = ['a', 'b', 'c', '']
    const topics = [1, 2, 3, 4].flatMap((depth) => product(levels, depth))
    const parts = ['a', 'b', '+']
    const filters = [1, 2, 3].flatMap((depth) => product(parts, depth)).flatMap((f) => [f, `${f}/#`])
    for (const grant of filters) {
      for (const filter of filters) {
        const really = topics.every((topic) => !matchFilter(filter, topic) || matchFilter(grant, topic))
        if (filterCovers(grant, filter) !== really) throw new Error(`${grant} and ${filter}: ${really}`)
      }
    }
  })

  it('takes no topic with wildcards, control characters, more than 512 bytes or 16 levels (security 13)', () => {
    expect(validTopic('a/b')).to.equal(true)
    for (const topic of [
      '',
      'a/+',
      'a#',
      'a\u0000',
      'a\u0007',
      'a\u007f',
      'ä'.repeat(257),
      'a/'.repeat(16),
    ]) {
      expect(validTopic(topic), topic).to.equal(false)
    }
    expect(validTopic('ä'.repeat(256))).to.equal(true)
    expect(validFilter('+/+/#')).to.equal(true)
    for (const filter of ['a+', '+a/b', '#/a', 'a/##', ''])
      expect(validFilter(filter), filter).to.equal(false)
  })

  it('lets no id stand for a level that would mean more than itself (security 6)', () => {
    for (const id of ['', '#', '+', 'a/b', '$x', 'a\u0000']) expect(literalLevel(id), id).to.equal(false)
    expect(literalLevel('anna.k-1')).to.equal(true)
  })
})

function product(parts: readonly string[], depth: number): string[] {
  if (depth === 1) return parts.filter((part) => part !== '')
  return product(parts, depth - 1).flatMap((head) => parts.map((part) => `${head}/${part}`))
}
