import { expect } from 'chai'
import { harness, type Harness, type HarnessOptions } from '../support/harness.ts'
import { isPage } from '../support/is-page.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const bob = (rules: readonly object[]) => ({
  bob: {
    password: 'bob-password',
    email: 'bob@example.org',
    phone: '+4915112345672',
    groups: ['ops'],
    contact_rules: { critical: rules },
  },
})
const sms = (after: string) => ({ after, via: ['sms'] })

const platform = (escalation: object, more: object = {}) => ({
  platform: {
    alert_types: ['system_failure', 'temp_*'],
    schedule: { layers: [{ rotate: ['bob'] }] },
    escalation,
    ...more,
  },
})

describe('an escalation policy', () => {
  let program: Harness
  const run = async (config: HarnessOptions['config']) =>
    (program = await harness({ ...(config && { config }) }))
  afterEach(() => program.close())

  /** How many text messages each of these people got. */
  /** How many pages each of them got, which can be acknowledged; notices of what became of an alert cannot. */
  const texts = async (...people: string[]) =>
    Promise.all(people.map(async (id) => (await program.phone(id).messages('sms')).filter(isPage).length))
  const kinds = async (id: string) => (await program.timeline(id)).map((entry) => entry.kind)
  const raise = (source = 'db') => program.raise('alerts/critical/system_failure', { source })
  const act = (id: string, verb: string, as: string, body: object = {}) =>
    program.accepted(`alerts/${id}/${verb}`, body, { as })

  describe('with contact rules', () => {
    it('goes on with the next step at its time when a page of this one was part of another message (E4, P13)', async () => {
      await run({
        users: bob([sms('5m')]),
        teams: platform({
          steps: [
            { notify: ['oncall'], wait: '5m' },
            { notify: ['oncall'], channels: ['sms'], wait: '10m' },
            { notify: ['user:cem'], wait: '10m' },
          ],
        }),
      })
      await raise()
      await program.pass(5 * MINUTE)
      expect(await texts('bob', 'cem')).to.deep.equal([1, 0])
      await program.pass(10 * MINUTE - 1)
      expect(await texts('cem')).to.deep.equal([0])
      await program.pass(1)
      expect(await texts('cem')).to.deep.equal([1])
    })

    it('sends one message when two of its cycles come due together on one contact (E4)', async () => {
      await run({
        users: bob([sms('0s'), sms('30m')]),
        teams: platform({
          steps: [
            { notify: ['oncall'], wait: '30m' },
            { notify: ['oncall'], wait: '2h' },
          ],
        }),
      })
      const id = await raise()
      expect(await texts('bob')).to.deep.equal([1])
      await program.pass(30 * MINUTE)
      expect(await texts('bob'), 'the rule of step 1 and the first of step 2 are one message').to.deep.equal([
        2,
      ])
      const doubled = (await program.deliveries(id)).filter(({ reason }) => reason === 'same_time')
      expect(doubled.map(({ state, userId, channel }) => [state, userId, channel])).to.deep.equal([
        ['suppressed', 'bob', 'sms'],
      ])
      await program.pass(30 * MINUTE)
      expect(await texts('bob'), 'step 2 started the rules anew').to.deep.equal([3])
    })

    it('sends one message for all that came due on one contact while the program was down (E5)', async () => {
      await run({
        users: bob([sms('0s'), sms('10m'), sms('20m')]),
        teams: platform({ steps: [{ notify: ['oncall'], wait: '2h' }] }),
      })
      await raise()
      await program.restart(HOUR)
      expect(await texts('bob')).to.deep.equal([2])
      await program.pass(30 * MINUTE)
      expect(await texts('bob')).to.deep.equal([2])
    })

    it('does not follow a rule that is added after the cycle began, and does from the next step on (E6)', async () => {
      const teams = platform({
        steps: [
          { notify: ['oncall'], wait: '10m' },
          { notify: ['oncall'], wait: '10m' },
        ],
      })
      await run({ users: bob([{ after: '0s', via: ['app'] }]), teams })
      await raise()
      await program.pass(MINUTE)
      program.reconfigure({ users: bob([{ after: '0s', via: ['app', 'sms'] }]), teams })
      await program.pass(8 * MINUTE)
      expect(await texts('bob')).to.deep.equal([0])
      await program.pass(MINUTE)
      expect(await texts('bob')).to.deep.equal([1])
    })

    it("uses a step's own channels in their place", async () => {
      await run({
        users: bob([sms('0s'), sms('1m')]),
        teams: platform({ steps: [{ notify: ['oncall'], wait: '5m', channels: ['app', 'voice'] }] }),
      })
      await raise()
      await program.pass(4 * MINUTE)
      expect((await program.phone('bob').messages()).map(({ channel }) => channel)).to.deep.equal(['voice'])
      expect(await texts('anna'), 'administrators as always').to.deep.equal([1])
    })
  })

  it('is copied at the start: another one of the configuration does not touch a running alert (O1)', async () => {
    const before = platform({
      steps: [
        { notify: ['oncall'], wait: '5m' },
        { notify: ['user:cem'], wait: '5m' },
      ],
    })
    await run({ teams: before })
    const id = await raise()
    program.reconfigure({ teams: platform({ steps: [{ notify: ['user:dora'], wait: '1m' }] }) })
    await program.pass(5 * MINUTE)
    expect(await texts('bob', 'cem')).to.deep.equal([1, 1])
    expect(await program.alert(id)).to.include({ step: 2 })
  })

  describe('of an alert that is given to another team (E9)', () => {
    const teams = {
      ...platform({
        steps: [
          { notify: ['oncall'], wait: '5m' },
          { notify: ['oncall'], wait: '5m' },
        ],
      }),
      network: {
        alert_types: ['link_*'],
        escalation: { steps: [{ notify: ['user:cem'], wait: '20m' }] },
      },
    }

    it('tells the first step of the new one only, its old timers are dead, and the way back tells at once', async () => {
      await run({ teams })
      const id = await raise()
      await program.pass(MINUTE)
      await act(id, 'reassign', 'bob', { team: 'network' })
      await program.quiet()
      expect(await texts('anna', 'bob', 'cem')).to.deep.equal([1, 1, 1])
      expect(await program.alert(id)).to.include({ team: 'network', step: 1, status: 'firing' })
      await program.pass(10 * MINUTE)
      expect(await texts('anna', 'bob', 'cem')).to.deep.equal([1, 1, 1])
      await act(id, 'reassign', 'cem', { team: 'platform' })
      await program.quiet()
      expect(await texts('anna', 'bob', 'cem')).to.deep.equal([1, 2, 1])
      expect(await kinds(id)).to.include('reassigned')
    })

    it('stays where it is when there is no such team', async () => {
      await run({ teams })
      const id = await raise()
      const outcome = await program.publish(`alerts/${id}/reassign`, { team: 'netwrk' }, { as: 'bob' })
      expect(outcome).to.include({ kind: 'dead', code: 'publish.unknown_team' })
      expect(await program.alert(id)).to.include({ team: 'platform', step: 1 })
    })
  })

  it("that asks for two acknowledgements stops with the first one only that person's pages (E17)", async () => {
    await run({
      users: bob([sms('0s'), sms('3m')]),
      teams: platform({
        acks_required: 2,
        steps: [
          { notify: ['oncall', 'user:cem'], wait: '10m' },
          { notify: ['oncall', 'user:cem'], wait: '10m' },
        ],
      }),
    })
    const id = await raise()
    await act(id, 'ack', 'bob')
    await act(id, 'ack', 'bob')
    await program.pass(5 * MINUTE)
    expect(await texts('bob', 'cem'), 'the text after three minutes was Bob’s own').to.deep.equal([1, 1])
    expect(await program.alert(id)).to.include({ status: 'firing', acknowledgedBy: null })
    await program.pass(5 * MINUTE)
    expect(await texts('bob', 'cem'), 'a cycle that began after his own acknowledgement').to.deep.equal([
      2, 2,
    ])
    await program.pass(3 * MINUTE)
    expect(await texts('bob')).to.deep.equal([3])
    await act(id, 'ack', 'cem')
    expect(await program.alert(id)).to.include({
      status: 'acknowledged',
      acknowledgedBy: 'cem',
      nextStepAt: null,
    })
    expect((await program.alert(id)).acks?.map(({ by }) => by)).to.deep.equal(['bob', 'cem'])
    await program.pass(HOUR)
    expect(await texts('bob', 'cem')).to.deep.equal([3, 2])
    expect((await kinds(id)).filter((kind) => kind.includes('acknowledged'))).to.deep.equal([
      'partly_acknowledged',
      'acknowledged',
    ])
  })

  describe('with round robin (O3)', () => {
    it('tells one person per alert, the next one with the next alert, over restarts', async () => {
      await run({ teams: platform({ steps: [{ notify: ['round_robin:support'], wait: '5m' }], repeat: 1 }) })
      const users = async (id: string) =>
        (await program.timeline(id)).flatMap((entry) => (entry.kind === 'step' ? [entry.users] : []))
      const first = await raise('a')
      await program.pass(5 * MINUTE)
      const second = await raise('b')
      await program.restart()
      const third = await raise('c')
      expect(await users(first), 'one person for all of an alert').to.deep.equal([['cem'], ['cem']])
      expect(await users(second)).to.deep.equal([['dora']])
      expect(await users(third)).to.deep.equal([['cem']])
    })

    it('takes turns among the people of the rotation', async () => {
      await run({
        teams: platform(
          { steps: [{ notify: ['oncall.round_robin'], wait: '5m' }] },
          { schedule: { layers: [{ rotate: ['bob', 'cem'] }] } },
        ),
      })
      await raise('a')
      await raise('b')
      await raise('c')
      expect(await texts('bob', 'cem')).to.deep.equal([2, 1])
    })
  })

  describe('with a time window (O4)', () => {
    // The harness starts on Monday 2026-01-05 at 12:00 UTC.
    const between = (window: object) =>
      platform({
        steps: [
          { notify: ['user:cem'], wait: '5m' },
          { notify: ['oncall'], wait: '5m', ...window },
        ],
      })

    it('waits with the step until the window opens, also over midnight and over a restart', async () => {
      await run({ teams: between({ between: '23:00-02:00' }) })
      const id = await raise()
      await program.pass(5 * MINUTE)
      expect(await kinds(id)).to.include('waiting')
      await program.restart(5 * HOUR)
      await program.pass(23 * HOUR - (program.now % DAY) - 1)
      expect(await texts('bob')).to.deep.equal([0])
      await program.pass(1)
      expect(await texts('bob')).to.deep.equal([1])
      expect((await kinds(id)).filter((kind) => kind === 'waiting')).to.have.length(1)
    })

    it('waits for the day on which it opens; a person who escalates by hand does not wait', async () => {
      await run({ teams: between({ weekdays: ['tue'] }) })
      await raise('a')
      await program.pass(HOUR)
      expect(await texts('bob')).to.deep.equal([0])
      const other = await raise('b')
      await act(other, 'escalate', 'cem')
      await program.quiet()
      expect(await texts('bob')).to.deep.equal([1])
      await program.pass(11 * HOUR)
      expect(await texts('bob')).to.deep.equal([2])
    })

    it('tells the administrators at once when already the first step waits', async () => {
      await run({ teams: platform({ steps: [{ notify: ['oncall'], wait: '5m', between: '13:00-14:00' }] }) })
      await raise()
      expect(await texts('anna', 'bob')).to.deep.equal([1, 0])
      await program.pass(HOUR)
      expect(await texts('anna', 'bob')).to.deep.equal([1, 1])
    })
  })

  it('passes over a step for which there are too few alerts, and says so (O5)', async () => {
    await run({
      teams: platform({
        steps: [
          { notify: ['user:cem'], wait: '5m' },
          { notify: ['oncall'], wait: '5m', if_more_than: { count: 2, within: '10m' } },
          { notify: ['user:cem'], wait: '5m' },
        ],
      }),
    })
    const lonely = await raise('a')
    await program.pass(5 * MINUTE)
    expect(await texts('bob', 'cem')).to.deep.equal([0, 2])
    const skipped = (await program.timeline(lonely)).find(({ kind }) => kind === 'skipped')
    expect(skipped).to.include({ step: 2, text: 'Only 1 alerts lately' })
    await act(lonely, 'resolve', 'cem')
    await program.pass(10 * MINUTE)
    for (const source of ['b', 'c', 'd']) await raise(source)
    await program.pass(5 * MINUTE)
    expect(await texts('bob'), 'three within ten minutes').to.deep.equal([3])
  })

  describe('with a reminder (O9)', () => {
    const teams = platform({
      steps: [{ notify: ['oncall'], wait: '5m' }],
      ack_reminder: '20m',
      ack_timeout: '10m',
    })

    it('asks those who acknowledged again, and starts at step 1 when nobody answers in time', async () => {
      await run({ teams })
      const id = await raise()
      await act(id, 'ack', 'bob')
      await program.pass(20 * MINUTE - 1)
      expect(await texts('bob')).to.deep.equal([1])
      await program.pass(1)
      expect(await texts('bob', 'anna'), 'and nobody else').to.deep.equal([2, 1])
      expect((await program.phone('bob').messages('sms')).at(-1)?.actions.map(({ id }) => id)).to.include(
        'ack',
      )
      expect(await program.alert(id)).to.include({ status: 'acknowledged' })
      await program.restart(10 * MINUTE - 1)
      expect(await program.alert(id)).to.include({ status: 'acknowledged' })
      await program.pass(1)
      expect(await program.alert(id)).to.include({ status: 'firing', step: 1, acknowledgedBy: null })
      expect(await texts('bob')).to.deep.equal([3])
      expect(
        (await kinds(id)).filter((kind) => kind === 'reminded'),
        'never doubled',
      ).to.have.length(1)
    })

    it('leaves it acknowledged as long as somebody answers, and asks nobody once it is resolved', async () => {
      await run({ teams })
      const id = await raise()
      await act(id, 'ack', 'bob')
      for (let round = 1; round <= 3; round++) {
        await program.pass(20 * MINUTE)
        expect(await texts('bob')).to.deep.equal([1 + round])
        await act(id, 'ack', 'bob')
      }
      expect(await program.alert(id)).to.include({ status: 'acknowledged', acknowledgedBy: 'bob' })
      await act(id, 'resolve', 'bob')
      await program.pass(2 * HOUR)
      expect(await texts('bob')).to.deep.equal([4])
    })
  })

  describe('that reaches nobody (P20)', () => {
    const empty = { alert_types: ['lonely'], schedule: { layers: [] } }

    it('tells its fallback and the operators, and passes over a step that no channel reaches', async () => {
      const escalation = {
        steps: [
          { notify: ['oncall'], wait: '5m' },
          { notify: ['user:dora'], wait: '5m', channels: ['sms'] },
        ],
        fallback: ['user:cem'],
      }
      await run({ teams: { empty: { ...empty, escalation } } })
      const id = await program.raise('alerts/critical/lonely')
      expect(await texts('cem')).to.deep.equal([1])
      const skipped = (await program.timeline(id)).filter(({ kind }) => kind === 'skipped')
      expect(skipped.map(({ text }) => text)).to.deep.equal([
        'Nobody is behind oncall',
        'No channel reaches dora',
      ])
      const alarm = (await program.openAlerts()).find(({ type }) => type === 'carillon_nobody_reachable')
      expect(alarm).to.deep.include({ severity: 'critical', affectedSystems: ['empty'] })
      expect(await texts('anna'), 'as administrator of the alert and of the alarm').to.deep.equal([2])
    })

    it('tells the catch-all team where it names no fallback', async () => {
      const rest = { alert_types: ['*'], escalation: { steps: [{ notify: ['user:cem'], wait: '5m' }] } }
      await run({ teams: { empty: { ...empty, escalation: { steps: [{ notify: ['oncall'] }] } }, rest } })
      await program.raise('alerts/critical/lonely')
      // Once for this alert and once for the operators' alarm, which nobody but the catch-all team owns.
      expect(await texts('cem')).to.deep.equal([2])
    })

    it('ends the alarm when a step of the team reaches somebody again', async () => {
      const teams = (rotate: readonly string[]) => ({
        empty: {
          ...empty,
          schedule: { layers: rotate.length === 0 ? [] : [{ rotate }] },
          escalation: { steps: [{ notify: ['oncall'], wait: '5m' }] },
        },
      })
      await run({ teams: teams([]) })
      await program.raise('alerts/critical/lonely', { source: 'a' })
      program.reconfigure({ teams: teams(['bob']) })
      await program.raise('alerts/critical/lonely', { source: 'b' })
      await program.quiet()
      expect((await program.openAlerts()).map(({ type }) => type)).to.deep.equal(['lonely', 'lonely'])
    })

    it('names the fallback also for when all steps went unanswered (R42)', async () => {
      await run({
        teams: platform({ steps: [{ notify: ['oncall'], wait: '5m' }], repeat: 1, fallback: ['user:cem'] }),
      })
      const id = await raise()
      await program.pass(10 * MINUTE - 1)
      expect(await texts('bob', 'cem')).to.deep.equal([2, 0])
      await program.pass(1)
      expect(await texts('bob', 'cem')).to.deep.equal([2, 1])
      expect((await kinds(id)).slice(-2)).to.deep.equal(['fallback', 'finished'])
      expect(
        (await program.openAlerts()).map(({ type }) => type),
        'no alarm',
      ).to.deep.equal(['system_failure'])
    })
  })

  it('closes an alert of which nothing was heard for so many days (E26)', async () => {
    await run({ teams: platform({ steps: [{ notify: ['oncall'], wait: '5m' }], auto_resolve: '7d' }) })
    const idle = await raise('a')
    const busy = await raise('b')
    await act(idle, 'ack', 'bob')
    await program.restart(6 * DAY)
    await raise('b')
    await program.restart(DAY - 1)
    expect(await program.alert(idle)).to.include({ status: 'acknowledged' })
    await program.pass(1)
    expect(await program.alert(idle)).to.include({ status: 'resolved' })
    expect(await program.alert(busy), 'it was published again').to.include({ status: 'firing' })
    await program.restart(6 * DAY)
    expect(await program.alert(busy)).to.include({ status: 'resolved' })
    expect(await texts('bob')).to.deep.equal([2])
  })

  it('pages nobody for a step that is overdue by more than a day, and says so', async () => {
    await run({
      teams: platform({
        steps: [
          { notify: ['oncall'], wait: '5m' },
          { notify: ['user:cem'], wait: '5m' },
        ],
      }),
    })
    const id = await raise()
    await program.restart(2 * DAY)
    await program.pass(HOUR)
    expect(await texts('cem')).to.deep.equal([0])
    expect((await kinds(id)).at(-1)).to.equal('stale')
    expect(await program.alert(id)).to.include({ status: 'firing', nextStepAt: null, step: 1 })
  })

  for (const [wait, ms] of [
    ['1s', SECOND],
    ['5w', 35 * DAY],
  ] as const) {
    it(`waits ${wait} between steps, to the millisecond (P12, P13)`, async () => {
      await run({
        teams: platform({
          steps: [
            { notify: ['oncall'], wait },
            { notify: ['user:cem'], wait: '5m' },
          ],
        }),
      })
      await raise()
      await program.restart(ms - 1)
      expect(await texts('cem')).to.deep.equal([0])
      await program.pass(1)
      expect(await texts('cem')).to.deep.equal([1])
    })
  }
})
