import { expect } from 'chai'
import { loadConfig } from '../../../src/config/load.ts'
import type { DeliverWork } from '../../../src/delivery/attempt/deliver.ts'
import { createHolding } from '../../../src/delivery/digest/holding.ts'
import { leasedWork, type PlannedDelivery } from '../../../src/delivery/plan.ts'
import { randomIds } from '../../../src/ids.ts'
import { notification, NOON, planned } from '../../support/messages.ts'

function work(plan: Partial<PlannedDelivery> = {}): DeliverWork {
  const row = planned({ subjectKind: 'notification', purpose: 'message', critical: false, ...plan })
  const lease = { workId: 1, token: 1, deliveryId: row.delivery.id }
  const [item] = leasedWork([row], [lease], { notification: notification({ event: 'news' }), alert: null })
  if (item?.kind !== 'deliver') throw new Error('nothing leased')
  return item
}

function setUp(text: string, deliveries: () => Promise<never> | Promise<{ items: []; nextCursor: null }>) {
  const loaded = loadConfig({ text, env: {}, flags: {} })
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults))
  const store = { deliveries, alert: () => Promise.resolve(null) }
  return createHolding({ config: () => loaded.config, store, ids: randomIds() })
}

const nothing = () => Promise.resolve({ items: [] as [], nextCursor: null })

describe('What is held back', () => {
  it('lets a message go when nobody can say what went before, instead of losing the attempt (P6)', async () => {
    const holding = setUp('{}', () => Promise.reject(new Error('no reader')))
    const sms = work({ channel: 'sms', address: '+4915112345678' })
    expect((await holding(sms, NOON)).hold).to.equal(null)
    expect((await holding(sms, NOON + 1)).hold).to.equal(null)
  })

  it('sends the first message of a window by itself also when its first attempt fails', async () => {
    const rule = '{ event: news, window: 1h, first: send }'
    const holding = setUp(`digests: [${rule}]`, nothing)
    const first = await holding(work(), NOON)
    if (first.hold !== null) throw new Error('the first is held back')
    first.failed()
    const again = await holding(work(), NOON + 1000)
    expect(again.hold).to.equal(null)
    expect(await holding(work(), NOON + 2000)).to.include({ reason: 'digested' })
  })
})
