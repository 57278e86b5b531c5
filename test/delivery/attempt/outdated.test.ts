import { expect } from 'chai'
import { ALERT_STATUSES } from '../../../src/alert/alert.ts'
import type { Delivery } from '../../../src/delivery/delivery.ts'
import { outdatedBy } from '../../../src/delivery/attempt/outdated.ts'
import { anAlert, NOON } from '../../alert/an-alert.ts'
import { deliveryRow } from '../../support/fake-engine.ts'

const page = (given: Partial<Delivery> = {}) => deliveryRow('a1.3', { createdAt: NOON, ...given })
const outcome = (given: Partial<Delivery> = {}) =>
  page({ purpose: 'outcome', fixed: { text: 'x', outcome: 'acknowledged' }, ...given })

describe('A delivery that the alert has left behind', () => {
  for (const status of ALERT_STATUSES)
    it(`${status === 'firing' ? 'is no page' : 'is a page'} of an alert that is ${status} (P15, O10)`, () => {
      expect(outdatedBy(page(), anAlert({ status }), NOON)).to.equal(status === 'firing' ? null : status)
    })

  it('is a page of the round before a new start, so that a late retry does not page beside the new round (P15)', () => {
    expect(outdatedBy(page(), anAlert({ pagesFrom: 4 }), NOON)).to.equal('superseded')
    expect(outdatedBy(page(), anAlert({ pagesFrom: 3 }), NOON)).to.equal(null)
  })

  const table: readonly [string, Delivery, number, string | null][] = [
    ['told at once', outcome(), NOON, null],
    ['tried again', outcome({ attempts: 2 }), NOON, 'superseded'],
    ['held up', outcome(), NOON + 5000, 'superseded'],
  ]
  for (const [what, row, now, reason] of table)
    it(`${reason ? 'is' : 'is not'} an outcome that was ${what} when the alert has moved on`, () => {
      expect(outdatedBy(row, anAlert({ status: 'resolved' }), now)).to.equal(reason)
      expect(outdatedBy(row, anAlert({ status: 'acknowledged' }), now)).to.equal(null)
    })

  it('is never a message or a summary', () => {
    expect(outdatedBy(page({ purpose: 'message' }), anAlert({ status: 'resolved' }), NOON)).to.equal(null)
  })
})
