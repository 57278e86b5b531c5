import { expect } from 'chai'
import type { Alert } from '../../../src/alert/alert.ts'
import type { Store } from '../../../src/store/store.ts'
import * as sample from './samples.ts'
import { ACME, DEFAULT, NOON } from './samples.ts'

async function alertOf(store: Store, id: string): Promise<Alert> {
  const alert = await store.alert(DEFAULT, id)
  if (!alert) throw new Error(`There is no alert ${id}`)
  return alert
}

export function alertConformance(opened: () => sample.OpenedStore): void {
  describe('alerts', () => {
    it('lets one open alert hold a dedup key, whoever else comes at the same time', async () => {
      const { store } = opened()
      const results = await Promise.all(
        ['a-1', 'a-2'].map((id) =>
          store.accept(
            sample.opening(sample.alert(id, { dedupKey: 'disk:db-1' }), {
              notifications: [sample.notification(`n-${id}`)],
              once: { key: `id:${id}`, check: true, expiresAt: NOON + 1000 },
            }),
          ),
        ),
      )
      expect(results.map((result) => result.kind)).to.deep.equal(['accepted', 'stale'])
      expect((await store.openAlert(DEFAULT, 'disk:db-1'))?.id).to.equal('a-1')
      expect(await store.openAlert(ACME, 'disk:db-1')).to.equal(null)
      expect(await store.alert(DEFAULT, 'a-2')).to.equal(null)
      expect(await sample.idsOf(sample.wholeInbox(store, sample.reader()))).to.deep.equal(['n-a-1'])
    })

    it('counts repeats on the open alert without disturbing its version', async () => {
      const { store } = opened()
      await store.accept(sample.opening(sample.alert('a-1')))
      const repeat = sample.acceptance({ at: NOON + 5, alert: { kind: 'repeat', alertId: 'a-1' } })
      const [, last] = await Promise.all([store.accept(repeat), store.accept({ ...repeat, at: NOON + 9 })])
      const expected = { ...sample.alert('a-1'), count: 3, lastAt: NOON + 9 }
      expect(sample.accepted(last).alert).to.deep.equal(expected)
      expect(await store.changeAlert(sample.alertChange(sample.alert('a-1'), { message: 'new' }))).to.equal(
        'done',
      )
      expect(await alertOf(store, 'a-1')).to.deep.equal({ ...expected, message: 'new', version: 2 })
    })

    it('counts a change that stands for a publish onto what repeats have counted meanwhile', async () => {
      const { store } = opened()
      const from = sample.alert('a-1', { severity: 'warning' })
      await store.accept(sample.opening(from))
      const repeat = (at: number) =>
        store.accept(sample.acceptance({ at, alert: { kind: 'repeat', alertId: 'a-1' } }))
      // Decided on the alert before any repeat: the count in its document is too low, its version is right.
      const promotion = sample.alertChange(
        from,
        { severity: 'critical', count: 2 },
        { at: NOON + 7, counts: true },
      )
      const publish = sample.acceptance({ at: NOON + 7, alert: { kind: 'change', change: promotion } })
      const [, , promoted] = await Promise.all([
        repeat(NOON + 5),
        repeat(NOON + 9),
        store.accept(publish),
        repeat(NOON + 6),
      ])
      const counted = { severity: 'critical', version: 2, count: 4, lastAt: NOON + 9 }
      expect(sample.accepted(promoted).alert).to.include(counted)
      expect(await alertOf(store, 'a-1')).to.include({ ...counted, count: 5 })
      expect((await store.accept(publish)).kind).to.equal('stale')
      const acknowledged = { ...promotion.alert, status: 'acknowledged', count: 1, lastAt: 0 } as const
      await store.changeAlert(sample.alertChange(acknowledged, {}))
      expect(await alertOf(store, 'a-1')).to.include({ ...counted, version: 3, count: 5 })
      const direct = sample.alertChange({ ...acknowledged, version: 3 }, {}, { at: NOON + 20, counts: true })
      expect(await store.changeAlert(direct)).to.equal('done')
      expect(await alertOf(store, 'a-1')).to.include({ count: 6, lastAt: NOON + 20 })
    })

    it('finds a repeat on a resolved or unknown alert stale', async () => {
      const { store } = opened()
      await store.accept(sample.opening(sample.alert('a-1')))
      await store.changeAlert(sample.alertChange(sample.alert('a-1'), { status: 'resolved' }))
      for (const alertId of ['a-1', 'a-9']) {
        const repeat = sample.acceptance({
          alert: { kind: 'repeat', alertId },
          notifications: [sample.notification(`n-${alertId}`)],
        })
        expect((await store.accept(repeat)).kind).to.equal('stale')
      }
      expect(await sample.wholeInbox(store, sample.reader())).to.deep.equal([])
      expect((await alertOf(store, 'a-1')).count).to.equal(1)
    })

    it('names the alerts whose timelines refer to something, of its tenant, each once, the latest first', async () => {
      const { store } = opened()
      const note = (ref?: string) =>
        ({ at: NOON, kind: 'note', by: 'x', ...(ref !== undefined && { ref }) }) as const
      for (const id of ['a-1', 'a-2', 'a-3']) await store.accept(sample.opening(sample.alert(id)))
      await store.accept(sample.opening(sample.alert('a-4', { tenant: ACME })))
      const write = (from: Alert, refs: readonly (string | undefined)[]) =>
        store.changeAlert(sample.alertChange(from, { status: 'resolved' }, { timeline: refs.map(note) }))
      await write(sample.alert('a-2'), ['silence:s', 'silence:s', 'silence:t'])
      await write(sample.alert('a-1'), [undefined, 'silence:s'])
      await write(sample.alert('a-4', { tenant: ACME }), ['silence:s'])
      expect(await store.referring(DEFAULT, 'silence:s', 9)).to.deep.equal({
        count: 2,
        alertIds: ['a-1', 'a-2'],
      })
      expect(await store.referring(DEFAULT, 'silence:s', 1)).to.deep.equal({ count: 2, alertIds: ['a-1'] })
      expect(await store.referring(ACME, 'silence:s', 9)).to.deep.equal({ count: 1, alertIds: ['a-4'] })
      expect(await store.referring(DEFAULT, 'silence:u', 9)).to.deep.equal({ count: 0, alertIds: [] })
    })

    it('gives the dedup key free when the alert is resolved, and not back to it while another holds it', async () => {
      const { store } = opened()
      const first = sample.alert('a-1', { dedupKey: 'k' })
      await store.accept(sample.opening(first))
      await store.changeAlert(sample.alertChange(first, { status: 'resolved' }))
      expect((await store.accept(sample.opening(sample.alert('a-2', { dedupKey: 'k' })))).kind).to.equal(
        'accepted',
      )
      const back = sample.alertChange({ ...first, version: 2 }, { status: 'firing' })
      expect(await store.changeAlert(back)).to.equal('stale')
      expect((await store.openAlert(DEFAULT, 'k'))?.id).to.equal('a-2')
    })

    it('serialises two changes made from one version: one is done, the other stale and without effect (P16)', async () => {
      const { store } = opened()
      const from = sample.alert('a-1')
      await store.accept(sample.opening(from))
      const change = (by: string) =>
        store.changeAlert(
          sample.alertChange(
            from,
            { status: 'acknowledged', acknowledgedBy: by },
            {
              timeline: [{ at: NOON, kind: 'acknowledged', by }],
              deliveries: [sample.toSend(sample.delivery('a-1', by.length, { subjectKind: 'alert' }))],
              notifications: [sample.notification(`n-${by}`)],
            },
          ),
        )
      expect(await Promise.all([change('anna'), change('bobby')])).to.deep.equal(['done', 'stale'])
      expect((await alertOf(store, 'a-1')).acknowledgedBy).to.equal('anna')
      const timeline = await store.timeline(DEFAULT, 'a-1')
      expect(timeline.map((entry) => [entry.kind, entry.by])).to.deep.equal([
        ['opened', 'db-monitor'],
        ['acknowledged', 'anna'],
      ])
      expect((await store.deliveries({ tenant: DEFAULT, subjectId: 'a-1', limit: 9 })).items).to.have.length(
        1,
      )
      expect(await sample.idsOf(sample.wholeInbox(store, sample.reader()))).to.deep.equal(['n-anna'])
      expect(await store.timeline(ACME, 'a-1')).to.deep.equal([])
    })

    it('changes an alert together with an accepted publish, or finds both stale', async () => {
      const { store } = opened()
      const from = sample.alert('a-1')
      await store.accept(sample.opening(from))
      const change = sample.alertChange(
        from,
        { status: 'resolved' },
        { notifications: [sample.notification('n-2')] },
      )
      const publish = sample.acceptance({
        alert: { kind: 'change', change },
        notifications: [sample.notification('n-1')],
        result: { status: 'resolved' },
      })
      const result = sample.accepted(await store.accept(publish))
      expect(result.alert).to.include({ status: 'resolved', version: 2 })
      expect(result.seqs).to.have.length(2)
      expect((await store.accept(publish)).kind).to.equal('stale')
      expect(await sample.idsOf(sample.wholeInbox(store, sample.reader()))).to.deep.equal(['n-2', 'n-1'])
    })

    it('cancels the pages that still wait, and nothing else, in the commit of the change (P15, P17)', async () => {
      const { store } = opened()
      const from = sample.alert('a-1')
      const page = (ordinal: number, given = {}) =>
        sample.delivery('a-1', ordinal, { subjectKind: 'alert', purpose: 'page', channel: 'sms', ...given })
      await store.accept(
        sample.opening(from, {
          deliveries: [
            { ...sample.toSend(page(1)), lease: { until: NOON + 30_000 } },
            sample.toSend(page(2), NOON + 1000),
            sample.toSend(page(3, { channel: 'realtime', address: null })),
            sample.toSend(page(4, { purpose: 'outcome' }), NOON + 2000),
          ],
        }),
      )
      const change = sample.alertChange(
        from,
        { status: 'acknowledged' },
        { cancelPages: 'acknowledged', deliveries: [sample.toSend(page(5), NOON + 3000)] },
      )
      expect(await store.changeAlert(change)).to.equal('done')
      const { items } = await store.deliveries({ tenant: DEFAULT, subjectId: 'a-1', limit: 9 })
      expect(items.map((item) => [item.ordinal, item.state, item.reason])).to.deep.equal([
        [1, 'sending', null],
        [2, 'cancelled', 'acknowledged'],
        [3, 'cancelled', 'acknowledged'],
        [4, 'pending', null],
        [5, 'pending', null],
      ])
      const claimed = await store.claim(sample.claimOf('sms', NOON + 10_000))
      const ordinals = claimed.items.map((item) => item.kind === 'deliver' && item.delivery.ordinal)
      expect(ordinals).to.deep.equal([4, 5])
      expect((await store.conservation()).broken).to.equal(0)
    })

    it('cancels the pending pages of one person only where a change says so, and no new ones (E17)', async () => {
      const { store } = opened()
      const from = sample.alert('a-1')
      const page = (ordinal: number, userId: string | null) =>
        sample.toSend(
          sample.delivery('a-1', ordinal, { subjectKind: 'alert', purpose: 'page', channel: 'sms', userId }),
          NOON + 1000,
        )
      await store.accept(
        sample.opening(from, { deliveries: [page(1, 'bob'), page(2, 'cem'), page(3, null)] }),
      )
      const cancelling = { cancelPages: 'acknowledged', cancelPagesOf: 'bob', deliveries: [page(4, 'bob')] }
      expect(await store.changeAlert(sample.alertChange(from, {}, cancelling))).to.equal('done')
      const { items } = await store.deliveries({ tenant: DEFAULT, subjectId: 'a-1', limit: 9 })
      expect(items.map(({ ordinal, state }) => [ordinal, state])).to.deep.equal([
        [1, 'cancelled'],
        [2, 'pending'],
        [3, 'pending'],
        [4, 'pending'],
      ])
      expect((await store.conservation()).broken).to.equal(0)
    })

    it('hands out the timer that a process which is gone had taken at once, and fences that one (P13, P14)', async () => {
      const { store } = opened()
      const from = sample.alert('a-1', { nextStepAt: NOON + 1000 })
      await store.accept(sample.opening(from))
      const lost = sample.only((await store.claim(sample.claimOf('escalate', NOON + 1000))).items)
      const again = await opened().reopen()
      const timer = sample.only((await again.claim(sample.claimOf('escalate', NOON + 1000))).items)
      expect(timer.workId).to.equal(lost.workId)
      const late = { claimed: { workId: lost.workId, token: lost.token } }
      expect(await again.changeAlert(sample.alertChange(from, { step: 2 }, late))).to.equal('fenced')
    })

    it('hands out the timer of an alert when it is due, once, with the alert as it is then (P13)', async () => {
      const { store } = opened()
      const from = sample.alert('a-1', { nextStepAt: NOON + 1000 })
      await store.accept(sample.opening(from))
      const [mine, theirs] = await Promise.all([
        store.claim(sample.claimOf('escalate', NOON + 1000)),
        store.claim(sample.claimOf('escalate', NOON + 1000)),
      ])
      expect(theirs.items).to.deep.equal([])
      const timer = sample.only(mine.items)
      expect(timer.kind === 'escalate' && timer.alert).to.deep.equal(from)
      const claimed = { workId: timer.workId, token: timer.token }
      const fired = sample.alertChange(from, { step: 2, nextStepAt: NOON + 9000 }, { claimed })
      expect(await store.changeAlert(fired)).to.equal('done')
      const again = sample.alertChange({ ...from, version: 2 }, { step: 3 }, { claimed })
      expect(await store.changeAlert(again)).to.equal('fenced')
      expect((await alertOf(store, 'a-1')).step).to.equal(2)
      const next = await store.claim(sample.claimOf('escalate', NOON + 1000))
      expect(next).to.deep.equal({ items: [], nextDueAt: NOON + 9000 })
    })

    it('refuses a step whose alert was changed after its timer was claimed, and leaves it no half (P15, P16)', async () => {
      const { store } = opened()
      const from = sample.alert('a-1', { nextStepAt: NOON })
      await store.accept(sample.opening(from))
      const timer = sample.only((await store.claim(sample.claimOf('escalate', NOON))).items)
      const ack = sample.alertChange(from, { status: 'acknowledged', nextStepAt: null })
      expect(await store.changeAlert(ack)).to.equal('done')
      const step = sample.alertChange(
        from,
        { step: 2, nextStepAt: NOON + 1 },
        {
          claimed: { workId: timer.workId, token: timer.token },
          deliveries: [sample.toSend(sample.delivery('a-1', 1, { subjectKind: 'alert' }))],
        },
      )
      expect(await store.changeAlert(step)).to.be.oneOf(['fenced', 'stale'])
      expect((await store.deliveries({ tenant: DEFAULT, subjectId: 'a-1', limit: 9 })).items).to.deep.equal(
        [],
      )
      expect((await store.claim(sample.claimOf('escalate', NOON + 1_000_000))).nextDueAt).to.equal(null)
      expect((await store.conservation()).broken).to.equal(0)
    })

    it('fences the holder of a timer that was set anew meanwhile', async () => {
      const { store } = opened()
      const from = sample.alert('a-1', { nextStepAt: NOON })
      await store.accept(sample.opening(from))
      await store.claim(sample.claimOf('escalate', NOON, 10))
      const timer = sample.only((await store.claim(sample.claimOf('escalate', NOON + 10))).items)
      expect(timer.crashes).to.equal(1)
      await store.changeAlert(sample.alertChange(from, { status: 'snoozed', nextStepAt: NOON + 500 }))
      expect(await store.settle(sample.sent(timer))).to.equal('fenced')
      const again = sample.only((await store.claim(sample.claimOf('escalate', NOON + 500))).items)
      expect(await store.settle(sample.sent(timer))).to.equal('fenced')
      expect(again.crashes).to.equal(0)
      expect(again.kind === 'escalate' && again.alert.status).to.equal('snoozed')
    })

    it('sets a new timer after the last one was settled away', async () => {
      const { store } = opened()
      const from = sample.alert('a-1', { nextStepAt: NOON })
      await store.accept(sample.opening(from))
      const timer = sample.only((await store.claim(sample.claimOf('escalate', NOON))).items)
      expect(await store.settle(sample.sent(timer))).to.equal('done')
      expect(await alertOf(store, 'a-1')).to.deep.equal({ ...from, nextStepAt: null })
      expect((await store.conservation()).broken).to.equal(0)
      await store.changeAlert(sample.alertChange(from, { nextStepAt: NOON + 700 }))
      expect((await store.claim(sample.claimOf('escalate', NOON))).nextDueAt).to.equal(NOON + 700)
    })

    it('lists alerts newest first by status, severity and team, in pages that stay while others come', async () => {
      const { store } = opened()
      for (let index = 1; index <= 9; index++) {
        const severity = index % 3 === 0 ? 'warning' : 'critical'
        const team = index % 2 === 0 ? 'platform' : null
        await store.accept(sample.opening(sample.alert(`a-${index}`, { severity, team })))
      }
      await store.accept(sample.opening(sample.alert('x-1', { tenant: ACME })))
      const first = await store.alerts({ tenant: DEFAULT, limit: 4 })
      await store.accept(sample.opening(sample.alert('a-10')))
      const second = await store.alerts({ tenant: DEFAULT, limit: 4, cursor: first.nextCursor! })
      const third = await store.alerts({ tenant: DEFAULT, limit: 4, cursor: second.nextCursor! })
      const ids = [first, second, third].map((page) => page.items.map((item) => item.id.slice(2)).join(' '))
      expect(ids).to.deep.equal(['9 8 7 6', '5 4 3 2', '1'])
      expect(third.nextCursor).to.equal(null)
      const some = { severity: 'critical', team: 'platform', status: 'firing' } as const
      const found = await store.alerts({ tenant: DEFAULT, limit: 9, ...some })
      expect(found.items.map((item) => item.id)).to.deep.equal(['a-10', 'a-8', 'a-4', 'a-2'])
      expect((await store.alerts({ tenant: DEFAULT, limit: 9, status: 'resolved' })).items).to.deep.equal([])
    })

    it('gives every open alert of every tenant, oldest first', async () => {
      const { store } = opened()
      const open = [
        sample.alert('a-1', { createdAt: NOON + 2 }),
        sample.alert('a-2', { createdAt: NOON + 1, tenant: ACME }),
        sample.alert('a-3', { createdAt: NOON + 1 }),
        sample.alert('a-4', { createdAt: NOON }),
      ]
      for (const each of open) await store.accept(sample.opening(each))
      await store.changeAlert(sample.alertChange(open[3]!, { status: 'resolved' }))
      const first = await store.openAlerts(2)
      const second = await store.openAlerts(2, first.nextCursor!)
      expect(first.items.map((item) => item.id)).to.deep.equal(['a-2', 'a-3'])
      expect(second.items.map((item) => item.id)).to.deep.equal(['a-1'])
      expect(second.nextCursor).to.equal(null)
    })
  })
}
