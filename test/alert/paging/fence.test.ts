import { expect } from 'chai'
import { createFence } from '../../../src/alert/paging/fence.ts'

const page = (ordinal: number) => ({ ordinal, userId: null, createdAt: 0 })

describe('The fence around an alert that must not page (P15)', () => {
  it('stops every page until it is lowered, and those of the round before it even then', () => {
    const fence = createFence()
    expect(fence.stands('a1', page(0))).to.equal(false)
    fence.raise('a1', 10)
    expect([fence.stands('a1', page(0)), fence.stands('a1', page(99)), fence.stands('a1')]).to.deep.equal([
      true,
      true,
      true,
    ])
    fence.lower('a1', 4, 20)
    expect([fence.stands('a1', page(3)), fence.stands('a1', page(4)), fence.stands('a1')]).to.deep.equal([
      true,
      false,
      false,
    ])
    fence.lower('a2', 0, 20)
    expect(fence.stands('a2', page(0))).to.equal(false)
  })

  it('is forgotten when no claim from its time is alive any more', () => {
    const fence = createFence()
    fence.raise('a1', 10)
    fence.lower('a2', 4, 20)
    fence.forget(20)
    expect([fence.stands('a1'), fence.stands('a2', page(3))]).to.deep.equal([false, true])
    fence.forget(21)
    expect(fence.stands('a2', page(3))).to.equal(false)
  })
})
