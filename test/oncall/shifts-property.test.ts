import { expect } from 'chai'
import { scheduleInstant } from '../../src/directory/local-time.ts'
import type { Layer, Schedule } from '../../src/oncall/schedule.ts'
import { onCall, shifts } from '../../src/oncall/shifts.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const ALWAYS = [
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'Africa/Casablanca',
  'America/Sao_Paulo',
  'Europe/Berlin',
  'Asia/Kolkata',
]
const EVERY_NTH_ZONE = 16
const CHANGES_PER_ZONE = 2

/** The reading of a zone's clocks as Intl itself gives it, so that nothing under test takes part. */
function clockOf(timezone: string): (at: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: timezone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  const seen = new Map<number, number>()
  return (at) => {
    const known = seen.get(at)
    if (known !== undefined) return known
    const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]))
    const reading =
      Date.UTC(part['year']!, part['month']! - 1, part['day'], part['hour'], part['minute'], part['second']) +
      (at % 1000)
    seen.set(at, reading)
    return reading
  }
}

/** Instants between 2020 and 2035 around which the offset of the zone changes, to the minute. */
function changesOf(clock: (at: number) => number): readonly number[] {
  const offset = (at: number) => clock(at) - at
  const found: number[] = []
  for (let from = Date.UTC(2020, 0, 1); from < Date.UTC(2035, 0, 1); from += 10 * DAY) {
    let low = from
    let high = from + 10 * DAY
    if (offset(low) === offset(high)) continue
    while (high - low > MINUTE) {
      const middle = low + Math.floor((high - low) / 2 / MINUTE) * MINUTE
      if (offset(middle) === offset(low)) low = middle
      else high = middle
    }
    found.push(high)
  }
  return found
}

/** Evenly spread over the list; the middle of 2027 for a zone that never changes. */
function sampleOf(changes: readonly number[]): readonly number[] {
  if (changes.length === 0) return [Date.UTC(2027, 6, 1)]
  const nth = Math.ceil(changes.length / CHANGES_PER_ZONE)
  return changes.filter((_, index) => index % nth === 0)
}

const layerOf = (unit: Layer['every']['unit'], count: number, hour: number, minute: number): Layer => ({
  rotate: ['a', 'b', 'c'],
  every: { count, unit },
  handoff: { weekday: 7, hour, minute },
  start: null,
})

/** Hand-offs in the hours at which zones change their clocks, where things go wrong. */
const LAYERS = [
  layerOf('hour', 1, 0, 15),
  layerOf('day', 1, 0, 0),
  layerOf('day', 1, 2, 15),
  layerOf('day', 1, 9, 0),
  layerOf('week', 1, 2, 30),
]

const PERIOD = { hour: HOUR, day: DAY, week: 7 * DAY, month: Number.NaN }

/**
 * Who is on call by the definition of P19, as literal as can be: how many hand-off times the clock has shown or passed
 * by now, its highest reading so far being what counts.
 */
function expectedUser(layer: Layer, highestReading: number): string {
  const first = Date.UTC(1970, 0, 5) + layer.handoff.hour * HOUR + layer.handoff.minute * MINUTE
  // Monday 1970-01-05; the Sunday hand-off on or before it is the day before.
  const anchor = layer.every.unit === 'week' ? first - DAY : first
  const turn = Math.floor((highestReading - anchor) / (layer.every.count * PERIOD[layer.every.unit]))
  return layer.rotate[turn % layer.rotate.length]!
}

describe('on-call shifts in the zones of the world', function () {
  this.timeout(10_000)
  const zones = new Set([
    ...ALWAYS,
    ...Intl.supportedValuesOf('timeZone').filter((_, index) => index % EVERY_NTH_ZONE === 0),
  ])

  for (const timezone of zones) {
    it(`tile the time axis with exactly one person at hand-offs that keep their wall-clock time in ${timezone} (P19)`, () => {
      const clock = clockOf(timezone)
      for (const change of sampleOf(changesOf(clock))) {
        for (const layer of LAYERS)
          checkAround(change, layer, { timezone, layers: [layer], overrides: [] }, clock)
      }
    })
  }

  function checkAround(
    change: number,
    layer: Layer,
    schedule: Schedule,
    clock: (at: number) => number,
  ): void {
    const near = change - 5 * HOUR
    let highest = Math.max(...[-2, -1.5, -1, -0.5, 0].map((days) => clock(near + days * DAY)))
    for (let at = near; at < change + 5 * HOUR; at += 15 * MINUTE) {
      highest = Math.max(highest, clock(at))
      const where = `${schedule.timezone} ${new Date(at).toISOString()} ${JSON.stringify(layer.every)}`
      expect(onCall(schedule, at), where).to.deep.equal([expectedUser(layer, highest)])
    }
    const from = change - 26 * HOUR
    const to = change + 26 * HOUR
    const found = shifts(schedule, from, to)
    expect(found[0]?.from).to.equal(from)
    expect(found.at(-1)?.to).to.equal(to)
    for (const [index, shift] of found.entries()) {
      expect(shift.from, 'a shift has a length').to.be.lessThan(shift.to)
      if (index === 0) continue
      expect(shift.from, 'no gap and no overlap').to.equal(found[index - 1]!.to)
      checkHandoff(shift.from, layer, clock)
    }
  }

  /** At a hand-off the clock shows its time, or has just jumped over it. */
  function checkHandoff(at: number, layer: Layer, clock: (at: number) => number): void {
    const { hour, minute } = layer.handoff
    const cycle = layer.every.unit === 'hour' ? HOUR : DAY
    const handoff = (hour * HOUR + minute * MINUTE) % cycle
    const shown = (clock(at) - handoff) % cycle
    if (shown === 0) return
    const before = clock(at - 1000)
    expect(clock(at) - before, 'the clock jumped forward').to.be.greaterThan(1000)
    const lastHandoff = clock(at) - shown
    expect(before, 'and over the hand-off').to.be.lessThan(lastHandoff)
  }
})

