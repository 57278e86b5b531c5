import { expect } from 'chai'
import { createLease } from '../../src/nodes/lease.ts'
import { createRegistry } from '../../src/registry/registry.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { memoryRecords } from '../support/memory-records.ts'
import { silentLog } from '../support/silent-log.ts'

describe('the lease on what only one node does', () => {
  const setUp = () => {
    const clock = fakeClock()
    const { log } = silentLog()
    const store = memoryRecords()
    const node = (name: string) =>
      createLease({ registry: createRegistry(store, clock), clock, log }, { name: 'lead', node: name })
    return { clock, store, log, a: node('a'), b: node('b') }
  }

  it('is held by one of two that ask at the same moment', async () => {
    const { a, b } = setUp()
    await Promise.all([a.look(), b.look()])
    expect([a.held(), b.held()].filter(Boolean)).to.have.length(1)
  })

  it('stays with whoever renews it', async () => {
    const { clock, a, b } = setUp()
    await a.look()
    for (let n = 0; n < 20; n++) await clock.pass(1500)
    expect([a.held(), b.held()]).to.deep.equal([true, false])
  })

  it('goes to another one within ten seconds after its holder fell silent, who finds it over', async () => {
    const { clock, store, log, a, b } = setUp()
    const silent = createLease(
      {
        registry: createRegistry(store, clock),
        clock: { ...clock, now: () => clock.now(), at: () => () => {} },
        log,
      },
      { name: 'lead', node: 'silent' },
    )
    await silent.look()
    expect(silent.held()).to.equal(true)
    for (let n = 0; n < 6; n++) await clock.pass(1500)
    expect([silent.held(), a.held() || b.held()]).to.deep.equal([false, true])
    await silent.look()
    expect(silent.held()).to.equal(false)
  })
})
