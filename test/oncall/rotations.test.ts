import { expect } from 'chai'
import type { Layer, Override, Schedule } from '../../src/oncall/schedule.ts'
import { currentShift, gaps, nextShift, onCall, shifts } from '../../src/oncall/shifts.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const at = (iso: string) => Date.parse(iso)
const iso = (instant: number) => new Date(instant).toISOString().slice(0, 16)

function layer(rotate: readonly string[], given: Partial<Layer> = {}): Layer {
  return {
    rotate,
    every: { count: 1, unit: 'week' },
    handoff: { weekday: 1, hour: 9, minute: 0 },
    start: null,
    ...given,
  }
}

function schedule(layers: readonly Layer[], given: Partial<Schedule> = {}): Schedule {
  return { timezone: 'UTC', layers, overrides: [], ...given }
}

const text = (planned: Schedule, from: string, to: string) =>
  shifts(planned, at(from), at(to)).map((shift) => `${shift.user} ${iso(shift.from)} ${iso(shift.to)}`)

describe('rotations of other lengths (E22)', () => {
  const monthly = (day: number) =>
    schedule(
      [
        layer(['anna', 'bob'], {
          every: { count: 1, unit: 'month' },
          handoff: { weekday: 1, day, hour: 9, minute: 0 },
          start: '2026-01-31',
        }),
      ],
      { timezone: 'Europe/Berlin' },
    )

  it('hand off monthly on a day at its local time, on the last of a month that is shorter, over a clock change', () => {
    expect(text(monthly(31), '2026-01-31T00:00Z', '2026-05-01T00:00Z')).to.deep.equal([
      'anna 2026-01-31T08:00 2026-02-28T08:00',
      'bob 2026-02-28T08:00 2026-03-31T07:00',
      'anna 2026-03-31T07:00 2026-04-30T07:00',
      'bob 2026-04-30T07:00 2026-05-01T00:00',
    ])
  })

  it('begin monthly with the hand-off on or before the start', () => {
    expect(onCall(monthly(15), at('2026-01-15T08:00Z'))).to.deep.equal(['anna'])
    expect(onCall(monthly(15), at('2026-01-15T07:59Z'))).to.deep.equal([])
    expect(onCall(monthly(15), at('2026-02-15T08:00Z'))).to.deep.equal(['bob'])
  })

  it('go by every few months, over the end of a year, before 1970 as after it', () => {
    const quarterly = schedule([
      layer(['anna', 'bob', 'cem'], {
        every: { count: 3, unit: 'month' },
        handoff: { weekday: 1, day: 1, hour: 0, minute: 0 },
      }),
    ])
    expect(onCall(quarterly, at('1970-01-01T00:00Z'))).to.deep.equal(['anna'])
    expect(onCall(quarterly, at('1969-12-31T23:00Z'))).to.deep.equal(['cem'])
    expect(onCall(quarterly, at('2025-12-31T23:59Z'))).to.deep.equal(['bob'])
    expect(onCall(quarterly, at('2026-01-01T00:00Z'))).to.deep.equal(['cem'])
  })

  it('have turns of different lengths: weekdays for one, weekends for the other', () => {
    const weekends = schedule([
      layer(['anna', 'bob'], { turns: [5 * DAY, 2 * DAY], start: '2026-01-07' }),
      layer([]),
    ])
    expect(text(weekends, '2026-01-01T00:00Z', '2026-01-18T00:00Z')).to.deep.equal([
      'anna 2026-01-05T09:00 2026-01-10T09:00',
      'bob 2026-01-10T09:00 2026-01-12T09:00',
      'anna 2026-01-12T09:00 2026-01-17T09:00',
      'bob 2026-01-17T09:00 2026-01-18T00:00',
    ])
  })

  it('go through people and lengths independently, also before the first of January 1970', () => {
    const odd = schedule([layer(['a', 'b', 'c'], { turns: [5 * DAY, 2 * DAY] })])
    expect(onCall(odd, at('1970-01-05T09:00Z'))).to.deep.equal(['a'])
    expect(onCall(odd, at('1970-01-05T08:59Z'))).to.deep.equal(['c'])
    expect(onCall(odd, at('1970-01-12T09:00Z'))).to.deep.equal(['c'])
    expect(onCall(odd, at('1969-12-29T09:00Z'))).to.deep.equal(['b'])
  })
})

