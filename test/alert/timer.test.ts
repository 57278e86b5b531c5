import { expect } from 'chai'
import { ALERT_LEVELS, ALERT_STATUSES } from '../../src/alert/alert.ts'
import type { Change, Changed } from '../../src/alert/change/changed.ts'
import { hasten, lookAgainAt, onTimer } from '../../src/alert/timer.ts'
import { anAlert, aPolicy, knowing, MINUTE, NOON } from './an-alert.ts'

const who = knowing({ admins: ['root'] })

function changedBy(change: Change): Changed {
  expect(change.kind).to.equal('changed')
  return change as Changed
}

const kinds = (change: Changed) => change.timeline.map(({ kind }) => kind)

describe('the timer of an alert', () => {
  it('does nothing before it is due, and nothing when there is none, in any status and level (P12)', () => {
    for (const status of ALERT_STATUSES) {
      for (const severity of ALERT_LEVELS) {
        for (const nextStepAt of [null, NOON + 1]) {
          const alert = anAlert({ status, severity, nextStepAt })
          expect(onTimer(alert, NOON, who)).to.deep.equal({ kind: 'same', alert })
        }
      }
    }
  })

  it('afterwards lies ahead or is gone, in any status and level, so that it is never due for ever', () => {
    const policy = aPolicy([['user:anna'], ['oncall']], { ackTimeoutMs: MINUTE })
    for (const status of ALERT_STATUSES) {
      for (const severity of ALERT_LEVELS) {
        const { alert } = changedBy(onTimer(anAlert({ status, severity, policy }), NOON, who))
        expect(alert.nextStepAt ?? Infinity, `${status} ${severity}`).to.be.greaterThan(NOON)
        expect(alert.version).to.equal(8)
      }
    }
  })

  it('of a firing alert fires the next step, to its targets only, and leaves earlier pages standing (E1)', () => {
    const change = changedBy(onTimer(anAlert({ step: 1 }), NOON, who))
    expect(change.alert).to.include({ step: 2, status: 'firing' })
    expect(change.page).to.deep.include({ step: 2, users: ['bob'], admins: [] })
    expect(change.cancelPages).to.equal(null)
  })

  it('of a firing alert whose last steps reach nobody tells the admins instead, once (P20)', () => {
    const policy = aPolicy([['user:anna'], ['oncall']])
    const change = changedBy(onTimer(anAlert({ step: 1, policy }), NOON, who))
    expect(kinds(change)).to.deep.equal(['skipped', 'fallback', 'finished'])
    expect(change.page).to.deep.include({ step: null, users: [], admins: ['root'], because: 'nobody_else' })
    expect(change.alert).to.include({ step: 1, nextStepAt: null })
  })

  it('of an unacknowledged warning makes it critical (R32)', () => {
    const change = changedBy(onTimer(anAlert({ severity: 'warning' }), NOON, who))
    expect(change.alert).to.include({ severity: 'critical', step: 1 })
    expect(kinds(change)).to.deep.equal(['promoted', 'step'])
    expect(change.timeline[0]).to.include({ by: 'carillon' })
  })

  it('of an acknowledged alert re-opens it at step 1 (O9)', () => {
    const alert = anAlert({ status: 'acknowledged', acknowledgedBy: 'anna', step: 2, repeat: 1 })
    const change = changedBy(onTimer(alert, NOON, who))
    expect(change.alert).to.include({ status: 'firing', acknowledgedBy: null, step: 1, repeat: 0 })
    expect(kinds(change)).to.deep.equal(['unacknowledged', 'step'])
    expect(change.page).to.deep.include({ step: 1, users: ['anna'] })
  })

  it('of a snoozed or suppressed alert returns it and pages step 1 (E21)', () => {
    for (const status of ['snoozed', 'suppressed'] as const) {
      const change = changedBy(onTimer(anAlert({ status, suppressedBy: 'silence-1', step: 2 }), NOON, who))
      expect(change.alert).to.include({ status: 'firing', suppressedBy: null, step: 1 })
      expect(kinds(change)).to.deep.equal(['returned', 'step'])
    }
  })
})

describe('a timer that changed nothing', () => {
  it('does not exist when it was due: every status and level changes something', () => {
    for (const status of ALERT_STATUSES)
      for (const severity of ALERT_LEVELS)
        for (const policy of [aPolicy([]), aPolicy([['user:anna']])]) {
          const alert = anAlert({ status, severity, policy, nextStepAt: NOON })
          expect(onTimer(alert, NOON, who).kind, `${status} ${severity}`).to.equal('changed')
        }
  })

  it('is never looked at again at once, so that it cannot be claimed without end', () => {
    const cases: readonly (readonly [number | null, number | null])[] = [
      [null, null],
      [NOON + 1, NOON + 1],
      [NOON, NOON + 30_000],
      [NOON - MINUTE, NOON + 30_000],
    ]
    for (const [nextStepAt, again] of cases) expect(lookAgainAt({ nextStepAt }, NOON)).to.equal(again)
  })
})

describe('hastening an alert (P7)', () => {
  it('makes the next step due now', () => {
    const { alert } = changedBy(hasten(anAlert({ nextStepAt: NOON + MINUTE }), NOON))
    expect(alert).to.include({ nextStepAt: NOON, version: 8 })
  })

  it('keeps the end from closing what arrived nowhere (O7, P20)', () => {
    const policy = aPolicy([['user:anna']], { resolveAtEnd: true })
    const { alert } = changedBy(hasten(anAlert({ policy, step: 1, nextStepAt: NOON + MINUTE }), NOON))
    expect(changedBy(onTimer(alert, NOON, who)).alert).to.include({ status: 'firing', nextStepAt: null })
  })

  it('changes nothing where no step waits', () => {
    const still = [
      anAlert({ nextStepAt: NOON }),
      anAlert({ nextStepAt: null }),
      anAlert({ nextStepAt: NOON + MINUTE, status: 'acknowledged' }),
      anAlert({ nextStepAt: NOON + MINUTE, status: 'snoozed' }),
      anAlert({ nextStepAt: NOON + MINUTE, severity: 'warning' }),
    ]
    for (const alert of still) expect(hasten(alert, NOON)).to.deep.equal({ kind: 'same', alert })
  })
})
