import { expect } from 'chai'
import type { Alert } from '../../../src/alert/alert.ts'
import type { ChannelName } from '../../../src/delivery/delivery.ts'
import type { AlertChange, Claimed, Store } from '../../../src/store/store.ts'
import * as sample from './samples.ts'
import { ACME, DEFAULT, NOON } from './samples.ts'

const STEPS = 400

/** A walk over everything a store can be asked to do, decided by a seed. Keeps only what it needs to go on. */
function walker(seed: number) {
  const random = sample.randomFrom(seed)
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!
  const held: Claimed[] = []
  const alerts: { readonly id: string; readonly tenant: typeof DEFAULT }[] = []
  let now = NOON
  let serial = 0

  const deliveryTo = (subjectId: string, ordinal: number, given: object) => {
    const channel = pick<ChannelName>(['realtime', 'email', 'sms'])
    const state = random() < 0.1 ? 'suppressed' : 'pending'
    const made = sample.toSend(
      sample.delivery(subjectId, ordinal, {
        channel,
        state,
        userId: pick(['anna', 'bob']),
        createdAt: now,
        ...given,
      }),
      now + Math.floor(random() * 20_000),
    )
    const lease =
      made.dueAt !== null && state === 'pending' && random() < 0.2 ? { until: now + 30_000 } : null
    return { ...made, lease }
  }

  const acts: readonly ((store: Store) => Promise<unknown>)[] = [
    (store) => {
      const tenant = pick([DEFAULT, ACME])
      const id = `n-${serial++}`
      return store.accept(
        sample.acceptance({
          tenant,
          at: now,
          once: { key: `id:${pick([1, 2, 3, serial])}`, check: true, expiresAt: now + 9000 },
          notifications: [sample.notification(id, { tenant, userId: pick(['anna', 'bob', null]) })],
          deliveries: [1, 2].map((ordinal) => deliveryTo(id, ordinal, { tenant })),
          deadLetter:
            random() < 0.1 ? sample.deadLetter(`d-${pick([1, 2, 3])}`, { tenant, createdAt: now }) : null,
          release: random() < 0.1 ? { ref: id, dueAt: now + 5000, doc: { id } } : null,
        }),
      )
    },
    (store) => {
      const tenant = pick([DEFAULT, ACME])
      const alert = sample.alert(`a-${serial++}`, {
        tenant,
        dedupKey: pick(['k1', 'k2', 'k3']),
        createdAt: now,
        nextStepAt: random() < 0.7 ? now + Math.floor(random() * 10_000) : null,
      })
      alerts.push(alert)
      const page = { tenant, subjectKind: 'alert', purpose: 'page' }
      return store.accept(sample.opening(alert, { at: now, deliveries: [deliveryTo(alert.id, 1, page)] }))
    },
    async (store): Promise<unknown> => {
      if (alerts.length === 0) return null
      const { id, tenant } = pick(alerts)
      if (random() < 0.4)
        return store.accept(sample.acceptance({ tenant, at: now, alert: { kind: 'repeat', alertId: id } }))
      const alert = await store.alert(tenant, id)
      return alert && change(store, alert, null)
    },
    async (store) => {
      const lane = pick(['email', 'sms', 'escalate', 'release'])
      const { items } = await store.claim({ ...sample.claimOf(lane, now), limit: 3 })
      held.push(...items)
    },
    async (store): Promise<unknown> => {
      const [work] = held.splice(Math.floor(random() * held.length), 1)
      if (!work) return null
      const { workId, token } = work
      if (work.kind === 'escalate') return change(store, work.alert, { workId, token })
      if (random() < 0.3) {
        const delivery = random() < 0.5 ? null : { ...sample.sent(work).delivery!, state: 'pending' as const }
        return store.settle(sample.sent(work, { at: now, delivery, nextDueAt: now + 3000 }))
      }
      return store.settle(sample.sent(work, { at: now }))
    },
    (store) =>
      store.progress(
        (['sent', 'delivered'] as const).map((state) => ({
          subjectId: `n-${Math.floor(random() * serial)}`,
          userId: pick(['anna', 'bob']),
          at: now,
          state,
        })),
      ),
    (store) =>
      store.mark({
        ...sample.reader(),
        ids: 'all',
        as: pick(['read', 'unread', 'deleted'] as const),
        at: now,
      }),
    (store) => store.removeDeadLetter(pick([DEFAULT, ACME]), `d-${pick([1, 2, 3])}`),
    (store) => store.prune({ now, outbox: now - 5000, deadLetters: now - 20_000, records: now, limit: 2 }),
  ]

  function change(store: Store, alert: Alert, claimed: AlertChange['claimed']): Promise<unknown> {
    const status = pick(['firing', 'acknowledged', 'snoozed', 'resolved'] as const)
    const given = { tenant: alert.tenant, subjectKind: 'alert', purpose: pick(['page', 'outcome']) }
    return store.changeAlert(
      sample.alertChange(
        alert,
        {
          status,
          nextOrdinal: alert.nextOrdinal + 1,
          nextStepAt: status === 'resolved' || random() < 0.3 ? null : now + Math.floor(random() * 10_000),
        },
        {
          at: now,
          claimed,
          cancelPages: random() < 0.5 ? status : null,
          timeline: [{ at: now, kind: 'note', by: 'anna' }],
          deliveries: random() < 0.5 ? [deliveryTo(alert.id, alert.nextOrdinal + 1, given)] : [],
        },
      ),
    )
  }

  return {
    async step(store: Store): Promise<void> {
      // Time mostly passes, now and then beyond every lease, and sometimes goes back.
      now += random() < 0.05 ? 40_000 : random() < 0.05 ? -10_000 : Math.floor(random() * 1500)
      await Promise.all(Array.from({ length: pick([1, 1, 2, 4]) }, () => pick(acts)(store)))
    },
  }
}

export function walkConformance(opened: () => sample.OpenedStore): void {
  describe('any order of operations', () => {
    for (const seed of [1, 2, 3])
      it(`loses nothing and leaves nothing without an end in walk ${seed} (P4, P6)`, async () => {
        let { store } = opened()
        const walk = walker(seed)
        for (let index = 1; index <= STEPS; index++) {
          await walk.step(store)
          if (index % 150 === 0) store = await opened().reopen()
          if (index % 20 === 0) expect((await store.conservation()).broken, `step ${index}`).to.equal(0)
        }
        const { deliveries, accepted } = await store.conservation()
        expect(accepted).to.be.greaterThan(STEPS / 10)
        for (const state of ['pending', 'sending', 'sent', 'delivered', 'cancelled', 'suppressed'] as const)
          expect(deliveries[state], state).to.be.greaterThan(0)
      })
  })
}
