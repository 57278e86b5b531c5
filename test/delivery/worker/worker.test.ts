import { expect } from 'chai'
import { noAlarm } from '../../../src/alert/operator-alarm.ts'
import type { ProviderSign } from '../../../src/delivery/worker/breaker.ts'
import { leasedWork } from '../../../src/delivery/plan.ts'
import {
  createWorker,
  type LaneSettings,
  type Perform,
  type Performed,
} from '../../../src/delivery/worker/worker.ts'
import { createMetrics } from '../../../src/metrics.ts'
import type { Claimed, Settlement } from '../../../src/store/store.ts'
import { fakeClock, turn } from '../../support/fake-clock.ts'
import { memoryWork } from '../../support/memory-work.ts'
import { alert, NOON, planned, seeded } from '../../support/messages.ts'
import { silentLog } from '../../support/silent-log.ts'

const SECOND = 1000

interface Done {
  readonly id: string
  readonly at: number
}

function idOf(work: Claimed): string {
  return work.kind === 'deliver' ? work.delivery.id : String(work.workId)
}

function setUp(
  perform?: Record<string, Perform>,
  lanes: LaneSettings[] = [{ name: 'email' }, { name: 'sms' }],
) {
  const clock = fakeClock(NOON)
  const store = memoryWork()
  const { log, lines } = silentLog()
  const metrics = createMetrics()
  const done: Done[] = []
  /** Ends the work as an attempt would. */
  const settle = (work: Claimed, changes: Partial<Settlement> = {}) =>
    store.settle({
      workId: work.workId,
      token: work.token,
      at: clock.now(),
      delivery: null,
      nextDueAt: null,
      outbox: null,
      ...changes,
    })
  const succeed: Perform = async (work) => {
    done.push({ id: idOf(work), at: clock.now() })
    await settle(work)
    return { provider: { sign: 'well' } }
  }
  const performs = Object.fromEntries(lanes.map(({ name }) => [name, perform?.[name] ?? succeed]))
  const worker = createWorker({
    store,
    lanes,
    perform: performs,
    clock,
    random: seeded(1),
    log,
    metrics,
    alarm: noAlarm,
  })
  return { clock, store, lines, metrics, done, settle, succeed, worker }
}

/** Work that its commit leased, in the store and in the hand. */
function leased(store: ReturnType<typeof memoryWork>, ordinal: number, critical = true) {
  const row = planned({ ordinal, critical })
  store.add(row, { alert: alert() })
  return store
    .claim({ lane: 'email', now: NOON, limit: 1, leaseUntil: NOON + 30 * SECOND })
    .then(({ items }) => [...items])
}

