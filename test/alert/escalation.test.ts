import { expect } from 'chai'
import type { Alert, EscalationPolicy } from '../../src/alert/alert.ts'
import {
  acknowledge,
  escalate,
  reassign,
  resolve,
  snooze,
  unacknowledge,
} from '../../src/alert/change/change.ts'
import type { Act, Change } from '../../src/alert/change/changed.ts'
import type { Moved } from '../../src/alert/escalation/start.ts'
import { draftAlert, open } from '../../src/alert/raise.ts'
import type { WhoIs } from '../../src/alert/paging/resolve-targets.ts'
import { onTimer } from '../../src/alert/timer.ts'
import { aDecision, knowing, MINUTE, NOON, TENANT } from './an-alert.ts'

const POLICIES = 400
const EVENTS = 60

/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

interface Chance {
  below(limit: number): number
  of<T>(choices: readonly T[]): T
}

function chanceOf(seed: number): Chance {
  const random = randomOf(seed)
  const below = (limit: number) => Math.floor(random() * limit)
  return { below, of: (choices) => choices[below(choices.length)]! }
}

const TARGETS = ['user:anna', 'user:bob', 'user:carla', 'oncall', 'user:gone', 'webhook:ops']

function randomPolicy(chance: Chance): EscalationPolicy {
  const steps = Array.from({ length: chance.below(5) }, () => ({
    notify: Array.from({ length: chance.below(3) }, () => chance.of(TARGETS)),
    waitMs: chance.of([0, 1, MINUTE, 5 * MINUTE]),
  }))
  return { steps, repeat: chance.below(4), ackTimeoutMs: chance.of([null, 1, 30 * MINUTE]) }
}

/** Nobody is on call in every other ten minutes; `gone` has left. */
function whoIsAt(now: number): WhoIs {
  const onDuty = Math.floor(now / (10 * MINUTE)) % 2 === 0
  return knowing({ oncall: onDuty ? ['dora'] : [], 'user:gone': [], admins: ['root'] })
}

/**
 * Watches one alert from outside: takes every change there was and complains about the first that breaks a promise.
 * Knows the rules from the contract, not from the code.
 */
class Witness {
  alert: Alert
  private fired = new Set<string>()
  private lastFired = { repeat: 0, step: 0 }
  private lastFireAt = -Infinity
  private waitMs = 0
  private silent = false

  constructor(opened: Moved) {
    this.alert = opened.alert
    this.watchPages(opened, NOON, 'start')
  }

  see(change: Change, now: number, cause: 'timer' | 'hand' | 'start' | 'silence'): void {
    if (change.kind !== 'changed') return
    const before = this.alert
    this.alert = change.alert
    expect(change.alert.version, 'every change is one version').to.equal(before.version + 1)
    if (cause === 'timer') expect(now, 'P12: no timer acts early').to.be.at.least(before.nextStepAt!)
    if (cause === 'silence') {
      expect(change.page, 'acknowledging, snoozing and resolving page nobody').to.equal(null)
      expect(change.cancelPages, 'P15: what is not sent yet is cancelled').to.be.a('string')
      this.silent = true
    } else {
      this.silent = false
      if (cause === 'start') this.startOver()
      this.watchPages(change, now, cause)
    }
    this.checkShape()
  }

  /** What a timer must not do while somebody has the alert in hand. */
  expectSilence(change: Change): void {
    expect(this.silent && change.kind === 'changed', 'P15: silence until the timer is due').to.equal(false)
  }

  private startOver(): void {
    this.fired = new Set()
    this.lastFired = { repeat: 0, step: 0 }
    this.lastFireAt = -Infinity
  }

