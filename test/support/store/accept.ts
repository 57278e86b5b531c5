import { expect } from 'chai'
import * as sample from './samples.ts'
import { ACME, DEFAULT, NOON } from './samples.ts'

const DAY_MS = 86_400_000

export function acceptConformance(opened: () => sample.OpenedStore): void {
  describe('accepting a publish', () => {
    const once = (key: string, check = true) => ({ key, check, expiresAt: NOON + DAY_MS })

    it('stores everything one publish causes, and still has it after a restart (P1)', async () => {
      const email = sample.delivery('n-1', 1, {
        fixed: { subject: 'Hi', text: 'There' },
        step: 2,
        firstDueAt: NOON + 5,
        critical: true,
      })
      const result = await opened().store.accept(
        sample.acceptance({
          notifications: [sample.notification('n-1')],
          deliveries: [sample.toSend(email)],
          deadLetter: sample.deadLetter('d-1'),
          alert: {
            kind: 'open',
            alert: sample.alert('a-1'),
            timeline: [{ at: NOON, kind: 'opened', by: 'x' }],
          },
        }),
      )
      const { seqs } = sample.accepted(result)
      const store = await opened().reopen()
      const stored = sample.only(await sample.wholeInbox(store, sample.reader()))
      expect(stored).to.deep.equal({ ...sample.notification('n-1'), seq: seqs[0], readAt: null })
      const deliveries = await store.deliveries({ tenant: DEFAULT, subjectId: 'n-1', limit: 10 })
      expect(deliveries.items).to.deep.equal([email])
      expect(await store.alert(DEFAULT, 'a-1')).to.deep.equal(sample.alert('a-1'))
      const letter = await store.deadLetter(DEFAULT, 'd-1')
      expect(letter && { ...letter, payload: Buffer.from(letter.payload) }).to.deep.equal(
        sample.deadLetter('d-1'),
      )
    })

    it('numbers notifications in the order of the calls, whoever waits for them (P5)', async () => {
      const { store } = opened()
      const resolved: number[] = []
      const results = await Promise.all(
        Array.from({ length: 60 }, async (_, index) => {
          const given = {
            notifications: [sample.notification(`n-${index}`), sample.notification(`m-${index}`)],
          }
          const result = await store.accept(sample.acceptance(given))
          resolved.push(index)
          return sample.accepted(result).seqs
        }),
      )
      const seqs = results.flat()
      expect(seqs).to.have.length(120)
      expect(seqs).to.deep.equal(seqs.toSorted((a, b) => a - b))
      expect(new Set(seqs).size).to.equal(120)
      expect(resolved).to.deep.equal(resolved.toSorted((a, b) => a - b))
    })

    it('writes nothing for a key it knows and answers with the first result, also at once and after a restart (P3)', async () => {
      const { store } = opened()
      const results = await Promise.all(
        ['first', 'second', 'third'].map((id) =>
          store.accept(
            sample.acceptance({
              once: once('id:1'),
              result: { id },
              notifications: [sample.notification(id)],
            }),
          ),
        ),
      )
      expect(results.map((result) => result.kind)).to.deep.equal(['accepted', 'duplicate', 'duplicate'])
      expect(results[2]).to.deep.equal({ kind: 'duplicate', result: { id: 'first' } })
      const again = await opened().reopen()
      const late = await again.accept(
        sample.acceptance({ once: once('id:1'), notifications: [sample.notification('fourth')] }),
      )
      expect(late).to.deep.equal({ kind: 'duplicate', result: { id: 'first' } })
      expect(await sample.idsOf(sample.wholeInbox(again, sample.reader()))).to.deep.equal(['first'])
    })

    it('keeps the keys of tenants and of principals apart (P3)', async () => {
      const { store } = opened()
      for (const scope of [{}, { principal: 'other' }, { tenant: ACME }]) {
        const result = await store.accept(sample.acceptance({ once: once('id:1'), ...scope }))
        expect(result.kind).to.equal('accepted')
      }
    })

    it('asks for a key only when told to, and a resend finds what was kept without asking (P3)', async () => {
      const { store } = opened()
      for (const id of ['first', 'second']) {
        const given = { once: once('dup:7', false), result: { id } }
        expect((await store.accept(sample.acceptance(given))).kind).to.equal('accepted')
      }
      const resend = await store.accept(sample.acceptance({ once: once('dup:7') }))
      expect(resend).to.deep.equal({ kind: 'duplicate', result: { id: 'second' } })
    })

    it('forgets a key when its time is over', async () => {
      const { store } = opened()
      const key = { key: 'id:1', check: true, expiresAt: NOON + 1000 }
      await store.accept(sample.acceptance({ once: key }))
      const inTime = await store.accept(sample.acceptance({ once: key, at: NOON + 999 }))
      const late = await store.accept(
        sample.acceptance({ once: { ...key, expiresAt: NOON + 9000 }, at: NOON + 1000 }),
      )
      expect([inTime.kind, late.kind]).to.deep.equal(['duplicate', 'accepted'])
    })

    it('takes a publish to ten thousand people in one piece', async () => {
      const { store } = opened()
      const people = Array.from({ length: 10_000 }, (_, index) => `user-${index}`)
      const result = await store.accept(
        sample.acceptance({
          notifications: people.map((userId) => sample.notification(`n-${userId}`, { userId })),
          deliveries: people.map((userId) => sample.toSend(sample.delivery(`n-${userId}`, 1, { userId }))),
        }),
      )
      expect(new Set(sample.accepted(result).seqs).size).to.equal(10_000)
      expect(await sample.wholeInbox(store, sample.reader('user-9999'))).to.have.length(1)
      expect((await store.conservation()).deliveries.pending).to.equal(10_000)
    })

    it('presents a message again when its instant has come', async () => {
      const { store } = opened()
      const release = { ref: 'n-1', dueAt: NOON + 5000, doc: { topic: 'a/b', body: { deep: [1, null] } } }
      await store.accept(sample.acceptance({ release }))
      const early = await store.claim(sample.claimOf('release', NOON + 4999))
      expect(early).to.deep.equal({ items: [], nextDueAt: NOON + 5000 })
      const { items } = await store.claim(sample.claimOf('release', NOON + 5000))
      const item = sample.only(items)
      expect(item).to.include({ kind: 'release', tenant: DEFAULT, dueAt: NOON + 5000, crashes: 0 })
      expect(item.kind === 'release' && item.doc).to.deep.equal(release.doc)
      expect(await store.settle(sample.sent(item))).to.equal('done')
      expect((await store.claim(sample.claimOf('release', NOON + DAY_MS))).nextDueAt).to.equal(null)
    })
  })
}
