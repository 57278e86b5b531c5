import { expect } from 'chai'
import type { Claimed, Store } from '../../../src/store/store.ts'
import * as sample from './samples.ts'
import { DEFAULT, NOON } from './samples.ts'

const LEASE_MS = 30_000

async function send(store: Store, id: string, dueAt = NOON, critical: boolean | 'ahead' = false) {
  const delivery = sample.delivery(id, 1, { nextAttemptAt: dueAt, critical: critical !== false })
  await store.accept(
    sample.acceptance({
      notifications: [sample.notification(id)],
      deliveries: [{ ...sample.toSend(delivery, dueAt), ahead: critical === 'ahead' }],
    }),
  )
}

function subjects(items: readonly Claimed[]): readonly (string | null)[] {
  return items.map((item) => (item.kind === 'deliver' ? item.delivery.subjectId : null))
}

export function workConformance(opened: () => sample.OpenedStore): void {
  describe('due work', () => {
    const only = async (store: Store, id: string) =>
      sample.only((await store.deliveries({ tenant: DEFAULT, subjectId: id, limit: 9 })).items)

    it('hands out what is due in its lane, oldest first, as many as asked for', async () => {
      const { store } = opened()
      await send(store, 'n-1', NOON + 30)
      await send(store, 'n-2', NOON + 10)
      await send(store, 'n-3', NOON + 20)
      await send(store, 'n-4', NOON + 9000)
      expect(await store.claim(sample.claimOf('sms', NOON + 9000))).to.deep.equal({
        items: [],
        nextDueAt: null,
      })
      const claim = sample.claimOf('email', NOON + 100)
      const first = await store.claim({ ...claim, limit: 2 })
      expect(subjects(first.items)).to.deep.equal(['n-2', 'n-3'])
      expect(first.nextDueAt).to.equal(NOON + 30)
      const second = await store.claim(claim)
      expect(subjects(second.items)).to.deep.equal(['n-1'])
      expect(second.nextDueAt).to.equal(NOON + 9000)
    })

    it('hands out critical deliveries first, oldest first within each, new ones and retries alike', async () => {
      const { store } = opened()
      for (let index = 0; index < 20; index++) await send(store, `backlog-${index}`, NOON - 1000 + index)
      await send(store, 'urgent-2', NOON + 2, true)
      await send(store, 'urgent-1', NOON + 1, true)
      await send(store, 'urgent-late', NOON + 500, true)
      const claim = { ...sample.claimOf('email', NOON + 10), limit: 4 }
      const first = await store.claim(claim)
      expect(subjects(first.items)).to.deep.equal(['urgent-1', 'urgent-2', 'backlog-0', 'backlog-1'])
      expect(first.nextDueAt).to.equal(NOON - 998)
      const failed = { ...sample.sent(first.items[0]!).delivery!, state: 'pending', sentAt: null } as const
      await store.settle(sample.sent(first.items[0]!, { delivery: failed, nextDueAt: NOON + 20 }))
      const second = await store.claim({ ...claim, now: NOON + 20, limit: 2 })
      expect(subjects(second.items)).to.deep.equal(['urgent-1', 'backlog-2'])
      const rest = await store.claim({ ...claim, now: NOON + 20, limit: 100 })
      expect(rest.items).to.have.length(17)
      expect(rest.nextDueAt).to.equal(NOON + 500)
      const leased = await store.claim({ ...sample.claimOf('email', NOON + 10 + LEASE_MS), limit: 1 })
      expect(subjects(leased.items)).to.deep.equal(['urgent-late'])
    })

    it('hands out what goes ahead before other critical deliveries, however long those have waited [P7]', async () => {
      const { store } = opened()
      for (let index = 0; index < 50; index++) await send(store, `storm-${index}`, NOON - 1000 + index, true)
      await send(store, 'n-1', NOON - 5000)
      await send(store, 'other', NOON + 2, 'ahead')
      await send(store, 'later', NOON + 500, 'ahead')
      const claim = { ...sample.claimOf('email', NOON + 10), limit: 2, criticalOnly: true }
      expect(subjects((await store.claim(claim)).items)).to.deep.equal(['other', 'storm-0'])
      const rest = await store.claim({ ...claim, limit: 100 })
      expect([rest.items.length, rest.nextDueAt]).to.deep.equal([49, NOON + 500])
      const all = await store.claim({ ...claim, criticalOnly: false })
      expect([subjects(all.items), all.nextDueAt]).to.deep.equal([['n-1'], NOON + 500])
    })

    it('hands out critical deliveries only when asked to, and says when the next of them is due', async () => {
      const { store } = opened()
      await send(store, 'n-1', NOON)
      await send(store, 'n-2', NOON + 1, true)
      await send(store, 'n-3', NOON + 90, true)
      const claim = { ...sample.claimOf('email', NOON + 10), criticalOnly: true }
      const first = await store.claim({ ...claim, leaseUntil: NOON + 999 })
      expect([subjects(first.items), first.nextDueAt]).to.deep.equal([['n-2'], NOON + 90])
    })

    it('gives the holder the delivery as being sent, one attempt counted, with what it is about', async () => {
      const { store } = opened()
      await send(store, 'n-1')
      const item = sample.only((await store.claim(sample.claimOf('email', NOON))).items)
      if (item.kind !== 'deliver') throw new Error(item.kind)
      expect(item).to.include({ tenant: DEFAULT, dueAt: NOON, crashes: 0, ambiguous: false, alert: null })
      expect(item.delivery).to.include({ id: 'n-1.1', state: 'sending', attempts: 1 })
      expect(item.notification?.content).to.deep.equal(sample.notification('n-1').content)
      expect(await only(store, 'n-1')).to.deep.equal(item.delivery)
    })

    it('gives each piece of work to one of two workers who ask at once', async () => {
      const { store } = opened()
      for (let index = 0; index < 6; index++) await send(store, `n-${index}`)
      const claim = { ...sample.claimOf('email', NOON), limit: 4 }
      const [mine, theirs] = await Promise.all([store.claim(claim), store.claim(claim)])
      const all = [...subjects(mine.items), ...subjects(theirs.items)]
      expect([mine.items.length, theirs.items.length, new Set(all).size]).to.deep.equal([4, 2, 6])
    })

    it('ends work for good when it is settled, and keeps what the attempt came to', async () => {
      const { store } = opened()
      await send(store, 'n-1')
      const item = sample.only((await store.claim(sample.claimOf('email', NOON))).items)
      expect(await store.settle(sample.sent(item))).to.equal('done')
      expect(await only(store, 'n-1')).to.include({
        state: 'sent',
        providerId: 'provider-1',
        sentAt: NOON + 2000,
      })
      expect(await store.settle(sample.sent(item))).to.equal('fenced')
      expect(await store.claim(sample.claimOf('email', NOON + 10 * LEASE_MS))).to.deep.equal({
        items: [],
        nextDueAt: null,
      })
    })

    it('defers work to the instant it is told, with the attempts counted and nothing ambiguous', async () => {
      const { store } = opened()
      await send(store, 'n-1')
      const first = sample.only((await store.claim(sample.claimOf('email', NOON))).items)
      const failed = {
        ...sample.sent(first).delivery!,
        state: 'pending',
        error: '503',
        sentAt: null,
      } as const
      const retry = sample.sent(first, { delivery: { ...failed, providerId: null }, nextDueAt: NOON + 4000 })
      expect(await store.settle(retry)).to.equal('done')
      expect(await store.settle(retry)).to.equal('fenced')
      const waiting = { state: 'pending', error: '503', attempts: 1, nextAttemptAt: NOON + 4000 }
      expect(await only(store, 'n-1')).to.include(waiting)
      expect((await store.claim(sample.claimOf('email', NOON + 3999))).nextDueAt).to.equal(NOON + 4000)
      const second = sample.only((await store.claim(sample.claimOf('email', NOON + 4000))).items)
      expect(second).to.include({ crashes: 0, ambiguous: false })
      expect(second.token).to.be.greaterThan(first.token)
      expect(second.kind === 'deliver' && second.delivery.attempts).to.equal(2)
    })

    it('puts a delivery that was given back without an attempt among the pending again', async () => {
      const { store } = opened()
      await send(store, 'n-1')
      const item = sample.only((await store.claim(sample.claimOf('email', NOON))).items)
      await store.settle(sample.sent(item, { delivery: null, nextDueAt: NOON + 50 }))
      expect(await only(store, 'n-1')).to.include({ state: 'pending', nextAttemptAt: NOON + 50 })
      const again = sample.only((await store.claim(sample.claimOf('email', NOON + 50))).items)
      expect(again).to.include({ ambiguous: false, crashes: 0 })
    })

    it('takes an attempt off again that was none, whether its state is given or not (R24)', async () => {
      const { store } = opened()
      await send(store, 'n-1')
      for (const [round, given] of [true, false].entries()) {
        const at = NOON + round
        const item = sample.only((await store.claim(sample.claimOf('email', at))).items)
        const pending = { ...sample.sent(item).delivery!, state: 'pending', sentAt: null } as const
        const delivery = given ? { ...pending, providerId: null } : null
        await store.settle(sample.sent(item, { delivery, nextDueAt: at + 1, untried: true }))
        expect(await only(store, 'n-1')).to.include({ state: 'pending', attempts: 0 })
      }
    })

    it('names the lanes that have work, and no others', async () => {
      const { store } = opened()
      expect(await store.lanes()).to.deep.equal([])
      for (const [index, lane] of ['sms', 'webhook:gone', 'email', 'sms'].entries()) {
        const planned = sample.toSend(sample.delivery(`n-${index}`, 1))
        await store.accept(sample.acceptance({ deliveries: [{ ...planned, lane }] }))
      }
      expect(await store.lanes()).to.have.members(['email', 'sms', 'webhook:gone'])
      const item = sample.only((await store.claim(sample.claimOf('webhook:gone', NOON))).items)
      await store.settle(sample.sent(item))
      expect(await store.lanes()).to.have.members(['email', 'sms'])
    })

    it('has work due again when its lease runs out, counts the crash, and says that its effect is unknown (P6, P9, P10)', async () => {
      const { store } = opened()
      await send(store, 'n-1')
      const lost = sample.only((await store.claim(sample.claimOf('email', NOON))).items)
      const early = await store.claim(sample.claimOf('email', NOON + LEASE_MS - 1))
      expect(early).to.deep.equal({ items: [], nextDueAt: NOON + LEASE_MS })
      const again = await opened().reopen()
      const found = sample.only((await again.claim(sample.claimOf('email', NOON + LEASE_MS))).items)
      expect(found).to.include({ workId: lost.workId, crashes: 1, ambiguous: true })
      expect(found.kind === 'deliver' && found.delivery).to.include({ state: 'sending', attempts: 2 })
    })

    it('fences whoever held the work before, and writes nothing of theirs (P13)', async () => {
      const { store } = opened()
      await send(store, 'n-1')
      const old = sample.only((await store.claim(sample.claimOf('email', NOON))).items)
      const now = sample.only((await store.claim(sample.claimOf('email', NOON + LEASE_MS))).items)
      const outbox = sample.captured('o-1')
      expect(await store.settle(sample.sent(old, { outbox }))).to.equal('fenced')
      expect(await only(store, 'n-1')).to.include({ state: 'sending', providerId: null })
      expect(await store.outbox({ tenant: DEFAULT })).to.deep.equal([])
      expect(await store.settle(sample.sent(now, { outbox }))).to.equal('done')
      expect(await store.outbox({ tenant: DEFAULT })).to.deep.equal([outbox])
    })

    it('takes work with the accept that makes it, so that its first attempt needs no claim', async () => {
      const { store } = opened()
      const leased = (ordinal: number) => ({
        ...sample.toSend(sample.delivery('n-1', ordinal)),
        lease: { until: NOON + LEASE_MS },
      })
      const result = await store.accept(
        sample.acceptance({
          notifications: [sample.notification('n-1')],
          deliveries: [leased(1), sample.toSend(sample.delivery('n-1', 2), NOON + 5), leased(3)],
        }),
      )
      const { leases } = sample.accepted(result)
      expect(leases.map((lease) => lease.deliveryId)).to.deep.equal(['n-1.1', 'n-1.3'])
      const due = await store.claim(sample.claimOf('email', NOON + 5))
      expect(due.items.map((item) => item.kind === 'deliver' && item.delivery.ordinal)).to.deep.equal([2])
      const [first] = leases
      const held = { ...due.items[0]!, workId: first!.workId, token: first!.token }
      expect(await store.settle(sample.sent(held))).to.equal('done')
      const { items } = await store.deliveries({ tenant: DEFAULT, subjectId: 'n-1', limit: 9 })
      expect(items.map((item) => [item.state, item.attempts])).to.deep.equal([
        ['sent', 1],
        ['sending', 1],
        ['sending', 1],
      ])
      const lost = await store.claim(sample.claimOf('email', NOON + 2 * LEASE_MS))
      expect(lost.items.map((item) => item.kind === 'deliver' && item.ambiguous)).to.deep.equal([true, true])
    })

    it('claims nothing twice when the clock goes back, and remembers the highest instant (P18)', async () => {
      const { store } = opened()
      await send(store, 'n-1', NOON - 1000)
      await store.claim(sample.claimOf('email', NOON))
      const back = await store.claim(sample.claimOf('email', NOON - 60_000))
      expect(back.items).to.deep.equal([])
      await store.accept(sample.acceptance({ at: NOON - 60_000 }))
      const again = await opened().reopen()
      expect(again.highWaterAt).to.equal(NOON)
      expect((await again.claim(sample.claimOf('email', NOON))).items).to.deep.equal([])
    })

    it('hands out what has expired: to end it is the holder’s decision', async () => {
      const { store } = opened()
      const content = sample.content({ expiresAt: NOON })
      await store.accept(
        sample.acceptance({
          notifications: [sample.notification('n-1', { content })],
          deliveries: [sample.toSend(sample.delivery('n-1', 1))],
        }),
      )
      const item = sample.only((await store.claim(sample.claimOf('email', NOON + 99_000))).items)
      expect(item.kind === 'deliver' && item.notification?.content.expiresAt).to.equal(NOON)
    })

    it('hands out a page with its alert', async () => {
      const { store } = opened()
      const page = sample.delivery('a-1', 1, { subjectKind: 'alert', purpose: 'page' })
      await store.accept(sample.opening(sample.alert('a-1'), { deliveries: [sample.toSend(page)] }))
      const item = sample.only((await store.claim(sample.claimOf('email', NOON))).items)
      if (item.kind !== 'deliver') throw new Error(item.kind)
      expect(item.alert).to.deep.equal(sample.alert('a-1'))
      expect(item.notification).to.equal(null)
    })
  })
}