/** Windows that begin and end in the hours at which zones change their clocks, one of them over midnight. */
const HOURS = [
  { weekdays: [1, 2, 3, 4, 5, 6, 7], from: 135, to: 540 },
  { weekdays: [1, 2, 3, 4, 5, 6, 7], from: 1350, to: 30 },
]

describe('hours and overrides in the zones of the world', function () {
  this.timeout(10_000)
  const zones = [...ALWAYS, 'Europe/Dublin', 'America/New_York', 'Asia/Gaza', 'Pacific/Chatham']
  /** The highest reading so far, which is what a local time is compared with (P19). */
  const walk = function* (clock: (at: number) => number, change: number) {
    let highest = Math.max(...[0, 6, 12, 24, 36, 48].map((hours) => clock(change - 30 * HOUR - hours * HOUR)))
    for (let at = change - 30 * HOUR; at < change + 30 * HOUR; at += 15 * MINUTE) {
      highest = Math.max(highest, clock(at))
      yield { at, highest }
    }
  }

  for (const timezone of zones) {
    const clock = clockOf(timezone)

    it(`give every instant to exactly one layer in ${timezone} (P19, E24)`, () => {
      const layers = [layerOf('day', 1, 0, 0), { ...layerOf('week', 1, 0, 0), rotate: ['on'], only: HOURS }]
      const schedule: Schedule = { timezone, layers, overrides: [] }
      for (const change of sampleOf(changesOf(clock))) {
        for (const { at, highest } of walk(clock, change)) {
          const minute = (((highest % DAY) + DAY) % DAY) / MINUTE
          const inside = (minute >= 135 && minute < 540) || minute >= 1350 || minute < 30
          const where = `${timezone} ${new Date(at).toISOString()}`
          expect(onCall(schedule, at)[0] === 'on', where).to.equal(inside)
          expect(onCall(schedule, at), where).to.have.length(1)
        }
        const found = shifts(schedule, change - 30 * HOUR, change + 30 * HOUR)
        for (const [index, shift] of found.entries())
          expect(shift.from).to.equal(found[index - 1]?.to ?? change - 30 * HOUR)
        expect(found.at(-1)?.to).to.equal(change + 30 * HOUR)
      }
    })

    it(`let overrides follow one another without gap or overlap in ${timezone} (P19, E23)`, () => {
      for (const change of sampleOf(changesOf(clock))) {
        const first = Math.floor(clock(change - 30 * HOUR) / (30 * MINUTE)) * 30 * MINUTE
        const local = (index: number) => new Date(first + index * 30 * MINUTE).toISOString().slice(0, 16)
        const overrides = Array.from({ length: 130 }, (_, index) => ({
          id: String(index),
          user: String(index),
          kind: 'add' as const,
          from: scheduleInstant(local(index), timezone) ?? Number.NaN,
          to: scheduleInstant(local(index + 1), timezone) ?? Number.NaN,
        }))
        const schedule: Schedule = { timezone, layers: [], overrides }
        for (const { at, highest } of walk(clock, change)) {
          const expected = Math.floor((highest - first) / (30 * MINUTE))
          if (expected >= 130) break
          expect(onCall(schedule, at), new Date(at).toISOString()).to.deep.equal([String(expected)])
        }
      }
    })
  }
})

describe('asking who is on call', () => {
  const clock = Object.getOwnPropertyDescriptor(Intl.DateTimeFormat.prototype, 'formatToParts')!
  let questions = 0

  before(() => {
    Object.defineProperty(Intl.DateTimeFormat.prototype, 'formatToParts', {
      ...clock,
      value(this: Intl.DateTimeFormat, at: number): unknown {
        questions++
        return Reflect.apply(clock.value, this, [at])
      },
    })
  })

  after(() => Object.defineProperty(Intl.DateTimeFormat.prototype, 'formatToParts', clock))

  it('asks the clock of the zone as rarely for 2035 as for 1971, because it does not walk there', () => {
    const schedule: Schedule = { timezone: 'Europe/Berlin', layers: LAYERS, overrides: [] }
    const questionsAt = (at: number) => {
      questions = 0
      onCall(schedule, at)
      return questions
    }
    expect(questionsAt(Date.UTC(1971, 0, 1))).to.be.within(1, 20)
    expect(questionsAt(Date.UTC(2035, 0, 1))).to.be.within(1, 20)
  })
})
