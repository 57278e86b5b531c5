import { expect } from 'chai'
import { eventually } from '../support/eventually.ts'
import { HttpApi, type Refused } from '../support/http-api.ts'
import { MqttPerson } from '../support/mqtt-person.ts'
import { Installation, type Program } from '../support/program.ts'

const STEP_MS = 2000

const config = (olga = 'olga-password', newcomer = '') => `
tenants: { acme: {} }
users:
  olga: { password: ${olga}, phone: "+4915212345678", roles: [ops] }
  bob: { password: bob-password, phone: "+4915312345678" }
  eve: { password: eve-password, tenant: acme, roles: [ops] }
${newcomer}
clients:
  monitor: { token: monitor-token, publish: ["alerts/#", "notifications/#", "events/#", "plant/#"], roles: [ops] }
  foreign: { token: foreign-token, tenant: acme, subscribe: ["plant/#", "users/+/events/#"] }
  local: { token: local-token, subscribe: ["plant/#", "users/+/events/#"] }
teams:
  platform:
    alert_types: ["*"]
    escalation: { steps: [{ notify: ["user:olga"], wait: ${STEP_MS}ms }, { notify: ["user:bob"] }], repeat: 0 }
`

interface Letter {
  readonly id: string
  readonly code: string
}

describe('What was refused, sent again or granted anew', function () {
  this.timeout(60_000)
  const installation = new Installation(config())
  let program: Program
  const monitor = new HttpApi(() => program, 'monitor-token')

  before(async () => {
    program = await installation.start()
  })

  after(() => installation.remove())

  const letters = async () => (await monitor.get<{ items: Letter[] }>('/v1/dead-letters')).items
  const reload = async (text: string) => {
    const known = program.lines.length
    installation.configure(text)
    process.kill(program.pid, 'SIGHUP')
    await eventually('the reload', () =>
      program.lines.slice(known).find((line) => line['msg'] === 'configuration reloaded'),
    )
  }
  const messagesOf = async (user: string) => {
    const api = await HttpApi.login(() => program, user, `${user}-password`)
    const { notifications } = await api.get<{ notifications: { content: string }[] }>('/v1/notifications')
    return notifications.map(({ content }) => content)
  }

  it('keeps the id of a dead letter free: neither its replay nor a corrected resend is taken for a duplicate (P3, P10)', async () => {
    const publish = (user: string, id: string, message: string) =>
      monitor.publish<Refused>(`notifications/realtime/user/${user}`, JSON.stringify({ id, message }))
    const first = await publish('nina', 'chance-1', 'replayed')
    expect(first.status).to.equal(404)
    await publish('nina', 'chance-1', 'replayed')
    await publish('nina', 'chance-2', 'corrected')
    expect(await letters()).to.have.length(2)
    const letter = (await letters()).at(-1)
    expect(first.body.error.details?.['dead_letter_id']).to.equal(letter?.id)

    await reload(config('olga-password', '  nina: { password: nina-password }'))
    expect((await monitor.post(`/v1/dead-letters/${letter?.id}/replay`)).status).to.equal(202)
    expect((await publish('nina', 'chance-2', 'corrected')).status).to.equal(202)
    await publish('nina', 'chance-1', 'replayed')
    expect((await messagesOf('nina')).toSorted()).to.deep.equal(['corrected', 'replayed'])
    expect(await letters()).to.have.length(1)
  })

  it('releases a scheduled message under its own id, and makes a dead letter of one whose person is gone (P10)', async () => {
    const watcher = await MqttPerson.connect(program, { username: 'monitor', password: 'monitor-token' })
    await watcher.subscribe('receipts/monitor/#')
    const later = (id: string) => JSON.stringify({ id, message: id, send_at: (Date.now() + 1500) / 1000 })
    const known = (await letters()).length
    await monitor.publish('notifications/realtime/user/bob', later('later-1'))
    await monitor.publish('notifications/realtime/user/nina', later('later-2'))
    await reload(config())
    await watcher.hear('the release', ({ topic, json }) => {
      const result = json['result'] as { status?: string } | undefined
      return topic === 'receipts/monitor/later-1' && result?.status === 'sent'
    })
    await watcher.hear(
      'the refusal',
      ({ topic, json }) => topic === 'receipts/monitor/later-2' && json['status'] === 'rejected',
    )
    expect(await messagesOf('bob')).to.deep.equal(['later-1'])
    expect(await letters()).to.have.length(known + 1)

    await reload(config('olga-password', '  nina: { password: nina-password }'))
    const [letter] = await letters()
    expect((await monitor.post(`/v1/dead-letters/${letter?.id}/replay`)).status).to.equal(202)
    expect(await messagesOf('nina')).to.include('later-2')
    await watcher.close()
  })

  it('goes on escalating after a page was sent again by hand (P13)', async () => {
    const payload = JSON.stringify({ message: 'Disk is full', source: 'again' })
    const { body } = await monitor.publish('alerts/critical/disk_full', payload)
    const id = String(body.result['alert_id'])
    type Row = { id: string; channel: string; state: string; user_id: string }
    const rows = async () => (await monitor.get<{ deliveries: Row[] }>(`/v1/alerts/${id}`)).deliveries
    const sms = await eventually('the SMS', async () =>
      (await rows()).find(({ channel, state }) => channel === 'sms' && state === 'sent'),
    )
    const again = await monitor.post<{ id: string }>(`/v1/deliveries/${sms.id}/resend`)
    expect(again.status).to.equal(202)
    await eventually('the page of the second step', async () =>
      (await rows()).find(({ user_id }) => user_id === 'bob'),
    )
    expect((await rows()).filter((row) => row.id === again.body.id)).to.have.length(1)
  })

  it('keeps dead letters, events and plain messages of one tenant from the other, retained ones as well', async () => {
    const eve = await MqttPerson.connect(program, { username: 'eve', password: 'eve-password' })
    const foreign = await MqttPerson.connect(program, { username: 'foreign', password: 'foreign-token' })
    const local = await MqttPerson.connect(program, { username: 'local', password: 'local-token' })
    const olga = await MqttPerson.connect(program, { username: 'olga', password: 'olga-password' })
    await eve.subscribe('dlq/#')
    await olga.subscribe('dlq/#')
    for (const one of [foreign, local]) {
      expect(await one.subscribe('plant/#')).to.equal(1)
      expect(await one.subscribe('users/+/events/#')).to.equal(1)
    }
    const monitored = await MqttPerson.connect(program, { username: 'monitor', password: 'monitor-token' })
    await monitored.client.publishAsync('plant/a', 'kept', { qos: 1, retain: true })
    await monitored.publish('plant/b', 'passed on')
    await monitored.publish('events/order/paid', { user_id: 'bob' })
    await monitored.publish('notifications/realtime/user/stranger', { message: 'secret' })
    await olga.hear('the dead letter', ({ topic }) => topic.startsWith('dlq/'))
    await local.hear('the event', ({ topic }) => topic === 'users/bob/events/order/paid')
    await local.hear('the plain message', ({ topic }) => topic === 'plant/b')
    // Asked for after everything else, so that what was on its way has come.
    await foreign.subscribe('plant/a')
    await local.subscribe('plant/a')
    await local.hear('the retained message', ({ topic, retain }) => topic === 'plant/a' && retain)
    await foreign.subscribe('plant/none')
    await eve.subscribe('state/#')
    expect([...foreign.heard, ...eve.heard.filter(({ topic }) => topic.startsWith('dlq/'))]).to.deep.equal([])
    for (const one of [eve, foreign, local, olga, monitored]) await one.close()
  })

  it('passes a plain message on byte by byte, from HTTP as well', async () => {
    const local = await MqttPerson.connect(program, { username: 'local', password: 'local-token' })
    await local.subscribe('plant/bytes')
    const came = new Promise<Buffer>((resolve) =>
      local.client.once('message', (_, payload) => resolve(payload)),
    )
    const bytes = Buffer.from([0, 255, 128, 65])
    await fetch(`${program.url}/v1/publish/plant/bytes`, {
      method: 'POST',
      headers: { authorization: 'Bearer monitor-token', 'content-type': 'application/octet-stream' },
      body: bytes,
    })
    expect(await came).to.deep.equal(bytes)
    await local.close()
  })

  it('ends the connections of whoever has another password or is gone, and nobody else’s (section 1)', async () => {
    const before = '  nina: { password: nina-password }'
    await reload(config('olga-password', before))
    const olga = await MqttPerson.connect(program, { username: 'olga', password: 'olga-password' })
    const nina = await MqttPerson.connect(program, { username: 'nina', password: 'nina-password' })
    const bob = await MqttPerson.connect(program, { username: 'bob', password: 'bob-password' })
    await reload(config('olga-changed'))
    await olga.dropped()
    await nina.dropped()
    expect(bob.closed).to.equal(false)
    await bob.close()
  })
})
