import { expect } from 'chai'
import type { Layer, Override, Schedule } from '../../src/oncall/schedule.ts'
import { currentShift, nextOnCall, onCall as everybodyOnCall, shifts } from '../../src/oncall/shifts.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

const at = (iso: string) => Date.parse(iso)

const onCall = (planned: Schedule, instant: number) => everybodyOnCall(planned, instant)[0] ?? null

interface LayerOptions {
  readonly every?: [number, Layer['every']['unit']]
  /** Weekday, hour, minute. */
  readonly handoff?: [number, number, number]
  readonly start?: string
}

function layer(
  rotate: string[],
  { every = [1, 'week'], handoff = [1, 0, 0], start }: LayerOptions = {},
): Layer {
  return {
    rotate,
    every: { count: every[0], unit: every[1] },
    handoff: { weekday: handoff[0], hour: handoff[1], minute: handoff[2] },
    start: start ?? null,
  }
}

function schedule(timezone: string, layers: Layer[], overrides: Override[] = []): Schedule {
  return { timezone, layers, overrides }
}

function override(user: string, from: string, to: string): Override {
  return { id: `${user} ${from}`, user, from: at(from), to: at(to) }
}

describe('on-call shifts', () => {
  const weekly = schedule('Europe/Berlin', [
    layer(['anna', 'bob'], { handoff: [1, 9, 0], start: '2026-01-05' }),
  ])

  describe('a weekly rotation hands off at 09:00 Berlin time on Mondays (E22)', () => {
    const cases: readonly [instant: string, user: string | null, why: string][] = [
      ['2026-01-05T07:59:59.999Z', null, 'nobody is on before the first hand-off of its start'],
      ['2026-01-05T08:00:00Z', 'anna', 'the first of the list is on from the start'],
      ['2026-01-12T07:59:59.999Z', 'anna', 'the shift lasts to the last millisecond before the hand-off'],
      ['2026-01-12T08:00:00Z', 'bob', 'the hand-off instant belongs to the next person'],
      ['2026-01-19T08:00:00Z', 'anna', 'the list wraps around'],
      ['2026-04-06T06:59:59.999Z', 'anna', 'summer time: 08:59:59 local is still the old shift'],
      ['2026-04-06T07:00:00Z', 'bob', 'summer time: the hand-off stays at 09:00 local'],
    ]
    for (const [instant, user, why] of cases) {
      it(`${why} (${instant} is ${user ?? 'nobody'})`, () => {
        expect(onCall(weekly, at(instant))).to.equal(user)
      })
    }
  })

  describe('the count of turns', () => {
    it('begins at Monday 1970-01-05 in the zone of the schedule when there is no start', () => {
      const daily = schedule('Asia/Kolkata', [
        layer(['a', 'b', 'c'], { every: [1, 'day'], handoff: [1, 6, 0] }),
      ])
      expect(onCall(daily, at('1970-01-05T06:00:00+05:30'))).to.equal('a')
      expect(onCall(daily, at('1970-01-06T06:00:00+05:30'))).to.equal('b')
      expect(onCall(daily, at('1970-01-05T05:59:00+05:30'))).to.equal('c')
      const days = Math.round((Date.UTC(2026, 0, 5) - Date.UTC(1970, 0, 5)) / DAY)
      expect(onCall(daily, at('2026-01-05T12:00:00+05:30'))).to.equal(['a', 'b', 'c'][days % 3])
    })

    it('begins at the hand-off on or before a start that is no hand-off day itself', () => {
      const from = schedule('UTC', [layer(['a', 'b'], { handoff: [3, 9, 0], start: '2026-01-09' })])
      expect(onCall(from, at('2026-01-07T08:59:00Z'))).to.equal(null)
      expect(onCall(from, at('2026-01-07T09:00:00Z'))).to.equal('a')
      expect(onCall(from, at('2026-01-14T09:00:00Z'))).to.equal('b')
    })

    it('goes by several hours, days or weeks at once', () => {
      const sixHours = schedule('UTC', [
        layer(['a', 'b'], { every: [6, 'hour'], handoff: [1, 0, 30], start: '2026-01-05' }),
      ])
      expect(onCall(sixHours, at('2026-01-05T06:29:00Z'))).to.equal('a')
      expect(onCall(sixHours, at('2026-01-05T06:30:00Z'))).to.equal('b')
      const twoWeeks = schedule('UTC', [layer(['a', 'b'], { every: [2, 'week'], start: '2026-01-05' })])
      expect(onCall(twoWeeks, at('2026-01-18T23:59:00Z'))).to.equal('a')
      expect(onCall(twoWeeks, at('2026-01-19T00:00:00Z'))).to.equal('b')
    })
  })

  describe('layers and overrides (E7, E23, E24)', () => {
    const base = layer(['anna', 'bob'], { start: '2026-01-05' })
    const later = layer(['carla'], { start: '2026-02-02' })
    const holidays = [
      override('dora', '2026-01-06T00:00Z', '2026-01-08T00:00Z'),
      override('emil', '2026-01-07T00:00Z', '2026-01-09T00:00Z'),
    ]
    const both = schedule('UTC', [base, later], holidays)

    it('the last override that covers an instant wins, and ends exactly at its end', () => {
      expect(onCall(both, at('2026-01-06T12:00Z'))).to.equal('dora')
      expect(onCall(both, at('2026-01-07T00:00Z'))).to.equal('emil')
      expect(onCall(both, at('2026-01-09T00:00Z'))).to.equal('anna')
    })

    it('a later layer wins only from when it has somebody', () => {
      expect(onCall(both, at('2026-02-01T23:59Z'))).to.equal('bob')
      expect(onCall(both, at('2026-02-02T00:00Z'))).to.equal('carla')
    })

    it('a schedule without layers, and a layer without people, has nobody and breaks nothing', () => {
      for (const empty of [schedule('UTC', []), schedule('UTC', [layer([])])]) {
        expect(onCall(empty, 0)).to.equal(null)
        expect(nextOnCall(empty, 0)).to.equal(null)
        expect(currentShift(empty, 0)).to.equal(null)
        expect(shifts(empty, 0, DAY)).to.deep.equal([])
      }
      expect(onCall(schedule('UTC', [base, layer([])]), at('2026-01-05T12:00Z'))).to.equal('anna')
    })

    it('an override that ends before it begins counts for nothing', () => {
      const odd = schedule('UTC', [base], [override('dora', '2026-01-08T00:00Z', '2026-01-06T00:00Z')])
      expect(onCall(odd, at('2026-01-07T00:00Z'))).to.equal('anna')
    })
  })

  describe('the list of shifts', () => {
    const base = layer(['anna', 'anna', 'bob'], { every: [1, 'day'], start: '2026-01-05' })
    const planned = schedule('UTC', [base], [override('bob', '2026-01-07T12:00Z', '2026-01-08T00:00Z')])

    it('is clipped to the window, merges a person with themselves, and leaves gaps out', () => {
      expect(shifts(planned, at('2026-01-04T00:00Z'), at('2026-01-08T06:00Z'))).to.deep.equal([
        { user: 'anna', from: at('2026-01-05T00:00Z'), to: at('2026-01-07T00:00Z') },
        { user: 'bob', from: at('2026-01-07T00:00Z'), to: at('2026-01-08T00:00Z') },
        { user: 'anna', from: at('2026-01-08T00:00Z'), to: at('2026-01-08T06:00Z') },
      ])
    })

    it('does not merge one person over a gap', () => {
      const spells = [
        override('dora', '2026-01-01T00:00Z', '2026-01-02T00:00Z'),
        override('dora', '2026-01-03T00:00Z', '2026-01-04T00:00Z'),
      ]
      const found = shifts(schedule('UTC', [], spells), at('2025-12-01T00:00Z'), at('2026-02-01T00:00Z'))
      expect(found).to.deep.equal(spells.map(({ user, from, to }) => ({ user, from, to })))
    })

    it('is empty for an empty window', () => {
      expect(shifts(planned, 5, 5)).to.deep.equal([])
      expect(shifts(planned, 5, 4)).to.deep.equal([])
    })
  })

  describe('the shift that is going on', () => {
    it('reaches over hand-offs from a person to themselves, and over overrides that change nothing', () => {
      const planned = schedule(
        'UTC',
        [layer(['anna', 'anna', 'bob'], { every: [1, 'day'], start: '2026-01-05' })],
        [override('anna', '2026-01-05T06:00Z', '2026-01-07T03:00Z')],
      )
      expect(currentShift(planned, at('2026-01-06T12:00Z'))).to.deep.equal({
        user: 'anna',
        users: ['anna'],
        from: at('2026-01-05T00:00Z'),
        to: at('2026-01-07T03:00Z'),
      })
    })

    it('begins where an override ended, not where the rotation handed off', () => {
      const planned = schedule(
        'UTC',
        [layer(['anna', 'bob'], { start: '2026-01-05' })],
        [override('dora', '2026-01-06T00:00Z', '2026-01-07T00:00Z')],
      )
      expect(currentShift(planned, at('2026-01-09T00:00Z'))).to.deep.equal({
        user: 'anna',
        users: ['anna'],
        from: at('2026-01-07T00:00Z'),
        to: at('2026-01-12T00:00Z'),
      })
    })

    it('has no beginning and no end where one person is on for ever', () => {
      expect(currentShift(schedule('UTC', [layer(['anna'])]), 0)).to.deep.equal({
        user: 'anna',
        users: ['anna'],
        from: null,
        to: null,
      })
    })
  })

  describe('the next person on call', () => {
    const cases: readonly [what: string, schedule: Schedule, next: string | null][] = [
      [
        'is the next in the rotation',
        schedule('UTC', [layer(['anna', 'bob'], { start: '2026-01-05' })]),
        'bob',
      ],
      ['is somebody else', schedule('UTC', [layer(['anna', 'anna', 'bob'], { start: '2026-01-05' })]), 'bob'],
      ['is nobody when one person is on for ever', schedule('UTC', [layer(['anna'])]), null],
      ['is the first after a gap', schedule('UTC', [layer(['carla'], { start: '2026-03-02' })]), 'carla'],
      [
        'is the person of an override that comes first',
        schedule(
          'UTC',
          [layer(['anna', 'bob'], { start: '2026-01-05' })],
          [override('dora', '2026-01-08T00:00Z', '2026-01-09T00:00Z')],
        ),
        'dora',
      ],
      [
        'is not looked for in a layer that another one covers',
        schedule('UTC', [layer(['bob', 'carla'], { every: [1, 'hour'] }), layer(['anna'])]),
        null,
      ],
    ]
    for (const [what, given, next] of cases) {
      it(what, () => expect(nextOnCall(given, at('2026-01-06T00:00Z'))).to.equal(next))
    }
  })
})

