import { expect } from 'chai'
import { opensAt } from '../../src/alert/escalation/time-window.ts'

const EVERY_DAY = [1, 2, 3, 4, 5, 6, 7]
const minutes = (clock: string) => Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3))

describe('the time window of an escalation step (O4)', () => {
  // 2026-01-05 is a Monday. In Berlin 02:00-03:00 of 2026-03-29 does not exist and of 2026-10-25 comes twice.
  const cases: readonly [
    window: string,
    weekdays: readonly number[],
    zone: string,
    at: string,
    opens: string | null,
  ][] = [
    ['08:00-18:00', EVERY_DAY, 'UTC', '2026-01-05T08:00:00.000Z', null],
    ['08:00-18:00', EVERY_DAY, 'UTC', '2026-01-05T17:59:59.999Z', null],
    ['08:00-18:00', EVERY_DAY, 'UTC', '2026-01-05T07:59:59.999Z', '2026-01-05T08:00:00.000Z'],
    ['08:00-18:00', EVERY_DAY, 'UTC', '2026-01-05T18:00:00.000Z', '2026-01-06T08:00:00.000Z'],
    ['08:00-18:00', EVERY_DAY, 'Europe/Berlin', '2026-01-05T06:30:00.000Z', '2026-01-05T07:00:00.000Z'],
    ['22:00-06:00', EVERY_DAY, 'UTC', '2026-01-05T23:00:00.000Z', null],
    ['22:00-06:00', EVERY_DAY, 'UTC', '2026-01-06T05:59:59.999Z', null],
    ['22:00-06:00', EVERY_DAY, 'UTC', '2026-01-06T06:00:00.000Z', '2026-01-06T22:00:00.000Z'],
    ['22:00-06:00', [5], 'UTC', '2026-01-10T03:00:00.000Z', null],
    ['22:00-06:00', [5], 'UTC', '2026-01-09T03:00:00.000Z', '2026-01-09T22:00:00.000Z'],
    ['08:00-18:00', [1], 'UTC', '2026-01-05T18:00:00.000Z', '2026-01-12T08:00:00.000Z'],
    ['00:00-24:00', [6, 7], 'UTC', '2026-01-09T23:59:59.999Z', '2026-01-10T00:00:00.000Z'],
    ['00:00-24:00', [6, 7], 'UTC', '2026-01-11T23:59:59.999Z', null],
    ['02:00-03:00', EVERY_DAY, 'Europe/Berlin', '2026-03-28T12:00:00.000Z', '2026-03-30T00:00:00.000Z'],
    ['02:30-04:00', EVERY_DAY, 'Europe/Berlin', '2026-03-29T00:30:00.000Z', '2026-03-29T01:00:00.000Z'],
    ['02:00-03:00', EVERY_DAY, 'Europe/Berlin', '2026-10-25T01:30:00.000Z', null],
    ['08:00-18:00', [], 'UTC', '2026-01-05T20:00:00.000Z', null],
  ]
  for (const [window, weekdays, zone, at, opens] of cases) {
    it(`${window} on ${weekdays.join('')} in ${zone} at ${at} is ${opens === null ? 'open' : `closed until ${opens}`}`, () => {
      const [from = '', to = ''] = window.split('-')
      const found = opensAt({ from: minutes(from), to: minutes(to), weekdays }, zone, Date.parse(at))
      expect(found === null ? null : new Date(found).toISOString()).to.equal(opens)
      if (found !== null) {
        expect(opensAt({ from: minutes(from), to: minutes(to), weekdays }, zone, found)).to.equal(null)
      }
    })
  }
})
