import { expect } from 'chai'
import { RuleIndex } from '../../src/rules/rule-index.ts'

describe('the index of rules', () => {
  const index = new RuleIndex<string>()
  const patterns = [
    'plant/{gateway}/heartbeat',
    'plant/{rest...}',
    'plant/a/heartbeat',
    '{a}/{b}/heartbeat',
    'plant/a/heartbeat',
  ]
  for (const [position, pattern] of patterns.entries()) index.add(pattern, `${position}`)
  const found = (topic: string) => index.match(topic).map(({ entry, params }) => [entry, { ...params }])

  it('finds every pattern that takes a topic, in the order of the configuration (contract section 8)', () => {
    expect(found('plant/a/heartbeat')).to.deep.equal([
      ['0', { gateway: 'a' }],
      ['1', { rest: 'a/heartbeat' }],
      ['2', {}],
      ['3', { a: 'plant', b: 'a' }],
      ['4', {}],
    ])
    expect(found('plant/b/c/d')).to.deep.equal([['1', { rest: 'b/c/d' }]])
  })

  it('finds nothing where no pattern fits, and never takes an empty level for a parameter', () => {
    for (const topic of ['plant', 'other/a/b', 'plant//heartbeat', '/a/heartbeat', 'plant/', ''])
      expect(found(topic), topic).to.deep.equal([])
  })
})
