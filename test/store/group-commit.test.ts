import { expect } from 'chai'
import { createMetrics } from '../../src/metrics.ts'
import { Fault } from '../../src/errors.ts'
import * as sample from '../support/store/samples.ts'
import { DEFAULT, NOON } from '../support/store/samples.ts'
import { fakeClock, turn } from '../support/fake-clock.ts'
import { temporaryStore, type TemporaryStore } from './temporary-store.ts'

async function outcome(answer: Promise<unknown>): Promise<string> {
  return answer.then(
    () => 'done',
    (error: unknown) => (error instanceof Fault ? error.code : String(error)),
  )
}

const one = (id: string, given = {}) =>
  sample.acceptance({ notifications: [sample.notification(id)], ...given })

describe('Group commit', () => {
  let opened: TemporaryStore
  afterEach(() => opened.end())

  it('puts what comes at the same time into few commits', async () => {
    const metrics = createMetrics()
    opened = await temporaryStore({ metrics })
    const { store } = opened
    await Promise.all(Array.from({ length: 2500 }, (_, index) => store.accept(one(`n-${index}`))))
    const { values } = await metrics.commitSize.get()
    const value = (suffix: string) => values.find((each) => each.metricName?.endsWith(suffix))?.value
    expect(value('_sum')).to.equal(2500)
    expect(value('_count')).to.be.lessThan(10)
    expect((await metrics.queued.get()).values[0]?.value).to.equal(0)
    expect(await sample.wholeInbox(store, sample.reader())).to.have.length(2500)
  })

  it('fails an operation that cannot be written alone, and keeps everything that came with it', async () => {
    opened = await temporaryStore()
    const { store } = opened
    const twice = { notifications: [sample.notification('n-1'), sample.notification('n-1')] }
    const results = await Promise.all([
      outcome(store.accept(one('n-0'))),
      outcome(
        store.accept(sample.acceptance({ ...twice, once: { key: 'k', check: true, expiresAt: NOON + 9 } })),
      ),
      outcome(store.accept(one('n-2'))),
    ])
    expect(results).to.deep.equal(['done', 'UnstorableError: The store could not hold it', 'done'])
    expect(await sample.idsOf(sample.wholeInbox(store, sample.reader()))).to.deep.equal(['n-2', 'n-0'])
    const again = sample.acceptance({ once: { key: 'k', check: true, expiresAt: NOON + 9 } })
    expect((await store.accept(again)).kind).to.equal('accepted')
    expect(await store.conservation()).to.include({ broken: 0, accepted: 3 })
  })

  it('acknowledges nothing that did not fit on the disk, and goes on when there is room again (P2, P25)', async () => {
    opened = await temporaryStore({ maxPages: 120 })
    const { store } = opened
    const large = sample.content({ message: 'x'.repeat(20_000) })
    const results: string[] = []
    for (let index = 0; index < 40; index++) {
      const pair = [0, 1].map((part) =>
        outcome(
          store.accept(
            sample.acceptance({
              notifications: [sample.notification(`n-${index}-${part}`, { content: large })],
            }),
          ),
        ),
      )
      results.push(...(await Promise.all(pair)))
    }
    const done = results.filter((result) => result === 'done').length
    expect(done).to.be.greaterThan(0)
    expect(new Set(results)).to.deep.equal(new Set(['done', 'store.unavailable']))
    expect(await sample.wholeInbox(store, sample.reader())).to.have.length(done)
    const conserved = await store.conservation()
    expect(conserved).to.include({ broken: 0, accepted: done })
  })

  it('waits beyond its limits instead of refusing, and keeps each publisher’s order (P5, P25)', async () => {
    opened = await temporaryStore({ limits: { operations: 10, bytes: 1_000_000 } })
    const { store } = opened
    const publishers = ['p', 'q', 'r']
    await Promise.all(
      Array.from({ length: 300 }, (_, index) => {
        const principal = publishers[index % 3]!
        const id = `${principal}-${String(index).padStart(3, '0')}`
        return store.accept(one(id, { principal, urgent: index % 7 === 0 }))
      }),
    )
    const ids = await sample.idsOf(sample.wholeInbox(store, sample.reader()))
    expect(ids).to.have.length(300)
    for (const principal of publishers) {
      const theirs = ids.filter((id) => id.startsWith(principal))
      expect(theirs).to.deep.equal(theirs.toSorted().toReversed())
    }
  })

  it('writes nothing for a claim that finds nothing', async () => {
    opened = await temporaryStore()
    const { store } = opened
    const before = (await store.inboxSummary(sample.reader())).version
    for (let index = 0; index < 5; index++) await store.claim(sample.claimOf('email', NOON))
    expect((await store.inboxSummary(sample.reader())).version).to.equal(before)
    await store.ping()
    expect((await store.inboxSummary(sample.reader())).version).to.equal(before + 1)
  })

  it('fails the ping while a commit takes longer than five seconds (P2)', async () => {
    const clock = fakeClock()
    opened = await temporaryStore({ clock })
    const { store } = opened
    const people = Array.from({ length: 3000 }, (_, index) => sample.notification(`n-${index}`))
    const slow = store.accept(sample.acceptance({ notifications: people }))
    const late = outcome(store.ping())
    await turn()
    await clock.pass(5000)
    expect(await late).to.equal('store.unavailable')
    await slow
    expect(await outcome(store.ping())).to.equal('done')
    expect(clock.waiting).to.deep.equal([])
    expect(await store.alert(DEFAULT, 'none')).to.equal(null)
  })
})