describe('the worker', () => {
  it('performs at start what an earlier process left due', async () => {
    const { worker, store, done } = setUp()
    for (let ordinal = 0; ordinal < 50; ordinal++) store.add(planned({ ordinal }))
    worker.start()
    await worker.settled()
    expect(done).to.have.length(50)
    expect(store.left).to.equal(0)
    await worker.stop(0)
  })

  it('performs nothing early and everything on time (P12)', async () => {
    const { worker, store, done, clock } = setUp()
    worker.start()
    for (const delay of [5000, 1, 90_000, 12_345]) {
      store.add(planned({ dueAt: NOON + delay, ordinal: delay }))
      worker.wake('email', NOON + delay)
    }
    await worker.settled()
    await clock.pass(100 * SECOND)
    await worker.settled()
    expect(done.map(({ id, at }) => [id, at - NOON])).to.deep.equal([
      ['a1.1', 1],
      ['a1.5000', 5000],
      ['a1.12345', 12_345],
      ['a1.90000', 90_000],
    ])
    await worker.stop(0)
  })

  it('finds work that nobody announced within 30 s', async () => {
    const { worker, store, done, clock } = setUp()
    worker.start()
    await worker.settled()
    store.add(planned({ ordinal: 1 }))
    await clock.pass(30 * SECOND)
    await worker.settled()
    expect(done).to.deep.equal([{ id: 'a1.1', at: NOON + 30 * SECOND }])
    await worker.stop(0)
  })

  it('sees work that is announced while it looks', async () => {
    const { worker, store, done } = setUp({}, [{ name: 'email' }])
    worker.start()
    const claim = store.claim
    store.claim = async (wanted) => {
      const answer = await claim(wanted)
      if (store.claims.length === 1) {
        store.add(planned({ ordinal: 1 }))
        worker.wake('email', NOON)
      }
      return answer
    }
    await turn()
    await worker.settled()
    expect(done.map(({ id }) => id)).to.deep.equal(['a1.1'])
    await worker.stop(0)
  })

  it('asks an idle store once in 30 s for each lane, and never in a loop', async () => {
    const { worker, store, clock } = setUp()
    worker.start()
    await clock.pass(300 * SECOND)
    expect(store.claims).to.have.length(2 * 11)
    await worker.stop(0)
  })

  it('does not ask without end for work that is due but not given', async () => {
    const { worker, store, clock } = setUp()
    let asked = 0
    store.claim = () => {
      asked++
      return Promise.resolve({ items: [], nextDueAt: NOON - 1 })
    }
    worker.start()
    await clock.pass(SECOND)
    expect(asked).to.be.at.most(2 * 21)
    await worker.stop(0)
  })

  it('claims no more than it has slots for, and the rest as they come free', async () => {
    const ends: (() => void)[] = []
    let most = 0
    let now = 0
    const slow: Perform = async (work) => {
      most = Math.max(most, ++now)
      await new Promise<void>((resolve) => ends.push(resolve))
      now--
      await rig.settle(work)
    }
    const rig = setUp({ email: slow }, [{ name: 'email', concurrency: 3 }])
    for (let ordinal = 0; ordinal < 10; ordinal++) rig.store.add(planned({ ordinal }))
    rig.worker.start()
    await turn()
    expect(rig.store.claims.map((claim) => claim.limit)).to.deep.equal([3])
    expect(rig.worker.room('email')).to.equal(0)
    while (rig.store.left > 0) {
      ends.splice(0).forEach((resolve) => resolve())
      await turn()
    }
    expect(most).to.equal(3)
    expect(rig.store.claims.every((claim) => claim.leaseUntil === NOON + 30 * SECOND)).to.equal(true)
    await rig.worker.stop(0)
  })

  it('claims once for everything that ended together', async () => {
    const { worker, store } = setUp({}, [{ name: 'email', concurrency: 10 }])
    for (let ordinal = 0; ordinal < 40; ordinal++) store.add(planned({ ordinal }))
    worker.start()
    await worker.settled()
    expect(store.claims.length).to.be.at.most(6)
    await worker.stop(0)
  })

  it('delays nobody for a lane that hangs, and pages the later people all the same (P24, section 1.6 fault 1)', async () => {
    const hang: Perform = () => new Promise(() => {})
    const { worker, store, done, clock } = setUp({ sms: hang })
    for (let ordinal = 0; ordinal < 30; ordinal++) {
      store.add(planned({ ordinal, channel: 'sms' }))
      store.add(planned({ ordinal: 100 + ordinal }))
    }
    worker.start()
    await clock.pass(0)
    expect(done).to.have.length(30)
    expect(done.every(({ at }) => at === NOON)).to.equal(true)
    expect(await stopped(worker.stop(10 * SECOND), clock, 10 * SECOND)).to.equal(false)
  })

  it('delays nobody for a lane whose performing throws at once (P24, section 1.6 fault 1)', async () => {
    const { worker, store, done, clock, metrics, lines } = setUp({
      sms: () => {
        throw new Error('provider library broken')
      },
    })
    store.add(planned({ ordinal: 1, channel: 'sms' }))
    store.add(planned({ ordinal: 2 }))
    worker.start()
    await clock.pass(0)
    expect(done.map(({ id }) => id)).to.deep.equal(['a1.2'])
    expect((await metrics.workFailures.get()).values[0]).to.deep.include({
      labels: { lane: 'sms' },
      value: 1,
    })
    expect(lines.some((line) => line.msg.startsWith('work failed'))).to.equal(true)
    await worker.stop(0)
  })

  it('does not begin what a claim brought too late for its lease', async () => {
    const { worker, store, done, clock } = setUp({}, [{ name: 'email' }])
    store.add(planned({ ordinal: 1 }))
    const claim = store.claim
    let answer = () => {}
    store.claim = async (wanted) => {
      const claimed = await claim(wanted)
      if (store.claims.length === 1) await new Promise<void>((resolve) => (answer = resolve))
      return claimed
    }
    worker.start()
    await clock.pass(20 * SECOND)
    answer()
    await worker.settled()
    expect(done).to.deep.equal([{ id: 'a1.1', at: NOON + 20 * SECOND }])
    expect(store.settlements.map((settlement) => settlement.delivery?.state)).to.deep.equal([
      'pending',
      undefined,
    ])
    await worker.stop(0)
  })

  it('takes failed work again when its lease is over, with its crashes counted (P6, P10)', async () => {
    const seen: [number, number, boolean][] = []
    const rig = setUp({
      email: async (work) => {
        seen.push([rig.clock.now() - NOON, work.crashes, work.kind === 'deliver' && work.ambiguous])
        if (seen.length < 3) throw new Error('lost')
        await rig.settle(work)
      },
    })
    rig.store.add(planned({ ordinal: 1 }))
    rig.worker.start()
    await rig.clock.pass(100 * SECOND)
    expect(seen).to.deep.equal([
      [0, 0, false],
      [30 * SECOND, 1, true],
      [60 * SECOND, 2, true],
    ])
    await rig.worker.stop(0)
  })

  it('comes back for what is to be tried again, at its instant (P7)', async () => {
    const at: number[] = []
    const rig = setUp({
      email: async (work): Promise<Performed> => {
        at.push(rig.clock.now() - NOON)
        const nextDueAt = at.length < 3 ? rig.clock.now() + 700 : null
        await rig.settle(work, { nextDueAt })
        return { provider: { sign: 'transient' }, nextDueAt }
      },
    })
    rig.store.add(planned({ ordinal: 1 }))
    rig.worker.start()
    await rig.clock.pass(5 * SECOND)
    expect(at).to.deep.equal([0, 700, 1400])
    await rig.worker.stop(0)
  })

  it('backs off while the store is away, goes on when it is back, and says so', async () => {
    const { worker, store, done, clock, lines } = setUp({}, [{ name: 'email' }])
    store.add(planned({ ordinal: 1 }))
    store.failing = 5
    worker.start()
    await clock.pass(60 * SECOND)
    expect(done.map(({ id }) => id)).to.deep.equal(['a1.1'])
    expect(done[0]?.at).to.be.within(NOON + 3100, NOON + 6200)
    expect(lines.filter((line) => line.msg === 'claiming work failed')).to.have.length(5)
    await worker.stop(0)
  })

  it('waits with its back-off even when new work is announced', async () => {
    const { worker, store, clock, lines } = setUp({}, [{ name: 'email' }])
    store.failing = 1000
    worker.start()
    for (let count = 0; count < 200; count++) {
      worker.wake('email', clock.now())
      await clock.pass(50)
    }
    expect(lines.filter((line) => line.msg === 'claiming work failed').length).to.be.within(4, 8)
    await worker.stop(0)
  })
})

