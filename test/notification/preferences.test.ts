import { expect } from 'chai'
import { heldUntil } from '../../src/notification/preferences.ts'

const minutes = (clock: string) => Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3))
const quiet = (from: string, to: string, except: string[] = ['critical']) => ({
  from: minutes(from),
  to: minutes(to),
  except,
})

describe('quiet hours', () => {
  const cases: readonly [
    what: string,
    from: string,
    to: string,
    zone: string,
    at: string,
    until: string | null,
  ][] = [
    ['do not hold before they begin', '22:00', '07:00', 'UTC', '2026-01-05T21:59:59.999Z', null],
    ['hold from their first instant', '22:00', '07:00', 'UTC', '2026-01-05T22:00Z', '2026-01-06T07:00Z'],
    ['hold over midnight', '22:00', '07:00', 'UTC', '2026-01-06T03:00Z', '2026-01-06T07:00Z'],
    ['are over at their end', '22:00', '07:00', 'UTC', '2026-01-06T07:00Z', null],
    ['hold within one day', '12:00', '13:30', 'UTC', '2026-01-06T13:29Z', '2026-01-06T13:30Z'],
    ['do not hold the rest of that day', '12:00', '13:30', 'UTC', '2026-01-06T22:00Z', null],
    [
      'go by the clock of the person',
      '22:00',
      '07:00',
      'Asia/Kolkata',
      '2026-01-05T17:00Z',
      '2026-01-06T01:30Z',
    ],
    ['are none when both times are equal', '08:00', '08:00', 'UTC', '2026-01-05T08:00Z', null],
    [
      'are an hour shorter in the night that summer time begins',
      '22:00',
      '07:00',
      'Europe/Berlin',
      '2026-03-28T22:00Z',
      '2026-03-29T05:00Z',
    ],
    [
      'are an hour longer in the night that it ends',
      '22:00',
      '07:00',
      'Europe/Berlin',
      '2026-10-24T21:00Z',
      '2026-10-25T06:00Z',
    ],
    [
      'end at the first valid instant when their end is skipped',
      '22:00',
      '02:30',
      'Europe/Berlin',
      '2026-03-29T00:30Z',
      '2026-03-29T01:00Z',
    ],
    [
      'are over for good when the clock shows their end the first time',
      '01:00',
      '02:30',
      'Europe/Berlin',
      '2026-10-25T01:15Z',
      null,
    ],
    [
      'go on when the clock falls back over midnight to the evening before',
      '00:00',
      '06:00',
      'America/St_Johns',
      '2010-11-07T03:00Z',
      '2010-11-07T09:30Z',
    ],
    [
      'that begin in the skipped hour begin after it',
      '02:30',
      '04:00',
      'Europe/Berlin',
      '2026-03-29T01:10Z',
      '2026-03-29T02:00Z',
    ],
  ]
  for (const [what, from, to, zone, at, until] of cases) {
    it(`${what}: ${from}-${to} ${zone} at ${at}`, () => {
      const expected = until === null ? null : Date.parse(until)
      expect(heldUntil(quiet(from, to), zone, Date.parse(at), 'normal')).to.equal(expected)
    })
  }

  it('never hold what their exceptions name', () => {
    const at = Date.parse('2026-01-05T23:00Z')
    expect(heldUntil(quiet('22:00', '07:00', ['critical', 'high']), 'UTC', at, 'high')).to.equal(null)
    expect(heldUntil(quiet('22:00', '07:00', []), 'UTC', at, 'critical')).to.be.greaterThan(at)
  })

  it('hold nothing of a person who has none', () => {
    expect(heldUntil(null, 'UTC', 0, 'normal')).to.equal(null)
  })
})
