import { expect } from 'chai'
import { fit, type Parts } from '../../../src/delivery/push/fit.ts'

const size = ({ text, data }: Parts) => Buffer.byteLength(JSON.stringify({ text, data }))

describe('a push that is too large (N11)', () => {
  const rows: readonly [title: string, parts: Parts, limit: number, expected: Parts][] = [
    ['nothing when it fits', { text: 'Hi', data: { a: '1' } }, 100, { text: 'Hi', data: { a: '1' } }],
    [
      'text first',
      { text: 'x'.repeat(300), data: { a: '1' } },
      228,
      { text: `${'x'.repeat(197)}…`, data: { a: '1' } },
    ],
    [
      'then the largest data',
      { text: 'Hi', data: { a: '1', b: 'x'.repeat(300), c: 'y'.repeat(20) } },
      100,
      { text: 'Hi', data: { a: '1', c: 'y'.repeat(20), truncated: 'true' } },
    ],
  ]
  for (const [title, parts, limit, expected] of rows) {
    it(`loses ${title}`, () => {
      expect(fit(parts, limit, size)).to.deep.equal(expected)
    })
  }

  it('never is larger than the limit, and keeps as much text as there is room for', () => {
    for (let limit = 60; limit < 1500; limit += 7) {
      const parts = { text: '€ä😀x'.repeat(100), data: { a: 'é'.repeat(80), b: 'z'.repeat(300) } }
      const fitted = fit(parts, limit, size)
      expect(size(fitted)).to.be.at.most(limit)
      if (fitted.data['b'] !== undefined) expect(fitted.data).to.not.have.property('truncated')
    }
  })

  it('ends also when nothing fits', () => {
    expect(fit({ text: 'long text', data: { a: '1' } }, 0, size).data).to.deep.equal({ truncated: 'true' })
  })
})
