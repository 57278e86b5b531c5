import { expect } from 'chai'
import { eventually } from '../support/eventually.ts'
import { HttpApi } from '../support/http-api.ts'
import { MqttPerson } from '../support/mqtt-person.ts'
import { Installation, type Program } from '../support/program.ts'

const TOPICS = Array.from({ length: 40 }, (_, index) => `t${index}`)
const STOPPED = ['t3', 't17', 't39']
const BEAT_MS = 300
const ROUNDS = 2

const CONFIG = `
users:
  anna: { password: anna-password, roles: [user, admin] }
  bob: { password: bob-password, phone: "+4916012345678", contact_rules: { critical: [{ after: 0s, via: [app, sms] }] } }
clients:
  device: { token: device-token, publish: ["plain/#", "heartbeats/#"], rate_limit: { max_requests: 100000, window_seconds: 60 } }
  gateway: { token: gateway-token, publish: ["plain/#"], presence: { grace: 8s, alert: { severity: critical } } }
  polite: { token: polite-token, publish: ["plain/#"], presence: { grace: 2s, alert: { severity: critical } } }
  console: { token: console-token, roles: [ops, admin], subscribe: ["state/#"] }
throttle: { sms: [[1000, 15m]] }
heartbeats:
  backup: { every: 3s, grace: 2s, alert: { severity: critical } }
rules:
  - { id: beat, expect: "plain/{name}/beat", every: 3s, grace: 2s, alert: { severity: critical, type: silent, message: "{{name}} is silent" } }
  - { id: will, topic: "plain/{id}/status", when: "will && payload == \\"offline\\"", alert: { severity: critical, type: will_said, message: "{{id}} is gone" } }
teams:
  platform:
    alert_types: ["*"]
    schedule: { layers: [{ rotate: [bob] }] }
    escalation: { steps: [{ notify: [oncall], wait: 1h }] }
`

interface Seen {
  readonly id: string
  readonly type: string
  readonly message: string
  readonly status: string
  readonly step: number
  readonly count: number
}

interface Row {
  readonly alert_id: string
  readonly purpose: string
  readonly state: string
  readonly reason: string | null
}

describe('a process that is killed while it watches over silence', function () {
  this.timeout(180_000)
  const installation = new Installation(CONFIG)
  let program: Program
  let device: MqttPerson
  let beating: readonly string[] = [...TOPICS, 'backup']
  let beats: NodeJS.Timeout | undefined
  let canaries = 0

  const api = new HttpApi(() => program, 'console-token')
  /** Everything that was ever raised, but for what this test raises to see that time has passed. */
  const alerts = async () =>
    (await api.get<{ items: readonly Seen[] }>('/v1/alerts?limit=500')).items.filter(
      ({ message }) => !message.startsWith('canary'),
    )
  const names = (seen: readonly Seen[]) => seen.map(({ type, message }) => `${type}: ${message}`).toSorted()

  const start = async () => {
    program = await installation.start()
    device = await MqttPerson.connect(program, { username: 'device', password: 'device-token' })
    const beat = () => {
      for (const name of beating)
        device.client.publish(name === 'backup' ? 'heartbeats/backup' : `plain/${name}/beat`, '')
    }
    beat()
    beats = setInterval(beat, BEAT_MS)
  }
  const kill = async () => {
    clearInterval(beats)
    const ended = program.end('SIGKILL')
    device.client.end(true)
    await ended
  }
  const connect = (id: string) =>
    MqttPerson.connect(program, {
      username: id,
      password: `${id}-token`,
      clientId: id,
      more: { will: { topic: `plain/${id}/status`, payload: Buffer.from('offline'), qos: 1, retain: false } },
    })
  /** Resolves when something that began now has been silent for long enough to be told. */
  const silenceTold = async () => {
    const name = `canary${canaries++}`
    await device.publish(`plain/${name}/beat`, '')
    await eventually('the silence of the canary', async () => {
      const { items } = await api.get<{ items: readonly Seen[] }>('/v1/alerts?limit=500')
      return items.some(({ message }) => message.startsWith(`${name} `)) || undefined
    })
  }

  after(async () => {
    clearInterval(beats)
    device.client.end(true)
    await installation.remove()
  })

  it(`raises no alarm that is false in ${ROUNDS} rounds, however long it was away (E15)`, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      await start()
      const gateway = await connect('gateway')
      const polite = await connect('polite')
      await polite.close()
      await silenceTold()
      expect(names(await alerts()), `round ${round}`).to.deep.equal([])
      await kill()
      gateway.client.end(true)
    }
  })

  it('tells every real alarm once, whether it was told before the end or is after it (P13, E15)', async () => {
    await start()
    const gateway = await connect('gateway')
    await silenceTold()
    beating = TOPICS.filter((name) => !STOPPED.includes(name))
    gateway.client.stream.destroy()
    await eventually('the first alarms', async () => (await alerts()).length >= 3 || undefined)
    await kill()
    await start()
    await eventually('all alarms', async () => (await alerts()).length >= 6 || undefined, 40_000)
    await silenceTold()
    const seen = await alerts()
    expect(names(seen)).to.have.members([
      ...STOPPED.map((name) => `silent: ${name} is silent`),
      'will_said: gateway is gone',
      'heartbeat_missed: backup has not reported for 3s',
      'client_offline: gateway lost its connection and was not back within 8s',
    ])
    await kill()
    await start()
    await silenceTold()
    expect(names(await alerts()), 'after one more kill').to.deep.equal(names(seen))
    expect((await alerts()).map(({ count }) => count)).to.deep.equal(seen.map(() => 1))
  })

  it('has paged once for each of them, and shows on the board exactly what is open (P13)', async () => {
    const ids = (await alerts()).map(({ id }) => id)
    // What was being sent when the process died is sent again once its lease is over.
    const paged = await eventually(
      'every page',
      async () => {
        const { items } = await api.get<{ items: readonly Row[] }>('/v1/deliveries?channel=sms&limit=500')
        const pages = items.filter(
          ({ purpose, alert_id: id, reason }) =>
            purpose === 'page' && ids.includes(id) && reason !== 'no_address',
        )
        return pages.some(({ state }) => state === 'pending' || state === 'sending')
          ? undefined
          : pages.map(({ alert_id: id, state, reason }) => `${id} ${state} ${reason}`)
      },
      60_000,
    )
    expect(paged.toSorted()).to.deep.equal(ids.map((id) => `${id} sent null`).toSorted())
    const [first] = ids
    const resolved = await api.post(`/v1/alerts/${first}/resolve`)
    expect(resolved.status).to.equal(200)
    await kill()
    await start()
    const console = await MqttPerson.connect(program, { username: 'console', password: 'console-token' })
    await console.subscribe('state/alerts/#')
    const open = (await api.get<{ items: readonly Seen[] }>('/v1/alerts?limit=500')).items.filter(
      ({ status }) => status !== 'resolved',
    )
    const shown = await eventually('the board', () =>
      console.heard.length >= open.length ? console.heard.map(({ json }) => json) : undefined,
    )
    const key = ({ id, status, step, count }: Pick<Seen, 'id' | 'status' | 'step' | 'count'>) =>
      `${id} ${status} ${step} ${count}`
    expect(shown.map((json) => key(json as unknown as Seen)).toSorted()).to.deep.equal(
      open.map(key).toSorted(),
    )
    expect(open.map(({ id }) => id)).to.not.include(first)
    await console.close()
  })
})
