import { expect } from 'chai'
import {
  afterSign,
  allowance,
  CLOSED,
  isOut,
  troubleOf,
  type Breaker,
  type ProviderSign,
} from '../../../src/delivery/worker/breaker.ts'
import { NOON } from '../../support/messages.ts'

const TRANSIENT: ProviderSign = { sign: 'transient' }

function after(signs: readonly ProviderSign[], from: Breaker = CLOSED, now = NOON): Breaker {
  return signs.reduce((breaker, sign) => afterSign(breaker, sign, now), from)
}

const failing = (count: number) => Array.from({ length: count }, () => TRANSIENT)

describe('afterSign', () => {
  it('stays closed over four failures in a row and opens for 5 s at the fifth (P7)', () => {
    expect(after(failing(4)).cause).to.equal(null)
    expect(after(failing(5))).to.include({ cause: 'failing', pausedUntil: NOON + 5000 })
  })

  it('counts failures in a row only', () => {
    expect(after([...failing(4), { sign: 'well' }, ...failing(4)]).cause).to.equal(null)
  })

  it('does not open further for attempts that were under way when it opened', () => {
    expect(after(failing(20)).pausedUntil).to.equal(NOON + 5000)
  })

  it('doubles the pause with every failed probe, up to 60 s', () => {
    let breaker = after(failing(5))
    const pauses: number[] = []
    for (let probe = 0; probe < 6; probe++) {
      const now = breaker.pausedUntil
      breaker = afterSign(breaker, TRANSIENT, now)
      pauses.push(breaker.pausedUntil - now)
    }
    expect(pauses).to.deep.equal([10_000, 20_000, 40_000, 60_000, 60_000, 60_000])
  })

  it('closes at the first success after the pause and forgets what was', () => {
    expect(after([{ sign: 'well' }], after(failing(5)), NOON + 5000)).to.deep.equal(CLOSED)
  })

  it('pauses everything for the time a provider asks for (P7)', () => {
    const breaker = after([{ sign: 'transient', retryAfterMs: 120_000 }])
    expect(breaker).to.include({ cause: 'retry_after', pausedUntil: NOON + 120_000 })
  })

  it('keeps a wished pause when an earlier attempt still succeeds', () => {
    const breaker = after([{ sign: 'transient', retryAfterMs: 120_000 }, { sign: 'well' }])
    expect(breaker.pausedUntil).to.equal(NOON + 120_000)
  })

  it('opens at the first refusal of the credentials (P7)', () => {
    expect(after([{ sign: 'refused' }])).to.include({ cause: 'refused', pausedUntil: NOON + 60_000 })
  })

  it('pauses anew when the probe after a wish or a refusal fails, and doubles with every one (P7)', () => {
    for (const first of [{ sign: 'transient', retryAfterMs: 1000 }, { sign: 'refused' }] as const) {
      const open = after([first])
      const again = afterSign(open, TRANSIENT, open.pausedUntil)
      expect(again).to.include({ cause: 'failing', pausedUntil: open.pausedUntil + 10_000, openings: 2 })
    }
  })

  it('opens at the first failure where another provider takes over (P24)', () => {
    expect(afterSign(CLOSED, TRANSIENT, NOON, 1)).to.include({ cause: 'failing', pausedUntil: NOON + 5000 })
  })

  it('learns nothing from an attempt that says nothing about the provider', () => {
    const open = after(failing(5))
    expect(afterSign(open, { sign: 'unknown' }, NOON + 6000)).to.equal(open)
  })
})

describe('allowance', () => {
  const state = { now: NOON, room: 20, inFlight: 0, critical: false }
  const open = after(failing(5))
  const refused = after([{ sign: 'refused' }])
  const table: readonly [string, Breaker, Partial<typeof state>, number][] = [
    ['gives all room while the provider is well', CLOSED, {}, 20],
    ['gives nothing during a pause', open, {}, 0],
    ['gives one probe after the pause', open, { now: NOON + 5000 }, 1],
    ['gives no second probe beside the first', open, { now: NOON + 5000, inFlight: 1 }, 0],
    ['lets critical work be the probe of a failing provider at once', open, { critical: true }, 1],
    ['lets critical work wait for a provider that refuses us', refused, { critical: true }, 0],
    ['gives nothing without room', open, { now: NOON + 5000, room: 0 }, 0],
  ]
  for (const [title, breaker, changes, allowed] of table) {
    it(title, () => {
      expect(allowance(breaker, { ...state, ...changes })).to.equal(allowed)
    })
  }
})

describe('troubleOf', () => {
  const probed = (sign: ProviderSign, probes: number, first: readonly ProviderSign[] = failing(5)) => {
    let breaker = after(first)
    for (let probe = 0; probe < probes; probe++) breaker = afterSign(breaker, sign, breaker.pausedUntil)
    return breaker
  }
  const wish: ProviderSign = { sign: 'transient', retryAfterMs: 1000 }
  const table: readonly [string, Breaker, ReturnType<typeof troubleOf>][] = [
    ['nothing of a provider that is well', CLOSED, null],
    ['nothing of a provider that has just begun to fail', after(failing(30)), null],
    ['nothing of a provider whose second probe failed', probed(TRANSIENT, 2), null],
    ['of one that still fails at its third probe', probed(TRANSIENT, 3), 'failing'],
    ['of one that asks for patience again and again', probed(wish, 3, [wish]), 'failing'],
    ['at once of one that refuses the credentials', after([{ sign: 'refused' }]), 'refused'],
    ['nothing more once it is well', afterSign(probed(TRANSIENT, 5), { sign: 'well' }, NOON + 999_999), null],
  ]
  for (const [title, breaker, trouble] of table) {
    it(`tells the operator ${title} (P7)`, () => {
      expect(troubleOf(breaker)).to.equal(trouble)
    })
  }
})

describe('isOut', () => {
  const CASES: readonly (readonly [title: string, breaker: Partial<Breaker>, out: boolean])[] = [
    ['is false for one that is well', {}, false],
    ['is false for one that had failures and is not paused', { failures: 4 }, false],
    ['is true for one that fails', { cause: 'failing', openings: 1 }, true],
    ['is true for one that refuses us', { cause: 'refused', openings: 1 }, true],
    ['is false for one that asked for patience', { cause: 'retry_after', openings: 3 }, false],
    ['is true for one that asks again and again', { cause: 'retry_after', openings: 4 }, true],
  ]
  for (const [title, breaker, out] of CASES)
    it(`${title} (P7)`, () => expect(isOut({ ...CLOSED, ...breaker })).to.equal(out))
})
