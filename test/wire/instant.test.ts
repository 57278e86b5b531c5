import { expect } from 'chai'
import { rfc3339 } from '../../src/wire/instant.ts'

describe('an instant on the wire', () => {
  it('is RFC 3339 in UTC, and null stays null', () => {
    expect(rfc3339(Date.UTC(2026, 0, 5, 12))).to.equal('2026-01-05T12:00:00.000Z')
    expect(rfc3339(null)).to.equal(null)
  })

  it('is the last date there is when no date can be it, so that what is stored can always be shown', () => {
    for (const at of [8.64e15, 8.64e15 + 1, 1e300, Infinity])
      expect(rfc3339(at)).to.equal('+275760-09-13T00:00:00.000Z')
  })
})
