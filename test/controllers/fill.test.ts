import { expect } from 'chai'
import { escapeHtml, fill } from '../../controllers/fill.ts'

const longest = 100

describe('fill', () => {
  const table: readonly [title: string, text: string, values: Record<string, unknown>, expected: object][] = [
    ['leaves a text without placeholders', 'Hi', {}, { kind: 'text', text: 'Hi' }],
    [
      'fills every kind of value',
      '{{a}}{{ b }}{{c}}',
      { a: 'x', b: 1, c: false },
      { kind: 'text', text: 'x1false' },
    ],
    ['fills a name twice', '{{a}}-{{a}}', { a: 'x' }, { kind: 'text', text: 'x-x' }],
    ['takes an empty text for a value', '<{{a}}>', { a: '' }, { kind: 'text', text: '<>' }],
    ['names what is missing', '{{a}} {{b}}', { a: 'x' }, { kind: 'missing', name: 'b' }],
    ['takes null for missing', '{{a}}', { a: null }, { kind: 'missing', name: 'a' }],
    ['takes an object for missing', '{{a}}', { a: {} }, { kind: 'missing', name: 'a' }],
    [
      'takes what every object has for missing',
      '{{constructor}}',
      {},
      { kind: 'missing', name: 'constructor' },
    ],
    ['does not look into values', '{{a}}', { a: '{{b}}', b: 'x' }, { kind: 'text', text: '{{b}}' }],
    ['leaves what is no name', '{{a.b}} {{}} {a} {{{', {}, { kind: 'text', text: '{{a.b}} {{}} {a} {{{' }],
    ['keeps dollar signs', '{{a}}', { a: '$& $1' }, { kind: 'text', text: '$& $1' }],
    ['fills up to the limit', '{{a}}', { a: 'x'.repeat(100) }, { kind: 'text', text: 'x'.repeat(100) }],
    ['goes no further', '{{a}}{{a}}', { a: 'x'.repeat(51) }, { kind: 'too_long' }],
    ['counts what comes after', `{{a}}${'y'.repeat(100)}`, { a: 'x' }, { kind: 'too_long' }],
  ]
  for (const [title, text, values, expected] of table) {
    it(`${title} (R36)`, () => expect(fill(text, values, { longest })).to.deep.equal(expected))
  }

  it('escapes values, not the text around them', () => {
    expect(fill('<b>{{a}}</b>', { a: '<i>"&\'' }, { longest, escape: escapeHtml })).to.deep.equal({
      kind: 'text',
      text: '<b>&#60;i&#62;&#34;&#38;&#39;</b>',
    })
  })

  it('stops early: 10,000 placeholders for 60 KB do not make 600 MB (R36)', () => {
    const before = process.memoryUsage().heapUsed
    const text = '{{a}}'.repeat(10_000)
    expect(fill(text, { a: 'x'.repeat(60_000) }, { longest: 100_000 })).to.deep.equal({ kind: 'too_long' })
    expect(process.memoryUsage().heapUsed - before).to.be.below(50_000_000)
  })
})
