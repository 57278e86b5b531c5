import { expect } from 'chai'
import type { DeliveryState } from '../../../src/delivery/delivery.ts'
import type { Dispatch, Store } from '../../../src/store/store.ts'
import { acceptance, ACME, DEFAULT, delivery, NOON, toSend, type OpenedStore } from './samples.ts'

function dispatch(id: string, given: Partial<Dispatch> = {}): Dispatch {
  return {
    id,
    tenant: DEFAULT,
    owner: 'shop',
    topic: 'order',
    doc: { metadata: { name: 'Ünä', list: [1, null] } },
    createdAt: NOON,
    ...given,
  }
}

/** Sends it to one address per state. */
async function send(store: Store, one: Dispatch, states: readonly DeliveryState[]): Promise<void> {
  const deliveries = states.map((state, ordinal) =>
    toSend(
      delivery(one.id, ordinal, {
        tenant: one.tenant,
        subjectKind: 'direct',
        userId: null,
        address: `${ordinal}@example.org`,
        state,
      }),
    ),
  )
  await store.accept(acceptance({ tenant: one.tenant, dispatches: [one], deliveries }))
}

const asked = { tenant: DEFAULT, owner: 'shop', limit: 10, offset: 0 }

export function dispatchConformance(opened: () => OpenedStore): void {
  describe('dispatches', () => {
    it('are listed newest first, in pages, with their number and the states of their deliveries', async () => {
      const { store } = opened()
      for (const id of ['a', 'b', 'c']) await send(store, dispatch(id), ['pending', 'sent'])
      const { total, items } = await store.dispatches({ ...asked, limit: 2 })
      expect(total).to.equal(3)
      expect(items.map(({ id }) => id)).to.deep.equal(['c', 'b'])
      expect(items[0]).to.deep.equal({ ...dispatch('c'), states: items[0]?.states })
      expect(items[0]?.states).to.have.members(['pending', 'sent'])
      expect((await store.dispatches({ ...asked, offset: 2 })).items.map(({ id }) => id)).to.deep.equal(['a'])
    })

    it('are seen by their tenant and owner only, and by topic and id', async () => {
      const { store } = opened()
      await send(store, dispatch('a'), ['sent'])
      await send(store, dispatch('b', { topic: 'refund' }), ['sent'])
      await send(store, dispatch('a', { tenant: ACME }), ['sent'])
      await send(store, dispatch('c', { owner: 'other' }), ['sent'])
      const ids = async (given: object) =>
        (await store.dispatches({ ...asked, ...given })).items.map(({ id }) => id)
      expect(await ids({})).to.deep.equal(['b', 'a'])
      expect(await ids({ topic: 'refund' })).to.deep.equal(['b'])
      expect(await ids({ tenant: ACME })).to.deep.equal(['a'])
      expect(await ids({ id: 'a' })).to.deep.equal(['a'])
      expect(await ids({ id: 'c' })).to.deep.equal([])
      expect(await store.dispatches({ ...asked, owner: 'nobody' })).to.deep.equal({ total: 0, items: [] })
    })

    it('are found by the states that their deliveries are in, and are not in', async () => {
      const { store } = opened()
      await send(store, dispatch('open'), ['sent', 'pending'])
      await send(store, dispatch('well'), ['sent', 'delivered'])
      await send(store, dispatch('failed'), ['sent', 'dead'])
      const ids = async (given: object) =>
        (await store.dispatches({ ...asked, ...given })).items.map(({ id }) => id)
      expect(await ids({ any: ['pending', 'sending'] })).to.deep.equal(['open'])
      expect(await ids({ none: ['pending', 'sending'] })).to.deep.equal(['failed', 'well'])
      expect(await ids({ none: ['pending'], any: ['dead'] })).to.deep.equal(['failed'])
      expect((await store.dispatches({ ...asked, none: ['dead', 'pending'] })).total).to.equal(1)
    })

    it('count a delivery that was sent again as the newest to its address', async () => {
      const { store } = opened()
      await send(store, dispatch('a'), ['dead', 'sent'])
      const again = delivery('a', 2, {
        subjectKind: 'direct',
        userId: null,
        address: '0@example.org',
        state: 'sent',
      })
      await store.accept(acceptance({ deliveries: [toSend(again)] }))
      const { items } = await store.dispatches({ ...asked, none: ['dead'] })
      expect(items.map(({ states }) => states)).to.deep.equal([['sent', 'sent']])
    })

    it('are written with their acceptance or not at all, and are there after a restart', async () => {
      const state = opened()
      await send(state.store, dispatch('a'), ['sent'])
      const twice = acceptance({ dispatches: [dispatch('b'), dispatch('a')] })
      expect(
        await state.store.accept(twice).then(
          () => 'stored',
          () => 'refused',
        ),
      ).to.equal('refused')
      const store = await state.reopen()
      expect((await store.dispatches(asked)).items.map(({ id }) => id)).to.deep.equal(['a'])
    })
  })
}
