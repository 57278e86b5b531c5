import { expect } from 'chai'
import type { Attempt } from '../../../src/delivery/attempt/attempt.ts'
import type { Claimed, Store } from '../../../src/store/store.ts'
import * as sample from './samples.ts'
import { ACME, DEFAULT, NOON } from './samples.ts'

const LEASE_MS = 30_000

function attempt(number: number, given: Partial<Attempt> = {}): Attempt {
  const startedAt = NOON + number
  return { number, startedAt, endedAt: startedAt + 5, provider: 'smtp', outcome: 'failed', ...given }
}

export function attemptsConformance(opened: () => sample.OpenedStore): void {
  describe('the record of attempts', () => {
    const send = (store: Store, id = 'n-1') =>
      store.accept(
        sample.acceptance({
          notifications: [sample.notification(id)],
          deliveries: [sample.toSend(sample.delivery(id, 1))],
        }),
      )
    const claimAt = async (store: Store, now: number) =>
      sample.only((await store.claim(sample.claimOf('email', now))).items)
    const retried = (item: Claimed, attempts: readonly Attempt[], nextDueAt: number) => {
      const pending = { ...sample.sent(item).delivery!, state: 'pending', sentAt: null } as const
      return sample.sent(item, { delivery: { ...pending, providerId: null }, nextDueAt, attempts })
    }

    it('keeps every attempt with what it came to, in order, over a restart (C19)', async () => {
      const { store } = opened()
      await send(store)
      const first = attempt(1, { status: 451, code: 'deferred', error: 'a ] "quoted" , [ word' })
      const [passed, last] = [attempt(2, { provider: 'a' }), attempt(2, { outcome: 'sent', providerId: 'p' })]
      await store.settle(retried(await claimAt(store, NOON), [first], NOON + 1))
      const again = await claimAt(store, NOON + 1)
      expect(again.kind === 'deliver' && again.last).to.deep.equal(first)
      await store.settle(sample.sent(again, { attempts: [passed, last] }))
      const record = await (await opened().reopen()).delivery(DEFAULT, 'n-1.1')
      expect(record?.delivery).to.include({ state: 'sent', attempts: 2 })
      expect(record?.attempts).to.deep.equal([first, passed, last])
    })

    it('keeps the newest fifty', async () => {
      const { store } = opened()
      await send(store)
      for (let number = 1; number <= 53; number++)
        await store.settle(retried(await claimAt(store, NOON + number), [attempt(number)], NOON + number))
      const record = await store.delivery(DEFAULT, 'n-1.1')
      expect(record?.attempts.map(({ number }) => number)).to.deep.equal(
        Array.from({ length: 50 }, (_, index) => index + 4),
      )
    })

    it('tells of an attempt that was lost with its holder since when, and that nobody knows what it came to (P9)', async () => {
      const { store } = opened()
      await send(store)
      await claimAt(store, NOON + 7)
      const again = await claimAt(await opened().reopen(), NOON + 7 + LEASE_MS)
      const lost = { number: 1, startedAt: NOON + 7, outcome: 'unknown', code: 'interrupted' }
      expect(again.kind === 'deliver' && again.last).to.deep.equal(lost)
    })

    it('has nothing of a delivery that was not attempted, that is not there, or that is of another tenant', async () => {
      const { store } = opened()
      await send(store)
      expect((await store.delivery(DEFAULT, 'n-1.1'))?.attempts).to.deep.equal([])
      expect(await store.delivery(DEFAULT, 'n-1.2')).to.equal(null)
      expect(await store.delivery(DEFAULT, '')).to.equal(null)
      expect(await store.delivery(ACME, 'n-1.1')).to.equal(null)
    })

    it('names the newest resend on all that it sends again, over generations, and only there', async () => {
      const { store } = opened()
      const row = (ordinal: number, resendOf: string | null = null) =>
        sample.toSend(sample.delivery('n-1', ordinal, { resendOf }))
      await store.accept(sample.acceptance({ deliveries: [row(1), row(2)] }))
      for (const again of [row(3, 'n-1.1'), row(4, 'n-1.3'), row(5, 'n-1.1')])
        await store.accept(sample.acceptance({ deliveries: [again] }))
      const { items } = await (
        await opened().reopen()
      ).deliveries({ tenant: DEFAULT, subjectId: 'n-1', limit: 9 })
      expect(items.map(({ resendOf, resentAs }) => [resendOf, resentAs])).to.deep.equal([
        [null, 'n-1.5'],
        [null, null],
        ['n-1.1', 'n-1.4'],
        ['n-1.3', null],
        ['n-1.1', null],
      ])
    })
  })
}
