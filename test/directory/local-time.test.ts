import { expect } from 'chai'
import { fitsPattern } from '../../src/directory/alert-type.ts'
import { localInstant } from '../../src/directory/local-time.ts'

describe('a local time (P19)', () => {
  const ROWS: readonly (readonly [what: string, local: string, zone: string, instant: string])[] = [
    ['in winter', '2027-01-01T09:00', 'Europe/Berlin', '2027-01-01T08:00:00Z'],
    ['in summer', '2027-07-01T09:00', 'Europe/Berlin', '2027-07-01T07:00:00Z'],
    ['with seconds and a space', '2027-07-01 09:00:30', 'UTC', '2027-07-01T09:00:30Z'],
    ['just before a gap', '2027-03-28T01:59', 'Europe/Berlin', '2027-03-28T00:59:00Z'],
    ['at the begin of a gap', '2027-03-28T02:00', 'Europe/Berlin', '2027-03-28T01:00:00Z'],
    ['inside a gap', '2027-03-28T02:30', 'Europe/Berlin', '2027-03-28T01:00:00Z'],
    ['just after a gap', '2027-03-28T03:00', 'Europe/Berlin', '2027-03-28T01:00:00Z'],
    ['that exists twice', '2027-10-31T02:30', 'Europe/Berlin', '2027-10-31T00:30:00Z'],
    ['after the hour that exists twice', '2027-10-31T03:00', 'Europe/Berlin', '2027-10-31T02:00:00Z'],
    ['inside a gap in the west', '2027-03-14T02:30', 'America/New_York', '2027-03-14T07:00:00Z'],
    ['that exists twice in the west', '2027-11-07T01:30', 'America/New_York', '2027-11-07T05:30:00Z'],
    ['inside a gap of half an hour', '2027-10-03T02:15', 'Australia/Lord_Howe', '2027-10-02T15:30:00Z'],
    ['on a day that was skipped', '2011-12-30T12:00', 'Pacific/Apia', '2011-12-30T10:00:00Z'],
    ['on the day after a skipped one', '2011-12-31T00:00', 'Pacific/Apia', '2011-12-30T10:00:00Z'],
  ]
  for (const [what, local, zone, instant] of ROWS) {
    it(`${what} in ${zone} is ${instant}`, () => {
      expect(new Date(localInstant(local, zone)).toISOString()).to.equal(new Date(instant).toISOString())
    })
  }
})

describe('an alert type pattern', () => {
  it('is matched in linear time', () => {
    const name = 'a'.repeat(20_000)
    expect(fitsPattern(name, `${'a*'.repeat(2000)}b`)).to.equal(false)
    expect(fitsPattern(name, `${'a*'.repeat(2000)}a`)).to.equal(true)
  })

  it('takes everything but * as it is', () => {
    expect(fitsPattern('axb', 'a.b')).to.equal(false)
    expect(fitsPattern('a.b', 'a.b')).to.equal(true)
    expect(fitsPattern('aba', 'ab*ba')).to.equal(false)
  })
})
