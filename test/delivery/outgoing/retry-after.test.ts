import { expect } from 'chai'
import { retryAfterMs } from '../../../src/delivery/outgoing/retry-after.ts'
import { NOON } from '../../support/messages.ts'

describe('retryAfterMs', () => {
  const cases: readonly [header: string | null, wait: number | undefined][] = [
    ['120', 120_000],
    [' 1.5 ', 1500],
    ['0', 0],
    ['Mon, 05 Jan 2026 12:00:30 GMT', 30_000],
    ['Mon, 05 Jan 2026 11:00:00 GMT', 0],
    [null, undefined],
    ['', undefined],
    ['soon', undefined],
    ['-5', undefined],
    ['99999999999999999999', undefined],
    ['2027', 2_027_000],
  ]
  for (const [header, wait] of cases) {
    it(`reads ${JSON.stringify(header)} as ${wait} (P7)`, () =>
      expect(retryAfterMs(header, NOON)).to.equal(wait))
  }
})
