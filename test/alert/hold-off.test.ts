import { expect } from 'chai'
import { createHoldOff } from '../../src/alert/hold-off.ts'
import { sampleAlert } from '../support/sample-alert.ts'

describe('holding a timer off', () => {
  const decided = (at: number) => [{ at, kind: 'step', by: 'carillon', step: 1 } as const]

  it('lasts as long as people were told after it was decided, so that the wait is theirs (P12)', () => {
    const holdOff = createHoldOff()
    const alert = sampleAlert({ id: 'a', nextStepAt: 3000 })
    expect(holdOff.told(alert, decided(1000), 1013)).to.equal(3013)
    expect(holdOff.until('a')).to.equal(3013)
  })

  it('ends with the timer, and does not delay what is brought forward', () => {
    const holdOff = createHoldOff()
    holdOff.told(sampleAlert({ id: 'a', nextStepAt: 3000 }), decided(1000), 1013)
    expect(holdOff.told(sampleAlert({ id: 'a', nextStepAt: 1500 }), decided(1500), 1520)).to.equal(1500)
    expect(holdOff.until('a')).to.equal(null)
    expect(holdOff.told(sampleAlert({ id: 'a', nextStepAt: null }), decided(1600), 1610)).to.equal(null)
  })
})
