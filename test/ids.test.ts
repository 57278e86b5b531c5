import { expect } from 'chai'
import { randomIds } from '../src/ids.ts'

const NOON = Date.UTC(2026, 0, 5, 12)

describe('identifiers', () => {
  it('are UUIDs of version 7 that begin with their instant (RFC 9562 section 5.7)', () => {
    const ids = randomIds()
    const first = ids.next(NOON)
    expect(first).to.match(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(parseInt(first.replace('-', '').slice(0, 12), 16)).to.equal(NOON)
    expect(
      parseInt(
        ids
          .next(NOON + 1)
          .replace('-', '')
          .slice(0, 12),
        16,
      ),
    ).to.equal(NOON + 1)
  })

  it('sort in the order of the calls, also within one millisecond, past its counter and with a clock set back', () => {
    const ids = randomIds()
    const instants = [...Array.from({ length: 10_000 }, () => NOON), NOON + 1, NOON - 1000, NOON + 5000]
    const made = instants.map((now) => ids.next(now))
    expect(made).to.deep.equal(made.toSorted())
    expect(new Set(made).size).to.equal(made.length)
  })

  it('take version, variant and random bits from their places, whatever the source draws', () => {
    for (const [byte, tail] of [
      [0x00, '7000-8000-000000000000'],
      [0xff, '77ff-bfff-ffffffffffff'],
    ] as const) {
      const ids = randomIds((bytes) => bytes.fill(byte))
      expect(ids.next(NOON).slice(14)).to.equal(tail)
    }
  })
})
