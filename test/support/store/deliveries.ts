import { expect } from 'chai'
import type { DeliveryProgress, ProviderReport } from '../../../src/store/store.ts'
import * as sample from './samples.ts'
import { ACME, DEFAULT, NOON } from './samples.ts'

export function deliveryConformance(opened: () => sample.OpenedStore): void {
  describe('deliveries', () => {
    it('moves what was sent to what its provider reports, once, and nothing else', async () => {
      const { store } = opened()
      const row = (ordinal: number, given = {}) =>
        sample.toSend(sample.delivery('n-1', ordinal, { channel: 'sms', state: 'sent', ...given }))
      await store.accept(
        sample.acceptance({
          deliveries: [row(1), row(2), row(3, { state: 'cancelled', reason: 'acknowledged' })],
        }),
      )
      const report = (ordinal: number, state: 'delivered' | 'dead', tenant = DEFAULT): ProviderReport => ({
        tenant,
        deliveryId: `n-1.${ordinal}`,
        state,
        reason: state === 'dead' ? 'twilio_30003' : null,
        at: NOON + 7,
      })
      expect(await store.progress([report(1, 'delivered'), report(2, 'dead'), report(1, 'dead')])).to.equal(2)
      const nothing = [
        report(2, 'delivered'),
        report(3, 'delivered'),
        report(9, 'dead'),
        report(1, 'dead', ACME),
      ]
      expect(await store.progress([...nothing, { ...report(1, 'dead'), deliveryId: 'none' }])).to.equal(0)
      const { items } = await store.deliveries({ tenant: DEFAULT, subjectId: 'n-1', limit: 9 })
      expect(items.map((item) => [item.state, item.reason, item.deliveredAt])).to.deep.equal([
        ['delivered', null, NOON + 7],
        ['dead', 'twilio_30003', null],
        ['cancelled', 'acknowledged', null],
      ])
      expect((await store.conservation()).broken).to.equal(0)
    })

    it('cancels what waits, with its work, and nothing that is being sent, has ended or is another tenant’s', async () => {
      const { store } = opened()
      const waiting = (id: string, given = {}) => sample.toSend(sample.delivery(id, 1, given), NOON + 60_000)
      await store.accept(
        sample.acceptance({
          deliveries: [
            waiting('n-1'),
            waiting('n-2'),
            sample.toSend(sample.delivery('n-3', 1, { state: 'sent' })),
          ],
        }),
      )
      const cancel = (id: string, tenant = DEFAULT) =>
        store.cancelDelivery({ tenant, id, at: NOON, reason: 'cancelled_by_user' })
      expect(await cancel('n-1.1', ACME)).to.equal(false)
      expect(await cancel('n-1.1')).to.equal(true)
      expect(await cancel('n-1.1')).to.equal(false)
      for (const id of ['n-1.2', 'n-9.1', 'n-1', '', 'n-3.1']) expect(await cancel(id), id).to.equal(false)
      const claim = { lane: 'email', now: NOON + 60_000, limit: 9, leaseUntil: NOON + 90_000 }
      expect((await store.claim(claim)).items).to.have.length(1)
      expect(await cancel('n-2.1'), 'under way').to.equal(false)
      const { items } = await store.deliveries({ tenant: DEFAULT, subjectId: 'n-1', limit: 9 })
      expect(items[0]).to.include({ state: 'cancelled', reason: 'cancelled_by_user', nextAttemptAt: null })
      expect((await store.conservation()).broken).to.equal(0)
    })

    it('counts what came to what in a time, by channel, state and reason, the newest where they are many (C19)', async () => {
      const { store } = opened()
      const row = (ordinal: number, createdAt: number, given = {}) =>
        sample.toSend(sample.delivery('n-1', ordinal, { createdAt, ...given }))
      const dead = { state: 'dead', reason: 'invalid_number', channel: 'sms' }
      await store.accept(
        sample.acceptance({
          deliveries: [
            row(0, NOON - 1),
            row(1, NOON, { state: 'sent', sentAt: NOON + 3000 }),
            row(2, NOON + 1000, { state: 'sent', firstDueAt: NOON + 5000, sentAt: NOON + 6000 }),
            row(3, NOON + 2000, dead),
            row(4, NOON + 9000, dead),
          ],
        }),
      )
      const asked = { tenant: DEFAULT, from: NOON, to: NOON + 9000 }
      expect(await store.deliveryStatistics({ ...asked, limit: 100 })).to.deep.equal({
        from: NOON,
        counts: [
          { channel: 'email', state: 'sent', reason: null, count: 2, tookMs: 2000 },
          { channel: 'sms', state: 'dead', reason: 'invalid_number', count: 1, tookMs: null },
        ],
      })
      const newest = await store.deliveryStatistics({ ...asked, limit: 2 })
      expect(newest.from).to.equal(NOON + 1000)
      expect(newest.counts.map(({ count }) => count)).to.deep.equal([1, 1])
      expect(
        (await store.deliveryStatistics({ ...asked, tenant: sample.ACME, limit: 9 })).counts,
      ).to.deep.equal([])
    })

    it('counts the messages of a batch by their state, without what was sent again later (R36)', async () => {
      const { store } = opened()
      const message = (ordinal: number, given = {}) =>
        sample.toSend(sample.delivery('b-1', ordinal, { subjectKind: 'batch', userId: null, ...given }))
      await store.accept(
        sample.acceptance({
          deliveries: [
            message(0),
            message(1, { state: 'dead', reason: 'invalid_address' }),
            message(2, { state: 'sent' }),
            message(3, { state: 'sent' }),
            message(4, { state: 'sent', createdAt: NOON + 1 }),
            sample.toSend(sample.delivery('n-1', 0)),
          ],
        }),
      )
      const batch = await store.batch(DEFAULT, 'b-1')
      expect(batch).to.deep.include({ id: 'b-1', createdAt: NOON })
      expect(batch?.origin.principal).to.equal('db-monitor')
      expect(batch?.states).to.deep.equal({
        pending: 1,
        sending: 0,
        sent: 2,
        delivered: 0,
        cancelled: 0,
        suppressed: 0,
        expired: 0,
        dead: 1,
      })
      expect(await store.batch(ACME, 'b-1')).to.equal(null)
      expect(await store.batch(DEFAULT, 'n-1')).to.equal(null)
      expect(await store.batch(DEFAULT, 'nothing')).to.equal(null)
    })

    it('moves realtime deliveries forward and never back', async () => {
      const { store } = opened()
      const realtime = (ordinal: number, given = {}) =>
        sample.toSend(sample.delivery('n-1', ordinal, { channel: 'realtime', address: null, ...given }))
      await store.accept(
        sample.acceptance({
          deliveries: [
            realtime(1),
            realtime(2, { userId: 'bob' }),
            realtime(3, { userId: 'bob', state: 'suppressed', reason: 'muted' }),
            sample.toSend(sample.delivery('n-1', 4)),
          ],
        }),
      )
      const step = (state: 'sent' | 'delivered', userId = 'anna', subjectId = 'n-1'): DeliveryProgress => ({
        subjectId,
        userId,
        state,
        at: NOON + 5,
      })
      expect(
        await store.progress([step('sent'), step('sent', 'nobody'), step('sent', 'anna', 'n-9')]),
      ).to.equal(1)
      expect(await store.progress([step('sent'), step('delivered'), step('delivered', 'bob')])).to.equal(2)
      expect(await store.progress([step('sent'), step('delivered'), step('sent', 'bob')])).to.equal(0)
      const { items } = await store.deliveries({ tenant: DEFAULT, subjectId: 'n-1', limit: 9 })
      expect(items.map((item) => [item.state, item.sentAt, item.deliveredAt])).to.deep.equal([
        ['delivered', NOON + 5, NOON + 5],
        ['delivered', NOON + 5, NOON + 5],
        ['suppressed', null, null],
        ['pending', null, null],
      ])
      expect((await store.conservation()).broken).to.equal(0)
    })

    it('lists them newest first by user, channel and state, in pages that stay while others come', async () => {
      const { store } = opened()
      const add = (index: number, given = {}) =>
        store.accept(
          sample.acceptance({
            deliveries: [
              sample.toSend(sample.delivery(`n-${index}`, 1, { createdAt: NOON + index, ...given })),
            ],
          }),
        )
      for (let index = 1; index <= 9; index++) await add(index, { userId: index % 3 === 0 ? 'bob' : 'anna' })
      await add(10, { state: 'dead', reason: 'refused' })
      await add(11, { state: 'suppressed', reason: 'muted', channel: 'sms', userId: 'bob' })
      await store.accept(
        sample.acceptance({
          tenant: ACME,
          deliveries: [sample.toSend(sample.delivery('x-1', 1, { tenant: ACME, userId: 'anna' }))],
        }),
      )
      const list = async (given: object) =>
        (await store.deliveries({ tenant: DEFAULT, limit: 20, ...given })).items.map((item) =>
          item.subjectId.slice(2),
        )
      expect(await list({})).to.deep.equal(['11', '10', '9', '8', '7', '6', '5', '4', '3', '2', '1'])
      expect(await list({ userId: 'bob' })).to.deep.equal(['11', '9', '6', '3'])
      expect(await list({ userId: 'bob', channel: 'email' })).to.deep.equal(['9', '6', '3'])
      expect(await list({ state: 'dead' })).to.deep.equal(['10'])
      expect(await list({ state: 'suppressed', userId: 'anna' })).to.deep.equal([])
      expect(await list({ state: 'pending', channel: 'sms' })).to.deep.equal([])

      const query = { tenant: DEFAULT, userId: 'anna', limit: 3 }
      const first = await store.deliveries(query)
      await add(12)
      const second = await store.deliveries({ ...query, cursor: first.nextCursor! })
      const third = await store.deliveries({ ...query, cursor: second.nextCursor! })
      const ids = [first, second, third].map((page) =>
        page.items.map((item) => item.subjectId.slice(2)).join(' '),
      )
      expect(ids).to.deep.equal(['10 8 7', '5 4 2', '1'])
      expect(third.nextCursor).to.equal(null)
    })

    it('lists those of one instant in pages without losing or repeating one', async () => {
      const { store } = opened()
      const deliveries = Array.from({ length: 25 }, (_, index) =>
        sample.toSend(sample.delivery(`n-${index % 5}`, Math.floor(index / 5))),
      )
      await store.accept(sample.acceptance({ deliveries }))
      const seen: string[] = []
      let cursor: string | null = null
      do {
        const page: Awaited<ReturnType<typeof store.deliveries>> = await store.deliveries({
          tenant: DEFAULT,
          limit: 4,
          ...(cursor !== null && { cursor }),
        })
        seen.push(...page.items.map((item) => item.id))
        cursor = page.nextCursor
      } while (cursor !== null)
      expect(seen).to.have.length(25)
      expect(new Set(seen).size).to.equal(25)
    })

    it('lists those of one subject by their ordinals, in pages', async () => {
      const { store } = opened()
      const deliveries = [3, 1, 12, 2].map((ordinal) => sample.toSend(sample.delivery('n-1', ordinal)))
      await store.accept(
        sample.acceptance({ deliveries: [...deliveries, sample.toSend(sample.delivery('n-2', 1))] }),
      )
      const query = { tenant: DEFAULT, subjectId: 'n-1', limit: 3 }
      const first = await store.deliveries(query)
      const second = await store.deliveries({ ...query, cursor: first.nextCursor! })
      expect(first.items.map((item) => item.id)).to.deep.equal(['n-1.1', 'n-1.2', 'n-1.3'])
      expect(second.items.map((item) => item.id)).to.deep.equal(['n-1.12'])
      expect(second.nextCursor).to.equal(null)
    })

    it('refuses a cursor that is none of its own', async () => {
      const { store } = opened()
      const codes: unknown[] = []
      for (const cursor of ['', 'x', Buffer.from('["a"]').toString('base64url')])
        await store
          .deliveries({ tenant: DEFAULT, limit: 3, cursor })
          .catch((error: { code: string }) => codes.push(error.code))
      expect(codes).to.deep.equal(['request.invalid', 'request.invalid', 'request.invalid'])
    })
  })
}
