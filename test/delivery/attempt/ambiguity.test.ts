import { expect } from 'chai'
import { onAmbiguous } from '../../../src/delivery/attempt/ambiguity.ts'

describe('onAmbiguous', () => {
  it('sends again rather than not at all, except for an SMS that wakes nobody (P9)', () => {
    expect(onAmbiguous('sms', false, undefined)).to.equal('give_up')
    expect(onAmbiguous('sms', true, undefined)).to.equal('retry')
    expect(onAmbiguous('email', false, undefined)).to.equal('retry')
    expect(onAmbiguous('voice', true, undefined)).to.equal('retry')
  })

  it('is as configured, whatever the channel and the priority are (P9)', () => {
    for (const policy of ['retry', 'give_up', 'reconcile'] as const) {
      expect(onAmbiguous('sms', false, policy)).to.equal(policy)
      expect(onAmbiguous('voice', true, policy)).to.equal(policy)
    }
  })
})
