import { expect } from 'chai'
import mqtt, { type MqttClient } from 'mqtt'
import { isPage } from '../support/is-page.ts'
import { Installation, type Program } from '../support/program.ts'
import { seededRandom } from '../support/seeded-random.ts'

/** As many rounds as the promise asks for in every run; `CRASH_ROUNDS=500` for a night. */
const ROUNDS = Number(process.env['CRASH_ROUNDS'] ?? 25)
const SEED = Number(process.env['CRASH_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const PUBLISHERS = 4
const IN_FLIGHT = 20
const STEP_MS = 1000

const CONFIG = `
users:
  anna: { password: anna-password, email: anna@example.org, phone: "+4915112345678", roles: [user, admin] }
  bob: { password: bob-password, email: bob@example.org, phone: "+4916012345678" }
clients:
  device: { token: device-token, publish: ["notifications/#", "alerts/#", "alerts/+/ack"], subscribe: [], rate_limit: { max_requests: 1000000, window_seconds: 60 } }
  console: { token: console-token, roles: [ops], publish: ["alerts/+/ack"], subscribe: [] }
teams:
  platform:
    alert_types: ["*"]
    schedule: { layers: [{ rotate: [bob] }] }
    escalation: { steps: [{ notify: [oncall], wait: ${STEP_MS}ms }, { notify: ["user:anna"], wait: ${STEP_MS}ms }, { notify: [team], wait: 1h }], repeat: 0 }
`

interface Ledger {
  readonly acknowledged: Set<string>
  readonly alerts: Map<string, { confirmedAt: number }>
}

interface WireAlert {
  readonly id: string
  readonly status: string
  readonly created_at: string
  readonly acknowledged_at: string | null
  readonly timeline: readonly {
    readonly at: string
    readonly kind: string
    readonly step?: number
    readonly repeat?: number
  }[]
}

interface OutboxEntry {
  readonly alert_id?: string
  readonly user_id: string
  readonly channel: string
  readonly delivery_id: string
  readonly created_at: string
  readonly actions: readonly { readonly id: string }[]
}

describe(`a process that is killed ${ROUNDS} times under load (seed ${SEED})`, function () {
  this.timeout(ROUNDS * 20_000 + 60_000)
  const installation = new Installation(CONFIG)
  const ledger: Ledger = { acknowledged: new Set(), alerts: new Map() }
  let program: Program

  before(async () => {
    const random = seededRandom(SEED)
    for (let round = 0; round < ROUNDS; round++) {
      program = await installation.start()
      const load = startLoad(program, round, ledger)
      await load.acknowledgements(10)
      const until = Date.now() + 60 + random.below(300)
      while (Date.now() < until) await load.acknowledgements(1)
      const ended = program.end('SIGKILL')
      await load.stop()
      await ended
    }
    program = await installation.start()
  })

  after(() => installation.remove())

  it('has every acknowledged message in the inbox exactly once (P1, P3)', async () => {
    const found = new Map<string, number>()
    for (const key of [...(await inboxOf('anna')), ...(await inboxOf('bob'))])
      found.set(key, (found.get(key) ?? 0) + 1)
    expect(ledger.acknowledged.size).to.be.greaterThan(ROUNDS * 10)
    const lost = [...ledger.acknowledged].filter((key) => !found.has(key))
    const doubled = [...found].filter(([, count]) => count > 1)
    expect(lost, 'lost').to.deep.equal([])
    expect(doubled, 'doubled').to.deep.equal([])
  })

  it('has fired every escalation step once and never early (P12, P13)', async () => {
    for (const alert of await settledAlerts()) {
      const steps = alert.timeline.filter((entry) => entry.kind === 'step')
      const keys = steps.map((entry) => `${entry.repeat}/${entry.step}`)
      expect(new Set(keys).size, alert.id).to.equal(keys.length)
      steps.slice(1).forEach((entry, index) => {
        const before = steps[index]
        expect(Date.parse(entry.at) - Date.parse(before?.at ?? ''), JSON.stringify(alert)).to.be.at.least(
          STEP_MS,
        )
      })
    }
  })

  it('has captured every page once, and none after its acknowledgement was confirmed (P15)', async () => {
    await settledAlerts()
    const outbox = await get<{ items: OutboxEntry[] }>('/v1/outbox')
    const deliveries = outbox.items.map((item) => item.delivery_id)
    expect(new Set(deliveries).size).to.equal(deliveries.length)
    for (const [id, { confirmedAt }] of ledger.alerts) {
      const late = outbox.items.filter(
        (item) => item.alert_id === id && isPage(item) && Date.parse(item.created_at) > confirmedAt,
      )
      expect(late, `alert ${id}`).to.deep.equal([])
    }
  })

  async function inboxOf(user: string): Promise<string[]> {
    const { token } = await post<{ token: string }>('/v1/login', { user, password: `${user}-password` })
    const keys: string[] = []
    for (let offset = 0; ; offset += 200) {
      const page = await get<{ notifications: { data?: { key?: string } }[] }>(
        `/v1/notifications?limit=200&offset=${offset}`,
        token,
      )
      keys.push(...page.notifications.flatMap((notification) => notification.data?.key ?? []))
      if (page.notifications.length < 200) return keys
    }
  }

  /** Every alert, once no step of any of them is due any more. */
  async function settledAlerts(): Promise<WireAlert[]> {
    for (;;) {
      const alerts: WireAlert[] = []
      let cursor = ''
      do {
        const page = await get<{ items: { id: string }[]; next_cursor?: string }>(
          `/v1/alerts?limit=100${cursor && `&cursor=${cursor}`}`,
        )
        for (const { id } of page.items) alerts.push(await get<WireAlert>(`/v1/alerts/${id}`))
        cursor = page.next_cursor ?? ''
      } while (cursor)
      const waiting = alerts.filter(
        (alert) => alert.status === 'firing' && !alert.timeline.some((entry) => entry.kind === 'finished'),
      )
      if (waiting.length === 0) return alerts
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }

  async function get<T>(path: string, token = 'console-token'): Promise<T> {
    const response = await fetch(`${program.url}${path}`, { headers: { authorization: `Bearer ${token}` } })
    if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`)
    return (await response.json()) as T
  }

  async function post<T>(path: string, body: unknown): Promise<T> {
    const response = await fetch(`${program.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    if (!response.ok) throw new Error(`POST ${path}: ${response.status} ${await response.text()}`)
    return (await response.json()) as T
  }
})

/** Four publishers that keep messages in flight, one that raises alerts, one person who acknowledges some of them. */
function startLoad(program: Program, round: number, ledger: Ledger) {
  const clients: MqttClient[] = []
  let stopped = false
  let acknowledged = 0
  let heard = () => {}
  const note = () => {
    acknowledged++
    heard()
  }
  for (let publisher = 0; publisher < PUBLISHERS; publisher++) {
    const client = connect(program, `publisher-${round}-${publisher}`)
    clients.push(client)
    let next = 0
    const publish = () => {
      if (stopped) return
      const key = `${round}-${publisher}-${next++}`
      const qos = publisher % 2 === 0 ? 1 : 2
      const user = next % 2 === 0 ? 'anna' : 'bob'
      client.publish(
        `notifications/realtime/user/${user}`,
        JSON.stringify({ id: key, message: key, data: { key } }),
        { qos },
        (error) => {
          if (error || stopped) return
          ledger.acknowledged.add(key)
          note()
          publish()
        },
      )
    }
    client.once('connect', () => {
      for (let count = 0; count < IN_FLIGHT; count++) publish()
    })
  }
  const acker = raiseAndAcknowledge(program, round, ledger, () => stopped)
  return {
    /** Resolves after this many further acknowledgements. */
    acknowledgements: (count: number) =>
      new Promise<void>((resolve) => {
        const goal = acknowledged + count
        heard = () => {
          if (acknowledged >= goal) resolve()
        }
      }),
    async stop() {
      stopped = true
      await acker.catch(() => {})
      for (const client of clients) client.end(true)
    },
  }
}

function connect(program: Program, clientId: string): MqttClient {
  const client = mqtt.connect(`mqtt://127.0.0.1:${program.mqttPort}`, {
    protocolVersion: 4,
    username: 'device',
    password: 'device-token',
    clientId,
    clean: false,
    reconnectPeriod: 0,
  })
  client.on('error', () => {})
  return client
}

async function raiseAndAcknowledge(
  program: Program,
  round: number,
  ledger: Ledger,
  stopped: () => boolean,
): Promise<void> {
  const headers = { authorization: 'Bearer device-token', 'content-type': 'application/json' }
  for (let count = 0; !stopped(); count++) {
    const raised = await fetch(`${program.url}/v1/publish/alerts/critical/crash_test`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ message: 'fire', source: `round-${round}-${count}` }),
    })
    const { result } = (await raised.json()) as { result: { alert_id: string } }
    if (count % 2 === 1) continue
    const acknowledged = await fetch(`${program.url}/v1/publish/alerts/${result.alert_id}/ack`, {
      method: 'POST',
      headers,
      body: '{}',
    })
    await acknowledged.text()
    if (acknowledged.status === 202) ledger.alerts.set(result.alert_id, { confirmedAt: Date.now() })
  }
}
