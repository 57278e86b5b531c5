import { expect } from 'chai'
import { eventually } from '../support/eventually.ts'
import { harness, type Harness } from '../support/harness.ts'

const PRESENCE = { grace: '30s', alert: { severity: 'info' } }
const CONFIG = {
  clients: {
    gateway: { token: 'gateway-token', publish: ['plain/#'], presence: PRESENCE },
    quiet: { token: 'quiet-token', publish: ['plain/#'] },
  },
  rules: [
    {
      id: 'will',
      topic: 'plain/{id}/status',
      when: 'will && payload == "offline"',
      alert: { severity: 'info', type: 'will_said', message: '{{id}} is gone' },
    },
  ],
}

describe('a client that is gone without goodbye (feature 4)', () => {
  let program: Harness
  beforeEach(async () => {
    program = await harness({ config: CONFIG })
  })
  afterEach(() => program.close())
  const alerts = async () => (await program.openAlerts()).filter(({ type }) => type === 'client_offline')
  const connections = () =>
    program.app.engine.metrics.connections
      .get()
      .then(({ values }) => values.reduce((sum, { value }) => sum + value, 0))
  const gone = () =>
    eventually('the connection to end', async () => ((await connections()) === 0 ? true : undefined))
  /** Breaks the connection as a pulled plug does. */
  const lose = async (id: string, options = {}) => {
    const client = await program.client(id, options)
    client.mqtt.stream.destroy()
    await gone()
  }

  it('is an alert after its grace, which ends when it is back', async () => {
    await lose('gateway')
    await program.pass(29_000)
    expect(await alerts()).to.deep.equal([])
    await program.pass(1000)
    const [alert] = await alerts()
    expect(alert).to.include({ source: 'gateway', severity: 'info', dedupKey: 'client:gateway' })
    expect(alert?.data).to.deep.equal({ client: 'gateway', flaps: 1 })
    await program.client('gateway')
    await program.pass(1)
    expect(await alerts()).to.deep.equal([])
  })

  it('is none when it says goodbye, when it comes back in time, or when nobody asked to watch it', async () => {
    const polite = await program.client('gateway')
    await polite.mqtt.endAsync()
    await gone()
    await lose('quiet')
    await program.pass(120_000)
    expect(await program.openAlerts()).to.deep.equal([])
    await lose('gateway')
    await program.pass(20_000)
    await program.client('gateway')
    await program.pass(120_000)
    expect(await program.openAlerts()).to.deep.equal([])
  })

  it('is none when its client id is taken over', async () => {
    await program.client('gateway', { clientId: 'g1' })
    await program.client('gateway', { clientId: 'g1' })
    await eventually('the takeover', async () => ((await connections()) === 1 ? true : undefined))
    await program.pass(120_000)
    expect(await program.openAlerts()).to.deep.equal([])
  })

  it('is one alert with the count when it is lost 20 times within a minute', async () => {
    for (let flap = 0; flap < 20; flap++) {
      await lose('gateway')
      await program.pass(2500)
    }
    await program.pass(10_000)
    const open = await alerts()
    expect(open.map(({ count, data }) => [count, data['flaps']])).to.deep.equal([[1, 20]])
  }).timeout(60_000)

  it('is missed after a restart, unless it comes back within its grace', async () => {
    await program.client('gateway')
    await program.quiet()
    await program.restart(600_000)
    await program.pass(29_000)
    expect(await alerts()).to.deep.equal([])
    await program.pass(1000)
    expect(await alerts()).to.have.length(1)
    await program.restart()
    await program.pass(120_000)
    expect((await alerts()).map(({ count }) => count)).to.deep.equal([1])
    await program.client('gateway')
    await program.pass(1)
    expect(await alerts()).to.deep.equal([])
  })

  it('is told apart in rules by its last will, which a publish of the same text is not', async () => {
    await program.publish('plain/g1/status', 'offline')
    expect(await program.openAlerts()).to.deep.equal([])
    await lose('quiet', {
      will: { topic: 'plain/g1/status', payload: Buffer.from('offline'), qos: 1, retain: false },
    })
    const [alert] = await eventually('the alert of the will', async () => {
      await program.quiet()
      const open = await program.openAlerts()
      return open.length > 0 ? open : undefined
    })
    expect(alert).to.include({ type: 'will_said', message: 'g1 is gone' })
    expect(alert?.data['will']).to.equal(true)
  })
})
