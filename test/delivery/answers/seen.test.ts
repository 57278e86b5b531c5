import { expect } from 'chai'
import { createSeen, forgetSeen } from '../../../src/delivery/answers/seen.ts'
import { createRegistry } from '../../../src/registry/registry.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { memoryRecords } from '../../support/memory-records.ts'

const WEEK_MS = 7 * 24 * 60 * 60_000

describe('What of a provider was dealt with (security 25)', () => {
  const setUp = () => {
    const records = memoryRecords()
    const clock = fakeClock()
    const registry = createRegistry(records, clock)
    return { records, clock, registry, seen: createSeen(registry) }
  }

  it('runs once per id, also while the first run lasts and after a restart', async () => {
    const { records, seen, clock } = setUp()
    let acts = 0
    const once = (of = seen, id = 'SM1') => of.once(id, async () => ++acts, -1)
    expect(await Promise.all([once(), once(), once(seen, 'SM2')])).to.deep.equal([1, -1, 2])
    expect(await once()).to.equal(-1)
    const next = createRegistry(records, clock)
    await next.catchUp()
    expect(await once(createSeen(next))).to.equal(-1)
    expect(acts).to.equal(2)
  })

  it('runs again what failed, and what could not be noted', async () => {
    const { records, seen, clock } = setUp()
    const failed = (act: Promise<unknown>) =>
      act.then(
        () => false,
        () => true,
      )
    expect(await failed(seen.once('SM1', () => Promise.reject(new Error('away')), null))).to.equal(true)
    expect(await seen.once('SM1', async () => 'done', null)).to.equal('done')
    const away = { ...records, putRecord: () => Promise.reject(new Error('away')) }
    const unnoted = createSeen(createRegistry(away, clock))
    let acts = 0
    for (let time = 0; time < 2; time++)
      expect(await failed(unnoted.once('SM2', async () => ++acts, null))).to.equal(true)
    expect(acts).to.equal(2)
  })

  it('is forgotten after a week, a portion at a time', async () => {
    const { registry, seen, clock } = setUp()
    for (const id of ['SM1', 'SM2', 'SM3']) await seen.once(id, async () => null, null)
    const left = () => [...registry.all({ name: 'callback' })].length
    await forgetSeen(registry, clock.now() + WEEK_MS - 1, 2)
    expect(left()).to.equal(3)
    await forgetSeen(registry, clock.now() + WEEK_MS, 2)
    expect(left()).to.equal(1)
    await forgetSeen(registry, clock.now() + WEEK_MS, 2)
    expect(left()).to.equal(0)
  })
})
