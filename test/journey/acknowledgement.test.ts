import { expect } from 'chai'
import { eventually } from '../support/eventually.ts'
import { HttpApi, type Refused } from '../support/http-api.ts'
import { MqttPerson, type Heard } from '../support/mqtt-person.ts'
import { Installation, type Program } from '../support/program.ts'

const STEP_MS = 2000
/** How late a step may be seen before a test gives up on it. */
const PATIENCE_MS = 10 * STEP_MS

const CONFIG = `
users:
  olga: { password: olga-password, phone: "+4915212345678" }
  bob: { password: bob-password, phone: "+4915312345678" }
  sam: { password: sam-password, phone: "+4915412345678" }
clients:
  monitor: { token: monitor-token, publish: ["alerts/#"] }
  button: { token: button-token, publish: ["alerts/+/ack"] }
  console: { token: console-token, roles: [ops] }
throttle: { sms: [[1000, 1m]] }
teams:
  platform:
    alert_types: ["*"]
    schedule: { layers: [{ rotate: [olga] }] }
    escalation: { steps: [{ notify: [oncall], wait: ${STEP_MS}ms }, { notify: ["user:bob"] }], repeat: 0 }
`

interface WireAlert {
  readonly id: string
  readonly status: string
  readonly step: number
  readonly count: number
  readonly acknowledged: boolean
  readonly acknowledged_by: string | null
  readonly acknowledged_at: string | null
  readonly acknowledged_via: string | null
  readonly created_at: string
  readonly timeline: readonly { readonly at: string; readonly kind: string; readonly step?: number }[]
}

interface Captured {
  readonly id: string
  readonly channel: string
  readonly user_id: string
  readonly delivery_id: string
  readonly actions: readonly { readonly id: string }[]
  readonly alert_id?: string
  readonly created_at: string
}

