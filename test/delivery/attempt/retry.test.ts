import { expect } from 'chai'
import { classify, nextAttempt, type Retry } from '../../../src/delivery/attempt/retry.ts'
import { NOON, seeded } from '../../support/messages.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

const base: Retry = {
  attempt: 1,
  critical: false,
  maxAttempts: 0,
  firstAt: NOON,
  now: NOON,
  random: () => 0,
}

describe('nextAttempt', () => {
  const delays: readonly [string, Partial<Retry>, number][] = [
    ['half a second at least after the first attempt', {}, 500],
    ['a second at most after the first attempt', { random: () => 0.999999 }, SECOND],
    ['twice as long after the second', { attempt: 2 }, SECOND],
    ['no more than 5 min for normal deliveries', { attempt: 40, random: () => 0.999999 }, 5 * MINUTE],
    [
      'no more than 30 s for critical ones',
      { attempt: 40, critical: true, random: () => 0.999999 },
      30 * SECOND,
    ],
    ['as long as the provider wishes', { retryAfterMs: 2 * MINUTE }, 2 * MINUTE],
    ['its own delay when the wish is shorter', { attempt: 4, retryAfterMs: 10 }, 4 * SECOND],
    ['10 min when the provider wishes for more', { retryAfterMs: HOUR }, 10 * MINUTE],
    ['its own delay when the wish is negative', { retryAfterMs: -5 }, 500],
  ]
  for (const [title, changes, delay] of delays) {
    it(`waits ${title} (P7)`, () => {
      expect(nextAttempt({ ...base, ...changes })).to.deep.equal({ at: NOON + delay })
    })
  }

  it('keeps every delay between half and all of its ceiling (P7)', () => {
    const random = seeded(7)
    for (let attempt = 1; attempt <= 40; attempt++) {
      const ceiling = Math.min(30_000, 1000 * 2 ** (attempt - 1))
      const next = nextAttempt({ ...base, critical: true, attempt, random })
      if (!('at' in next)) throw new Error('given up')
      expect(next.at - NOON).to.be.within(ceiling / 2, ceiling)
    }
  })

  const ends: readonly [string, Partial<Retry>, ReturnType<typeof nextAttempt>][] = [
    [
      'gives a direct send up after three attempts (R24, R48)',
      { attempt: 3, maxAttempts: 3 },
      { dead: 'attempts_exhausted' },
    ],
    ['tries a direct send a third time', { attempt: 2, maxAttempts: 3 }, { at: NOON + SECOND }],
    ['gives a normal delivery up after 24 h (P7)', { now: NOON + 24 * HOUR }, { dead: 'budget_exhausted' }],
    ['tries a normal delivery until then', { now: NOON + 24 * HOUR - 500 }, { at: NOON + 24 * HOUR }],
    [
      'gives a critical delivery up after 1 h (P7)',
      { now: NOON + HOUR, critical: true },
      { dead: 'budget_exhausted' },
    ],
    [
      'tries without a count when there is none',
      { attempt: 1000, now: NOON + HOUR },
      { at: NOON + HOUR + 150 * SECOND },
    ],
  ]
  for (const [title, changes, result] of ends) {
    it(title, () => {
      expect(nextAttempt({ ...base, ...changes })).to.deep.equal(result)
    })
  }
})

describe('classify', () => {
  const statuses: readonly [number, string][] = [
    [400, 'permanent'],
    [401, 'provider-down'],
    [403, 'provider-down'],
    [404, 'permanent'],
    [408, 'retry'],
    [410, 'permanent'],
    [422, 'permanent'],
    [425, 'retry'],
    [429, 'retry'],
    [500, 'retry'],
    [503, 'retry'],
    [302, 'permanent'],
  ]
  for (const [status, kind] of statuses) {
    it(`takes HTTP ${status} for ${kind} (P7, E18)`, () => {
      expect(classify({ status }).kind).to.equal(kind)
    })
  }

  const failures: readonly [string, boolean, string, string][] = [
    ['ECONNREFUSED', false, 'retry', 'connection_failed'],
    ['ECONNRESET', false, 'retry', 'connection_failed'],
    ['ECONNRESET', true, 'ambiguous', 'connection_failed'],
    ['ETIMEDOUT', false, 'retry', 'timeout'],
    ['ETIMEDOUT', true, 'ambiguous', 'timeout'],
    ['AbortError', true, 'ambiguous', 'timeout'],
    ['UND_ERR_HEADERS_TIMEOUT', true, 'ambiguous', 'timeout'],
  ]
  for (const [error, written, kind, code] of failures) {
    it(`takes ${error} ${written ? 'after' : 'before'} the request has left for ${kind} (P7, P9)`, () => {
      expect(classify({ error, written })).to.deep.equal({ kind, code })
    })
  }
})
