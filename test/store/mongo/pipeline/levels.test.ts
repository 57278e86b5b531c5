import { expect } from 'chai'
import { levelsOf } from '../../../../src/store/mongo/pipeline/levels.ts'
import type { Touch } from '../../../../src/store/mongo/pipeline/pipeline.ts'

describe('Writes of one batch on MongoDB', () => {
  const CASES: readonly (readonly [string, readonly (readonly Touch[])[], readonly (readonly number[])[]])[] =
    [
      ['that touch nothing in common happen together', [[['a', 'alone']], [['b', 'alone']], []], [[0, 1, 2]]],
      [
        'that touch the same alone happen one after the other',
        [[['a', 'alone']], [['a', 'alone']], [['a', 'alone']]],
        [[0], [1], [2]],
      ],
      ['that touch the same in the same way happen together', [[['a', 'add']], [['a', 'add']]], [[0, 1]]],
      [
        'that touch the same in other ways keep their order',
        [[['a', 'add']], [['a', 'claim']], [['a', 'add']]],
        [[0], [1], [2]],
      ],
      [
        'happen as early as what they touch allows',
        [[['a', 'alone']], [['a', 'alone']], [['b', 'add']], [['b', 'add']]],
        [[0, 2, 3], [1]],
      ],
      [
        'wait for all that they touch',
        [
          [['a', 'alone']],
          [
            ['a', 'alone'],
            ['b', 'add'],
          ],
          [['b', 'alone']],
          [['c', 'add']],
        ],
        [[0, 3], [1], [2]],
      ],
      [
        'do not wait for themselves',
        [
          [
            ['a', 'alone'],
            ['a', 'page'],
          ],
          [['a', 'page']],
        ],
        [[0], [1]],
      ],
    ]
  for (const [what, touches, expected] of CASES)
    it(what, () => {
      const writes = touches.map((each, index) => ({ touches: each, index }))
      const levels = levelsOf(writes).map((level) => level.map(({ index }) => index))
      expect(levels).to.deep.equal(expected)
    })
})
