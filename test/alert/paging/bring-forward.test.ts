import { expect } from 'chai'
import { bringForward } from '../../../src/alert/paging/bring-forward.ts'
import type { Core } from '../../../src/core.ts'
import { newDelivery } from '../../../src/delivery/plan.ts'
import type { Delivery, DeliveryState } from '../../../src/delivery/delivery.ts'
import type { AlertChange, DeliveryQuery } from '../../../src/store/store.ts'
import { createFence } from '../../../src/alert/paging/fence.ts'
import { createHoldOff } from '../../../src/alert/hold-off.ts'
import { sampleAlert } from '../../support/sample-alert.ts'
import { silentLog } from '../../support/silent-log.ts'
import { noNoise } from '../../support/no-noise.ts'

const NOW = Date.UTC(2026, 0, 5, 12)

const alert = sampleAlert({
  severity: 'critical',
  status: 'firing',
  step: 1,
  repeat: 1,
  nextStepAt: NOW + 60_000,
})

function page(ordinal: number, state: DeliveryState, createdAt: number, step = 1): Delivery {
  const { delivery } = newDelivery({
    tenant: alert.tenant,
    subjectKind: 'alert',
    subjectId: alert.id,
    ordinal,
    purpose: 'page',
    userId: 'anna',
    channel: 'sms',
    address: '+491',
    critical: true,
    origin: alert.origin,
    now: createdAt,
    step,
  })
  return { ...delivery, state }
}

async function nextStepAfter(items: readonly Delivery[]): Promise<number | null | undefined> {
  const changes: AlertChange[] = []
  const nothing = () => {}
  const core = {
    clock: { now: () => NOW, at: () => nothing },
    store: {
      alert: () => Promise.resolve(alert),
      deliveries: ({ cursor }: DeliveryQuery) =>
        Promise.resolve(
          cursor === undefined
            ? { items: items.slice(0, 2), nextCursor: 'rest' }
            : { items: items.slice(2), nextCursor: null },
        ),
      changeAlert: (change: AlertChange) => {
        changes.push(change)
        return Promise.resolve('done')
      },
    },
    ...noNoise,
    fence: createFence(),
    holdOff: createHoldOff(),
    worker: { wake: nothing },
    openAlerts: { changed: nothing },
    board: { alertChanged: nothing },
    log: silentLog().log,
  } as unknown as Core
  await bringForward(core, alert.tenant, alert.id)
  return changes[0]?.alert.nextStepAt
}

describe('an alert whose page was given up', () => {
  it('goes on at once when no other page of its step can arrive (P7, P20)', async () => {
    expect(await nextStepAfter([page(0, 'dead', NOW - 5000)])).to.equal(NOW)
  })

  it('keeps its time while another page of the step may arrive', async () => {
    const pages = [page(0, 'dead', NOW - 5000), page(1, 'sending', NOW - 5000)]
    expect(await nextStepAfter(pages)).to.equal(undefined)
  })

  it('looks at every page of the step, also beyond those that the store gives at once', async () => {
    const pages = [page(0, 'dead', NOW - 600_000), page(1, 'dead', NOW - 600_000)]
    expect(await nextStepAfter([...pages, page(2, 'sending', NOW - 5000)])).to.equal(undefined)
  })

  it('does not count what arrived when the policy came by this step before', async () => {
    const earlier = [page(0, 'sent', NOW - 600_000), page(1, 'sent', NOW - 300_000, 2)]
    expect(await nextStepAfter([...earlier, page(2, 'dead', NOW - 5000)])).to.equal(NOW)
  })
})
