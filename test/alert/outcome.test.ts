import { expect } from 'chai'
import type { Alert } from '../../src/alert/alert.ts'
import { withOutcome } from '../../src/alert/outcome.ts'
import type { Core } from '../../src/core.ts'
import { DELIVERY_STATES, type Delivery, type DeliveryState } from '../../src/delivery/delivery.ts'
import { deliveryRow } from '../support/fake-engine.ts'
import { anAlert, NOON } from './an-alert.ts'

const SIREN = 'plant/siren/set'
const LAMP = 'plant/lamp/set'

function coreWith(rows: readonly Delivery[]) {
  const topics = { siren: { topic: SIREN, resolved_payload: 'OFF' }, lamp: { topic: LAMP } }
  // Nothing else of the core is asked.
  return {
    config: () => ({ channels: { mqtt: { topics } } }),
    laneOf: (channel: string) => channel,
    store: { deliveries: () => Promise.resolve({ items: rows, nextCursor: null }) },
  } as unknown as Core
}

const page = (ordinal: number, given: Partial<Delivery> = {}) =>
  deliveryRow(`a1.${ordinal}`, { channel: 'mqtt', address: SIREN, userId: null, ...given })

async function outcomes(rows: readonly Delivery[], wish: Partial<Alert> = {}) {
  const alert = anAlert({ id: 'a1', status: 'resolved', nextOrdinal: 9, ...wish })
  const paging = await withOutcome(coreWith(rows), { alert, deliveries: [], notifications: [] }, NOON)
  expect(paging.alert.nextOrdinal, 'every row has an ordinal of its own').to.equal(
    9 + paging.deliveries.length,
  )
  return paging.deliveries.map(({ delivery }) => [delivery.id, delivery.purpose, delivery.address])
}

describe('the end of an alert that sirens were told of', () => {
  const told: ReadonlySet<DeliveryState> = new Set(['pending', 'sending', 'sent', 'delivered'])
  for (const state of DELIVERY_STATES) {
    it(`is ${told.has(state) ? 'told to' : 'kept from'} one whose page is ${state}`, async () => {
      const expected = told.has(state) ? [['a1.9', 'outcome', SIREN]] : []
      expect(await outcomes([page(1, { state })])).to.deep.equal(expected)
    })
  }

  it('is told to one whose page was lost with the process, because it may have sounded (P10)', async () => {
    expect(await outcomes([page(1, { state: 'dead', reason: 'poison' })])).to.have.length(1)
    expect(await outcomes([page(1, { state: 'dead', reason: 'not_configured' })])).to.deep.equal([])
  })

  it('is told once, however often the siren was paged, and not because of an earlier end', async () => {
    expect(await outcomes([page(1), page(2), page(3, { state: 'dead' })])).to.have.length(1)
    expect(await outcomes([page(1, { purpose: 'outcome' })])).to.deep.equal([])
  })

  it('is told only to topics that have something to hear of it, and to no person', async () => {
    expect(await outcomes([page(1, { address: LAMP }), deliveryRow('a1.2')])).to.deep.equal([])
  })

  it('is no end while the alert is not resolved', async () => {
    expect(await outcomes([page(1)], { status: 'acknowledged' })).to.deep.equal([])
  })
})
