import { expect } from 'chai'
import type { Alert } from '../../src/alert/alert.ts'
import { onTimerQuietly, settle } from '../../src/noise/hush.ts'
import type { Quiet } from '../../src/noise/quiet.ts'
import { anAlert, knowing, MINUTE, NOON } from '../alert/an-alert.ts'

const whoIs = knowing()
const SILENCE: Quiet = { by: 'silence:s', until: NOON + MINUTE, text: 'x' }
const GATEWAY: Quiet = { by: 'alert:g', until: null, text: 'x' }
const HELD: Quiet = { by: 'hold', until: NOON + 3000, text: 'x' }
const suppressed = (suppressedBy: string, nextStepAt: number | null) =>
  anAlert({ status: 'suppressed', suppressedBy, nextStepAt })

/** What became of it: state, reason, timer in ms from noon, and what the timeline says. */
const ROWS: readonly (readonly [string, Alert, Quiet | null, string])[] = [
  ['a firing alert without a reason', anAlert(), null, 'same'],
  ['a firing alert falls silent', anAlert(), SILENCE, 'suppressed silence:s 60000 suppressed'],
  ['an alert that fires waits for nothing more', anAlert(), HELD, 'same'],
  ['an acknowledged alert stays', anAlert({ status: 'acknowledged' }), SILENCE, 'same'],
  ['a snoozed alert stays', anAlert({ status: 'snoozed' }), SILENCE, 'same'],
  ['a resolved alert stays', anAlert({ status: 'resolved' }), SILENCE, 'same'],
  ['a reason that goes on', suppressed('silence:s', NOON + MINUTE), SILENCE, 'same'],
  ['a reason that ends later', suppressed('silence:s', NOON + 1), SILENCE, 'suppressed silence:s 60000'],
  ['another reason', suppressed('silence:s', NOON), GATEWAY, 'suppressed alert:g - suppressed'],
  [
    'a silence that is over while it may still be explained',
    suppressed('silence:s', NOON),
    HELD,
    'suppressed hold 3000 suppressed',
  ],
  ['a silence that is over', suppressed('silence:s', NOON), null, 'firing - 300000 returned,step'],
  ['a hold that is over', suppressed('hold', NOON), null, 'firing - 300000 returned,step'],
  ['an inhibitor that is gone', suppressed('alert:g', null), null, 'suppressed alert:g 30000 note'],
  [
    'an inhibitor that is gone within the hold',
    suppressed('alert:g', null),
    HELD,
    'suppressed alert:g 30000 note',
  ],
  ['a grace that lasts', suppressed('alert:g', NOON + 1), null, 'same'],
  ['a grace that is over', suppressed('alert:g', NOON), null, 'firing - 300000 returned,step'],
  [
    'an inhibitor that is back within the grace',
    suppressed('alert:g', NOON + 1),
    GATEWAY,
    'suppressed alert:g -',
  ],
]

function said(change: ReturnType<typeof settle>): string {
  if (change.kind !== 'changed') return change.kind
  const { status, suppressedBy, nextStepAt } = change.alert
  const timer = nextStepAt === null ? '-' : nextStepAt - NOON
  const kinds = change.timeline.map(({ kind }) => kind).join(',')
  return `${status} ${suppressedBy ?? '-'} ${timer} ${kinds}`.trim()
}

describe('What keeps an alert quiet', () => {
  const act = { by: 'carillon', via: 'timer', now: NOON, whoIs }
  for (const [name, alert, quiet, expected] of ROWS)
    it(`makes of ${name}: ${expected}`, () => {
      const change = settle(alert, quiet, act, { graceMs: 30_000, closes: false })
      expect(said(change)).to.equal(expected)
      if (change.kind !== 'changed') return
      expect(change.alert.version).to.equal(alert.version + 1)
      expect(change.page !== null).to.equal(change.alert.status === 'firing')
      expect(change.cancelPages !== null).to.equal(alert.status === 'firing' || change.page !== null)
    })

  it('resolves with its inhibitor what the rule says so of, and releases at once without a grace', () => {
    const alert = suppressed('alert:g', null)
    expect(said(settle(alert, null, act, { graceMs: 30_000, closes: true }))).to.equal(
      'resolved - - resolved',
    )
    expect(said(settle(alert, null, act, { graceMs: 0, closes: false }))).to.equal(
      'firing - 300000 returned,step',
    )
  })
})

describe('A due timer in view of what keeps its alert quiet', () => {
  const release = { graceMs: 0, closes: false }
  const at = (alert: Alert, quiet: Quiet | null, now = NOON) =>
    said(onTimerQuietly(alert, now, { whoIs, quiet, release }))

  it('fires the step without a reason, falls silent with one, and does nothing before its time', () => {
    expect(at(anAlert(), null)).to.equal('firing - 300000 step')
    expect(at(anAlert(), SILENCE)).to.equal('suppressed silence:s 60000 suppressed')
    expect(at(anAlert(), HELD)).to.equal('firing - 300000 step')
    expect(at(anAlert(), SILENCE, NOON - 1)).to.equal('same')
    expect(at(suppressed('silence:s', NOON), null, NOON - 1)).to.equal('same')
  })

  it('says what happened when an acknowledgement or a snooze runs out into a silence, and pages nobody', () => {
    expect(at(anAlert({ status: 'acknowledged' }), SILENCE)).to.equal(
      'suppressed silence:s 60000 unacknowledged,suppressed',
    )
    expect(at(anAlert({ status: 'snoozed' }), SILENCE)).to.equal(
      'suppressed silence:s 60000 returned,suppressed',
    )
    const alert = anAlert({ status: 'acknowledged', acknowledgedBy: 'anna', acknowledgedAt: 1 })
    const change = onTimerQuietly(alert, NOON, { whoIs, quiet: SILENCE, release })
    expect(change).to.have.nested.property('alert.acknowledgedBy', null)
    expect(change).to.have.property('page', null)
  })
})
