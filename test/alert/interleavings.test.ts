import { expect } from 'chai'
import type { Alert, EscalationPolicy } from '../../src/alert/alert.ts'
import { acknowledge } from '../../src/alert/change/change.ts'
import { acksRequired } from '../../src/alert/escalation/policy.ts'
import { remind } from '../../src/alert/escalation/reminder.ts'
import { draftAlert, open } from '../../src/alert/raise.ts'
import { onTimer } from '../../src/alert/timer.ts'
import { createFence } from '../../src/alert/paging/fence.ts'
import { aDecision, knowing, MINUTE, NOON, TENANT } from './an-alert.ts'

const INTERLEAVINGS = 10_000
const PEOPLE = ['anna', 'bob', 'cem']

/** Numbers in [0, 1) that are the same for the same seed (a linear congruential generator of Numerical Recipes). */
function randomOf(seed: number): (limit: number) => number {
  let state = seed >>> 0
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
}

/** What a store does with changes that were decided at the same time: the first one of a version wins. */
interface Decided {
  readonly from: number
  readonly alert: Alert
  readonly pages: readonly string[]
  readonly by: string | null
}

function policyOf(below: (limit: number) => number): EscalationPolicy {
  return {
    steps: Array.from({ length: 1 + below(4) }, () => ({
      notify: [`user:${PEOPLE[below(3)]}`],
      waitMs: 1 + below(5) * MINUTE,
    })),
    repeat: below(3),
    ackTimeoutMs: null,
    acksRequired: 1 + below(3),
  }
}

describe('acknowledgements and timers in any order', () => {
  it(`plan no page after the acknowledgement was confirmed, in ${INTERLEAVINGS} interleavings (P13, P15, P16, E17)`, () => {
    const whoIs = knowing({ admins: ['root'] })
    const seen = { confirmed: 0, partly: 0, timerFirst: 0, ackFirst: 0 }
    for (let seed = 1; seed <= INTERLEAVINGS; seed++) {
      const below = randomOf(seed)
      const draft = draftAlert(aDecision(), {
        id: 'a1',
        tenant: TENANT,
        team: 'platform',
        policy: policyOf(below),
        origin: { principal: 'db-monitor', messageId: 'm1', topic: 'alerts/critical/disk' },
        now: NOON,
      })
      let { alert } = open(draft, whoIs)
      let now = NOON
      let confirmedAt: number | null = null
      const fired = new Set<string>()
      for (let event = 0; event < 12; event++) {
        now =
          alert.nextStepAt !== null && below(3) > 0
            ? Math.max(now, alert.nextStepAt)
            : now + below(3 * MINUTE)
        // Several look at the same version before any of them commits.
        const decided = Array.from({ length: 1 + below(3) }, (): Decided | null => {
          const by = below(2) === 0 ? PEOPLE[below(3)]! : null
          const change =
            by === null ? onTimer(alert, now, whoIs) : acknowledge(alert, { by, via: 'http', now, whoIs })
          if (change.kind !== 'changed') return null
          const pages =
            change.page === null
              ? []
              : change.timeline.flatMap(({ kind, step, repeat }) =>
                  kind === 'step' ? [`${repeat}/${step}`] : [],
                )
          return { from: alert.version, alert: change.alert, pages, by }
        })
        for (const change of decided) {
          if (change === null || change.from !== alert.version) continue
          for (const page of change.pages) {
            expect(confirmedAt, `seed ${seed}: a page after the confirmation`).to.equal(null)
            expect(fired.has(page), `seed ${seed}: step ${page} twice`).to.equal(false)
            fired.add(page)
          }
          alert = change.alert
          if (change.by === null) seen.timerFirst++
          else seen.ackFirst++
          if (alert.status === 'acknowledged' && confirmedAt === null) {
            const people = new Set([...(alert.acks ?? []).map(({ by }) => by), alert.acknowledgedBy])
            expect(people.size, `seed ${seed}: enough different people`).to.be.at.least(acksRequired(alert))
            confirmedAt = now
            seen.confirmed++
          } else if (alert.status === 'firing' && change.by !== null) seen.partly++
        }
      }
    }
    for (const [what, times] of Object.entries(seen)) {
      expect(times, `the runs came by: ${what}`).to.be.greaterThan(1000)
    }
  }).timeout(60_000)
})

describe('the fence of one of several who must acknowledge (E17)', () => {
  it('stands for their own pages of before, not for later ones, nor for others, until it is forgotten', () => {
    const fence = createFence()
    fence.raiseFor('a1', 'bob', NOON)
    const stands = (userId: string | null, createdAt: number) =>
      fence.stands('a1', { ordinal: 1, userId, createdAt })
    expect([
      stands('bob', NOON),
      stands('bob', NOON + 1),
      stands('cem', NOON),
      stands(null, NOON),
    ]).to.deep.equal([true, false, false, false])
    expect(fence.stands('a1')).to.equal(false)
    fence.forget(NOON + 1)
    expect(stands('bob', NOON)).to.equal(false)
  })
})

describe('the reminder of an acknowledged alert (O9)', () => {
  it('goes to everybody who acknowledged, once each', () => {
    const { alert } = open(
      draftAlert(aDecision(), {
        id: 'a1',
        tenant: TENANT,
        team: 'platform',
        policy: {
          steps: [{ notify: ['user:anna'], waitMs: 1 }],
          repeat: 0,
          ackTimeoutMs: MINUTE,
          acksRequired: 2,
          ackReminderMs: MINUTE,
        },
        origin: { principal: 'db-monitor', messageId: 'm1', topic: 'alerts/critical/disk' },
        now: NOON,
      }),
      knowing(),
    )
    const first = acknowledge(alert, { by: 'bob', via: 'sms', now: NOON, whoIs: knowing() })
    if (first.kind !== 'changed') throw new Error('the first acknowledgement counts')
    const second = acknowledge(first.alert, { by: 'anna', via: 'http', now: NOON, whoIs: knowing() })
    if (second.kind !== 'changed') throw new Error('the second acknowledgement counts')
    const reminded = remind(second.alert, NOON + MINUTE)
    expect(reminded).to.have.nested.property('page.users').that.deep.equals(['bob', 'anna'])
    expect(reminded).to.have.nested.property('alert.nextStepAt', NOON + 2 * MINUTE)
  })
})
