import { expect } from 'chai'
import { harness, type Harness } from '../support/harness.ts'

describe('domain events (X18)', () => {
  let program: Harness
  before(async () => {
    program = await harness()
  })
  after(() => program.close())

  it('take any JSON, whatever its fields are called and hold', async () => {
    for (const body of [
      { id: 42 },
      { id: 'a b/c' },
      { type: 'x'.repeat(200) },
      [1, 2],
      'null',
      '"text"',
      '7',
    ]) {
      const outcome = await program.publish('events/order/changed', body)
      expect(outcome.kind, JSON.stringify(body)).to.equal('stored')
    }
  })

  it('of two types may name the same thing, and a resend of one counts once', async () => {
    const duplicates: boolean[] = []
    for (const topic of ['events/order/created', 'events/order/paid', 'events/order/paid']) {
      const outcome = await program.publish(topic, { id: 'o-1' })
      duplicates.push(outcome.kind === 'stored' && outcome.duplicate)
    }
    expect(duplicates).to.deep.equal([false, false, true])
  })
})
