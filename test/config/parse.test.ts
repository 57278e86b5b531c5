import { expect } from 'chai'
import { isMailbox } from '../../src/config/checks/contacts.ts'
import { filterFault } from '../../src/config/checks/grants.ts'
import { durationMs, parseDuration } from '../../src/duration.ts'
import { formatPath } from '../../src/config/fault.ts'
import { editDistance, suggest } from '../../src/config/suggest.ts'

describe('a duration', () => {
  const ROWS: readonly (readonly [string, number | null])[] = [
    ['500ms', 500],
    ['12s', 12_000],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['1d', 86_400_000],
    ['1w', 604_800_000],
    ['0s', 0],
    ['', null],
    ['5', null],
    ['m', null],
    ['1.5h', null],
    ['-1s', null],
    ['1h30m', null],
    ['1 h', null],
    ['1M', null],
    ['99999999999999w', null],
  ]
  for (const [text, ms] of ROWS) {
    it(`"${text}" is ${ms === null ? 'none' : `${ms} ms`}`, () => {
      expect(parseDuration(text)).to.equal(ms)
      if (ms === null) expect(() => durationMs(text)).to.throw(RangeError)
    })
  }
})

describe('a suggestion', () => {
  const ROWS: readonly (readonly [string, readonly string[], string | undefined])[] = [
    ['bop', ['anna', 'bob'], 'bob'],
    ['hsot', ['host', 'port'], 'host'],
    ['httpPort', ['http_port', 'mqtt_port'], 'http_port'],
    ['HOST', ['host'], 'host'],
    ['xylophone', ['host'], undefined],
    ['a', ['b'], undefined],
    ['ab', ['xy'], undefined],
    ['bob', [], undefined],
  ]
  for (const [word, candidates, expected] of ROWS) {
    it(`for "${word}" among ${candidates.join(', ') || 'nothing'} is ${expected ?? 'none'}`, () => {
      expect(suggest(word, candidates)).to.equal(expected)
    })
  }

  it('counts insertions, deletions, replacements and swaps as one each', () => {
    expect(['abc', 'ab', 'abxc', 'axc', 'acb', ''].map((word) => editDistance(word, 'abc'))).to.deep.equal([
      0, 1, 1, 1, 1, 3,
    ])
  })
})

describe('a topic filter', () => {
  const GOOD = ['#', '+', 'a', 'a/#', '+/a/+', 'a/+/b', '/a', 'a//b', '$share/g/a']
  const BAD = ['', 'a#', 'a/#/b', '#/a', 'a+', '+a/b', 'a/b#', 'a\u0000b', 'a'.repeat(513)]
  for (const filter of GOOD) it(`may be "${filter}"`, () => expect(filterFault(filter)).to.equal(null))
  for (const filter of BAD) {
    it(`may not be ${JSON.stringify(filter.slice(0, 20))}`, () =>
      expect(filterFault(filter)).to.be.a('string'))
  }
})

describe('a mailbox (security row 20)', () => {
  const GOOD = ['a@b.org', 'anna.k+x@mail.example.org', 'anna@bücher.example', 'root@localhost']
  const BAD = [
    '',
    'anna',
    '@example.org',
    'a@',
    'a@b@c.org',
    'a b@c.org',
    'a@b.org\r\nRCPT TO:<x>',
    'a@b.org,c@d.org',
    'a@b.org;c@d.org',
    'g:a@b.org;',
    'a(comment)@b.org',
    '<a@b.org>',
    '"a b"@c.org',
    'a@-b.org',
    'a@b..org',
    '[email protected]',
    'ünal@example.org',
    `${'a'.repeat(65)}@b.org`,
    `a@${'b'.repeat(60)}.${'c'.repeat(200)}`,
  ]
  for (const text of GOOD) it(`may be ${text}`, () => expect(isMailbox(text)).to.equal(true))
  for (const text of BAD) {
    it(`may not be ${JSON.stringify(text.slice(0, 40))}`, () => expect(isMailbox(text)).to.equal(false))
  }
})

describe('a path', () => {
  it('reads as people write it, odd keys in quotes', () => {
    expect(formatPath(['teams', 'p', 'steps', 1, 'notify', 0])).to.equal('teams.p.steps[1].notify[0]')
    expect(formatPath(['users', 'a.b', 'email'])).to.equal('users["a.b"].email')
    expect(formatPath([])).to.equal('')
  })
})