describe('An alert and who answers it', function () {
  this.timeout(60_000)
  const installation = new Installation(CONFIG)
  let program: Program
  const monitor = new HttpApi(() => program, 'monitor-token')
  const operator = new HttpApi(() => program, 'console-token')
  let olga: HttpApi
  let sources = 0

  before(async () => {
    program = await installation.start()
    olga = await HttpApi.login(() => program, 'olga', 'olga-password')
  })

  after(() => installation.remove())

  const raise = async (source = `source-${++sources}`, more: Readonly<Record<string, unknown>> = {}) => {
    const payload = JSON.stringify({ message: 'Disk is full', source, ...more })
    const { status, body } = await monitor.publish('alerts/critical/disk_full', payload)
    expect(status).to.equal(202)
    return String(body.result['alert_id'])
  }
  const read = (id: string) => operator.get<WireAlert>(`/v1/alerts/${id}`)
  const steps = (alert: WireAlert) => alert.timeline.filter(({ kind }) => kind === 'step')
  const pages = async (id: string, user?: string) => {
    const { items } = await operator.get<{ items: Captured[] }>('/v1/outbox?channel=sms')
    const isPage = ({ actions }: Captured) => actions.some((action) => action.id === 'ack')
    return items.filter(
      (item) => item.alert_id === id && isPage(item) && (user === undefined || item.user_id === user),
    )
  }
  const pageTo = (id: string, user: string) =>
    eventually(`a page for ${user}`, async () => (await pages(id, user))[0], PATIENCE_MS)
  /** When this has come, the second step of everything that was raised before is past too. */
  const stepTwoOfAnother = async () => {
    const id = await raise()
    await pageTo(id, 'bob')
    return id
  }

  it('fires the second step once, never before its time (R42, P12, P13)', async () => {
    const id = await raise()
    const first = await pageTo(id, 'olga')
    const second = await pageTo(id, 'bob')
    const alert = await read(id)
    const [one, two] = steps(alert)
    expect(steps(alert).map(({ step }) => step)).to.deep.equal([1, 2])
    const afterMs = Date.parse(two?.at ?? '') - Date.parse(one?.at ?? '')
    expect(afterMs).to.be.within(STEP_MS, PATIENCE_MS)
    expect(Date.parse(second.created_at) - Date.parse(alert.created_at)).to.be.at.least(STEP_MS)
    expect(first.user_id).to.equal('olga')
    await stepTwoOfAnother()
    expect(await pages(id)).to.have.length(2)
  })

  it('pages nobody any more after an acknowledgement by MQTT, HTTP, an SMS reply or a button (P15)', async () => {
    const byMqtt = await raise()
    const byHttp = await raise()
    const byReply = await raise()
    const byAction = await raise()

    const button = await MqttPerson.connect(program, { username: 'button', password: 'button-token' })
    await button.publish(`alerts/${byMqtt}/ack`, { user: 'olga' })
    await button.close()
    expect((await olga.post(`/v1/alerts/${byHttp}/ack`, { note: 'On it' })).status).to.equal(200)
    for (const [id, answer] of [
      [byReply, { text: 'ack' }],
      [byAction, { action: 'ack' }],
    ] as const) {
      const page = await pageTo(id, 'olga')
      const { status, body } = await operator.post<{ reply: string }>(`/v1/outbox/${page.id}/reply`, answer)
      expect(status).to.equal(200)
      expect(body.reply).to.match(/acknowledged/)
    }

    const acknowledged = [byMqtt, byHttp, byReply, byAction]
    const vias = { [byMqtt]: 'mqtt', [byHttp]: 'http', [byReply]: 'outbox', [byAction]: 'outbox' }
    for (const id of acknowledged) {
      const alert = await read(id)
      expect(alert).to.include({
        status: 'acknowledged',
        acknowledged: true,
        acknowledged_by: 'olga',
        step: 1,
      })
      expect(alert.acknowledged_via).to.equal(vias[id])
    }
    await stepTwoOfAnother()
    for (const id of acknowledged) {
      expect((await pages(id)).map(({ user_id: user }) => user)).to.deep.equal(['olga'])
      expect(steps(await read(id))).to.have.length(1)
    }
  })

  it('answers a second acknowledgement with who and when of the first', async () => {
    const id = await raise()
    const first = await olga.post<WireAlert>(`/v1/alerts/${id}/ack`)
    const second = await operator.post<WireAlert>(`/v1/alerts/${id}/ack`)
    expect(second.status).to.equal(200)
    expect(second.body.acknowledged_by).to.equal('olga')
    expect(second.body.acknowledged_at).to.equal(first.body.acknowledged_at)
    expect((await read(id)).timeline.filter(({ kind }) => kind === 'acknowledged')).to.have.length(1)
  })

  it('refuses a stranger over HTTP with 403, over MQTT with a dead letter and a receipt', async () => {
    const id = await raise()
    const sam = await HttpApi.login(() => program, 'sam', 'sam-password')
    const refused = await sam.post<Refused>(`/v1/alerts/${id}/ack`)
    expect(refused.status).to.equal(403)
    expect(refused.body.error.code).to.equal('alert.forbidden')
    const connection = await MqttPerson.connect(program, { username: 'sam', password: 'sam-password' })
    await connection.subscribe('receipts/sam/#')
    await connection.publish(`alerts/${id}/ack`, {}, 1)
    const receipt = await connection.hear('the receipt', ({ topic }) => topic.startsWith('receipts/sam/'))
    expect(receipt.json).to.include({
      status: 'rejected',
      code: 'alert.forbidden',
      topic: `alerts/${id}/ack`,
    })
    expect(connection.closed).to.equal(false)
    await connection.close()
    const letters = await operator.get<{ items: { topic: string; code: string; principal: string }[] }>(
      '/v1/dead-letters',
    )
    const mine = letters.items.filter(({ topic }) => topic === `alerts/${id}/ack`)
    expect(mine.map(({ code, principal }) => [code, principal])).to.deep.equal([['alert.forbidden', 'sam']])
    expect((await read(id)).status).to.equal('firing')
  })

  it('closes the connection of a client whose grant does not spell the verb', async () => {
    const id = await raise()
    const connection = await MqttPerson.connect(program, { username: 'monitor', password: 'monitor-token' })
    connection.publish(`alerts/${id}/ack`).catch(() => {})
    await connection.dropped()
    await connection.close()
    expect((await monitor.post<Refused>(`/v1/alerts/${id}/ack`)).status).to.equal(403)
    expect((await monitor.publish<Refused>(`alerts/${id}/ack`, '{}')).status).to.equal(403)
    expect((await read(id)).status).to.equal('firing')
  })

  it('counts repeats onto the open alert and pages nobody for them', async () => {
    const id = await raise('same')
    await pageTo(id, 'olga')
    await olga.post(`/v1/alerts/${id}/ack`)
    expect(await raise('same')).to.equal(id)
    expect(await raise('same')).to.equal(id)
    await stepTwoOfAnother()
    const alert = await read(id)
    expect(alert).to.include({ count: 3, status: 'acknowledged' })
    expect(await pages(id)).to.have.length(1)
  })

  it('closes on resolve and opens a new alert for the same key afterwards', async () => {
    const id = await raise('again')
    expect((await olga.post<WireAlert>(`/v1/alerts/${id}/resolve`)).body.status).to.equal('resolved')
    const next = await raise('again')
    expect(next).to.not.equal(id)
    expect(await read(next)).to.include({ status: 'firing', count: 1 })
    expect((await olga.post<WireAlert>(`/v1/alerts/${id}/resolve`)).status).to.equal(200)
  })

  it('closes on a publish with `status: resolved`, after which no step fires', async () => {
    const id = await raise('recovers')
    expect(await raise('recovers', { status: 'resolved' })).to.equal(id)
    expect((await read(id)).status).to.equal('resolved')
    await stepTwoOfAnother()
    expect(await pages(id, 'bob')).to.deep.equal([])
  })

  it('tells the publisher in order what becomes of the alert, and who acknowledged over which channel (section 4)', async () => {
    const publisher = await MqttPerson.connect(program, { username: 'monitor', password: 'monitor-token' })
    await publisher.subscribe('receipts/monitor/#')
    await publisher.publish(
      'alerts/critical/disk_full',
      { id: 'told-1', message: 'Disk is full', source: 'told' },
      2,
    )
    const topic = 'receipts/monitor/told-1'
    await publisher.hear(
      'the page on its way',
      ({ json }) => json['status'] === 'sent' && json['channel'] === 'sms',
    )
    const [accepted] = publisher.on(topic)
    expect(accepted?.json).to.include({
      id: 'told-1',
      topic: 'alerts/critical/disk_full',
      status: 'accepted',
    })
    const { alert_id: id = '' } = (accepted?.json['result'] ?? {}) as { alert_id?: string }
    await olga.post(`/v1/alerts/${id}/ack`)
    await olga.post(`/v1/alerts/${id}/resolve`)
    await publisher.hear('the end', ({ json }) => json['status'] === 'resolved')
    const transitions = publisher
      .on(topic)
      .slice(1)
      .map(({ json }) => [json['status'], json['channel'], json['user'] ?? json['by']])
    expect(transitions).to.deep.equal([
      ['sent', 'sms', 'olga'],
      ['acknowledged', 'http', 'olga'],
      ['resolved', 'http', 'olga'],
    ])
    await publisher.close()
  })

  it('shows the open alert on the board, and shows the page to whoever connects while it fires, not after the acknowledgement', async () => {
    const id = await raise()
    const connect = async () => {
      const person = await MqttPerson.connect(program, { username: 'olga', password: 'olga-password' })
      await person.subscribe('state/alerts/+')
      await person.subscribe('users/olga/alerts')
      return person
    }
    const aboutIt = ({ topic, json }: Heard) =>
      topic === 'users/olga/alerts' && (json['alert'] as { id?: string } | undefined)?.id === id
    const first = await connect()
    const board = await first.hear('the board', ({ topic }) => topic === `state/alerts/${id}`)
    expect([board.retain, board.json['status']]).to.deep.equal([true, 'firing'])
    const page = await first.hear('the page', aboutIt)
    expect(page.json).to.include({ type: 'critical_alert', requires_acknowledgment: true })
    await first.publish(`alerts/${id}/ack`)
    await first.hear(
      'the change',
      ({ topic, json }) => topic === board.topic && json['status'] === 'acknowledged',
    )
    const second = await connect()
    // What is raised later comes behind everything that the connection is told at its beginning.
    const later = await raise()
    await second.hear(
      'the page of the later one',
      ({ json }) => (json['alert'] as { id?: string } | undefined)?.id === later,
    )
    expect(second.heard.filter(aboutIt)).to.deep.equal([])
    await olga.post(`/v1/alerts/${id}/resolve`)
    await second.hear('the end', ({ topic, text }) => topic === board.topic && text === '')
    const third = await connect()
    await third.hear('the later one on the board', ({ topic }) => topic === `state/alerts/${later}`)
    expect(third.on(board.topic)).to.deep.equal([])
    for (const person of [first, second, third]) await person.close()
  })

  it('keeps alerts of one key together when many publishes and acknowledgements come at once (P16)', async () => {
    const ids = await Promise.all(Array.from({ length: 30 }, () => raise('storm')))
    expect(new Set(ids).size).to.equal(1)
    const id = ids[0] ?? ''
    expect((await read(id)).count).to.equal(30)
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        (index % 2 ? olga : operator).post<WireAlert>(`/v1/alerts/${id}/ack`),
      ),
    )
    const told = answers.map(({ status, body }) =>
      [status, body.acknowledged_by, body.acknowledged_at].join(' '),
    )
    expect(new Set(told).size, told.join()).to.equal(1)
    expect(told[0]).to.match(/^200 /)
    expect((await read(id)).timeline.filter(({ kind }) => kind === 'acknowledged')).to.have.length(1)
  })

  it('keeps open and acknowledged alerts over a kill -9, and fires the second step once after the restart (P13, P16)', async () => {
    const acknowledged = await raise()
    await olga.post(`/v1/alerts/${acknowledged}/ack`)
    const firing = await raise()
    await pageTo(firing, 'olga')
    await program.end('SIGKILL')
    program = await installation.start()
    await pageTo(firing, 'bob')
    await stepTwoOfAnother()
    const alert = await read(firing)
    expect(steps(alert).map(({ step }) => step)).to.deep.equal([1, 2])
    expect(Date.parse(steps(alert)[1]?.at ?? '') - Date.parse(alert.created_at)).to.be.at.least(STEP_MS)
    expect((await pages(firing)).map(({ user_id: user }) => user)).to.deep.equal(['olga', 'bob'])
    expect(await read(acknowledged)).to.include({ status: 'acknowledged', acknowledged_by: 'olga', step: 1 })
    expect(await pages(acknowledged, 'bob')).to.deep.equal([])
  })
})