describe('hours of a layer (E24)', () => {
  const weekdays = [1, 2, 3, 4, 5]
  const office = (given: Partial<Schedule> = {}) =>
    schedule(
      [layer(['night']), layer(['anna', 'bob'], { only: [{ weekdays, from: 9 * 60, to: 17 * 60 }] })],
      given,
    )

  it('leave the lower layers on call outside of them', () => {
    expect(text(office(), '2026-01-09T00:00Z', '2026-01-13T00:00Z')).to.deep.equal([
      'night 2026-01-09T00:00 2026-01-09T09:00',
      'anna 2026-01-09T09:00 2026-01-09T17:00',
      'night 2026-01-09T17:00 2026-01-12T09:00',
      'bob 2026-01-12T09:00 2026-01-12T17:00',
      'night 2026-01-12T17:00 2026-01-13T00:00',
    ])
  })

  it('reach over midnight, counted to the day on which they begin, and may follow one another', () => {
    const friday = schedule([
      layer(['anna'], {
        only: [
          { weekdays: [5], from: 22 * 60, to: 6 * 60 },
          { weekdays: [6], from: 0, to: 60 },
          { weekdays: [6], from: 6 * 60, to: 8 * 60 },
        ],
      }),
    ])
    expect(text(friday, '2026-01-05T00:00Z', '2026-01-12T00:00Z')).to.deep.equal([
      'anna 2026-01-09T22:00 2026-01-10T08:00',
    ])
    expect(currentShift(friday, at('2026-01-10T07:00Z'))).to.deep.include({
      from: at('2026-01-09T22:00Z'),
      to: at('2026-01-10T08:00Z'),
    })
  })

  it('are the whole day when they end when they begin', () => {
    const whole = schedule([layer(['anna'], { only: [{ weekdays: [1, 2], from: 540, to: 540 }] })])
    expect(text(whole, '2026-01-05T00:00Z', '2026-01-12T00:00Z')).to.deep.equal([
      'anna 2026-01-05T09:00 2026-01-07T09:00',
    ])
  })

  it('leave gaps that are listed, and name the next one in them (P15)', () => {
    const lonely = schedule([layer(['anna'], { only: [{ weekdays, from: 540, to: 1020 }] })])
    expect(
      gaps(lonely, at('2026-01-09T12:00Z'), at('2026-01-12T12:00Z')).map(({ from, to }) => [
        iso(from),
        iso(to),
      ]),
    ).to.deep.equal([['2026-01-09T17:00', '2026-01-12T09:00']])
    expect(nextShift(lonely, at('2026-01-10T00:00Z'))).to.deep.equal({
      user: 'anna',
      from: at('2026-01-12T09:00Z'),
    })
    expect(nextShift(lonely, at('2026-01-09T12:00Z')), 'nobody else ever follows').to.equal(null)
  })
})

