import { expect } from 'chai'
import { leasedWork } from '../../src/delivery/plan.ts'
import { alert, NOON, planned } from '../support/messages.ts'

describe('newDelivery', () => {
  it('makes an id of subject and ordinal that no retry changes (P8)', () => {
    expect(planned({ subjectId: 'a1', ordinal: 7 }).delivery).to.include({
      id: 'a1.7',
      ordinal: 7,
      attempts: 0,
    })
  })

  it('leases what is due at once for 30 s in the same commit', () => {
    expect(planned()).to.deep.include({ dueAt: NOON, lane: 'email', lease: { until: NOON + 30_000 } })
  })

  it('leaves what is due later, or finds no room, to a claim', () => {
    expect(planned({ dueAt: NOON + 1 })).to.include({ dueAt: NOON + 1, lease: null })
    expect(planned({ leased: false })).to.include({ dueAt: NOON, lease: null })
  })

  it('wakes what quiet hours hold when its ttl ends, not when they do (contract section 4)', () => {
    const held = planned({ dueAt: NOON + 9000, expiresAt: NOON + 500 })
    expect(held).to.include({ dueAt: NOON + 500, lease: null })
    expect(planned({ dueAt: NOON + 9000, expiresAt: NOON + 9001 }).dueAt).to.equal(NOON + 9000)
  })

  it('never plans into the past', () => {
    expect(planned({ dueAt: NOON - 5000 }).dueAt).to.equal(NOON)
  })

  it('makes no work of realtime, which waits for the person', () => {
    const { delivery, dueAt, lease } = planned({ channel: 'realtime' })
    expect({ dueAt, lease }).to.deep.equal({ dueAt: null, lease: null })
    expect(delivery).to.include({ state: 'pending', address: null, nextAttemptAt: null })
  })

  it('ends a suppressed delivery with its reason from the start (decision 8)', () => {
    const { delivery, dueAt, lease } = planned({ suppressed: 'no_address', address: null })
    expect({ dueAt, lease }).to.deep.equal({ dueAt: null, lease: null })
    expect(delivery).to.include({ state: 'suppressed', reason: 'no_address' })
  })

  it('gives direct sends three attempts and the rest a budget of time (R24, R48, P7)', () => {
    expect(planned({ subjectKind: 'direct' }).delivery.maxAttempts).to.equal(3)
    expect(planned().delivery.maxAttempts).to.equal(0)
  })
})

describe('leasedWork', () => {
  it('is what a claim would have given, for the deliveries that the commit leased', () => {
    const now = planned({ ordinal: 1 })
    const later = planned({ ordinal: 2, dueAt: NOON + 5000 })
    const subject = { notification: null, alert: alert() }
    const work = leasedWork([now, later], [{ workId: 9, token: 4, deliveryId: 'a1.1' }], subject)
    expect(work).to.have.length(1)
    expect(work[0]).to.deep.include({
      kind: 'deliver',
      workId: 9,
      token: 4,
      dueAt: NOON,
      crashes: 0,
      ambiguous: false,
    })
    expect(work[0]).to.have.property('delivery').that.includes({ id: 'a1.1', state: 'sending', attempts: 1 })
  })
})
