import { expect } from 'chai'
import type { OutboxItem } from '../../../src/delivery/delivery.ts'
import type { ComponentState, Store } from '../../../src/store/store.ts'
import * as sample from './samples.ts'
import { ACME, DEFAULT, NOON } from './samples.ts'

async function capture(store: Store, id: string, given: Partial<OutboxItem> = {}): Promise<void> {
  await store.accept(sample.acceptance({ deliveries: [sample.toSend(sample.delivery(`s-${id}`, 1))] }))
  const { items } = await store.claim(sample.claimOf('email', NOON))
  await store.settle(sample.sent(sample.only(items), { outbox: { ...sample.captured(id), ...given } }))
}

export function keepingConformance(opened: () => sample.OpenedStore): void {
  describe('keeping and forgetting', () => {
    it('lists dead letters newest first in pages, and removes one on request once', async () => {
      const { store } = opened()
      for (let index = 1; index <= 5; index++)
        await store.accept(sample.acceptance({ deadLetter: sample.deadLetter(`d-${index}`) }))
      const theirs = sample.deadLetter('d-1', { tenant: ACME })
      await store.accept(sample.acceptance({ tenant: ACME, deadLetter: theirs }))
      const first = await store.deadLetters(DEFAULT, { limit: 3 })
      const second = await store.deadLetters(DEFAULT, { limit: 3, cursor: first.nextCursor! })
      const ids = [first, second].map((page) => page.items.map((item) => item.id).join(' '))
      expect(ids).to.deep.equal(['d-5 d-4 d-3', 'd-2 d-1'])
      expect(second.nextCursor).to.equal(null)
      expect(await store.removeDeadLetter(ACME, 'd-5')).to.equal(false)
      expect(await store.removeDeadLetter(DEFAULT, 'd-1')).to.equal(true)
      expect(await store.removeDeadLetter(DEFAULT, 'd-1')).to.equal(false)
      expect(await store.deadLetter(DEFAULT, 'd-1')).to.equal(null)
      expect((await store.deadLetter(ACME, 'd-1'))?.id).to.equal('d-1')
      expect(await store.conservation()).to.include({ broken: 0, accepted: 6, deadLetters: 5 })
    })

    it('keeps one dead letter under one id, the last reason it was refused for', async () => {
      const { store } = opened()
      for (const code of ['publish.invalid_json', 'publish.no_route'])
        await store.accept(sample.acceptance({ deadLetter: sample.deadLetter('d-1', { code }) }))
      const { items } = await store.deadLetters(DEFAULT, { limit: 9 })
      expect(items.map((item) => item.code)).to.deep.equal(['publish.no_route'])
      expect((await store.conservation()).broken).to.equal(0)
    })

    it('keeps captured messages oldest first by channel, person and time, and empties one tenant’s', async () => {
      const { store } = opened()
      await capture(store, 'o-1')
      await capture(store, 'o-2', { channel: 'sms', segments: 2, createdAt: NOON + 10 })
      await capture(store, 'o-3', { userId: 'bob', createdAt: NOON + 20 })
      await capture(store, 'o-4', { tenant: ACME })
      const ids = (given: object) => sample.idsOf(store.outbox({ tenant: DEFAULT, ...given }))
      expect(await ids({})).to.deep.equal(['o-1', 'o-2', 'o-3'])
      expect(await ids({ channel: 'sms' })).to.deep.equal(['o-2'])
      expect(await ids({ userId: 'bob' })).to.deep.equal(['o-3'])
      expect(await ids({ since: NOON + 10 })).to.deep.equal(['o-2', 'o-3'])
      expect(await store.outboxItem(DEFAULT, 'o-1')).to.deep.equal(sample.captured('o-1'))
      expect(await store.outboxItem(ACME, 'o-1')).to.equal(null)
      await store.clearOutbox(DEFAULT)
      expect(await ids({})).to.deep.equal([])
      expect(await sample.idsOf(store.outbox({ tenant: ACME }))).to.deep.equal(['o-4'])
    })

    it('prunes what has outlived its time, in portions, and nothing else', async () => {
      const { store } = opened()
      for (let index = 0; index < 4; index++) {
        const once = { key: `id:${index}`, check: true, expiresAt: NOON + index }
        const letter = sample.deadLetter(`d-${index}`, { createdAt: NOON + index })
        await store.accept(sample.acceptance({ at: NOON - 1, once, deadLetter: letter }))
        await capture(store, `o-${index}`, { createdAt: NOON + index })
      }
      const before = { now: NOON + 2, outbox: NOON + 3, deadLetters: NOON + 1, records: NOON, limit: 2 }
      expect(await store.prune(before)).to.equal(2 + 2 + 1)
      expect(await store.prune(before)).to.equal(1 + 1)
      expect(await store.prune(before)).to.equal(0)
      expect(await sample.idsOf(store.outbox({ tenant: DEFAULT }))).to.deep.equal(['o-3'])
      const letters = await store.deadLetters(DEFAULT, { limit: 9 })
      expect(letters.items.map((item) => item.id)).to.deep.equal(['d-3', 'd-2', 'd-1'])
      const known = sample.acceptance({
        at: NOON + 2,
        once: { key: 'id:3', check: true, expiresAt: NOON + 9 },
      })
      expect((await store.accept(known)).kind).to.equal('duplicate')
      expect((await store.conservation()).broken).to.equal(0)
    })

    it('makes a secret once and gives the same one ever after', async () => {
      const { store } = opened()
      const [first, same, other] = await Promise.all([
        store.secret('a'),
        store.secret('a'),
        store.secret('b'),
      ])
      expect(first).to.have.length(32)
      expect(Buffer.from(same)).to.deep.equal(Buffer.from(first))
      expect(Buffer.from(other)).to.not.deep.equal(Buffer.from(first))
      const again = await opened().reopen()
      expect(Buffer.from(await again.secret('a'))).to.deep.equal(Buffer.from(first))
    })

    it('counts its starts and begins with no high water', async () => {
      const { store } = opened()
      expect([store.bootCount, store.highWaterAt]).to.deep.equal([1, 0])
      await store.accept(sample.acceptance({ at: NOON }))
      expect(store.highWaterAt).to.equal(0)
      const again = await opened().reopen()
      expect([again.bootCount, again.highWaterAt]).to.deep.equal([2, NOON])
    })

    it('keeps the last state of each component of each tenant, also over a restart (R34)', async () => {
      const { store } = opened()
      const accept = (states: readonly ComponentState[], given = {}) =>
        store.accept(sample.acceptance({ states, ...given }))
      expect(await store.states()).to.deep.equal([])
      await accept([
        { name: 'database', state: { status: 'up', deep: [1, null] } },
        { name: 'cache', state: { status: 'up' } },
      ])
      await accept([{ name: 'database', state: { status: 'down', reason: 'Grüße' } }])
      await accept([{ name: 'database', state: { status: 'up' } }], { tenant: ACME })
      const expected = [
        { tenant: ACME, name: 'database', state: { status: 'up' } },
        { tenant: DEFAULT, name: 'cache', state: { status: 'up' } },
        { tenant: DEFAULT, name: 'database', state: { status: 'down', reason: 'Grüße' } },
      ]
      expect(await store.states()).to.have.deep.members(expected)
      const again = await opened().reopen()
      expect(await again.states()).to.have.deep.members(expected)
    })

    it('leaves the state of a component alone when the publish was a duplicate or stale (P3, R34)', async () => {
      const { store } = opened()
      const once = { key: 'id:1', check: true, expiresAt: NOON + 1000 }
      const saying = (status: string, given = {}) =>
        store.accept(sample.acceptance({ states: [{ name: 'cache', state: { status } }], ...given }))
      expect((await saying('first', { once })).kind).to.equal('accepted')
      expect((await saying('second', { once })).kind).to.equal('duplicate')
      expect((await saying('third', { alert: { kind: 'repeat', alertId: 'none' } })).kind).to.equal('stale')
      const expected = [{ tenant: DEFAULT, name: 'cache', state: { status: 'first' } }]
      expect(await store.states()).to.deep.equal(expected)
    })

    it('answers a ping, and after it was closed refuses everything', async () => {
      const { store } = opened()
      await store.ping()
      const late = store.accept(sample.acceptance({ notifications: [sample.notification('n-1')] }))
      await Promise.all([store.close(), store.close()])
      expect((await late).kind).to.equal('accepted')
      const codes = await Promise.all(
        [store.ping(), store.accept(sample.acceptance()), store.alert(DEFAULT, 'a-1')].map((answer) =>
          answer.then(
            () => null,
            (error: { code: string }) => error.code,
          ),
        ),
      )
      expect(codes).to.deep.equal(['store.unavailable', 'store.unavailable', 'store.unavailable'])
    })
  })
}
