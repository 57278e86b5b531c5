import { acceptConformance } from './store/accept.ts'
import { alertConformance } from './store/alerts.ts'
import { auditConformance } from './store/audit.ts'
import { deliveryConformance } from './store/deliveries.ts'
import { dispatchConformance } from './store/dispatches.ts'
import { digestConformance } from './store/digests.ts'
import { inboxConformance } from './store/inbox.ts'
import { keepingConformance } from './store/keeping.ts'
import type { OpenedStore } from './store/samples.ts'
import { recordConformance } from './store/records.ts'
import { walkConformance } from './store/walk.ts'
import { attemptsConformance } from './store/attempts.ts'
import { workConformance } from './store/work.ts'

export type { OpenedStore } from './store/samples.ts'

/**
 * What every backend of the store must hold, in the words of the port and nothing else. `open` gives each test a
 * store of its own on empty data.
 */
export function storeConformance(name: string, open: () => Promise<OpenedStore>): void {
  describe(`The store on ${name}`, () => {
    let opened: OpenedStore | undefined
    beforeEach(async () => {
      opened = await open()
    })
    afterEach(() => opened?.end())
    const current = () => {
      if (!opened) throw new Error('No store is open')
      return opened
    }

    acceptConformance(current)
    alertConformance(current)
    auditConformance(current)
    workConformance(current)
    attemptsConformance(current)
    deliveryConformance(current)
    dispatchConformance(current)
    inboxConformance(current)
    keepingConformance(current)
    recordConformance(current)
    digestConformance(current)
    walkConformance(current)
  })
}
