import { expect } from 'chai'
import { harness, type Harness } from '../support/harness.ts'

const MINUTE = 60_000
const CONFIG = {
  rules: [
    {
      id: 'gateway-silent',
      expect: 'plain/{gateway}/heartbeat',
      every: '5m',
      grace: '30s',
      unless: 'payload == "asleep"',
      alert: { severity: 'info', type: 'gateway_silent', message: '{{gateway}} is silent' },
    },
  ],
  heartbeats: { backup: { every: '1h', grace: '10m' } },
  clients: { job: { token: 'job-token', publish: ['heartbeats/backup'] } },
}

describe('silence as an alarm (behaviour E15, pain P17)', () => {
  let program: Harness
  beforeEach(async () => {
    program = await harness({ config: CONFIG })
  })
  afterEach(() => program.close())
  const silent = async () => (await program.openAlerts()).filter(({ type }) => type === 'gateway_silent')
  const beat = (name: string, body = '') => program.publish(`plain/${name}/heartbeat`, body)

  it('of exactly those 7 of 1,000 topics that stop is told, within grace and a second, over a restart as well', async () => {
    const names = Array.from({ length: 1000 }, (_, index) => `g${index}`)
    const stopped = new Set(['g3', 'g99', 'g100', 'g512', 'g513', 'g998', 'g999'])
    const all = (which: readonly string[]) => Promise.all(which.map((name) => beat(name)))
    const living = names.filter((name) => !stopped.has(name))
    await all(names)
    await program.pass(4 * MINUTE)
    await program.restart(20 * MINUTE)
    await program.pass(2 * MINUTE)
    expect(await silent(), 'no false alarm after a restart').to.deep.equal([])
    await all(names)
    await program.pass(4 * MINUTE)
    await all(living)
    await program.pass(MINUTE + 29_000)
    expect(await silent(), 'none before its time').to.deep.equal([])
    await program.pass(1000)
    expect((await silent()).map(({ data }) => data['gateway'])).to.have.members([...stopped])
    expect((await silent())[0]?.message).to.match(/^g\d+ is silent$/)
  }).timeout(120_000)

  it('ends when the topic is heard again, also after a restart, and only for that one', async () => {
    await beat('a')
    await beat('b')
    await program.pass(6 * MINUTE)
    expect(await silent()).to.have.length(2)
    await program.restart()
    await program.pass(6 * MINUTE)
    expect(
      (await silent()).map(({ count }) => count),
      'not raised anew',
    ).to.deep.equal([1, 1])
    await beat('b')
    expect((await silent()).map(({ data }) => data['gateway'])).to.deep.equal(['a'])
    await program.pass(6 * MINUTE)
    expect(await silent()).to.have.length(2)
  })

  it('is excused by the last message where the rule says so', async () => {
    await beat('a', 'asleep')
    await program.pass(30 * MINUTE)
    expect(await silent()).to.deep.equal([])
    await beat('a', 'awake')
    await program.pass(6 * MINUTE)
    expect(await silent()).to.have.length(1)
  })

  it('costs no write for a message of a topic that is known (E15)', async () => {
    await beat('a')
    const commits = async () =>
      (await program.app.engine.metrics.commitSize.get()).values.find(({ metricName }) =>
        metricName?.endsWith('_sum'),
      )?.value
    const before = await commits()
    for (let round = 0; round < 20; round++) await beat('a')
    expect(await commits()).to.equal(before)
  })

  it('of a named job is an alarm also when it never reported, and ends with its report (feature 15)', async () => {
    await program.pass(71 * MINUTE)
    const [alert] = await program.openAlerts()
    expect(alert).to.include({ type: 'heartbeat_missed', source: 'backup' })
    await program.publish('heartbeats/backup', '', { as: 'job' })
    expect(await program.openAlerts()).to.deep.equal([])
  })

  it('is heard of over HTTP as well, by who may (feature 15)', async () => {
    const call = (path: string, token: string, method = 'POST') =>
      fetch(`${program.app.httpUrl}/v1/heartbeats${path}`, {
        method,
        headers: { authorization: `Bearer ${token}` },
      })
    const heard = await call('/backup', 'job-token')
    expect(heard.status).to.equal(202)
    const dueAt = new Date(program.now + 70 * MINUTE).toISOString()
    expect(await heard.json()).to.deep.equal({ name: 'backup', due_at: dueAt })
    expect((await call('/backup', 'device-token')).status).to.equal(403)
    expect((await call('/other', 'job-token')).status).to.equal(404)
    expect((await call('', 'job-token', 'GET')).status).to.equal(403)
    await beat('a')
    await program.pass(6 * MINUTE)
    const list = await (await call('?silent=true', 'console-token', 'GET')).json()
    expect(list).to.deep.equal({
      items: [
        {
          rule: 'gateway-silent',
          topic: 'plain/a/heartbeat',
          last_seen_at: new Date(program.now - 6 * MINUTE).toISOString(),
          due_at: null,
          silent: true,
        },
      ],
      total: 1,
    })
  })
})
