import { expect } from 'chai'
import { fitsBudget, longestWindow, summaryDueAt, type Sent } from '../../../src/delivery/digest/budget.ts'
import { NOON } from '../../support/messages.ts'

const MINUTE = 60_000
const SMS = [
  { count: 5, windowMs: 15 * MINUTE },
  { count: 11, windowMs: 60 * MINUTE },
  { count: 21, windowMs: 180 * MINUTE },
]
const ago = (...minutes: readonly number[]): Sent[] =>
  minutes.map((each) => ({ at: NOON - each * MINUTE, criticalType: null, summary: false }))
const times = (count: number, minutes: number) => ago(...Array.from({ length: count }, () => minutes))

describe('A person’s budget on a channel', () => {
  const table: readonly [what: string, sent: readonly Sent[], fits: boolean][] = [
    ['nothing was sent', [], true],
    ['four within 15 minutes', times(4, 1), true],
    ['five within 15 minutes', times(5, 1), false],
    ['five, the first of them 15 minutes ago to the millisecond', [...times(4, 1), ...ago(15)], true],
    ['eleven within the hour, four of them lately', [...times(4, 1), ...times(7, 30)], false],
    ['ten within the hour', [...times(4, 1), ...times(6, 30)], true],
    ['21 within three hours', [...times(4, 1), ...times(6, 30), ...times(11, 100)], false],
    ['20 within three hours', [...times(4, 1), ...times(6, 30), ...times(10, 100)], true],
    ['many, all of them over three hours ago', times(50, 181), true],
  ]
  for (const [what, sent, fits] of table)
    it(`${fits ? 'takes' : 'holds back'} one more after ${what} (E11)`, () => {
      expect(fitsBudget(sent, SMS, { now: NOON, criticalType: null })).to.equal(fits)
    })

  it('never holds back the first page of a critical alert of another type (P11)', () => {
    const storm = times(5, 1).map((one) => ({ ...one, criticalType: 'disk_full' }))
    const fits = (criticalType: string, sent: readonly Sent[] = storm) =>
      fitsBudget(sent, SMS, { now: NOON, criticalType })
    expect(fits('disk_full')).to.equal(false)
    expect(fits('cpu_high')).to.equal(true)
    const paged = [...storm, { at: NOON - MINUTE, criticalType: 'cpu_high', summary: false }]
    expect(fits('cpu_high', paged)).to.equal(false)
    const long = [...storm, { at: NOON - 15 * MINUTE, criticalType: 'cpu_high', summary: false }]
    expect(fits('cpu_high', long)).to.equal(true)
  })

  it('has one summary in every shortest window, the first soon enough to be of use (P11)', () => {
    const summary = (minutes: number) => [{ at: NOON - minutes * MINUTE, criticalType: null, summary: true }]
    expect(summaryDueAt(times(5, 1), SMS, NOON)).to.equal(NOON + 20_000)
    expect(summaryDueAt(summary(5), SMS, NOON)).to.equal(NOON + 10 * MINUTE)
    expect(summaryDueAt(summary(20), SMS, NOON)).to.equal(NOON + 20_000)
    expect(summaryDueAt([], [{ count: 1, windowMs: 5000 }], NOON)).to.equal(NOON + 5000)
    expect(longestWindow(SMS)).to.equal(180 * MINUTE)
    expect(longestWindow([])).to.equal(0)
  })
})