describe('work that its commit leased', () => {
  it('starts in the tick in which it is taken, without a claim', async () => {
    const { worker, store, done } = setUp()
    worker.start()
    await worker.settled()
    const claims = store.claims.length
    const items = await leased(store, 1)
    worker.take('email', items, NOON + 30 * SECOND)
    expect(done).to.deep.equal([{ id: 'a1.1', at: NOON }])
    await worker.settled()
    expect(store.left).to.equal(0)
    // One claim was made by this test to get its lease.
    expect(store.claims.length - claims).to.equal(1)
    await worker.stop(0)
  })

  it('waits for a free slot, critical first', async () => {
    const ends: (() => void)[] = []
    const order: string[] = []
    const rig = setUp(
      {
        email: async (work) => {
          order.push(idOf(work))
          await new Promise<void>((resolve) => ends.push(resolve))
          await rig.settle(work)
        },
      },
      [{ name: 'email', concurrency: 1 }],
    )
    rig.worker.start()
    await rig.worker.settled()
    for (const [ordinal, critical] of [
      [1, false],
      [2, false],
      [3, true],
    ] as const) {
      rig.worker.take('email', await leased(rig.store, ordinal, critical), NOON + 30 * SECOND)
    }
    while (rig.store.left > 0) {
      ends.splice(0).forEach((resolve) => resolve())
      await turn()
    }
    expect(order).to.deep.equal(['a1.1', 'a1.3', 'a1.2'])
    await rig.worker.stop(0)
  })

  it('is handed back in time when no slot comes free, and does not count as lost (P9, P10)', async () => {
    const seen: Claimed[] = []
    let end = () => {}
    const rig = setUp(
      {
        email: async (work) => {
          seen.push(work)
          if (seen.length === 1) await new Promise<void>((resolve) => (end = resolve))
          await rig.settle(work)
        },
      },
      [{ name: 'email', concurrency: 1 }],
    )
    rig.worker.start()
    await rig.worker.settled()
    rig.worker.take('email', await leased(rig.store, 1), NOON + 30 * SECOND)
    rig.worker.take('email', await leased(rig.store, 2), NOON + 30 * SECOND)
    await rig.clock.pass(15 * SECOND)
    expect(rig.store.delivery('a1.2').state).to.equal('pending')
    end()
    await rig.clock.pass(0)
    expect(seen.map(idOf)).to.deep.equal(['a1.1', 'a1.2'])
    expect(seen[1]).to.include({ crashes: 0, ambiguous: false })
    await rig.worker.stop(0)
  })

  it('is taken again when its lease is over, if it failed (P6)', async () => {
    const at: number[] = []
    const rig = setUp(
      {
        email: async (work) => {
          at.push(rig.clock.now() - NOON)
          if (at.length === 1) throw new Error('lost')
          await rig.settle(work)
        },
      },
      [{ name: 'email' }],
    )
    rig.worker.start()
    await rig.clock.pass(10 * SECOND)
    rig.store.add(planned({ ordinal: 1 }))
    const leaseUntil = NOON + 35 * SECOND
    const { items } = await rig.store.claim({ lane: 'email', now: rig.clock.now(), limit: 1, leaseUntil })
    rig.worker.take('email', items, leaseUntil)
    await rig.clock.pass(30 * SECOND)
    expect(at).to.deep.equal([10 * SECOND, 35 * SECOND])
    await rig.worker.stop(0)
  })

  it('finds the slots taken for which a claim is under way', async () => {
    let most = 0
    let now = 0
    const rig = setUp(
      {
        email: async (work) => {
          most = Math.max(most, ++now)
          for (let turns = 0; turns < 5; turns++) await turn()
          now--
          await rig.settle(work)
        },
      },
      [{ name: 'email', concurrency: 1 }],
    )
    const items = await leased(rig.store, 1)
    rig.store.add(planned({ ordinal: 2 }))
    const claim = rig.store.claim
    rig.store.claim = async (wanted) => {
      if (items.length > 0) rig.worker.wake('email', NOON)
      rig.worker.take('email', items.splice(0), NOON + 30 * SECOND)
      await turn()
      return claim(wanted)
    }
    rig.worker.start()
    await rig.worker.settled()
    expect(rig.store.left).to.equal(0)
    expect(most).to.equal(1)
    await rig.worker.stop(0)
  })

  it('is kept until the worker starts', async () => {
    const { worker, store, done } = setUp()
    worker.take('email', await leased(store, 1), NOON + 30 * SECOND)
    expect(done).to.deep.equal([])
    worker.start()
    await worker.settled()
    expect(done.map(({ id }) => id)).to.deep.equal(['a1.1'])
    await worker.stop(0)
  })

  it('is ignored for a lane that does not exist', () => {
    const { worker } = setUp()
    worker.take('pigeon', leasedWork([], [], { notification: null, alert: null }), NOON)
    worker.wake('pigeon', NOON)
    expect(worker.room('pigeon')).to.equal(0)
  })
})