describe('overrides (E23)', () => {
  const week = [layer(['anna', 'bob'], { start: '2026-01-05' })]
  const override = (given: Partial<Override>): Override => ({
    id: 'o',
    user: 'cem',
    from: at('2026-01-06T00:00Z'),
    to: at('2026-01-08T00:00Z'),
    ...given,
  })
  const during = (...overrides: readonly Override[]) =>
    onCall(schedule([layer(['low']), ...week], { overrides }), at('2026-01-07T00:00Z'))

  const cases: readonly [title: string, overrides: readonly Override[], users: readonly string[]][] = [
    ['a replacement stands for whoever is on', [override({})], ['cem']],
    ['an addition stands beside', [override({ kind: 'add' })], ['anna', 'cem']],
    ['an addition of who is on already changes nothing', [override({ kind: 'add', user: 'anna' })], ['anna']],
    [
      'whoever is removed is not followed by the next of the rotation: the lower layer has the duty',
      [override({ kind: 'remove', user: 'anna' })],
      ['low'],
    ],
    ['the removal of somebody who is off changes nothing', [override({ kind: 'remove' })], ['anna']],
    ['one person is replaced where they are on', [override({ replaces: 'anna' })], ['cem']],
    ['one person is not replaced where they are off', [override({ replaces: 'bob' })], ['anna']],
    [
      'later ones stand on top of earlier ones',
      [override({}), override({ kind: 'add', user: 'dora' }), override({ user: 'emil', replaces: 'cem' })],
      ['emil', 'dora'],
    ],
    [
      'a removal also takes an earlier replacement back',
      [override({}), override({ kind: 'remove' })],
      ['anna'],
    ],
    [
      'an addition after a removal counts',
      [override({ kind: 'remove', user: 'anna' }), override({ kind: 'add', user: 'anna' })],
      ['low', 'anna'],
    ],
  ]
  for (const [title, overrides, users] of cases) {
    it(`${title} (E23)`, () => expect(during(...overrides)).to.deep.equal(users))
  }

  it('list two people who are on at once as shifts that overlap, and end each on its own (E23)', () => {
    const both = schedule(week, { overrides: [override({ kind: 'add' })] })
    expect(text(both, '2026-01-05T09:00Z', '2026-01-12T09:00Z')).to.deep.equal([
      'anna 2026-01-05T09:00 2026-01-12T09:00',
      'cem 2026-01-06T00:00 2026-01-08T00:00',
    ])
    expect(currentShift(both, at('2026-01-07T00:00Z'))).to.deep.equal({
      user: 'anna',
      users: ['anna', 'cem'],
      from: at('2026-01-06T00:00Z'),
      to: at('2026-01-08T00:00Z'),
    })
    expect(nextShift(both, at('2026-01-07T00:00Z'))).to.deep.equal({
      user: 'bob',
      from: at('2026-01-12T09:00Z'),
    })
  })
})

describe('temporary schedules (E24)', () => {
  const window = { id: 't', from: at('2026-01-06T00:00Z'), to: at('2026-01-08T00:00Z') }
  const shift = (user: string, from: string, to: string) => ({ user, from: at(from), to: at(to) })

  it('stand for the normal one in their window, gaps included, and overrides stand on top', () => {
    const planned = schedule([layer(['anna'])], {
      temporary: [
        {
          ...window,
          shifts: [
            shift('bob', '2026-01-06T00:00Z', '2026-01-06T12:00Z'),
            shift('cem', '2026-01-06T06:00Z', '2026-01-07T00:00Z'),
          ],
        },
      ],
      overrides: [{ id: 'o', user: 'dora', from: at('2026-01-07T20:00Z'), to: at('2026-01-07T22:00Z') }],
    })
    expect(text(planned, '2026-01-05T00:00Z', '2026-01-09T00:00Z')).to.deep.equal([
      'anna 2026-01-05T00:00 2026-01-06T00:00',
      'bob 2026-01-06T00:00 2026-01-06T12:00',
      'cem 2026-01-06T06:00 2026-01-07T00:00',
      'dora 2026-01-07T20:00 2026-01-07T22:00',
      'anna 2026-01-08T00:00 2026-01-09T00:00',
    ])
    expect(
      gaps(planned, at('2026-01-05T00:00Z'), at('2026-01-09T00:00Z')).map(({ from, to }) => [
        iso(from),
        iso(to),
      ]),
    ).to.deep.equal([
      ['2026-01-07T00:00', '2026-01-07T20:00'],
      ['2026-01-07T22:00', '2026-01-08T00:00'],
    ])
  })
})
