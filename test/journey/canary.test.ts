import { expect } from 'chai'
import type { Troubles } from '../../src/delivery/chaos.ts'
import { harness, type Harness, type HarnessOptions } from '../support/harness.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const CANARY = { every: '1h', within: '2m', user: 'cem', channels: ['sms', 'email'] }

describe('A canary page', function () {
  this.timeout(60_000)
  let program: Harness
  afterEach(() => program.close())

  const run = async (canary: object = CANARY, options: HarnessOptions = {}) => {
    program = await harness({
      ...options,
      config: { canary: canary as Record<string, unknown>, ...(options.config as object) },
    })
    await program.pass(0)
  }
  const texts = async (id = 'cem') => (await program.phone(id).messages('sms')).map(({ text }) => text)
  const alarms = async () =>
    (await program.openAlerts())
      .filter(({ type }) => type === 'carillon_canary')
      .map(({ affectedSystems }) => affectedSystems)

  it('goes to its person on every channel at its times, says what it is, and asks for nothing', async () => {
    await run()
    const [text] = await program.phone('cem').messages('sms')
    expect(text?.text).to.equal('[Canary] Test page on sms. Nothing is wrong; no answer is needed.')
    expect(text?.actions).to.deep.equal([])
    expect(await program.phone('cem').messages('email')).to.have.length(1)
    expect(await program.inbox('cem')).to.deep.equal([])
    await program.pass(HOUR - 1)
    expect(await texts()).to.have.length(1)
    await program.pass(1)
    expect(await texts()).to.have.length(2)
    expect(await alarms()).to.deep.equal([])
  })

  it('goes to whoever of a team is on call', async () => {
    await run({ every: '1h', team: 'platform', channels: ['sms'] })
    expect([await texts('bob'), await texts('cem')].map((all) => all.length)).to.deep.equal([1, 0])
  })

  it('is measured by channel, and counts neither as a message nor against the budget of its person', async () => {
    await run(
      { ...CANARY, every: '1m', within: '30s' },
      {
        config: {
          throttle: { sms: [[2, '1h']] },
          users: {
            cem: {
              name: 'Cem',
              phone: '+4915112345673',
              email: 'cem@example.org',
              preferences: { sms: true },
            },
          },
        },
      },
    )
    await program.pass(10 * MINUTE)
    expect(await texts()).to.have.length(11)
    const { metrics } = program.app.engine
    const seconds = (await metrics.canary.get()).values
    expect(
      seconds.find(
        ({ metricName, labels }) =>
          metricName === 'carillon_canary_seconds_count' && labels.channel === 'sms',
      )?.value,
    ).to.equal(11)
    expect((await metrics.deliveries.get()).values).to.deep.equal([])
    await program.restart()
    await program.accepted('notifications/realtime/user/cem', { message: 'Real', priority: 'critical' })
    await program.quiet()
    expect((await texts()).at(-1)).to.match(/Real/)
  })

  it('that is not taken in its time is told to the operators once, until one is taken in time again', async () => {
    await run()
    const chaos = (troubles: Troubles) =>
      program.app.engine.chaos.set(program.app.engine.directory.principal('anna')!.tenant, troubles)
    chaos(new Map([['sms', { failRate: 1, delayMs: 0, status: 500 }]]))
    await program.pass(HOUR)
    expect(await alarms()).to.deep.equal([])
    await program.pass(2 * MINUTE)
    expect(await alarms()).to.deep.equal([['sms']])
    await program.pass(2 * HOUR)
    expect(await alarms()).to.deep.equal([['sms']])
    chaos(new Map())
    await program.pass(HOUR)
    expect(await alarms()).to.deep.equal([])
  })

  it('is looked after over a restart, and none is sent too early', async () => {
    await run({ ...CANARY, user: 'dora', channels: ['sms'] })
    await program.restart(MINUTE)
    expect(await alarms()).to.deep.equal([])
    await program.pass(MINUTE)
    expect(await alarms()).to.deep.equal([['sms']])
    await program.restart(MINUTE)
    expect(await alarms()).to.deep.equal([['sms']])
    program.reconfigure({ canary: { ...CANARY, channels: ['email'] } })
    await program.pass(MINUTE)
    expect(await alarms()).to.deep.equal([])
    expect(await texts()).to.deep.equal([])
  })

  it('waits for the end of the quiet hours of its person', async () => {
    const from = '00:00'
    const quiet = { quiet_hours: { from, to: '23:59' } }
    await run(CANARY, {
      config: {
        users: { cem: { name: 'Cem', phone: '+4915112345673', email: 'cem@example.org', ...quiet } },
      },
    })
    await program.pass(MINUTE)
    expect(await texts()).to.deep.equal([])
    await program.pass(24 * HOUR)
    expect((await texts()).length).to.be.greaterThan(0)
  })
})
