import { expect } from 'chai'
import { ALERT_STATUSES, type Alert } from '../../../src/alert/alert.ts'
import {
  acknowledge,
  command,
  escalate,
  note,
  promote,
  reassign,
  resolve,
  snooze,
  unacknowledge,
} from '../../../src/alert/change/change.ts'
import type { Act, Change, Changed } from '../../../src/alert/change/changed.ts'
import { aDecision, anAlert, aPolicy, knowing, MINUTE, NOON } from '../an-alert.ts'

const LATER = NOON + 2 * MINUTE

function act(wish: Partial<Act> = {}): Act {
  return { by: 'anna', via: 'http', now: LATER, whoIs: knowing({ admins: ['root'] }), ...wish }
}

function changedBy(change: Change): Changed {
  expect(change.kind).to.equal('changed')
  return change as Changed
}

const kinds = (change: Changed) => change.timeline.map(({ kind }) => kind)

/** Step 1 of two has fired at noon. */
const paged = (wish: Partial<Alert> = {}) => anAlert({ step: 1, nextStepAt: NOON + 5 * MINUTE, ...wish })

const acknowledged = (wish: Partial<Alert> = {}) =>
  paged({
    status: 'acknowledged',
    acknowledgedBy: 'bob',
    acknowledgedAt: NOON + MINUTE,
    acknowledgedVia: 'mqtt',
    nextStepAt: null,
    ...wish,
  })

const resolved = () => paged({ status: 'resolved', resolvedAt: NOON, nextStepAt: null })

describe('acknowledging an alert', () => {
  it('stops its timer, cancels its pages and says who, when and how (P15)', () => {
    const { alert, timeline, page, cancelPages } = changedBy(acknowledge(paged(), act({ note: 'On it' })))
    expect(alert).to.include({
      status: 'acknowledged',
      acknowledgedBy: 'anna',
      acknowledgedAt: LATER,
      acknowledgedVia: 'http',
      nextStepAt: null,
      step: 1,
      version: 8,
    })
    expect(timeline).to.deep.equal([
      { at: LATER, kind: 'acknowledged', by: 'anna', via: 'http', text: 'On it' },
    ])
    expect([page, cancelPages]).to.deep.equal([null, 'acknowledged'])
  })

  it('a second time changes nothing and still answers who was first (P16)', () => {
    const alert = acknowledged()
    expect(acknowledge(alert, act())).to.deep.equal({ kind: 'same', alert })
  })

  it('sets the ack timeout of the policy, for critical alerts only (O9)', () => {
    const policy = aPolicy([['user:anna']], { ackTimeoutMs: 30 * MINUTE })
    expect(changedBy(acknowledge(paged({ policy }), act())).alert.nextStepAt).to.equal(LATER + 30 * MINUTE)
    const warning = paged({ policy, severity: 'warning' })
    expect(changedBy(acknowledge(warning, act())).alert.nextStepAt).to.equal(null)
  })

  it('ends a snooze', () => {
    const snoozed = paged({ status: 'snoozed', nextStepAt: NOON + 60 * MINUTE })
    expect(changedBy(acknowledge(snoozed, act())).alert).to.include({
      status: 'acknowledged',
      nextStepAt: null,
    })
  })
})

describe('un-acknowledging an alert', () => {
  it('starts it from step 1 at once, with nobody who has it (O8)', () => {
    for (const alert of [acknowledged({ step: 2 }), paged({ status: 'snoozed', step: 2 })]) {
      const change = changedBy(unacknowledge(alert, act()))
      expect(change.alert).to.include({
        status: 'firing',
        acknowledgedBy: null,
        step: 1,
        repeat: 0,
        version: 8,
      })
      expect(change.alert.nextStepAt).to.equal(LATER + 5 * MINUTE)
      expect(kinds(change)).to.deep.equal(['unacknowledged', 'step'])
      expect(change.page).to.deep.include({ step: 1, users: ['anna'], admins: ['root'] })
    }
  })

  it('changes nothing when nobody has it', () => {
    const alert = paged()
    expect(unacknowledge(alert, act())).to.deep.equal({ kind: 'same', alert })
  })
})

