import { expect } from 'chai'
import {
  defaultPolicy,
  nextStep,
  policyFor,
  reachesNobody,
  stepAfter,
} from '../../src/alert/escalation/policy.ts'
import { anAlert, aPolicy, knowing, MINUTE, NOON } from './an-alert.ts'

describe('the next step of an escalation', () => {
  it('fires no millisecond before it is due (P12)', () => {
    expect(nextStep(anAlert(), NOON - 1, knowing()).kind).to.equal('none')
    expect(nextStep(anAlert(), NOON, knowing()).kind).to.equal('fire')
  })

  it('is due a full wait after the last one really fired, however late that was (P14)', () => {
    const late = nextStep(anAlert(), NOON + 60 * MINUTE, knowing())
    expect(late).to.deep.include({ kind: 'fire', step: 1, repeat: 0, nextAt: NOON + 65 * MINUTE })
  })

  for (const waitMs of [1000, MINUTE, 60 * MINUTE, 24 * 60 * MINUTE, 21 * 24 * 60 * MINUTE])
    it(`comes ${waitMs} ms after it where that is its wait, and not a millisecond later (O2)`, () => {
      const steps = [
        { notify: ['user:anna'], waitMs },
        { notify: ['user:bob'], waitMs: MINUTE },
      ]
      const policy = aPolicy([], { steps })
      expect(nextStep(anAlert({ policy }), NOON, knowing())).to.deep.include({
        kind: 'fire',
        step: 1,
        nextAt: NOON + waitMs,
      })
      const waiting = anAlert({ policy, step: 1, nextStepAt: NOON + waitMs })
      expect(nextStep(waiting, NOON + waitMs - 1, knowing()).kind).to.equal('none')
      expect(nextStep(waiting, NOON + waitMs, knowing())).to.deep.include({ kind: 'fire', step: 2 })
    })

  it('has everybody of the step among its targets (E3)', () => {
    const alert = anAlert({ policy: aPolicy([['user:anna', 'oncall', 'webhook:ops', 'mqtt:siren']]) })
    const next = nextStep(alert, NOON, knowing({ oncall: ['bob'] }))
    expect(next)
      .to.have.property('targets')
      .that.deep.equals({
        users: ['anna', 'bob'],
        webhooks: ['ops'],
        topics: ['siren'],
        unresolved: [],
      })
  })

  const quiet = [
    anAlert({ status: 'acknowledged' }),
    anAlert({ status: 'snoozed' }),
    anAlert({ status: 'suppressed' }),
    anAlert({ status: 'resolved' }),
    anAlert({ severity: 'warning' }),
    anAlert({ severity: 'info' }),
    anAlert({ nextStepAt: null }),
  ]
  for (const alert of quiet) {
    it(`is none for a ${alert.status} ${alert.severity} alert with timer ${alert.nextStepAt} (P15)`, () => {
      expect(nextStep(alert, NOON + 1, knowing())).to.deep.equal({ kind: 'none' })
    })
  }

  describe('walks through the policy', () => {
    const policy = aPolicy([['user:anna'], ['user:bob']], { repeat: 1 })
    const walk: readonly [after: [number, number], step: [number, number], more: boolean][] = [
      [[0, 0], [1, 0], true],
      [[1, 0], [2, 0], true],
      [[2, 0], [1, 1], true],
      [[1, 1], [2, 1], false],
    ]
    for (const [[step, repeat], [nextStep, nextRepeat], more] of walk) {
      it(`from step ${step} of run ${repeat} to step ${nextStep} of run ${nextRepeat} (O6)`, () => {
        const next = stepAfter({ policy, step, repeat }, NOON, knowing())
        expect(next).to.deep.include({ kind: 'fire', step: nextStep, repeat: nextRepeat })
        expect(next).to.have.property('nextAt', more ? NOON + 5 * MINUTE : null)
      })
    }

    it('and ends after the last step of the last run (O6)', () => {
      const end = stepAfter({ policy, step: 2, repeat: 1 }, NOON, knowing())
      expect(end).to.deep.equal({ kind: 'finished', skipped: [] })
    })
  })

  describe('passes over steps that reach nobody', () => {
    it('at once, and names them (E7, P20)', () => {
      const policy = aPolicy([['oncall'], [], ['user:bob']])
      const next = stepAfter({ policy, step: 0, repeat: 0 }, NOON, knowing())
      expect(next).to.deep.include({ kind: 'fire', step: 3, repeat: 0 })
      expect(next.skipped).to.deep.equal([
        { step: 1, repeat: 0, unresolved: ['oncall'] },
        { step: 2, repeat: 0, unresolved: [] },
      ])
    })

    it('but not over a step that calls only a webhook', () => {
      const policy = aPolicy([['oncall', 'webhook:ops']])
      expect(stepAfter({ policy, step: 0, repeat: 0 }, NOON, knowing()).kind).to.equal('fire')
    })

    it('and finishes after one look at each step, however many runs are left', () => {
      let looks = 0
      const policy = aPolicy([['oncall'], ['team']], { repeat: 1_000_000 })
      const next = stepAfter({ policy, step: 1, repeat: 3 }, NOON, (targets) => {
        looks++
        return knowing()(targets)
      })
      expect(next.kind).to.equal('finished')
      expect(next.skipped.map(({ step, repeat }) => [step, repeat])).to.deep.equal([
        [2, 3],
        [1, 4],
      ])
      expect(looks).to.equal(2)
    })

    it('and a policy without steps is finished from the start (E7)', () => {
      const end = stepAfter({ policy: aPolicy([], { repeat: 2 }), step: 0, repeat: 0 }, NOON, knowing())
      expect(end).to.deep.equal({ kind: 'finished', skipped: [] })
    })
  })
})

