import { expect } from 'chai'
import type { Alert } from '../../src/alert/alert.ts'
import { judge, retimed } from '../../src/watchdog/due-check.ts'
import { anAlert, MINUTE, NOON } from '../alert/an-alert.ts'

const NONE = { steps: 0, work: 0, timerless: [], distant: [] }
const waiting = (ms: number, wish: Partial<Alert> = {}) => anAlert({ nextStepAt: NOON + ms, ...wish })

describe('the judgement of the watchdog (P21)', () => {
  it('is silent when nothing is late', () => {
    expect(judge(NONE, NOON)).to.equal(null)
    // Work of other lanes may wait for its provider.
    expect(judge({ ...NONE, work: 500 }, NOON)).to.equal(null)
  })

  it('says how many steps are overdue and how many timers were lost', () => {
    const alert = waiting(MINUTE)
    expect(judge({ ...NONE, steps: 2 }, NOON)).to.deep.equal({
      message: '2 escalation steps are overdue',
      lost: [],
    })
    expect(judge({ ...NONE, steps: 1, timerless: [alert] }, NOON)).to.deep.equal({
      message: '1 escalation step is overdue, and 1 open alert has lost the timer of the next step',
      lost: [alert],
    })
  })

  const policy = { ...anAlert().policy, steps: [{ notify: ['oncall'], waitMs: 30 * MINUTE }] }
  const cases: [string, Alert, boolean][] = [
    ['the longest wait of its policy', waiting(30 * MINUTE, { policy }), false],
    ['a millisecond more', waiting(30 * MINUTE + 1, { policy }), true],
    ['the patience with a warning (R32)', waiting(10 * MINUTE, { severity: 'warning' }), false],
    ['a long sleep that somebody wished for', waiting(600 * MINUTE, { policy, status: 'snoozed' }), false],
    ['a long time in which it is to be resolved', waiting(600 * MINUTE, { status: 'acknowledged' }), false],
  ]
  const nightly = {
    ...policy,
    timezone: 'UTC',
    steps: [
      {
        notify: ['oncall'],
        waitMs: MINUTE,
        window: { from: 1380, to: 120, weekdays: [1, 2, 3, 4, 5, 6, 7] },
      },
    ],
  }
  const idling = { ...policy, autoResolveMs: 5 * 1440 * MINUTE }
  cases.push(
    ['the hours of its step (O4)', waiting(660 * MINUTE, { policy: nightly }), false],
    ['a millisecond more than the hours of its step', waiting(660 * MINUTE + 1, { policy: nightly }), true],
    [
      'the end of days in which nothing is heard of it (E26)',
      waiting(7200 * MINUTE, { policy: idling }),
      false,
    ],
    [
      'longer than the days in which nothing is heard of it',
      waiting(7200 * MINUTE + 1, { policy: idling }),
      true,
    ],
  )
  for (const [title, alert, late] of cases) {
    it(`${late ? 'finds' : 'accepts'} an alert that waits for ${title}`, () => {
      expect(judge({ ...NONE, distant: [alert] }, NOON)?.lost ?? []).to.deep.equal(late ? [alert] : [])
    })
  }

  it('sets a lost timer for the promised instant, a missed or impossible one for now', () => {
    const at = (alert: Alert) => retimed(alert, NOON).nextStepAt
    expect(at(waiting(MINUTE))).to.equal(NOON + MINUTE)
    expect(at(waiting(-MINUTE))).to.equal(NOON)
    expect(at(anAlert({ nextStepAt: null }))).to.equal(NOON)
    expect(at(waiting(600 * MINUTE, { policy }))).to.equal(NOON)
    expect(retimed(waiting(0), NOON).version).to.equal(waiting(0).version + 1)
  })
})
