import { expect } from 'chai'
import type { Hold, Store } from '../../../src/store/store.ts'
import * as sample from './samples.ts'
import { ACME, DEFAULT, NOON } from './samples.ts'

const hold = (id: string, given: Partial<Hold['open']> = {}, key = 'throttle anna'): Hold => ({
  key,
  open: { id, channel: 'email', userId: 'anna', address: 'anna@example.org', dueAt: NOON + 5000, ...given },
})

/** Ends every due delivery as held back in a digest that would get this id. */
async function holdDue(store: Store, id: string, given: Partial<Hold['open']> = {}, key?: string) {
  const { items } = await store.claim(sample.claimOf('email', NOON))
  for (const item of items) {
    if (item.kind !== 'deliver') throw new Error('no delivery')
    const suppressed = { id: item.delivery.id, state: 'suppressed', reason: 'throttled' } as const
    const delivery = { ...suppressed, providerId: null, error: null, sentAt: null, deliveredAt: null }
    await store.settle(sample.sent(item, { delivery, hold: hold(id, given, key) }))
  }
}

async function send(store: Store, ids: readonly string[], tenant = DEFAULT): Promise<void> {
  for (const id of ids) {
    const delivery = sample.delivery(id, 1, { tenant })
    await store.accept(
      sample.acceptance({
        tenant,
        notifications: [sample.notification(id, { tenant })],
        deliveries: [sample.toSend(delivery)],
      }),
    )
  }
}

async function due(store: Store) {
  const { items } = await store.claim(sample.claimOf('digest', NOON + 5000))
  const item = sample.only(items)
  if (item.kind !== 'digest') throw new Error('no digest')
  return item
}

const closing = (item: Awaited<ReturnType<typeof due>>, expectCount: number, id = 'g-1') => ({
  tenant: item.tenant,
  digestId: item.digest.id,
  workId: item.workId,
  token: item.token,
  at: NOON + 5000,
  expectCount,
  summary: sample.toSend(
    sample.delivery(id, 0, { tenant: item.tenant, subjectKind: 'direct', purpose: 'summary' }),
  ),
})

