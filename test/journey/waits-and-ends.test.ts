import { expect } from 'chai'
import { harness, type Harness, type HarnessOptions } from '../support/harness.ts'
import { isPage } from '../support/is-page.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const DAY = 24 * 60 * MINUTE
const TYPE = 'alerts/critical/system_failure'

const platform = (escalation: object) => ({
  platform: {
    alert_types: ['system_failure'],
    schedule: { layers: [{ rotate: ['bob'] }] },
    escalation,
  },
})

describe('how an escalation waits and ends', () => {
  let program: Harness
  afterEach(() => program.close())

  const run = async (config: HarnessOptions['config']) =>
    (program = await harness({ ...(config && { config }) }))
  const pages = async (...people: string[]) =>
    Promise.all(people.map(async (id) => (await program.phone(id).messages('sms')).filter(isPage).length))
  const endings = async (user: string) =>
    (await program.phone(user).messages('sms')).filter(({ text }) => text.startsWith('RESOLVED')).length
  const kinds = async (id: string) => (await program.timeline(id)).map((entry) => entry.kind)

  it('says when its next step comes, at least the wait and less than a minute more, and goes on then (O2)', async () => {
    const steps = [
      { notify: ['oncall'], wait: '90s' },
      { notify: ['user:cem'], wait: '2h' },
      { notify: ['team'], wait: '1m' },
    ]
    await run({ teams: platform({ steps }) })
    const id = await program.raise(TYPE)
    for (const [step, wait] of [
      [1, 90 * SECOND],
      [2, 120 * MINUTE],
    ] as const) {
      const { step: at, nextStepAt } = await program.alert(id)
      expect(at).to.equal(step)
      expect(nextStepAt).to.be.within(program.now + wait, program.now + wait + MINUTE - 1)
      await program.pass(wait - 1)
      expect((await program.alert(id)).step).to.equal(step)
      await program.pass(1)
    }
    expect((await program.alert(id)).step).to.equal(3)
  })

  it('closes what nobody took when its end says so, and tells everybody who was told (O7)', async () => {
    const steps = [
      { notify: ['oncall'], wait: '5m' },
      { notify: ['user:cem'], wait: '10m' },
    ]
    await run({ teams: platform({ steps, repeat: 1, resolve_at_end: true }) })
    const id = await program.raise(TYPE)
    const taken = await program.raise(TYPE, { source: 'taken' })
    await program.accepted(`alerts/${taken}/ack`, {}, { as: 'bob' })
    await program.pass(30 * MINUTE - 1)
    expect((await program.alert(id)).status).to.equal('firing')
    await program.pass(1)
    expect((await program.alert(id)).status).to.equal('resolved')
    expect((await kinds(id)).slice(-2)).to.deep.equal(['finished', 'resolved'])
    expect((await program.timeline(id)).at(-1)).to.include({
      by: 'carillon',
      text: 'Nobody took it to the end of its policy',
    })
    for (const user of ['anna', 'bob', 'cem']) expect(await endings(user), user).to.equal(1)
    expect((await program.alert(taken)).status).to.equal('acknowledged')
    await program.restart(DAY)
    expect(await pages('bob', 'cem')).to.deep.equal([3, 2])
  })

  it('passes over steps that name nobody or somebody who is gone, with an entry, and leaves open what reached nobody (O7, E7)', async () => {
    const escalation = {
      steps: [
        { notify: [], wait: '5m' },
        { notify: ['group:night'], wait: '5m' },
        { notify: ['user:cem'], wait: '5m' },
      ],
      resolve_at_end: true,
    }
    const users = (groups: readonly string[]) => ({
      eve: { name: 'Eve', password: 'eve-password', groups },
      finn: { name: 'Finn', password: 'finn-password', groups: ['night'] },
    })
    await run({ users: users(['night']), teams: platform(escalation) })
    program.reconfigure({ users: users(['night']), teams: platform(escalation) })
    const reached = await program.raise(TYPE)
    expect(
      (await program.timeline(reached)).filter(({ kind }) => kind === 'skipped'),
    ).to.deep.include.members([
      { at: program.now, kind: 'skipped', by: 'carillon', step: 1, repeat: 0, text: 'The step names nobody' },
    ])
    await program.close()
    const alone = { steps: [{ notify: [], wait: '5m' }], resolve_at_end: true }
    await run({ teams: platform(alone) })
    const lost = await program.raise(TYPE)
    await program.pass(60 * MINUTE)
    expect((await program.alert(lost)).status).to.equal('firing')
  })

  it('tells the end that time brought, and pages anew for what comes again under the same key (A4)', async () => {
    const silent = { topic: 'plain/lamp' }
    await run({
      teams: platform({
        steps: [{ notify: ['oncall', 'mqtt:lamp'], wait: '5m' }],
        auto_resolve: '1h',
      }),
      channels: { mqtt: { mode: 'live', topics: { lamp: silent } } },
    })
    const lamp = await program.client('device')
    await lamp.subscribe('plain/lamp')
    const first = await program.raise(TYPE)
    await program.pass(60 * MINUTE)
    expect((await program.alert(first)).status).to.equal('resolved')
    expect(await endings('bob')).to.equal(1)
    const later = await program.client('device')
    await later.subscribe('plain/lamp')
    const second = await program.raise(TYPE)
    expect(second).to.not.equal(first)
    expect(await pages('bob')).to.deep.equal([2])
    // The lamp is not told of ends, and lights up again all the same.
    await later.count('plain/lamp', 1)
    await later.caughtUp()
    expect(later.received).to.have.length(1)
    const published = (await Promise.all([first, second].map((id) => program.deliveries(id)))).flat()
    const lit = published.filter(({ channel }) => channel === 'mqtt')
    expect(lit.map(({ purpose, state }) => [purpose, state])).to.deep.equal([
      ['page', 'sent'],
      ['page', 'sent'],
    ])
  })

  it('pages nobody twice for a restart or a reload, and its wait counts on (A5)', async () => {
    const steps = [
      { notify: ['oncall'], wait: '5m' },
      { notify: ['user:cem'], wait: '5m' },
    ]
    const teams = platform({ steps, repeat: 1 })
    await run({ teams })
    await program.raise(TYPE)
    await program.pass(2 * MINUTE)
    await program.restart(MINUTE)
    program.reconfigure({ teams: platform({ steps: [{ notify: ['oncall'], wait: '1s' }] }) })
    await program.pass(2 * MINUTE - 1)
    expect(await pages('bob', 'cem')).to.deep.equal([1, 0])
    await program.pass(1)
    expect(await pages('bob', 'cem')).to.deep.equal([1, 1])
    await program.restart(5 * MINUTE - 1)
    expect(await pages('bob', 'cem')).to.deep.equal([1, 1])
    await program.pass(1)
    expect(await pages('bob', 'cem')).to.deep.equal([2, 1])
  })
})