describe('on-call shifts over changes of the clocks (P19)', () => {
  const daily = (timezone: string, hour: number, minute: number) =>
    schedule(timezone, [layer(['a', 'b', 'c'], { every: [1, 'day'], handoff: [1, hour, minute] })])

  const edges = (given: Schedule, from: string, to: string) =>
    shifts(given, at(from), at(to)).map((shift) => new Date(shift.from).toISOString().replace(':00.000', ''))

  it('a hand-off at a time that does not exist happens at the first valid instant', () => {
    const found = edges(daily('Europe/Berlin', 2, 30), '2026-03-28T12:00Z', '2026-03-30T12:00Z')
    expect(found).to.deep.equal(['2026-03-28T12:00Z', '2026-03-29T01:00Z', '2026-03-30T00:30Z'])
  })

  it('a hand-off at a time that comes twice happens at the first of the two', () => {
    const found = edges(daily('Europe/Berlin', 2, 30), '2026-10-24T12:00Z', '2026-10-26T12:00Z')
    expect(found).to.deep.equal(['2026-10-24T12:00Z', '2026-10-25T00:30Z', '2026-10-26T01:30Z'])
  })

  it('Lord Howe moves by half an hour', () => {
    // Clocks go from 02:00 (+10:30) to 02:30 (+11) on 2026-10-04 and back on 2026-04-05.
    const spring = edges(daily('Australia/Lord_Howe', 2, 15), '2026-10-03T00:00Z', '2026-10-05T00:00Z')
    expect(spring).to.deep.equal(['2026-10-03T00:00Z', '2026-10-03T15:30Z', '2026-10-04T15:15Z'])
    const autumn = edges(daily('Australia/Lord_Howe', 1, 45), '2026-04-04T00:00Z', '2026-04-06T00:00Z')
    expect(autumn).to.deep.equal(['2026-04-04T00:00Z', '2026-04-04T14:45Z', '2026-04-05T15:15Z'])
  })

  it('on the day Apia skipped, the hand-off that has no time of its own falls on the first instant of the next day', () => {
    const found = edges(daily('Pacific/Apia', 9, 0), '2011-12-29T00:00Z', '2012-01-01T00:00Z')
    expect(found).to.deep.equal([
      '2011-12-29T00:00Z',
      '2011-12-29T19:00Z', // 09:00 on the 29th, the last day at -10
      '2011-12-30T10:00Z', // 09:00 on the 30th does not exist: midnight of the 31st at +14
      '2011-12-30T19:00Z', // 09:00 on the 31st
      '2011-12-31T19:00Z',
    ])
  })

  it('an hourly shift is skipped with its hour, and lasts two when the hour comes twice', () => {
    const hourly = schedule('Europe/Berlin', [layer(['a', 'b', 'c'], { every: [1, 'hour'] })])
    const lengths = (from: string, to: string) =>
      shifts(hourly, at(from), at(to)).map((shift) => [shift.user, (shift.to - shift.from) / HOUR])
    const before = onCall(hourly, at('2026-03-29T00:30Z'))
    const after = onCall(hourly, at('2026-03-29T01:30Z'))
    expect(['ac', 'ba', 'cb']).to.include(`${before}${after}`)
    expect(lengths('2026-10-24T23:00Z', '2026-10-25T03:00Z').map(([, hours]) => hours)).to.deep.equal([
      1, 2, 1,
    ])
  })
})
