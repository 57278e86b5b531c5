import { expect } from 'chai'
import {
  offsetOf,
  serverClock,
  type ServerClockOptions,
} from '../../../src/store/mongo/connection/server-clock.ts'
import { fakeClock } from '../../support/fake-clock.ts'

const NOON = Date.UTC(2026, 0, 5, 12)
const MINUTE = 60_000

async function started(given: Partial<ServerClockOptions> = {}) {
  const base = fakeClock(NOON)
  const server = { ahead: 0, away: false }
  const jumps: number[] = []
  const clock = await serverClock({
    base,
    ask: () => (server.away ? Promise.reject(new Error('away')) : Promise.resolve(base.now() + server.ahead)),
    notBefore: 0,
    onJump: (jumpMs) => jumps.push(jumpMs),
    ...given,
  })
  return { base, server, clock, jumps }
}

describe('the offset to the server’s clock', () => {
  it('is the median, taken in the middle of question and answer', () => {
    const sample = (askedAt: number, serverAt: number, answeredAt: number) => ({
      askedAt,
      serverAt,
      answeredAt,
    })
    expect(offsetOf([sample(0, 1005, 10)])).to.equal(1000)
    // One answer that took two seconds, most of them on its way back.
    expect(offsetOf([sample(0, 1001, 2), sample(10, 1011, 2010), sample(20, 1021, 22)])).to.equal(1000)
  })
})

describe('the server’s clock', () => {
  it('is what every process goes by, however far its own is off (P18)', async () => {
    const base = fakeClock(NOON)
    const { clock } = await started({ base, ask: () => Promise.resolve(NOON + 90_000) })
    expect(clock.now()).to.equal(NOON + 90_000)
    await base.pass(500)
    expect(clock.now()).to.equal(NOON + 90_500)
  })

  it('is measured again every minute and follows slowly in both directions, never backwards', async () => {
    const { base, server, clock, jumps } = await started()
    server.ahead = 40
    await base.pass(MINUTE)
    expect(clock.now()).to.equal(NOON + MINUTE + 40)
    server.ahead = -40
    const before = clock.now()
    await base.pass(0)
    expect(clock.now()).to.equal(before)
    await base.pass(MINUTE)
    const after = clock.now()
    expect(after).to.be.within(NOON + 2 * MINUTE - 40, NOON + 2 * MINUTE + 40)
    expect(jumps).to.deep.equal([])
  })

  it('follows a server that was moved forwards, and keeps its pace when one was set back (P18)', async () => {
    const { base, server, clock, jumps } = await started()
    server.ahead = 10 * MINUTE
    await base.pass(MINUTE)
    expect(clock.now()).to.equal(NOON + 11 * MINUTE)
    server.ahead = -10 * MINUTE
    await base.pass(MINUTE)
    expect(clock.now()).to.equal(NOON + 12 * MINUTE)
    expect(jumps).to.deep.equal([10 * MINUTE, -20 * MINUTE])
  })

  it('starts no lower than what was written before (P18)', async () => {
    const { clock } = await started({ notBefore: NOON + 5 * MINUTE })
    expect(clock.now()).to.equal(NOON + 5 * MINUTE)
  })

  it('goes on while the server is away, and measures again when it is back', async () => {
    const { base, server, clock } = await started()
    server.away = true
    await base.pass(2 * MINUTE)
    expect(clock.now()).to.equal(NOON + 2 * MINUTE)
    server.away = false
    server.ahead = 30
    await base.pass(MINUTE)
    expect(clock.now()).to.equal(NOON + 3 * MINUTE + 30)
  })

  it('calls tasks at its own instants, and not when they were cancelled', async () => {
    const base = fakeClock(NOON)
    const { clock } = await started({ base, ask: () => Promise.resolve(base.now() + 1000) })
    const called: string[] = []
    clock.at(NOON + 1500, () => called.push('first'))
    clock.at(NOON + 2000, () => called.push('second'))
    clock.at(NOON + 1800, () => called.push('never'))()
    await base.pass(499)
    expect(called).to.deep.equal([])
    await base.pass(1)
    expect(called).to.deep.equal(['first'])
    await base.pass(1000)
    expect(called).to.deep.equal(['first', 'second'])
  })

  it('waits for nothing any more once it is stopped', async () => {
    const { base, clock } = await started()
    clock.stop()
    expect(base.waiting).to.deep.equal([])
  })
})