describe('a step that is only for a wave of alerts (O5)', () => {
  const openings = (...minutesAgo: number[]) =>
    Object.assign(knowing(), { openings: minutesAgo.map((ago) => NOON - ago * MINUTE) })
  const steps = [
    { notify: ['user:anna'], waitMs: MINUTE, ifMoreThan: { count: 2, withinMs: 10 * MINUTE } },
    { notify: ['user:bob'], waitMs: MINUTE },
  ]
  const policy = { ...aPolicy([]), steps }
  const cases: readonly [what: string, minutesAgo: number[], step: number][] = [
    ['as many as it says', [0, 1], 2],
    ['one more', [0, 1, 9], 1],
    ['one more, but too long ago', [0, 1, 10], 2],
    ['none but this one', [0], 2],
  ]
  for (const [what, minutesAgo, step] of cases) {
    it(`is ${step === 1 ? 'taken' : 'passed over'} at ${what}`, () => {
      expect(stepAfter({ policy, step: 0, repeat: 0 }, NOON, openings(...minutesAgo))).to.include({
        kind: 'fire',
        step,
      })
    })
  }

  it('is taken by hand whatever the number', () => {
    const next = stepAfter({ policy, step: 0, repeat: 0 }, NOON, openings(0), { byHand: true })
    expect(next).to.include({ kind: 'fire', step: 1 })
  })

  it('does not make a policy one that reaches nobody', () => {
    const end = stepAfter(
      { policy: { ...policy, steps: steps.slice(0, 1) }, step: 0, repeat: 0 },
      NOON,
      openings(0),
    )
    expect(end).to.deep.equal({
      kind: 'finished',
      skipped: [{ step: 1, repeat: 0, unresolved: [], alerts: 1 }],
    })
    expect(end.kind === 'finished' && reachesNobody(policy, end)).to.equal(false)
  })
})

describe('the policy of an alert', () => {
  it('that nobody owns tells the admins and the catch-all team, and again every 5 minutes, at most 3 times', () => {
    const policy = policyFor(undefined)
    expect(policy).to.deep.equal(defaultPolicy())
    const fired: number[] = []
    let alert = anAlert({ policy })
    for (let now = NOON; alert.nextStepAt !== null; now = alert.nextStepAt ?? now) {
      const next = nextStep(alert, now, knowing({ admins: ['root'] }))
      if (next.kind !== 'fire') break
      fired.push((now - NOON) / MINUTE)
      alert = { ...alert, step: next.step, repeat: next.repeat, nextStepAt: next.nextAt }
    }
    expect(fired).to.deep.equal([0, 5, 10, 15])
  })

  it('is the one of the owning team, even an empty one, except that a catch-all team need not bring any', () => {
    const own = aPolicy([['oncall']])
    const none = aPolicy([])
    expect(policyFor({ alertTypes: ['disk'], policy: own })).to.equal(own)
    expect(policyFor({ alertTypes: ['disk'], policy: none })).to.equal(none)
    expect(policyFor({ alertTypes: ['*'], policy: own })).to.equal(own)
    expect(policyFor({ alertTypes: ['*'], policy: none })).to.deep.equal(defaultPolicy())
  })
})
