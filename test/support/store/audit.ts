import { expect } from 'chai'
import type { NewAuditEntry } from '../../../src/audit/entry.ts'
import { createChainCheck } from '../../../src/audit/verify.ts'
import type { Store } from '../../../src/store/store.ts'
import * as sample from './samples.ts'
import { ACME, DEFAULT, NOON, type OpenedStore } from './samples.ts'

const entry = (action: string, given: Partial<NewAuditEntry> = {}): NewAuditEntry => ({
  tenant: DEFAULT,
  at: NOON,
  actor: 'anna',
  via: 'http',
  action,
  subject: 's-1',
  detail: { of: action },
  ...given,
})

async function verdictOf(store: Store) {
  const check = createChainCheck()
  check.add(await store.auditChain(0, 1000))
  return check.verdict(await store.auditHead())
}

export function auditConformance(opened: () => OpenedStore): void {
  describe('the audit log', () => {
    it('keeps entries in their order over a restart, chained, and pages through those of a tenant', async () => {
      const { store, ...current } = opened()
      await store.audit([entry('one'), entry('two', { actor: 'bob' }), entry('foreign', { tenant: ACME })])
      await Promise.all([store.audit([entry('three', { at: NOON + 9 })]), store.audit([entry('four')])])
      const again = await current.reopen()
      await again.audit([entry('five', { subject: null })])
      const first = await again.auditLog({ tenant: DEFAULT, limit: 3 })
      expect(first.items.map(({ action }) => action)).to.deep.equal(['five', 'four', 'three'])
      expect(first.items[0]).to.deep.include({ seq: 6, ...entry('five', { subject: null }) })
      const rest = await again.auditLog({ tenant: DEFAULT, limit: 3, cursor: first.nextCursor ?? '' })
      expect(rest.items.map(({ action }) => action)).to.deep.equal(['two', 'one'])
      expect(rest.nextCursor).to.equal(null)
      expect(await verdictOf(again)).to.deep.include({ ok: true, entries: 6 })
    })

    it('is filtered by actor, action and time', async () => {
      const { store } = opened()
      await store.audit([entry('a'), entry('b', { actor: 'bob' }), entry('a', { at: NOON + 9 })])
      const seqs = async (filter: object) =>
        (await store.auditLog({ tenant: DEFAULT, limit: 9, ...filter })).items.map(({ seq }) => seq)
      expect(await seqs({ actor: 'bob' })).to.deep.equal([2])
      expect(await seqs({ action: 'a' })).to.deep.equal([3, 1])
      expect(await seqs({ since: NOON + 1 })).to.deep.equal([3])
    })

    it('gets the entries of a change in its commit, and none of a change that was refused', async () => {
      const { store } = opened()
      const from = sample.alert('a-1')
      await store.accept(sample.opening(from))
      const change = sample.alertChange(from, { status: 'acknowledged' }, { audit: [entry('alert.ack')] })
      expect(await store.changeAlert(change)).to.equal('done')
      expect(await store.changeAlert(change)).to.equal('stale')
      const accepted = sample.acceptance({ alert: { kind: 'change', change } })
      expect((await store.accept(accepted)).kind).to.equal('stale')
      expect((await store.auditLog({ tenant: DEFAULT, limit: 9 })).items).to.have.length(1)
      expect(await verdictOf(store)).to.deep.include({ ok: true, entries: 1 })
    })
  })
}
