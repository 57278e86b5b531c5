import { expect } from 'chai'
import type { InboxMark, InboxReader, Store } from '../../../src/store/store.ts'
import * as sample from './samples.ts'
import { ACME, NOON } from './samples.ts'

const ANNA = sample.reader('anna', { groups: ['ops', 'eu'] })
const BOB = sample.reader('bob')

async function put(
  store: Store,
  id: string,
  given: Parameters<typeof sample.notification>[1] = {},
): Promise<number> {
  const notification = sample.notification(id, given)
  const result = await store.accept(
    sample.acceptance({ tenant: notification.tenant, notifications: [notification] }),
  )
  return sample.only(sample.accepted(result).seqs)
}

const broadcast = (...audience: readonly string[]) => ({ userId: null, audience })

function mark(who: InboxReader, as: InboxMark['as'], ids: InboxMark['ids'], at = NOON + 60_000): InboxMark {
  return { ...who, as, ids, at }
}

async function counts(store: Store, who: InboxReader): Promise<readonly [number, number]> {
  const { total, unread } = await store.inboxSummary(who)
  return [total, unread]
}

export function inboxConformance(opened: () => sample.OpenedStore): void {
  describe('inboxes', () => {
    it('pages a person’s entries newest and oldest first, by cursor and by offset', async () => {
      const { store } = opened()
      const seqs: number[] = []
      for (let index = 0; index < 10; index++)
        seqs.push(await put(store, `n-${index}`, index % 4 === 3 ? broadcast() : {}))
      await store.mark(mark(ANNA, 'read', ['n-1', 'n-3', 'n-8']))
      const ids = async (given: object) =>
        (await sample.idsOf(store.inbox({ ...ANNA, order: 'newest', limit: 4, ...given }))).map((id) =>
          id.slice(2),
        )
      expect(await ids({})).to.deep.equal(['9', '8', '7', '6'])
      expect(await ids({ cursor: seqs[6] })).to.deep.equal(['5', '4', '3', '2'])
      expect(await ids({ offset: 7 })).to.deep.equal(['2', '1', '0'])
      expect(await ids({ order: 'oldest' })).to.deep.equal(['0', '1', '2', '3'])
      expect(await ids({ order: 'oldest', cursor: seqs[7] })).to.deep.equal(['8', '9'])
      expect(await ids({ status: 'read' })).to.deep.equal(['8', '3', '1'])
      expect(await ids({ status: 'unread', limit: 99 })).to.deep.equal(['9', '7', '6', '5', '4', '2', '0'])
      expect(await ids({ status: 'unread', limit: 2, offset: 5 })).to.deep.equal(['2', '0'])
    })

    it('filters by category and customer', async () => {
      const { store } = opened()
      await put(store, 'n-1', { content: sample.content({ category: 'payment', customerId: 'c-1' }) })
      await put(store, 'n-2', { content: sample.content({ category: 'payment' }), ...broadcast() })
      await put(store, 'n-3', { content: sample.content({ customerId: 'c-1' }) })
      const ids = (given: object) =>
        sample.idsOf(store.inbox({ ...ANNA, order: 'newest', limit: 9, ...given }))
      expect(await ids({ category: 'payment' })).to.deep.equal(['n-2', 'n-1'])
      expect(await ids({ customerId: 'c-1' })).to.deep.equal(['n-3', 'n-1'])
      expect(await ids({ category: 'payment', customerId: 'c-1' })).to.deep.equal(['n-1'])
      expect(await ids({ category: 'none' })).to.deep.equal([])
      await store.mark(mark(ANNA, 'read', ['n-3']))
      expect(await ids({ customerId: 'c-1', status: 'read' })).to.deep.equal(['n-3'])
      expect(await ids({ category: 'payment', order: 'oldest', limit: 1 })).to.deep.equal(['n-1'])
    })

    it('counts what is of one customer (C01)', async () => {
      const { store } = opened()
      const of = (customerId: string) => ({ content: sample.content({ customerId }) })
      await put(store, 'n-1', of('c-1'))
      await put(store, 'n-2', of('c-1'))
      await put(store, 'n-3', of('c-2'))
      await put(store, 'n-4', { ...of('c-1'), ...broadcast('ops') })
      await put(store, 'n-5', { ...of('c-1'), ...broadcast('dev') })
      await put(store, 'n-6', { ...of('c-1'), userId: 'bob' })
      await store.mark(mark(ANNA, 'read', ['n-1', 'n-4']))
      await store.mark(mark(ANNA, 'deleted', ['n-2']))
      const summary = async (customerId: string) => {
        const { total, unread } = await store.inboxSummary({ ...ANNA, customerId })
        return [total, unread]
      }
      expect(await summary('c-1')).to.deep.equal([2, 0])
      expect(await summary('c-2')).to.deep.equal([1, 1])
      expect(await summary('none')).to.deep.equal([0, 0])
    })

    it('shows a broadcast to everybody, or to those in one of its groups (decision 5)', async () => {
      const { store } = opened()
      await put(store, 'all', broadcast())
      await put(store, 'ops', broadcast('ops', 'dev'))
      await put(store, 'dev', broadcast('dev'))
      expect(await sample.idsOf(sample.wholeInbox(store, ANNA))).to.deep.equal(['ops', 'all'])
      expect(await sample.idsOf(sample.wholeInbox(store, BOB))).to.deep.equal(['all'])
      expect(await counts(store, ANNA)).to.deep.equal([2, 2])
      expect(await store.notification(BOB, 'ops')).to.equal(null)
      expect((await store.notification(ANNA, 'ops'))?.audience).to.deep.equal(['ops', 'dev'])
      expect(await store.mark(mark(BOB, 'read', ['ops']))).to.deep.equal([])
    })

    it('keeps what one person did with a broadcast to that person', async () => {
      const { store } = opened()
      await put(store, 'b-1', broadcast())
      await put(store, 'b-2', broadcast())
      expect(await store.mark(mark(ANNA, 'read', ['b-1']))).to.deep.equal(['b-1'])
      expect(await store.mark(mark(ANNA, 'deleted', ['b-2']))).to.deep.equal(['b-2'])
      expect(await counts(store, ANNA)).to.deep.equal([1, 0])
      expect(await counts(store, BOB)).to.deep.equal([2, 2])
      expect((await store.notification(ANNA, 'b-1'))?.readAt).to.equal(NOON + 60_000)
      expect((await store.notification(BOB, 'b-1'))?.readAt).to.equal(null)
      expect(await store.notification(ANNA, 'b-2')).to.equal(null)
    })

    it('marks once: what is so already does not change (X24, X25)', async () => {
      const { store } = opened()
      for (const id of ['n-1', 'n-2', 'n-3']) await put(store, id)
      expect(await store.mark(mark(ANNA, 'read', ['n-2', 'n-1', 'n-2', 'n-9'], NOON + 1))).to.deep.equal([
        'n-2',
        'n-1',
      ])
      expect(await store.mark(mark(ANNA, 'read', ['n-1'], NOON + 2))).to.deep.equal([])
      expect((await store.notification(ANNA, 'n-1'))?.readAt).to.equal(NOON + 1)
      expect(await store.mark(mark(ANNA, 'read', 'all', NOON + 3))).to.deep.equal(['n-3'])
      expect(await store.mark(mark(ANNA, 'read', 'all', NOON + 4))).to.deep.equal([])
      expect(await store.mark(mark(ANNA, 'unread', ['n-1', 'n-1']))).to.deep.equal(['n-1'])
      expect((await store.notification(ANNA, 'n-1'))?.readAt).to.equal(null)
      expect(await store.mark(mark(ANNA, 'deleted', ['n-1']))).to.deep.equal(['n-1'])
      for (const as of ['read', 'unread', 'deleted'] as const)
        expect(await store.mark(mark(ANNA, as, ['n-1']))).to.deep.equal([])
      expect(await counts(store, ANNA)).to.deep.equal([2, 0])
    })

    it('gives back what was deleted, read or unread as it was, once, and to nobody else', async () => {
      const { store } = opened()
      for (const id of ['r-1', 'r-2']) await put(store, id)
      await put(store, 'r-all', broadcast())
      const state = async () => {
        const found = await store.inbox({ ...ANNA, order: 'oldest', limit: 100, status: 'all' })
        return found.map(({ id, readAt }) => [id, readAt !== null])
      }
      await store.mark(mark(ANNA, 'read', ['r-1']))
      const before = await state()
      await store.mark(mark(ANNA, 'deleted', ['r-1', 'r-2', 'r-all']))
      expect(await state()).to.deep.equal([])
      expect(await store.mark(mark(BOB, 'restored', ['r-1', 'r-2']))).to.deep.equal([])
      expect(await store.mark(mark({ ...ANNA, tenant: ACME }, 'restored', ['r-1', 'r-all']))).to.deep.equal(
        [],
      )
      expect(await store.mark(mark(ANNA, 'restored', ['r-1', 'r-2', 'r-all', 'r-9']))).to.have.members([
        'r-1',
        'r-2',
        'r-all',
      ])
      expect(await state()).to.deep.equal(before)
      expect(await store.mark(mark(ANNA, 'restored', ['r-1', 'r-2', 'r-all']))).to.deep.equal([])
    })

    it('lets an entry of one person say something else, which its filters follow (C03)', async () => {
      const { store } = opened()
      await put(store, 'n-1', { content: sample.content({ category: 'crm', customerId: 'c-1' }) })
      await put(store, 'b-1', broadcast())
      const { tenant, userId } = ANNA
      const to = (id: string, content: object) => store.reword({ tenant, userId, id, content, at: NOON + 1 })
      const before = await store.notification(ANNA, 'n-1')
      expect(await to('n-1', { title: 'Other', category: 'payment' })).to.equal(true)
      const after = await store.notification(ANNA, 'n-1')
      expect(after).to.deep.equal({
        ...before,
        content: { ...before?.content, title: 'Other', category: 'payment' },
      })
      const found = (category: string) =>
        sample.idsOf(store.inbox({ ...ANNA, order: 'newest', limit: 9, category }))
      expect([await found('crm'), await found('payment')]).to.deep.equal([[], ['n-1']])
      expect(await counts(store, ANNA)).to.deep.equal([2, 2])
      for (const id of ['b-1', 'none']) expect(await to(id, { title: 'x' })).to.equal(false)
      expect(await store.reword({ ...BOB, id: 'n-1', content: { title: 'x' }, at: NOON })).to.equal(false)
      await store.mark(mark(ANNA, 'deleted', ['n-1']))
      expect(await to('n-1', { title: 'x' })).to.equal(false)
      expect((await store.notification(BOB, 'b-1'))?.content.title).to.equal('Order')
    })

    it('marks nothing of somebody else', async () => {
      const { store } = opened()
      await put(store, 'n-1')
      expect(await store.mark(mark(BOB, 'deleted', ['n-1']))).to.deep.equal([])
      expect(await store.mark(mark({ ...ANNA, tenant: ACME }, 'deleted', ['n-1']))).to.deep.equal([])
      expect(await store.mark(mark(BOB, 'read', 'all'))).to.deep.equal([])
      expect(await counts(store, ANNA)).to.deep.equal([1, 1])
    })

    it('sees every write that has resolved, and a higher version after each', async () => {
      const { store } = opened()
      let version = (await store.inboxSummary(ANNA)).version
      for (let index = 0; index < 5; index++) {
        await put(store, `n-${index}`)
        const summary = await store.inboxSummary(ANNA)
        expect(summary.total).to.equal(index + 1)
        expect(summary.version).to.be.greaterThan(version)
        version = summary.version
      }
      const again = await opened().reopen()
      expect((await again.inboxSummary(ANNA)).version).to.be.at.least(version)
    })

    it('never lets one tenant see what belongs to another (decision 12)', async () => {
      const { store } = opened()
      const there = sample.reader('anna', { tenant: ACME, groups: ANNA.groups })
      await put(store, 'n-1')
      await put(store, 'n-2', broadcast())
      await put(store, 'n-2', { tenant: ACME, ...broadcast('ops') })
      await put(store, 'n-1', { tenant: ACME, content: sample.content({ title: 'Theirs' }) })
      for (const who of [ANNA, there]) {
        const entries = await sample.wholeInbox(store, who)
        expect(entries.map((entry) => entry.tenant)).to.deep.equal([who.tenant, who.tenant])
        expect(await counts(store, who)).to.deep.equal([2, 2])
        expect((await store.notification(who, 'n-1'))?.tenant).to.equal(who.tenant)
      }
      await store.mark(mark(there, 'read', 'all'))
      expect(await counts(store, ANNA)).to.deep.equal([2, 2])
      expect(await counts(store, there)).to.deep.equal([2, 0])
    })

    it('counts what there is, whatever was done in whatever order', async () => {
      const { store } = opened()
      const seed = 20_260_105
      const random = sample.randomFrom(seed)
      const pick = <T>(items: readonly T[]) => items[Math.floor(random() * items.length)]!
      let people = [ANNA, BOB, sample.reader('carol', { groups: ['dev'] })]
      const model = new Map<string, { audience: readonly string[] | null; userId: string | null }>()
      const states = new Map<string, 'read' | 'unread' | 'deleted'>()
      const before = new Map<string, 'read' | 'unread'>()
      const stateOf = (who: InboxReader, id: string) => states.get(`${who.userId} ${id}`) ?? 'unread'
      const addressed = (who: InboxReader) =>
        [...model].filter(
          ([, { audience, userId }]) =>
            userId === who.userId ||
            (userId === null &&
              (audience?.length === 0 || who.groups.some((group) => audience?.includes(group)))),
        )
      const visible = (who: InboxReader) => addressed(who).filter(([id]) => stateOf(who, id) !== 'deleted')
      const moves = (who: InboxReader, id: string, as: InboxMark['as']) =>
        as === 'restored'
          ? stateOf(who, id) === 'deleted'
          : stateOf(who, id) !== 'deleted' && stateOf(who, id) !== as
      for (let round = 0; round < 400; round++) {
        const who = pick(people)
        const chance = random()
        if (chance < 0.35) {
          const id = `n-${round}`
          const given =
            random() < 0.3 ? broadcast(...pick([[], ['ops'], ['dev', 'eu']])) : { userId: who.userId }
          // The second is undone with what else its acceptance holds, and the first goes on to its commit.
          const twice =
            random() < 0.2 ? [put(store, id, given), put(store, id, given)] : [put(store, id, given)]
          const settled = await Promise.allSettled(twice)
          expect(settled.filter(({ status }) => status === 'fulfilled')).to.have.length(1)
          model.set(id, { audience: 'audience' in given ? given.audience : null, userId: given.userId })
        } else if (chance < 0.45) {
          // Whoever comes into a group sees what was said to it before; whoever leaves it does not any more.
          const groups = pick([[], ['ops'], ['dev'], ['eu', 'ops']])
          people = people.map((each) => (each === who ? { ...each, groups } : each))
        } else {
          const as = pick(['read', 'read', 'unread', 'deleted', 'restored'] as const)
          const all = random() < 0.05 && (as === 'read' || as === 'unread')
          const ids = all ? 'all' : [pick([...model.keys(), 'none'])]
          const expected = addressed(who)
            .map(([id]) => id)
            .filter((id) => (ids === 'all' || ids.includes(id)) && moves(who, id, as))
          expect(await store.mark(mark(who, as, ids)), `seed ${seed} round ${round}`).to.have.members(
            expected,
          )
          for (const id of expected) {
            const key = `${who.userId} ${id}`
            const is = stateOf(who, id)
            if (as === 'deleted' && is !== 'deleted') before.set(key, is)
            states.set(key, as === 'restored' ? (before.get(key) ?? 'unread') : as)
          }
        }
        for (const each of people) {
          const mine = visible(each).map(([id]) => id)
          const unread = mine.filter((id) => stateOf(each, id) !== 'read')
          expect(await counts(store, each), `seed ${seed} round ${round}`).to.deep.equal([
            mine.length,
            unread.length,
          ])
        }
      }
      const again = await opened().reopen()
      for (const each of people) {
        const mine = visible(each).map(([id]) => id)
        expect(await sample.idsOf(sample.wholeInbox(again, each))).to.deep.equal(mine.toReversed())
        expect((await counts(again, each))[0]).to.equal(mine.length)
      }
      expect(await again.conservation('all')).to.include({ broken: 0 })
    })
  })
}
