import { expect } from 'chai'
import { harness, type Harness } from '../support/harness.ts'
import { providerServer, type ProviderServer } from '../support/provider-server.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const REFUSED = 'carillon_provider_refused'

describe('The alarm of the operators', () => {
  let server: ProviderServer
  let bell: Harness
  const start = async (countries: readonly string[] = []) => {
    server = await providerServer()
    bell = await harness({
      config: {
        channels: { sms: { mode: 'live', provider: 'http', url: `${server.url}/sms`, countries } },
        // Nobody but the administrator: the types of the engine belong to no team.
        teams: {
          platform: {
            alert_types: ['system_failure'],
            escalation: { steps: [{ notify: ['user:bob'], wait: '5m' }] },
          },
        },
      },
    })
  }
  afterEach(async () => {
    await bell.close()
    await server.close()
  })

  const own = async () => (await bell.openAlerts()).filter(({ type }) => type.startsWith('carillon_'))
  const gauge = async () => {
    const { values } = await bell.app.engine.metrics.operatorAlarms.get()
    return values.map(({ labels, value }) => [labels.cause, value])
  }
  const page = () => bell.raise('alerts/critical/system_failure')

  it('goes once to the administrators when a provider refuses our credentials, and is over with the first success (P7)', async () => {
    await start()
    server.answer = () => ({ status: 401 })
    await page()
    const [alarm, ...others] = await own()
    expect(others).to.deep.equal([])
    expect(alarm).to.include({
      type: REFUSED,
      severity: 'warning',
      tenant: 'default',
      dedupKey: 'carillon:provider_refused:sms',
      source: 'carillon',
    })
    expect(alarm?.origin.principal).to.equal('carillon')
    expect(Object.keys(alarm?.told ?? {})).to.deep.equal(['anna'])
    expect(await gauge()).to.deep.equal([['provider_refused:sms', 1]])
    const mails = async () =>
      (await bell.phone('anna').messages('email')).filter(({ alertId }) => alertId === alarm?.id)
    expect(await mails()).to.have.length(1)

    await bell.pass(9 * MINUTE)
    const [again] = await own()
    expect(again).to.include({ id: alarm?.id, severity: 'warning', count: 2 })
    expect(await mails()).to.have.length(1)

    server.answer = () => ({ status: 200 })
    await bell.pass(2 * MINUTE)
    expect(await own()).to.deep.equal([])
    const timeline = await bell.timeline(alarm?.id ?? '')
    expect(timeline.at(-1)).to.include({ kind: 'resolved', by: 'carillon' })
    expect(await gauge()).to.deep.equal([])
  })

  it('waits until a failing provider is more than a hiccup (P7)', async () => {
    await start()
    server.answer = () => ({ status: 503 })
    for (let count = 0; count < 6; count++)
      await bell.raise('alerts/critical/system_failure', { dedup_key: `k${count}` })
    expect(await own()).to.deep.equal([])
    await bell.pass(5 * MINUTE)
    expect((await own()).map(({ dedupKey }) => dedupKey)).to.deep.equal(['carillon:provider_failing:sms'])
    server.answer = () => ({ status: 200 })
    await bell.pass(2 * MINUTE)
    expect(await own()).to.deep.equal([])
  })

  it('raises no alarm about itself, however long its own deliveries fail', async () => {
    await start()
    server.answer = () => ({ status: 401 })
    await page()
    // The warning becomes critical, which is sent by SMS too, and fails there.
    await bell.pass(3 * 60 * MINUTE)
    const alarms = await own()
    expect(alarms.map(({ dedupKey }) => dedupKey)).to.deep.equal(['carillon:provider_refused:sms'])
    expect(alarms[0]?.severity).to.equal('critical')
    const { id = '' } = alarms[0] ?? {}
    const sms = (await bell.deliveries(id)).filter(({ channel }) => channel === 'sms')
    expect(sms).to.not.deep.equal([])
    for (const { state } of sms) expect(state).to.equal('pending')
    expect((await bell.app.engine.store.conservation()).broken).to.equal(0)
  })

  it('ends an alarm of an earlier run once its cause is gone', async () => {
    await start()
    server.answer = () => ({ status: 403 })
    await page()
    expect(await own()).to.have.length(1)
    await bell.restart()
    expect(await own()).to.have.length(1)
    expect(await gauge()).to.deep.equal([['provider_refused:sms', 1]])
    server.answer = () => ({ status: 200 })
    await bell.pass(2 * MINUTE)
    expect(await own()).to.deep.equal([])
  })

  it('is not over because of messages that the provider was never asked to take', async () => {
    await start(['+49'])
    server.answer = () => ({ status: 503 })
    await page()
    await bell.pass(5 * MINUTE)
    const causes = async () => (await own()).map(({ dedupKey }) => dedupKey)
    expect(await causes()).to.deep.equal(['carillon:provider_failing:sms'])
    await bell.accepted('notifications/sms/send', { phone: '+12025550123', message: 'Not allowed there' })
    await bell.pass(MINUTE)
    expect(await causes()).to.deep.equal(['carillon:provider_failing:sms'])
  })

  it('costs no write while all is well', async () => {
    await start()
    server.answer = () => ({ status: 200 })
    await page()
    await bell.pass(2 * MINUTE)
    const { values } = await bell.app.engine.metrics.operatorAlarms.get()
    expect([values, await own()]).to.deep.equal([[], []])
    expect(server.asked.length).to.be.greaterThan(0)
  })
})
