import { expect } from 'chai'
import { createOverlap, isCovered } from '../../../src/delivery/attempt/overlap.ts'
import type { Delivery } from '../../../src/delivery/delivery.ts'
import { newDelivery } from '../../../src/delivery/plan.ts'
import { MINUTE, NOON, TENANT } from '../../alert/an-alert.ts'

const SECOND = 1000

function page(ordinal: number, createdAt: number, wish: Partial<Delivery> = {}): Delivery {
  const { delivery } = newDelivery({
    tenant: TENANT,
    subjectKind: 'alert',
    subjectId: 'a1',
    ordinal,
    purpose: 'page',
    userId: 'bob',
    channel: 'sms',
    address: '+4915112345678',
    critical: true,
    origin: { principal: 'db-monitor', messageId: 'm1', topic: 'alerts/critical/disk' },
    now: createdAt,
  })
  return { ...delivery, ...wish }
}

describe('a page that comes due with another one of its alert', () => {
  // Instants are milliseconds after noon: when its step fired, when it was due; of the earlier one also when it was sent.
  const cases: readonly [
    what: string,
    page: [firedAt: number, dueAt: number],
    earlier: [firedAt: number, dueAt: number, sentAt: number],
    covered: boolean,
  ][] = [
    [
      'of a step at the instant of a delayed rule (E4)',
      [30 * MINUTE, 30 * MINUTE],
      [0, 30 * MINUTE, 30 * MINUTE],
      true,
    ],
    [
      'of a step a little after a delayed rule (E4)',
      [30 * MINUTE + 20, 30 * MINUTE + 20],
      [0, 30 * MINUTE, 30 * MINUTE + 5],
      true,
    ],
    [
      'of a delayed rule in the minute of a step (E4)',
      [0, 30 * MINUTE],
      [29.5 * MINUTE, 29.5 * MINUTE, 29.5 * MINUTE],
      true,
    ],
    [
      'of a delayed rule a minute after a step',
      [0, 30 * MINUTE],
      [29 * MINUTE, 29 * MINUTE, 29 * MINUTE],
      false,
    ],
    [
      'of a rule delayed by seconds, a second after a step',
      [0, 3 * SECOND],
      [2 * SECOND, 2 * SECOND, 2 * SECOND],
      false,
    ],
    ['of the same step, due later', [0, 30 * SECOND], [0, 0, 5], false],
    ['of the same step, overdue together (E5)', [0, 20 * MINUTE], [0, 10 * MINUTE, 60 * MINUTE], true],
    ['of the next step, seconds after this one', [2 * SECOND, 2 * SECOND], [0, 0, 3], false],
    ['of the next step, overdue together (E5)', [5 * MINUTE, 5 * MINUTE], [0, 0, 60 * MINUTE], true],
  ]
  for (const [what, [firedAt, dueAt], [earlierFiredAt, earlierDueAt, sentAt], covered] of cases) {
    it(`is ${covered ? 'covered' : 'sent'}: ${what}`, () => {
      const earlier = {
        id: 'a1.0',
        ordinal: 0,
        createdAt: NOON + earlierFiredAt,
        dueAt: NOON + earlierDueAt,
        startedAt: NOON + sentAt,
      }
      const planned = { delivery: page(1, NOON + firedAt), dueAt: NOON + dueAt }
      expect(isCovered({ ...planned, alert: { pagesFrom: 0 } }, earlier)).to.equal(covered)
      expect(isCovered({ ...planned, alert: { pagesFrom: 1 } }, earlier), 'a new round').to.equal(false)
    })
  }

  it('is sent when the other one went to another contact, was of another alert, or did not go out', () => {
    const overlap = createOverlap()
    const late = NOON + 60 * MINUTE
    const work = (delivery: Delivery) => ({ delivery, dueAt: NOON, alert: null })
    expect(overlap.admits(work(page(0, NOON)), late)).to.equal(true)
    expect(overlap.admits(work(page(1, NOON, { channel: 'voice' })), late)).to.equal(true)
    expect(overlap.admits(work(page(2, NOON, { subjectId: 'a2' })), late)).to.equal(true)
    expect(overlap.admits(work(page(3, NOON)), late)).to.equal(false)
    overlap.failed(page(0, NOON))
    expect(overlap.admits(work(page(4, NOON)), late)).to.equal(true)
    expect(overlap.admits(work(page(4, NOON, { attempts: 2 })), late), 'its own retry').to.equal(true)
  })
})