  private watchPages(moved: Pick<Moved, 'alert' | 'timeline' | 'page'>, now: number, cause: string): void {
    // A step that was skipped is looked at again by a later escalation by hand.
    let place = this.lastFired
    for (const entry of moved.timeline) {
      if (entry.kind !== 'step' && entry.kind !== 'skipped') continue
      const { steps } = moved.alert.policy
      const expected =
        place.step < steps.length
          ? { repeat: place.repeat, step: place.step + 1 }
          : { repeat: place.repeat + 1, step: 1 }
      expect({ repeat: entry.repeat, step: entry.step }, 'steps come in their order').to.deep.equal(expected)
      expect(entry.repeat, 'O6: no run too many').to.be.at.most(moved.alert.policy.repeat)
      place = expected
      const { users, webhooks, topics } = whoIsAt(now)(steps[expected.step - 1]!.notify)
      const reaches = users.length + webhooks.length + topics.length > 0
      expect(entry.kind, 'P20: exactly the steps that reach nobody are skipped').to.equal(
        reaches ? 'step' : 'skipped',
      )
      if (entry.kind === 'skipped') continue
      const key = `${entry.repeat}/${entry.step}`
      expect(this.fired.has(key), `P13: step ${key} fires once`).to.equal(false)
      this.fired.add(key)
      this.lastFired = place
      expect(moved.page?.users, 'E3: everybody of the step').to.deep.equal(users)
      expect(moved.page?.webhooks).to.deep.equal(webhooks)
      if (cause === 'timer') expect(now, 'E1: a full wait').to.be.at.least(this.lastFireAt + this.waitMs)
      this.lastFireAt = now
      this.waitMs = steps[expected.step - 1]!.waitMs
    }
    const firings = moved.timeline.filter(({ kind }) => kind === 'step').length
    expect(firings, 'P14: one step at a time, however late').to.be.at.most(1)
    if (firings === 0) expect(moved.page?.step ?? null, 'no page of a step that did not fire').to.equal(null)
  }

  private checkShape(): void {
    const { status, acknowledgedBy, acknowledgedAt, nextStepAt, resolvedAt } = this.alert
    if (status === 'acknowledged') expect(acknowledgedBy).to.be.a('string')
    if (status === 'firing' || status === 'snoozed')
      expect([acknowledgedBy, acknowledgedAt]).to.deep.equal([null, null])
    if (status === 'resolved') expect([nextStepAt, typeof resolvedAt]).to.deep.equal([null, 'number'])
  }
}

function opened(policy: EscalationPolicy): Moved {
  const draft = draftAlert(aDecision(), {
    id: 'a1',
    tenant: TENANT,
    team: 'platform',
    policy,
    origin: { principal: 'db-monitor', messageId: 'm1', topic: 'alerts/critical/disk' },
    now: NOON,
  })
  return open(draft, whoIsAt(NOON))
}

/** What the timer means for the witness: an escalation goes on, everything else starts from the top. */
function causeOfTimer(alert: Alert): 'timer' | 'start' {
  return alert.status === 'firing' ? 'timer' : 'start'
}

function runTimer(witness: Witness, now: number): void {
  const { alert } = witness
  if (alert.nextStepAt !== null) {
    const early = onTimer(alert, alert.nextStepAt - 1, whoIsAt(alert.nextStepAt - 1))
    witness.expectSilence(early)
    expect(early.kind, 'P12: not a millisecond early').to.equal('same')
  }
  witness.see(onTimer(alert, now, whoIsAt(now)), now, causeOfTimer(alert))
}

