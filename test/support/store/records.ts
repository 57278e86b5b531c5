import { expect } from 'chai'
import type { RecordChange } from '../../../src/store/store.ts'
import type { OpenedStore } from './samples.ts'
import { ACME, DEFAULT, NOON } from './samples.ts'

function device(key: string, given: Partial<RecordChange> = {}): RecordChange {
  return {
    tenant: DEFAULT,
    kind: 'device',
    owner: 'anna',
    key,
    doc: { token: `token of ${key}` },
    changedAt: NOON,
    ...given,
  }
}

export function recordConformance(opened: () => OpenedStore): void {
  describe('records', () => {
    it('are kept under tenant, kind, owner and key, each with a version of its own', async () => {
      const { store } = opened()
      const others = [
        device('a', { tenant: ACME }),
        device('a', { kind: 'contact' }),
        device('a', { owner: 'bob' }),
      ]
      for (const change of [device('a'), ...others, device('b')])
        expect(await store.putRecord(change)).to.deep.equal({ ...change, version: 1 })
      const again = device('a', {
        doc: { token: 'new', nested: { list: [1, null, 'ü'] } },
        changedAt: NOON + 1,
      })
      expect(await store.putRecord(again)).to.deep.equal({ ...again, version: 2 })
      const { items } = await store.records(9)
      expect(items).to.have.length(5)
      expect(items.at(-1)).to.deep.equal({ ...again, version: 2 })
    })

    it('are compared before they are set: stale changes write nothing', async () => {
      const { store } = opened()
      expect(await store.putRecord(device('a', { expectVersion: 1 }))).to.equal('stale')
      expect(await store.putRecord(device('a', { expectVersion: 0 }))).to.include({ version: 1 })
      expect(await store.putRecord(device('a', { expectVersion: 0 }))).to.equal('stale')
      const both = [1, 1].map((expectVersion) => store.putRecord(device('a', { expectVersion })))
      expect(await Promise.all(both.map(async (each) => (await each) === 'stale'))).to.deep.equal([
        false,
        true,
      ])
      expect((await store.records(9)).items).to.have.length(1)
    })

    it('are removed without starting their versions again, and made again as if they were new', async () => {
      const { store } = opened()
      await store.putRecord(device('a'))
      expect(await store.putRecord(device('a', { doc: null }))).to.include({ version: 2, doc: null })
      expect(await store.putRecord(device('a', { expectVersion: 2 }))).to.equal('stale')
      expect(await store.putRecord(device('a', { expectVersion: 0 }))).to.include({ version: 3 })
    })

    it('are read in the order of their changes, in pages, and again from where a reader stopped', async () => {
      const current = opened()
      const { store } = current
      for (const key of ['a', 'b', 'c']) await store.putRecord(device(key))
      const first = await store.records(2)
      expect(first.items.map(({ key }) => key)).to.deep.equal(['a', 'b'])
      await store.putRecord(device('a', { doc: null }))
      const second = await store.records(9, first.nextCursor!)
      expect(second.items.map(({ key, doc }) => [key, doc === null])).to.deep.equal([
        ['c', false],
        ['a', true],
      ])
      const idle = await store.records(9, second.nextCursor!)
      expect(idle).to.deep.equal({ items: [], nextCursor: second.nextCursor })
      const later = await current.reopen()
      await later.putRecord(device('d'))
      expect((await later.records(9, idle.nextCursor!)).items.map(({ key }) => key)).to.deep.equal(['d'])
    })

    it('are forgotten some time after their removal, and never before it', async () => {
      const { store } = opened()
      await store.putRecord(device('a', { doc: null }))
      await store.putRecord(device('b'))
      await store.putRecord(device('c', { doc: null, changedAt: NOON + 5 }))
      const before = { now: NOON, outbox: 0, deadLetters: 0, records: NOON + 5, limit: 9 }
      expect(await store.prune(before)).to.equal(1)
      expect((await store.records(9)).items.map(({ key }) => key)).to.deep.equal(['b', 'c'])
    })
  })
}