describe('escalating by hand', () => {
  it('moves an acknowledged alert to the next step, un-acknowledges it and notifies (E8)', () => {
    const change = changedBy(escalate(acknowledged(), act()))
    expect(change.alert).to.include({
      status: 'firing',
      step: 2,
      acknowledgedBy: null,
      acknowledgedAt: null,
      acknowledgedVia: null,
      version: 8,
    })
    expect(kinds(change)).to.deep.equal(['escalated', 'step', 'finished'])
    expect(change.page).to.deep.include({ step: 2, users: ['bob'], admins: [] })
    expect(change.cancelPages).to.equal(null)
  })

  it('moves a firing alert on before its time, and the following step waits in full', () => {
    const policy = aPolicy([['user:anna'], ['user:bob'], ['user:carla']])
    const { alert } = changedBy(escalate(paged({ policy }), act()))
    expect(alert).to.include({ step: 2, nextStepAt: LATER + 5 * MINUTE })
  })

  it('goes on to the next run of the policy while one is left (O6)', () => {
    const policy = aPolicy([['user:anna']], { repeat: 1 })
    expect(changedBy(escalate(paged({ policy }), act())).alert).to.include({ step: 1, repeat: 1 })
  })

  it('is refused when nobody is left, and leaves the acknowledgement alone (E7)', () => {
    for (const policy of [aPolicy([]), aPolicy([['user:anna']]), aPolicy([['user:anna'], ['oncall']])]) {
      const change = escalate(acknowledged({ policy, step: policy.steps.length === 0 ? 0 : 1 }), act())
      expect(change).to.deep.equal({ kind: 'refused', code: 'alert.no_policy' })
    }
  })

  it('is refused while the alert is suppressed (E21)', () => {
    const change = escalate(paged({ status: 'suppressed', suppressedBy: 'silence-1' }), act())
    expect(change).to.deep.equal({ kind: 'refused', code: 'alert.suppressed' })
  })

  it('makes a warning critical and starts its policy', () => {
    const change = changedBy(escalate(anAlert({ severity: 'warning' }), act()))
    expect(change.alert).to.include({ severity: 'critical', step: 1, version: 8 })
    expect(kinds(change)).to.deep.equal(['escalated', 'promoted', 'step'])
  })
})

describe('snoozing an alert', () => {
  it('pauses it, cancels its pages and sets its return', () => {
    const { alert, cancelPages, page } = changedBy(snooze(acknowledged(), 60 * MINUTE, act()))
    expect(alert).to.include({ status: 'snoozed', nextStepAt: LATER + 60 * MINUTE, acknowledgedBy: null })
    expect([page, cancelPages]).to.deep.equal([null, 'snoozed'])
  })

  it('keeps for how long, and why', () => {
    const { timeline } = changedBy(snooze(paged(), 90_000, act({ note: 'Deploy' })))
    expect(timeline[0]).to.include({ kind: 'snoozed', text: 'For 90 s: Deploy' })
  })

  it('again replaces the earlier one', () => {
    const once = changedBy(snooze(paged(), 60 * MINUTE, act())).alert
    expect(changedBy(snooze(once, MINUTE, act())).alert.nextStepAt).to.equal(LATER + MINUTE)
  })

  for (const forMs of [0, -1, Number.NaN, Infinity, Number.MAX_SAFE_INTEGER]) {
    it(`is refused for ${forMs} ms`, () => {
      expect(snooze(paged(), forMs, act())).to.deep.include({ kind: 'refused', code: 'request.invalid' })
    })
  }
})

describe('resolving an alert', () => {
  it('ends its timer and its pages from every other status, and keeps who had it (P17)', () => {
    for (const status of ALERT_STATUSES.filter((status) => status !== 'resolved')) {
      const { alert, cancelPages } = changedBy(resolve(acknowledged({ status, nextStepAt: NOON }), act()))
      expect(alert).to.include({
        status: 'resolved',
        resolvedAt: LATER,
        nextStepAt: null,
        acknowledgedBy: 'bob',
      })
      expect(cancelPages).to.equal('resolved')
    }
  })

  it('a second time changes nothing', () => {
    const alert = resolved()
    expect(resolve(alert, act())).to.deep.equal({ kind: 'same', alert })
  })
})

describe('a note', () => {
  it('stands in the timeline and moves nothing else, also when the alert is resolved', () => {
    for (const before of [paged(), resolved()]) {
      const { alert, timeline, page, cancelPages } = changedBy(note(before, act({ note: 'Disk ordered' })))
      expect(alert).to.deep.equal({ ...before, version: 8 })
      expect(timeline).to.deep.equal([
        { at: LATER, kind: 'note', by: 'anna', via: 'http', text: 'Disk ordered' },
      ])
      expect([page, cancelPages]).to.deep.equal([null, null])
    }
  })

  it('without a text is refused', () => {
    expect(note(paged(), act({ note: '  ' }))).to.deep.include({ kind: 'refused', code: 'request.invalid' })
  })
})

