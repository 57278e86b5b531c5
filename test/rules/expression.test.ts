import { expect } from 'chai'
import { compileExpression } from '../../src/rules/expression.ts'
import { seededRandom } from '../support/seeded-random.ts'

const FACTS = {
  device: 'freezer-1',
  payload: {
    temperature: -11.5,
    text: '21.5',
    state: 'open',
    zero: 0,
    nothing: null,
    list: [1, 'two', { three: 3 }],
    deep: { a: [{ b: 'c' }] },
  },
}

function value(source: string, facts: Readonly<Record<string, unknown>> = FACTS): unknown {
  const compilation = compileExpression(source)
  if (!compilation.ok) throw new Error(`${source}: ${compilation.fault.message}`)
  return compilation.expression.evaluate(facts)
}

describe('an expression of a rule', () => {
  const table: readonly (readonly [string, unknown])[] = [
    ['payload.temperature > -12', true],
    ['payload.temperature < -15', false],
    ['payload.text > 20', true],
    ['payload.text == 21.5', true],
    ['payload.state == "open"', true],
    ["payload.state != 'open'", false],
    ['payload["state"] == "open"', true],
    ['payload.deep.a[0].b', 'c'],
    ['payload.list[1]', 'two'],
    ['payload.list[9]', null],
    ['payload.missing.further[3]', null],
    ['payload.missing > 1', false],
    ['payload.missing <= 1', false],
    ['payload.nothing == null', true],
    ['payload.missing == payload.nothing', true],
    ['exists(payload.zero) && !exists(payload.nothing)', true],
    ['1 + 2 * 3 - 4 / 2 % 3', 5],
    ['(1 + 2) * 3', 9],
    ['-payload.temperature', 11.5],
    ['1 / 0', null],
    ['"a" + 1', 'a1'],
    ['"a" * 2', null],
    ['"two" in payload.list', true],
    ['payload.state in ["open", "ajar"]', true],
    ['payload.state contains "pe"', true],
    ['payload contains "zero"', true],
    ['device startsWith "freezer-"', true],
    ['device endsWith "-1"', true],
    ['device matches "fr*-?"', true],
    ['device matches "fr*-"', false],
    ['device matches "^f"', false],
    ['payload.temperature > 0 ? "warm" : "cold"', 'cold'],
    ['false || payload.state == "open" && true', true],
    ['!payload.zero', true],
    ['length(payload.list) == 3 && length(device) == 9', true],
    ['lower("ABC")', 'abc'],
    ['number(payload.state)', null],
    ['number(payload.text) + 1', 22.5],
    ['payload.constructor', null],
    ['payload.__proto__.x', null],
    ['payload.list.length', null],
    ['[1, 2] == [1, 2]', false],
    ['2 < 10 && "2" < "10"', true],
    ['"b" > "a"', true],
  ]
  for (const [source, expected] of table)
    it(`makes ${JSON.stringify(expected)} of ${source} (contract section 8)`, () => {
      expect(value(source)).to.deep.equal(expected)
    })

  it('sees a payload that is a number, a text, or nothing (contract section 8)', () => {
    expect(value('payload > 20', { payload: 21 })).to.equal(true)
    expect(value('payload == "ON"', { payload: 'ON' })).to.equal(true)
    expect(value('exists(payload) || payload.a > 1', { payload: null })).to.equal(false)
  })

  const faults: readonly (readonly [string, number, string])[] = [
    ['', 1, 'ends too early'],
    ['payload.', 9, 'expected a name'],
    ['payload.a >', 12, 'ends too early'],
    ['payload.a = 1', 11, 'no meaning'],
    ['"open', 1, 'no closing quote'],
    ['(1 + 2', 7, 'expected )'],
    ['1 2', 3, 'did not expect 2'],
    ['eval("1")', 1, 'no function eval'],
    ['payload.a; 1', 10, 'no meaning'],
    ['!'.repeat(100) + '1', 33, 'nests more than 32'],
    ['('.repeat(100), 33, 'nests more than 32'],
    [Array(50).fill('1').join(' + '), 131, 'too many operators'],
    ['x'.repeat(3000), 2000, 'at most 2000'],
  ]
  for (const [source, column, message] of faults)
    it(`is refused at column ${column}: ${source.slice(0, 20) || 'nothing'}`, () => {
      const compilation = compileExpression(source)
      if (compilation.ok) throw new Error('it was taken')
      expect(compilation.fault.message).to.include(message)
      expect(compilation.fault.column).to.equal(column)
    })

  it('never throws and always ends, whatever is written and whatever it looks at (security row 29)', () => {
    const random = seededRandom(29)
    const words =
      'payload device . [ ] ( ) + - * / % < > <= == != && || ! ? : , in contains matches exists number "a" \'*\' 1 2.5 null true $ \\ " temperature list length lower'.split(
        ' ',
      )
    const values: readonly unknown[] = [
      null,
      0,
      -1,
      NaN,
      '',
      'x',
      '1e999',
      [],
      {},
      [[[]]],
      { list: [null] },
      true,
    ]
    let taken = 0
    for (let round = 0; round < 20_000; round++) {
      const source = Array.from({ length: 1 + random.below(12) }, () => random.pick(words)).join(' ')
      const compilation = compileExpression(source)
      if (!compilation.ok) continue
      taken += 1
      for (const payload of values) compilation.expression.holds({ payload, device: random.pick(values) })
    }
    expect(taken).to.be.greaterThan(100)
  })

  it('is quick on the worst texts it may meet (security row 29)', () => {
    const payload = { text: 'a'.repeat(100_000), glob: '*a'.repeat(100) + 'b' }
    const started = performance.now()
    expect(value('payload.text matches payload.glob', { payload })).to.equal(false)
    expect(value(Array(30).fill('payload.text').join(' + '), { payload })).to.equal(null)
    expect(performance.now() - started).to.be.lessThan(2000)
  })
})