describe('a lane whose provider is in trouble', () => {
  /** Answers with the given signs in turn, the last one for ever; failures are tried again a second later. */
  function troubled(signs: readonly ProviderSign[]) {
    const at: number[] = []
    const order: string[] = []
    const rig = setUp(
      {
        email: async (work): Promise<Performed> => {
          const provider = signs[Math.min(at.length, signs.length - 1)] ?? { sign: 'well' }
          at.push(rig.clock.now() - NOON)
          order.push(idOf(work))
          const nextDueAt = provider.sign === 'well' ? null : rig.clock.now() + SECOND
          await rig.settle(work, { nextDueAt })
          return { provider, nextDueAt }
        },
      },
      [{ name: 'email', concurrency: 5 }, { name: 'sms' }],
    )
    return { ...rig, at, order }
  }

  it('pauses after five failures in a row, probes with one, and goes on with all (P7, P24)', async () => {
    const failures = Array.from({ length: 6 }, (): ProviderSign => ({ sign: 'transient' }))
    const { worker, store, clock, at, lines, metrics } = troubled([...failures, { sign: 'well' }])
    for (let ordinal = 0; ordinal < 20; ordinal++) store.add(planned({ ordinal, critical: false }))
    worker.start()
    await clock.pass(20 * SECOND)
    expect(at.slice(0, 7)).to.deep.equal([0, 0, 0, 0, 0, 5000, 15_000])
    expect(at).to.have.length(26)
    expect(store.left).to.equal(0)
    expect(lines.filter((line) => line.msg.startsWith('provider paused'))).to.have.length(2)
    expect(lines.filter((line) => line.msg === 'provider is well again')).to.have.length(1)
    expect((await metrics.paused.get()).values[0]).to.deep.include({ labels: { lane: 'email' }, value: 0 })
    await worker.stop(0)
  })

  it('claims nothing while it is refused, tells the operator once, and loses nothing (P7)', async () => {
    const { worker, store, clock, at, lines } = troubled([{ sign: 'refused' }, { sign: 'well' }])
    store.add(planned({ ordinal: 1 }))
    worker.start()
    await clock.pass(59 * SECOND)
    store.add(planned({ ordinal: 2 }))
    worker.wake('email', clock.now())
    await worker.settled()
    expect(at).to.deep.equal([0])
    const told = lines.filter((line) => line.msg.startsWith('provider paused'))
    expect(told).to.have.length(1)
    expect(told[0]).to.include({ lane: 'email', cause: 'refused', level: 50 })
    await clock.pass(2 * SECOND)
    expect(at).to.have.length(3)
    expect(store.left).to.equal(0)
    await worker.stop(0)
  })

  it('keeps everything back for as long as the provider wishes (P7)', async () => {
    const { worker, store, clock, at } = troubled([
      { sign: 'transient', retryAfterMs: 120_000 },
      { sign: 'well' },
    ])
    store.add(planned({ ordinal: 1 }))
    worker.start()
    await worker.settled()
    for (let ordinal = 2; ordinal < 12; ordinal++) store.add(planned({ ordinal }))
    worker.wake('email', NOON)
    await clock.pass(119_999)
    expect(at).to.have.length(1)
    await clock.pass(1)
    expect(at).to.have.length(12)
    await worker.stop(0)
  })

  it('lets a critical delivery be the probe at once, but nothing else (P7)', async () => {
    const failures = Array.from({ length: 5 }, (): ProviderSign => ({ sign: 'transient' }))
    const { worker, store, clock, order } = troubled([...failures, { sign: 'well' }])
    for (let ordinal = 0; ordinal < 5; ordinal++) store.add(planned({ ordinal }))
    worker.start()
    await worker.settled()
    expect(order).to.have.length(5)
    worker.take('email', await leased(store, 90, false), NOON + 30 * SECOND)
    await turn()
    expect(order).to.have.length(5)
    worker.take('email', await leased(store, 91, true), NOON + 30 * SECOND)
    await turn()
    expect(order.slice(5)).to.deep.equal(['a1.91', 'a1.90'])
    await clock.pass(5 * SECOND)
    expect(store.left).to.equal(0)
    await worker.stop(0)
  })

  it('tries critical deliveries again at their own instants, one at a time, however long the pause (P7)', async () => {
    const { worker, store, clock, at, order } = troubled([{ sign: 'transient' }])
    store.add(planned({ ordinal: 1 }))
    for (let ordinal = 2; ordinal < 30; ordinal++) store.add(planned({ ordinal, critical: false }))
    worker.start()
    await clock.pass(300 * SECOND)
    const critical = at.filter((_, index) => order[index] === 'a1.1')
    expect(critical).to.deep.equal(Array.from({ length: 301 }, (_, second) => second * SECOND))
    // Five at first, then one at the end of each pause: 5, 15, 35, 75, 135, 195, 255 s.
    expect(at.length - critical.length).to.be.within(4 + 5, 4 + 8)
    await worker.stop(0)
  })

  it('asks the store no more often than usual while it holds back what is not critical', async () => {
    for (const cause of ['refused', 'transient'] as const) {
      const rig = troubled([{ sign: cause }])
      for (let ordinal = 0; ordinal < 10; ordinal++) rig.store.add(planned({ ordinal, critical: false }))
      rig.worker.start()
      await rig.worker.settled()
      const before = rig.store.claims.length
      await rig.clock.pass(300 * SECOND)
      expect(rig.store.claims.length - before, cause).to.be.at.most(40)
      await rig.worker.stop(0)
    }
  })

  it('says to the probe what the trouble is, and nothing to others', async () => {
    const troubles: unknown[] = []
    const rig = setUp(
      {
        email: async (work, trouble): Promise<Performed> => {
          troubles.push(trouble)
          await rig.settle(work)
          return { provider: { sign: troubles.length === 1 ? 'refused' : 'well' } }
        },
      },
      [{ name: 'email', concurrency: 1 }],
    )
    for (let ordinal = 0; ordinal < 3; ordinal++) rig.store.add(planned({ ordinal }))
    rig.worker.start()
    await rig.clock.pass(61 * SECOND)
    expect(troubles).to.deep.equal([null, 'refused', null])
    await rig.worker.stop(0)
  })

  it('counts no attempt of what was handed back during a pause (R24, P7)', async () => {
    const { worker, store, clock } = troubled([{ sign: 'refused' }])
    worker.start()
    await worker.settled()
    worker.take('email', await leased(store, 1), NOON + 30 * SECOND)
    await worker.settled()
    worker.take('email', await leased(store, 2), NOON + 30 * SECOND)
    await clock.pass(20 * SECOND)
    expect(store.delivery('a1.2')).to.include({ state: 'pending', attempts: 0 })
    await worker.stop(0)
  })

  it('pauses nobody else', async () => {
    const { worker, store, clock, done } = troubled([{ sign: 'refused' }])
    store.add(planned({ ordinal: 1 }))
    worker.start()
    await worker.settled()
    store.add(planned({ ordinal: 2, channel: 'sms' }))
    worker.wake('sms', clock.now())
    await worker.settled()
    expect(done).to.deep.equal([{ id: 'a1.2', at: NOON }])
    await worker.stop(0)
  })
})