describe('reassigning an alert (E9)', () => {
  const to = (alert: Alert, user = 'carla') => changedBy(reassign(alert, user, act()))

  it('pages the new person alone and at once, un-acknowledged, and ends earlier timers and pages', () => {
    const change = to(acknowledged({ step: 2, repeat: 1 }))
    expect(change.alert).to.include({
      status: 'firing',
      step: 1,
      repeat: 0,
      acknowledgedBy: null,
      version: 8,
    })
    expect(change.page).to.deep.include({ users: ['carla'], admins: [], because: 'reassigned' })
    expect(change.cancelPages).to.equal('reassigned')
    expect(kinds(change)).to.deep.equal(['reassigned', 'step'])
  })

  it('puts the person before the policy, which goes on when they do not react', () => {
    const policy = aPolicy([['oncall'], ['team']])
    const steps = to(paged({ policy })).alert.policy.steps.map((step) => step.notify)
    expect(steps).to.deep.equal([['user:carla'], ['oncall'], ['team']])
  })

  it('puts the person in the place of a single one, so that giving it on does not call the former again', () => {
    const policy = aPolicy([['oncall'], ['team']])
    const twice = to(to(paged({ policy })).alert, 'bob')
    expect(twice.alert.policy.steps.map((step) => step.notify)).to.deep.equal([
      ['user:bob'],
      ['oncall'],
      ['team'],
    ])
  })

  it('of a team without steps makes the person the only step', () => {
    const { alert, page } = to(paged({ policy: aPolicy([]) }))
    expect(alert).to.include({ step: 1, nextStepAt: null })
    expect(page?.users).to.deep.equal(['carla'])
  })

  it('of a warning tells the person as of a warning, and waits anew', () => {
    const { alert, page } = to(anAlert({ severity: 'warning' }))
    expect(alert).to.include({ severity: 'warning', nextStepAt: LATER + 10 * MINUTE })
    expect(page).to.deep.include({ level: 'warning', users: ['carla'], step: null })
  })

  it('to nobody we know is refused', () => {
    const whoIs = knowing({ 'user:ghost': [] })
    expect(reassign(paged(), 'ghost', act({ whoIs }))).to.deep.include({ code: 'publish.unknown_user' })
  })
})

describe('promoting an alert', () => {
  it('starts at step 1 over an acknowledgement, says what the publish said, and counts it', () => {
    const warning = acknowledged({ severity: 'warning', step: 0 })
    const change = promote(
      warning,
      'critical',
      act({ by: 'db-monitor' }),
      aDecision({ message: 'Disk dead' }),
    )
    expect(change.alert).to.include({
      severity: 'critical',
      status: 'firing',
      acknowledgedBy: null,
      message: 'Disk dead',
      step: 1,
      count: 2,
      lastAt: LATER,
      version: 8,
    })
    expect(kinds(change)).to.deep.equal(['promoted', 'step'])
    expect(change.timeline[0]).to.include({ by: 'db-monitor', text: 'From warning to critical' })
    expect(change.page).to.deep.include({ level: 'critical', users: ['anna'], admins: ['root'] })
    expect(change.cancelPages).to.equal('promoted')
  })

  it('without a publish keeps message and count', () => {
    const { alert } = promote(anAlert({ severity: 'warning' }), 'critical', act())
    expect(alert).to.include({ message: 'Disk full', count: 1, lastAt: NOON })
  })
})

describe('a command', () => {
  const verbs = [
    ['ack', 'acknowledged'],
    ['unack', 'firing'],
    ['escalate', 'firing'],
    ['snooze', 'snoozed'],
    ['resolve', 'resolved'],
    ['note', 'acknowledged'],
    ['reassign', 'firing'],
  ] as const
  for (const [verb, status] of verbs) {
    it(`${verb} leaves an acknowledged alert ${status}`, () => {
      const change = command(acknowledged(), { verb, forMs: MINUTE, user: 'carla' }, act({ note: 'n' }))
      expect(change).to.have.nested.property('alert.status', status)
    })
  }

  for (const verb of ['ack', 'unack', 'escalate', 'snooze', 'reassign'] as const) {
    it(`${verb} of a resolved alert is refused as closed`, () => {
      const change = command(resolved(), { verb, forMs: MINUTE, user: 'carla' }, act())
      expect(change).to.deep.equal({ kind: 'refused', code: 'alert.closed' })
    })
  }

  it('that lacks what its verb needs is refused', () => {
    expect(command(paged(), { verb: 'snooze' }, act())).to.include({ code: 'request.invalid' })
    expect(command(paged(), { verb: 'reassign' }, act())).to.include({ code: 'request.invalid' })
  })
})