/** Something a person does, with what the witness is to make of it. */
function actByHand(chance: Chance, witness: Witness, now: number): void {
  const { alert } = witness
  const act: Act = { by: chance.of(['anna', 'bob']), via: 'http', now, whoIs: whoIsAt(now) }
  switch (chance.below(12)) {
    case 0:
    case 1:
    case 2: {
      const change = acknowledge(alert, act)
      if (alert.status === 'acknowledged') expect(change).to.deep.equal({ kind: 'same', alert })
      return witness.see(change, now, 'silence')
    }
    case 3:
      return witness.see(unacknowledge(alert, act), now, 'start')
    case 4:
    case 5: {
      const change = escalate(alert, act)
      if (change.kind === 'changed') {
        expect(change.alert.status, 'E8: un-acknowledged').to.equal('firing')
        expect(change.page, 'E8: and notified').to.not.equal(null)
      } else expect(change, 'E7').to.have.property('code').that.is.oneOf(['alert.no_policy', 'alert.closed'])
      return witness.see(change, now, 'hand')
    }
    case 6:
    case 7:
      return witness.see(snooze(alert, chance.of([1, MINUTE, 60 * MINUTE]), act), now, 'silence')
    case 8: {
      const change = reassign(alert, chance.of(['anna', 'bob']), act)
      if (change.kind === 'changed') expect(change.page?.users.length, 'E9: exactly one person').to.equal(1)
      return witness.see(change, now, 'start')
    }
    case 9:
      // Rarely, because nothing happens afterwards.
      if (chance.below(5) === 0) witness.see(resolve(alert, act), now, 'silence')
      return
    default:
      // A publish that repeats the condition changes nothing here.
      return
  }
}

describe('an escalation, driven over a virtual clock', () => {
  it(`keeps its promises under ${POLICIES} random policies and interleavings (E1, E3, E7, E8, O6, O9, P12, P13, P15)`, () => {
    const seen = { steps: 0, reopened: 0, returned: 0, finished: 0 }
    for (let seed = 1; seed <= POLICIES; seed++) {
      const chance = chanceOf(seed)
      const witness = new Witness(opened(randomPolicy(chance)))
      let now = NOON
      try {
        for (let event = 0; event < EVENTS; event++) {
          const before = witness.alert
          const dueAt = before.nextStepAt
          if (dueAt !== null && chance.below(3) > 0) {
            // Mostly in time; sometimes the program was down for hours.
            now = Math.max(now, dueAt) + chance.of([0, 0, 1, 20, 3 * 60 * MINUTE])
            runTimer(witness, now)
          } else {
            const until = dueAt === null ? 10 * MINUTE : Math.max(dueAt - now, 1)
            now += chance.below(until)
            actByHand(chance, witness, now)
          }
          if (before.status === 'acknowledged' && witness.alert.status === 'firing') seen.reopened++
          if (before.status === 'snoozed' && witness.alert.status === 'firing') seen.returned++
          if (witness.alert.step > 0 && witness.alert !== before) seen.steps++
          if (witness.alert.status === 'firing' && witness.alert.nextStepAt === null) seen.finished++
        }
      } catch (error) {
        throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error })
      }
    }
    for (const [what, times] of Object.entries(seen)) {
      expect(times, `the runs came by: ${what}`).to.be.greaterThan(100)
    }
  })

  it('left alone fires every step of every run exactly at its time, then stops (E1, O6)', () => {
    for (let seed = 1; seed <= 100; seed++) {
      const chance = chanceOf(seed)
      const waits = Array.from({ length: 1 + chance.below(4) }, () => 1 + chance.below(10 * MINUTE))
      const policy: EscalationPolicy = {
        steps: waits.map((waitMs) => ({ notify: ['user:anna'], waitMs })),
        repeat: chance.below(4),
        ackTimeoutMs: null,
      }
      const fires: [repeat: number, step: number, at: number][] = []
      let { alert, page } = opened(policy)
      let now = NOON
      for (;;) {
        if (page?.step) fires.push([page.repeat, page.step, now])
        if (alert.nextStepAt === null) break
        now = alert.nextStepAt
        const change = onTimer(alert, now, whoIsAt(now))
        if (change.kind !== 'changed') throw new Error('A due timer changes the alert')
        ;({ alert, page } = change)
      }
      let dueAt = NOON
      const expected = Array.from({ length: policy.repeat + 1 }, (_, repeat) =>
        waits.map((waitMs, index): [number, number, number] => {
          const fire: [number, number, number] = [repeat, index + 1, dueAt]
          dueAt += waitMs
          return fire
        }),
      ).flat()
      expect(fires).to.deep.equal(expected)
    }
  })
})
