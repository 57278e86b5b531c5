import { expect } from 'chai'
import { DEFAULT_TENANT } from '../../src/access/principal.ts'
import { keepTurn, type RotationRecord } from '../../src/oncall/kept-turns.ts'
import type { Layer } from '../../src/oncall/schedule.ts'
import { shifts } from '../../src/oncall/shifts.ts'
import { harness, type Harness } from '../support/harness.ts'

const DAY = 24 * 60 * 60_000
const MONDAY = Date.UTC(2026, 0, 5, 9)

const record = (rotate: string, changes: Partial<Layer> = {}): RotationRecord => ({
  timezone: 'UTC',
  layer: {
    rotate: rotate.split(' '),
    every: { count: 1, unit: 'day' },
    handoff: { weekday: 1, hour: 9, minute: 0 },
    start: '2026-01-05',
    ...changes,
  },
})

/** Who is on in the five days from day `day` on, after the change was made in its middle. */
function after(day: number, before: RotationRecord, now: RotationRecord): string {
  const layer = keepTurn(before, now, MONDAY + day * DAY + DAY / 2)
  return Array.from({ length: 5 }, (_, count) => {
    const at = MONDAY + (day + count) * DAY
    return shifts({ timezone: 'UTC', layers: [layer], overrides: [] }, at, at + DAY)[0]?.user
  }).join(' ')
}

/** Day 4 is the fifth turn: b by `a b c d`, e by `a b c d e`. */
const ROWS: readonly (readonly [what: string, before: string, now: string, day: number, expected: string])[] =
  [
    ['somebody else leaves', 'a b c d', 'b c d', 5, 'b c d b c'],
    ['somebody before them leaves', 'a b c d', 'a c d', 6, 'c d a c d'],
    ['they leave: the next one is on', 'a b c d', 'a c d', 5, 'c d a c d'],
    ['the last one of the round leaves', 'a b c d', 'a b c', 7, 'a b c a b'],
    ['two leave at once, one of them on call', 'a b c d', 'a d', 5, 'd a d a d'],
    ['somebody comes', 'a b c', 'a x b c', 4, 'b c a x b'],
    ['all are others', 'a b c', 'x y', 4, 'x y x y x'],
    ['nothing changes', 'a b c', 'a b c', 4, 'b c a b c'],
    ['the same people in another order: counted from the start', 'a b c', 'c b a', 4, 'b a c b a'],
  ]

describe('Who is on call when somebody leaves or joins a rotation (E22)', () => {
  for (const [what, before, now, day, expected] of ROWS) {
    it(`stays: ${what}`, () => {
      expect(after(day, record(before), record(now))).to.equal(expected)
    })
  }

  it('goes on from what was kept before, change after change', () => {
    const day = 5
    const at = MONDAY + day * DAY + 1
    const once = keepTurn(record('a b c d'), record('b c d'), at)
    const twice = { timezone: 'UTC', layer: keepTurn({ timezone: 'UTC', layer: once }, record('b d'), at) }
    expect(after(day, twice, record('b d'))).to.equal('b d b d b')
    expect(after(day, twice, record('a b c d'))).to.equal('b c d a b')
  })

  it('is counted anew from `start` when what says when turns begin was changed, and where nothing was known', () => {
    const start = record('b c', { start: '2026-01-06' })
    expect(after(5, record('a b c'), start)).to.equal('b c b c b')
    expect(keepTurn(undefined, start, MONDAY)).to.equal(start.layer)
  })

  it('is what the first turn says where none has begun', () => {
    const layer = keepTurn(record('a b'), record('b'), MONDAY - DAY)
    expect(layer).to.deep.equal(record('b').layer)
  })
})

describe('The turns of a layer in a running program (E22)', () => {
  let program: Harness
  afterEach(() => program.close())

  const config = (layers: readonly object[]) => ({
    teams: {
      platform: {
        alert_types: ['system_failure'],
        schedule: { layers },
        escalation: { steps: [{ notify: ['oncall'], wait: '5m' }] },
      },
    },
  })
  const week = (name: string | undefined, rotate: readonly string[]) => ({
    ...(name !== undefined && { name }),
    rotate,
    every: '1d',
  })
  const turns = () =>
    program.app.engine.directory
      .teams(DEFAULT_TENANT)[0]
      ?.schedule?.layers.map(({ rotate, shift = 0 }) => `${rotate.join(' ')} ${shift}`)

  it('stay when another layer is put before it, if it has a name, also one that it has just been given', async () => {
    program = await harness({ config: config([week(undefined, ['anna', 'bob', 'cem', 'dora'])]) })
    // One person leaves, so that the count no longer follows from the start alone.
    const left = ['bob', 'cem', 'dora']
    program.reconfigure(config([week(undefined, left)]))
    const [kept] = turns() ?? []
    expect(kept).to.match(/^bob cem dora [12]$/)
    program.reconfigure(config([week('primary', left)]))
    expect(turns()).to.deep.equal([kept])
    await program.quiet()
    program.reconfigure(config([week('backup', ['anna', 'dora']), week('primary', left)]))
    expect(turns()).to.deep.equal(['anna dora 0', kept])
    await program.restart()
    expect(turns()).to.deep.equal(['anna dora 0', kept])
  })
})
