// First, because it says how old a server the driver is to speak to.
import { mongoServer } from '../support/mongo-server.ts'
import { expect } from 'chai'
import { connectClient, type TestClient } from '../broker/harness.ts'
import { until } from '../support/eventually.ts'
import { HttpApi } from '../support/http-api.ts'
import { Installation, type Program } from '../support/program.ts'
import { hasRedis, startRedis, type RedisServer } from '../support/redis-server.ts'

const config = (url: string, redis: string) => `
storage: { driver: mongo, url: "${url}", redis_url: "${redis}" }
users:
  anna: { password: anna-password, roles: [user, admin] }
  bob: { password: bob-password, phone: "+4915112345672" }
  cem: { password: cem-password, phone: "+4915112345673" }
clients:
  device: { token: device-token, publish: ["alerts/#", "notifications/#", "plain/#"], subscribe: ["plain/#"] }
teams:
  platform:
    alert_types: [system_failure]
    schedule: { layers: [{ rotate: [bob] }] }
    escalation: { steps: [{ notify: [oncall], wait: 6s }, { notify: ["user:cem"], wait: 1h }] }
`

interface Step {
  readonly kind: string
  readonly step?: number
}

describe('several nodes as processes of their own, on MongoDB and Redis (section 3.3)', function () {
  this.timeout(120_000)
  if (!hasRedis()) {
    it.skip('needs redis-server')
    return
  }
  let redis: RedisServer
  let installations: Installation[]
  let clients: TestClient[]
  let nodes: Program[]

  beforeEach(async function () {
    const mongo = await mongoServer(this as unknown as Mocha.Context)
    redis = await startRedis()
    const text = config(mongo.freshUrl(), redis.url)
    clients = []
    installations = [new Installation(text), new Installation(text)]
    nodes = []
    // One after the other: both would make the database.
    for (const installation of installations) nodes.push(await installation.start(mongo.env))
  })
  afterEach(async () => {
    for (const { mqtt } of clients) mqtt.end(true)
    await Promise.all(installations.map((installation) => installation.remove()))
    await redis.stop()
  })

  const node = (index: 0 | 1): Program => {
    const found = nodes[index]
    if (!found) throw new Error('no such node')
    return found
  }
  const connect = async (
    index: 0 | 1,
    username: string,
    options: Parameters<typeof connectClient>[1] = {},
  ): Promise<TestClient> => {
    const secret = username === 'device' ? 'device-token' : `${username}-password`
    const client = await connectClient(`mqtt://127.0.0.1:${node(index).mqttPort}`, {
      username,
      password: secret,
      ...options,
    })
    clients.push(client)
    return client
  }
  const raise = async (index: 0 | 1): Promise<string> => {
    const device = await connect(index, 'device')
    await device.mqtt.publishAsync('alerts/critical/system_failure', '{"message":"down"}', { qos: 1 })
    const api = await HttpApi.login(() => node(1), 'anna', 'anna-password')
    const { items } = await api.get<{ items: { id: string }[] }>('/v1/alerts')
    return String(items[0]?.id)
  }
  /** The steps that fired, as the node that is left tells them. */
  const stepsOf = async (id: string): Promise<readonly Step[]> => {
    const api = await HttpApi.login(() => node(1), 'anna', 'anna-password')
    const { timeline } = await api.get<{ timeline: Step[] }>(`/v1/alerts/${id}`)
    return timeline.filter(({ kind }) => kind === 'step')
  }
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

  it('fires the steps of an alert once when the node that raised it is killed, within ten seconds [P13]', async () => {
    const listener = await connect(0, 'device', { clientId: 'kept', clean: false })
    await listener.mqtt.subscribeAsync('plain/#', { qos: 1 })
    const id = await raise(0)
    const killedAt = Date.now()
    await node(0).end('SIGKILL')
    const device = await connect(1, 'device')
    await device.mqtt.publishAsync('plain/x', 'after the kill', { qos: 1 })
    await until(async () => (await stepsOf(id)).length === 2, 30_000)
    // Due six seconds after the alert was raised.
    expect(Date.now() - killedAt).to.be.below(10_000)
    const again = await connect(1, 'device', { clientId: 'kept', clean: false })
    await until(() => again.messages.length > 0)
    expect(again.texts()).to.deep.equal(['after the kill'])
    await pause(3000)
    expect(await stepsOf(id)).to.have.length(2)
  })

  it('refuses a node that comes back after its time was over [P13]', async () => {
    const id = await raise(0)
    process.kill(node(0).pid, 'SIGSTOP')
    await until(async () => (await stepsOf(id)).length === 2, 30_000)
    process.kill(node(0).pid, 'SIGCONT')
    await pause(4000)
    expect(await stepsOf(id)).to.have.length(2)
    const device = await connect(0, 'device', { clientId: 'x' })
    await device.mqtt.publishAsync('notifications/realtime/user/bob', '{"title":"t","message":"m"}', {
      qos: 1,
    })
  })

  it('lets one client id be connected once, on whichever node', async () => {
    const first = await connect(0, 'device', { clientId: 'same' })
    let closed = false
    first.mqtt.on('close', () => (closed = true))
    await connect(1, 'device', { clientId: 'same' })
    await until(() => closed)
  })

  it('loses no accepted message over a restart, a flush and a pause of Redis [P1]', async () => {
    const phone = await connect(1, 'bob')
    await phone.mqtt.subscribeAsync('users/bob/notifications', { qos: 1 })
    const device = await connect(0, 'device')
    let sent = 0
    const some = async () => {
      for (let n = 0; n < 5; n++, sent++)
        await device.mqtt.publishAsync(
          'notifications/realtime/user/bob',
          JSON.stringify({ title: String(sent), message: 'm' }),
          { qos: 1 },
        )
    }
    await some()
    await redis.restart()
    await some()
    redis.cli('FLUSHALL')
    await some()
    redis.pause()
    await some()
    await pause(3000)
    redis.resume()
    await some()
    await until(() => phone.messages.length >= sent, 30_000)
    const titles = phone.messages.map(({ payload }) =>
      Number((JSON.parse(payload.toString()) as { title: string }).title),
    )
    expect(titles).to.deep.equal(Array.from({ length: sent }, (_, n) => n))
  })
})
