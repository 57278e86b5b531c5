import { expect } from 'chai'
import { join, parsePattern, toFilter } from '../../src/router/topic.ts'

describe('topic patterns', () => {
  it('become the MQTT filter with + for each parameter and # for the rest (R45)', () => {
    const table: [pattern: string, filter: string][] = [
      ['system/status', 'system/status'],
      ['realtime/user/{userId}', 'realtime/user/+'],
      ['{a}/b/{c}', '+/b/+'],
      ['events/{path...}', 'events/#'],
      ['a.b/c$d/(e)*', 'a.b/c$d/(e)*'],
    ]
    for (const [pattern, filter] of table) expect(toFilter(pattern), pattern).to.equal(filter)
  })

  it('are refused at registration when no topic could mean them', () => {
    const table: [pattern: string, why: RegExp][] = [
      ['', /a level is empty/],
      ['a//b', /a level is empty/],
      ['/a', /a level is empty/],
      ['a/', /a level is empty/],
      ['a/+', /for subscriptions/],
      ['a/#', /for subscriptions/],
      ['a\0/b', /for subscriptions/],
      ['$SYS/{x}', /belong to the broker/],
      ['user-{id}', /'user-\{id\}' is no parameter/],
      ['a/{b', /is no parameter/],
      ['a/{}', /is no parameter/],
      ['a/{b-c}', /is no parameter/],
      ['{a}/{a}', /\{a\} is there twice/],
      ['{rest...}/a', /only the last level/],
      ['{__proto__}', /not allowed as a name/],
      ['{constructor}', /not allowed as a name/],
      [Array(17).fill('a').join('/'), /more than 16 levels/],
    ]
    for (const [pattern, why] of table) expect(() => parsePattern(pattern), pattern).to.throw(why)
    expect(parsePattern(Array(16).fill('a').join('/'))).to.have.length(16)
  })

  it('join a prefix with a slash, and an empty one leaves no trace', () => {
    expect(join('a', 'b/{c}')).to.equal('a/b/{c}')
    expect(join('', 'b')).to.equal('b')
    expect(join('a', '')).to.equal('a')
  })
})