export function digestConformance(opened: () => sample.OpenedStore): void {
  describe('digests', () => {
    it('leave what is worthless before their summary to wait for its end, and hold what is not (ttl, P4)', async () => {
      const { store } = opened()
      const settle = async (id: string, expiresAt: number) => {
        await send(store, [id])
        const item = sample.only((await store.claim(sample.claimOf('email', NOON))).items)
        const held = { ...sample.sent(item).delivery!, state: 'suppressed', reason: 'throttled' } as const
        const delivery = { ...held, providerId: null, sentAt: null }
        await store.settle(
          sample.sent(item, { delivery, untried: true, hold: { ...hold('g-1'), expiresAt } }),
        )
        return (await store.delivery(DEFAULT, `${id}.1`))?.delivery
      }
      expect(await settle('n-1', NOON + 5001)).to.include({ state: 'suppressed', digestId: 'g-1' })
      const waiting = {
        state: 'pending',
        reason: null,
        digestId: null,
        nextAttemptAt: NOON + 5000,
        attempts: 0,
      }
      expect(await settle('n-2', NOON + 5000)).to.include(waiting)
      expect((await store.conservation()).broken).to.equal(0)
    })

    it('hold under one key what ends while they are open, and are due once', async () => {
      const { store } = opened()
      await send(store, ['n-1'])
      await holdDue(store, 'g-1')
      await send(store, ['n-2'])
      await holdDue(store, 'g-2', { dueAt: NOON + 9000 })
      expect((await store.claim(sample.claimOf('digest', NOON + 4999))).items).to.deep.equal([])
      const item = await due(store)
      expect(item.digest).to.deep.equal({
        id: 'g-1',
        channel: 'email',
        userId: 'anna',
        address: 'anna@example.org',
        openedAt: NOON + 2000,
      })
      const contents = await store.digestContents(DEFAULT, 'g-1', 9)
      expect(contents).to.include({ count: 2, notificationCount: 2, alertCount: 0 })
      expect(contents.notifications.map(({ id }) => id)).to.deep.equal(['n-2', 'n-1'])
      const { items } = await store.deliveries({ tenant: DEFAULT, digestId: 'g-1', limit: 9 })
      expect(items.map(({ id, state, digestId }) => [id, state, digestId])).to.deep.equal([
        ['n-2.1', 'suppressed', 'g-1'],
        ['n-1.1', 'suppressed', 'g-1'],
      ])
      expect((await store.conservation()).broken).to.equal(0)
    })

    it('tell which alerts they are about, each once', async () => {
      const { store } = opened()
      const about = (ordinal: number) =>
        sample.toSend(sample.delivery('a-1', ordinal, { subjectKind: 'alert', purpose: 'page' }))
      await store.accept(sample.opening(sample.alert('a-1'), { deliveries: [about(1), about(2)] }))
      await holdDue(store, 'g-1')
      const contents = await store.digestContents(DEFAULT, 'g-1', 9)
      expect(contents).to.include({ count: 2, notificationCount: 0, alertCount: 1 })
      expect(contents.alerts.map(({ id }) => id)).to.deep.equal(['a-1'])
    })

    it('look at alerts that fire before all others, so that none of them is overlooked', async () => {
      const { store } = opened()
      for (const [id, status] of [
        ['a-1', 'firing'],
        ['a-2', 'acknowledged'],
      ] as const) {
        const page = sample.delivery(id, 1, { subjectKind: 'alert', purpose: 'page' })
        const of = sample.alert(id, { status, dedupKey: id })
        await store.accept(sample.opening(of, { deliveries: [sample.toSend(page)] }))
      }
      await holdDue(store, 'g-1')
      const { alerts, alertCount } = await store.digestContents(DEFAULT, 'g-1', 1)
      expect(alertCount).to.equal(2)
      expect(alerts.map(({ id }) => id)).to.deep.equal(['a-1'])
    })

    it('end with their summary when they hold what was expected, else not at all', async () => {
      const { store } = opened()
      await send(store, ['n-1'])
      await holdDue(store, 'g-1')
      const item = await due(store)
      await send(store, ['n-2'])
      await holdDue(store, 'g-2')
      expect(await store.closeDigest(closing(item, 1))).to.equal('stale')
      expect(await store.closeDigest({ ...closing(item, 2), token: item.token + 1 })).to.equal('fenced')
      expect(await store.closeDigest(closing(item, 2))).to.equal('done')
      expect(await store.closeDigest(closing(item, 2))).to.equal('fenced')
      const { items } = await store.claim(sample.claimOf('email', NOON + 5000))
      expect(items.map((each) => each.kind === 'deliver' && each.delivery.id)).to.deep.equal(['g-1.0'])
      expect((await store.claim(sample.claimOf('digest', NOON + 90_000))).items).to.deep.equal([])
      expect((await store.conservation()).broken).to.equal(0)
    })

    it('are opened anew after their end, and kept apart by key and tenant', async () => {
      const { store } = opened()
      await send(store, ['n-1'])
      await holdDue(store, 'g-1')
      await store.closeDigest({ ...closing(await due(store), 1), summary: null })
      await send(store, ['n-2'])
      await holdDue(store, 'g-2')
      await send(store, ['n-3'])
      await holdDue(store, 'g-3', {}, 'throttle bob')
      await send(store, ['n-4'], ACME)
      await holdDue(store, 'g-4')
      const { items } = await store.claim(sample.claimOf('digest', NOON + 5000))
      const ids = items.map((each) => each.kind === 'digest' && each.digest.id)
      expect(ids).to.deep.equal(['g-2', 'g-3', 'g-4'])
      expect((await store.digestContents(DEFAULT, 'g-4', 9)).count).to.equal(0)
      expect((await store.conservation()).broken).to.equal(0)
    })

    it('come back when whoever took them is gone', async () => {
      const { store } = opened()
      await send(store, ['n-1'])
      await holdDue(store, 'g-1')
      const lost = await due(store)
      const { items } = await store.claim(sample.claimOf('digest', NOON + 90_000))
      expect(items.map(({ kind, crashes }) => [kind, crashes])).to.deep.equal([['digest', 1]])
      expect(await store.closeDigest(closing(lost, 1))).to.equal('fenced')
    })
  })
}