describe('stopping the worker', () => {
  it('waits for what is in flight and takes nothing new (P27)', async () => {
    let end = () => {}
    const rig = setUp({
      email: async (work) => {
        await new Promise<void>((resolve) => (end = resolve))
        await rig.settle(work)
      },
    })
    rig.store.add(planned({ ordinal: 1 }))
    rig.worker.start()
    await turn()
    const stopping = rig.worker.stop(10 * SECOND)
    rig.store.add(planned({ ordinal: 2 }))
    rig.worker.wake('email', NOON)
    await turn()
    end()
    expect(await stopping).to.equal(true)
    expect(rig.store.left).to.equal(1)
    expect(rig.clock.waiting).to.deep.equal([])
  })

  it('hands back what waits for a slot, so that the next start sends it without doubt (P9, P27)', async () => {
    const rig = setUp({ email: () => new Promise(() => {}) }, [{ name: 'email', concurrency: 1 }])
    rig.worker.start()
    await rig.worker.settled()
    rig.worker.take('email', await leased(rig.store, 1), NOON + 30 * SECOND)
    rig.worker.take('email', await leased(rig.store, 2), NOON + 30 * SECOND)
    expect(await stopped(rig.worker.stop(SECOND), rig.clock, SECOND)).to.equal(false)
    expect(rig.store.delivery('a1.1').state).to.equal('sending')
    expect(rig.store.delivery('a1.2').state).to.equal('pending')
    expect(rig.clock.waiting).to.deep.equal([])
  })

  it('hands back what a claim brings after it', async () => {
    const { worker, store, done } = setUp({}, [{ name: 'email' }])
    store.add(planned({ ordinal: 1 }))
    worker.start()
    const claim = store.claim
    let stopping: Promise<boolean> | undefined
    store.claim = (wanted) => {
      stopping ??= worker.stop(SECOND)
      return claim(wanted)
    }
    await turn()
    expect(await stopping).to.equal(true)
    expect(done).to.deep.equal([])
    expect(store.delivery('a1.1').state).to.equal('pending')
  })

  it('leaves no timer behind', async () => {
    const { worker, clock } = setUp()
    worker.start()
    await worker.settled()
    expect(clock.waiting).to.have.length(2)
    await worker.stop(0)
    expect(clock.waiting).to.deep.equal([])
  })
})

async function stopped(
  stopping: Promise<boolean>,
  clock: ReturnType<typeof fakeClock>,
  ms: number,
): Promise<boolean> {
  await clock.pass(ms)
  return stopping
}
