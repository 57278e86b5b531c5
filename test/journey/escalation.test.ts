import { expect } from 'chai'
import { harness, type Harness, type HarnessOptions } from '../support/harness.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND

describe('an alert that nobody answers', () => {
  let program: Harness
  const run = async (config?: HarnessOptions['config']) =>
    (program = await harness({ ...(config && { config }) }))
  afterEach(() => program.close())

  /** How many text messages each of these people got. */
  const texts = async (...people: string[]) =>
    Promise.all(people.map(async (id) => (await program.phone(id).messages('sms')).length))
  const kinds = async (id: string) => (await program.timeline(id)).map((entry) => entry.kind)
  const policy = (
    escalation: object,
    schedule: object = { layers: [{ rotate: ['bob'] }] },
  ): HarnessOptions['config'] => ({
    teams: { platform: { alert_types: ['system_failure'], schedule, escalation } },
  })

  it('tells step 1 and the administrators at once, and step 2 after the wait of step 1, not earlier (E1, R23)', async () => {
    await run()
    const id = await program.raise('alerts/critical/system_failure')
    expect(await texts('anna', 'bob', 'cem')).to.deep.equal([1, 1, 0])
    await program.pass(5 * MINUTE - 1)
    expect(await texts('anna', 'bob', 'cem')).to.deep.equal([1, 1, 0])
    await program.pass(1)
    expect(await texts('anna', 'bob', 'cem'), 'later steps page only their targets').to.deep.equal([1, 1, 1])
    expect(await program.alert(id)).to.include({
      status: 'firing',
      step: 2,
      nextStepAt: program.now + 5 * MINUTE,
    })
  })

  it("follows a person's own contact rules, each delay counted from the page, and stops at the acknowledgement (E2)", async () => {
    const rules = {
      critical: [
        { after: '0s', via: ['app', 'sms'] },
        { after: '3m', via: ['voice'] },
        { after: '4m', via: ['sms'] },
      ],
    }
    await run({
      users: {
        bob: {
          password: 'bob-password',
          email: 'bob@example.org',
          phone: '+4915112345672',
          contact_rules: rules,
        },
      },
    })
    const channels = async () => (await program.phone('bob').messages()).map((message) => message.channel)
    const id = await program.raise('alerts/critical/system_failure')
    expect(await channels()).to.deep.equal(['sms'])
    await program.pass(3 * MINUTE - 1)
    expect(await channels()).to.deep.equal(['sms'])
    await program.pass(1)
    expect(await channels()).to.deep.equal(['sms', 'voice'])
    await program.accepted(`alerts/${id}/ack`, {}, { as: 'bob' })
    await program.pass(10 * MINUTE)
    expect(await channels(), 'the text after four minutes is a page too (P15)').to.deep.equal([
      'sms',
      'voice',
    ])
    const last = (await program.deliveries(id))
      .filter(({ userId, channel }) => userId === 'bob' && channel === 'sms')
      .at(-1)
    expect(last).to.include({ state: 'cancelled', reason: 'acknowledged' })
  })

  it('tells everybody on a step, each person once (E3)', async () => {
    await run(policy({ steps: [{ notify: ['group:ops', 'user:cem', 'oncall'], wait: '5m' }] }))
    await program.raise('alerts/critical/system_failure')
    expect(await texts('anna', 'bob', 'cem')).to.deep.equal([1, 1, 1])
  })

  describe('with gaps in the plan (E7)', () => {
    it('passes over a step that names nobody, and says so in the timeline (P20)', async () => {
      await run(
        policy(
          {
            steps: [
              { notify: ['oncall'], wait: '5m' },
              { notify: ['user:cem'], wait: '5m' },
            ],
          },
          { layers: [] },
        ),
      )
      const id = await program.raise('alerts/critical/system_failure')
      expect(await texts('cem')).to.deep.equal([1])
      expect(await kinds(id)).to.include.members(['skipped', 'step'])
    })

    it('tells the team and the administrators of an alert whose policy is empty, and refuses to escalate it by hand', async () => {
      await run(policy({ steps: [] }))
      const id = await program.raise('alerts/critical/system_failure')
      expect(await texts('anna', 'bob')).to.deep.equal([1, 1])
      const outcome = await program.publish(`alerts/${id}/escalate`, {}, { as: 'anna' })
      expect(outcome).to.include({ kind: 'dead', code: 'alert.no_policy' })
      expect(await texts('anna', 'bob')).to.deep.equal([1, 1])
    })

    it('keeps an alert that reaches nobody from holding up another one', async () => {
      await run({
        teams: {
          empty: {
            alert_types: ['lonely'],
            schedule: { layers: [] },
            escalation: { steps: [{ notify: ['oncall'], wait: '1m' }], repeat: 5 },
          },
        },
      })
      await program.raise('alerts/critical/lonely')
      await program.raise('alerts/critical/system_failure')
      await program.pass(5 * MINUTE)
      expect(await texts('bob', 'cem')).to.deep.equal([1, 1])
    })
  })

  it('goes to the next step, un-acknowledged, when an acknowledged alert is escalated by hand (E8)', async () => {
    await run()
    const id = await program.raise('alerts/critical/system_failure')
    await program.accepted(`alerts/${id}/ack`, {}, { as: 'bob' })
    expect(await program.alert(id)).to.include({
      status: 'acknowledged',
      acknowledgedBy: 'bob',
      nextStepAt: null,
    })
    await program.accepted(`alerts/${id}/escalate`, {}, { as: 'bob' })
    await program.quiet()
    expect(await program.alert(id)).to.include({ status: 'firing', acknowledgedBy: null, step: 2 })
    expect(await texts('bob', 'cem')).to.deep.equal([1, 1])
    await program.pass(5 * MINUTE)
    expect(await texts('bob', 'cem'), 'and the policy goes on from there').to.deep.equal([2, 2])
  })

  it('is one alert per dedup key, whose repeats are counted and page nobody (E13)', async () => {
    await run()
    const first = await program.raise('alerts/critical/system_failure', { source: 'db', message: 'Down' })
    const again = await program.raise('alerts/critical/system_failure', {
      source: 'db',
      message: 'Still down',
    })
    const other = await program.raise('alerts/critical/system_failure', { source: 'web' })
    const keyed = await program.raise('alerts/critical/temp_high', {
      source: 'attic',
      dedup_key: 'system_failure:db',
    })
    expect([again, keyed]).to.deep.equal([first, first])
    expect(other).to.not.equal(first)
    expect((await program.alert(first)).count).to.equal(3)
    expect(await texts('bob'), 'one page for each of the two alerts').to.deep.equal([2])
  })

  it('ends by its dedup key, after which no step fires and the key is free; the end of nothing is nothing (E14)', async () => {
    await run()
    const end = { message: 'Up again', source: 'db', status: 'resolved' }
    expect(await program.accepted('alerts/critical/system_failure', end)).to.include({
      status: 'alert_not_open',
    })
    const id = await program.raise('alerts/critical/system_failure', { source: 'db' })
    expect(await program.accepted('alerts/critical/system_failure', end)).to.include({
      status: 'alert_resolved',
      alert_id: id,
    })
    await program.pass(30 * MINUTE)
    expect(await program.alert(id)).to.include({ status: 'resolved', nextStepAt: null, step: 1 })
    expect(await texts('cem')).to.deep.equal([0])
    expect(await program.raise('alerts/critical/system_failure', { source: 'db' })).to.not.equal(id)
  })

  it('runs its policy again as often as `repeat` says, and then stops (contract 6)', async () => {
    await run(
      policy({
        steps: [
          { notify: ['oncall'], wait: '2m' },
          { notify: ['user:cem'], wait: '3m' },
        ],
        repeat: 1,
      }),
    )
    const id = await program.raise('alerts/critical/system_failure')
    const steps = async () =>
      (await program.timeline(id)).flatMap(({ kind, at, step }) => (kind === 'step' ? [[step, at]] : []))
    const start = program.now
    await program.pass(60 * MINUTE)
    expect(await steps()).to.deep.equal([
      [1, start],
      [2, start + 2 * MINUTE],
      [1, start + 5 * MINUTE],
      [2, start + 7 * MINUTE],
    ])
    expect(await texts('bob', 'cem')).to.deep.equal([2, 2])
    expect(await kinds(id)).to.include('finished')
    expect(await program.alert(id)).to.include({ status: 'firing', nextStepAt: null })
  })

  it('opens again from step 1 when it was acknowledged and not resolved in time (contract 6)', async () => {
    await run(
      policy({
        steps: [
          { notify: ['oncall'], wait: '5m' },
          { notify: ['user:cem'], wait: '5m' },
        ],
        ack_timeout: '30m',
      }),
    )
    const id = await program.raise('alerts/critical/system_failure')
    await program.pass(5 * MINUTE)
    await program.accepted(`alerts/${id}/ack`, {}, { as: 'cem' })
    await program.pass(30 * MINUTE - 1)
    // Bob was paged, and hears that Cem has it.
    expect(await texts('bob', 'cem')).to.deep.equal([2, 1])
    await program.pass(1)
    expect(await program.alert(id)).to.include({ status: 'firing', step: 1, acknowledgedBy: null })
    // Bob is paged again; Cem hears that it is open again.
    expect(await texts('bob', 'cem')).to.deep.equal([3, 2])
  })

  it('sleeps while it is snoozed and then starts from the top (contract 6)', async () => {
    await run()
    const id = await program.raise('alerts/critical/system_failure')
    await program.accepted(`alerts/${id}/snooze`, { for: '20m' }, { as: 'bob' })
    await program.pass(20 * MINUTE - 1)
    expect(await program.alert(id)).to.include({ status: 'snoozed' })
    expect(await texts('bob', 'cem')).to.deep.equal([1, 0])
    await program.pass(1)
    expect(await program.alert(id)).to.include({ status: 'firing', step: 1 })
    expect(await texts('bob', 'cem')).to.deep.equal([2, 0])
  })

  describe('as a warning (R32)', () => {
    it('sends no text message, and becomes critical after ten minutes without an answer', async () => {
      await run()
      const id = await program.raise('alerts/warning/temp_high', { severity: 'critical' })
      expect(await program.alert(id), 'the level of the topic wins').to.include({
        severity: 'warning',
        status: 'firing',
      })
      expect((await program.phone('anna').messages()).map(({ channel }) => channel)).to.deep.equal(['email'])
      await program.pass(10 * MINUTE - 1)
      expect(await texts('anna', 'bob', 'cem')).to.deep.equal([0, 0, 0])
      await program.pass(1)
      expect(await program.alert(id)).to.include({ severity: 'critical', step: 1 })
      expect(await texts('anna', 'bob', 'cem')).to.deep.equal([1, 1, 0])
    })

    it('becomes critical with its fourth publish', async () => {
      await run()
      const id = await program.raise('alerts/warning/temp_high')
      await program.raise('alerts/warning/temp_high')
      await program.raise('alerts/warning/temp_high')
      expect(await program.alert(id)).to.include({ severity: 'warning', count: 3 })
      await program.raise('alerts/warning/temp_high')
      expect(await program.alert(id)).to.include({ severity: 'critical', step: 1, count: 4 })
      expect(await texts('bob')).to.deep.equal([1])
    })

    it('stays a warning once somebody has acknowledged it', async () => {
      await run()
      const id = await program.raise('alerts/warning/temp_high')
      await program.accepted(`alerts/${id}/ack`, {}, { as: 'bob' })
      await program.pass(60 * MINUTE)
      for (let count = 0; count < 5; count++) await program.raise('alerts/warning/temp_high')
      expect(await program.alert(id)).to.include({ severity: 'warning', status: 'acknowledged' })
      expect(await texts('anna', 'bob', 'cem')).to.deep.equal([0, 0, 0])
    })
  })

  it('is an inbox entry and nothing else as an info (R33)', async () => {
    await run()
    const id = await program.raise('alerts/info/temp_high', { message: 'Warm today' })
    await program.pass(60 * MINUTE)
    for (const person of ['anna', 'bob', 'cem', 'dora'])
      expect(await program.phone(person).messages()).to.deep.equal([])
    expect((await program.inbox('bob')).map(({ content }) => content.message)).to.deep.equal(['Warm today'])
    expect(await program.alert(id)).to.include({ severity: 'info', status: 'firing', nextStepAt: null })
  })

  it('goes to the administrators, again every five minutes and three times more at most, when no team owns its type (contract 6)', async () => {
    await run()
    const id = await program.raise('alerts/critical/nobodys')
    const seen = [(await texts('anna'))[0]]
    for (let round = 0; round < 5; round++) {
      await program.pass(5 * MINUTE)
      seen.push((await texts('anna'))[0])
    }
    expect(seen).to.deep.equal([1, 2, 3, 4, 4, 4])
    expect(await texts('bob', 'cem')).to.deep.equal([0, 0])
    expect(await program.alert(id)).to.include({ team: null, nextStepAt: null })
  })

  describe('over a restart (P13, R42)', () => {
    it('takes its next step at its time', async () => {
      await run()
      const id = await program.raise('alerts/critical/system_failure')
      const start = program.now
      await program.pass(3 * MINUTE)
      await program.restart(MINUTE)
      expect(await texts('bob', 'cem')).to.deep.equal([1, 0])
      await program.pass(MINUTE)
      expect(await texts('bob', 'cem')).to.deep.equal([1, 1])
      expect((await program.timeline(id)).find(({ step }) => step === 2)?.at).to.equal(start + 5 * MINUTE)
    })

    it('takes one late step and waits in full before the following one (P14)', async () => {
      await run()
      await program.raise('alerts/critical/system_failure')
      await program.restart(120 * MINUTE)
      expect(await texts('bob', 'cem')).to.deep.equal([1, 1])
      await program.pass(5 * MINUTE - 1)
      expect(await texts('bob', 'cem')).to.deep.equal([1, 1])
      await program.pass(1)
      expect(await texts('bob', 'cem')).to.deep.equal([2, 2])
    })

    it('stays acknowledged', async () => {
      await run()
      const id = await program.raise('alerts/critical/system_failure')
      await program.accepted(`alerts/${id}/ack`, {}, { as: 'bob' })
      await program.restart(10 * MINUTE)
      await program.pass(30 * MINUTE)
      expect(await program.alert(id)).to.include({ status: 'acknowledged', acknowledgedBy: 'bob' })
      expect(await texts('cem')).to.deep.equal([0])
    })
  })

  describe('on the live board (contract 5)', () => {
    it('is retained with its state until it is resolved, also for who comes late and after a restart', async () => {
      await run()
      const id = await program.raise('alerts/critical/system_failure')
      const topic = `state/alerts/${id}`
      const early = await program.client('dora')
      await early.subscribe('state/alerts/#')
      expect(await early.first((message) => message.topic === topic)).to.deep.include({ retain: true })
      await program.accepted(`alerts/${id}/ack`, {}, { as: 'bob' })
      await early.first(
        ({ body }) => body?.['status'] === 'acknowledged' && body['acknowledged_by'] === 'bob',
      )

      await program.restart()
      const late = await program.client('dora')
      await late.subscribe('state/alerts/+')
      expect((await late.count(topic, 1))[0])
        .to.deep.include({ retain: true })
        .and.nested.include({ 'body.status': 'acknowledged' })
      await program.accepted(`alerts/${id}/resolve`, {}, { as: 'bob' })
      expect((await late.count(topic, 2))[1]?.body).to.equal(null)
      const latest = await program.client('dora')
      await latest.subscribe('state/alerts/+')
      await latest.caughtUp()
      expect(latest.received).to.deep.equal([])
    })

    it('shows who is on call, until when and who comes next, and the hand-off at its instant', async () => {
      const rotation = {
        layers: [{ rotate: ['bob', 'cem'], every: '1d', handoff: '12:20', start: '2026-01-04' }],
      }
      await run(policy({ steps: [{ notify: ['oncall'], wait: '5m' }] }, rotation))
      const board = await program.client('dora')
      await board.subscribe('state/oncall/platform')
      const [before] = await board.count('state/oncall/', 1)
      expect(before).to.include({ retain: true })
      expect(before?.body).to.include({ team: 'platform', user: 'bob', until: '2026-01-05T12:20:00.000Z' })
      expect(before?.body?.['next']).to.include({ user: 'cem' })
      await program.pass(20 * MINUTE)
      expect((await board.count('state/oncall/', 2))[1]?.body).to.include({ user: 'cem' })
    })
  })
})
