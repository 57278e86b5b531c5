import { expect } from 'chai'
import { hasMosquitto, mosquitto } from '../support/command.ts'
import { eventually } from '../support/eventually.ts'
import { HttpApi } from '../support/http-api.ts'
import { Mailbox } from '../support/mailbox.ts'
import { MqttPerson } from '../support/mqtt-person.ts'
import { Installation, type Program } from '../support/program.ts'

/** The three examples as the requirement prints them, byte for byte. */
const USER_NOTIFICATION = {
  topic: 'notifications/realtime/user/user123',
  payload: `{
"title": "New Message",
"message": "You have received a new message from John",
"type": "message",
"priority": "normal",
"data": {
"message_id": "msg_456",
"sender": "john_doe"
}
}`,
}
const CRITICAL_ALERT = {
  topic: 'notifications/alerts/critical/system_failure',
  payload: `{
"message": "Database connection failed",
"source": "database_monitor",
"severity": "critical",
"affected_systems": ["user_service", "order_service"]
}`,
}
const EMAIL = {
  topic: 'notifications/email/send',
  payload: `{
"to": "[email protected]",
"subject": "Account Security Alert",
"body": "Your account was accessed from a new device",
"priority": "high"
}`,
}

const config = (smtpUrl: string) => `
users:
  user123: { password: user123-password, email: user123@example.org, phone: "+4915112345678" }
  olga: { password: olga-password, email: olga@example.org, phone: "+4915212345678" }
  ada: { password: ada-password, email: ada@example.org, phone: "+4915312345678", roles: [user, admin] }
clients:
  monitor: { token: monitor-token, publish: ["notifications/#", "alerts/#"], subscribe: [] }
  console: { token: console-token, roles: [ops], publish: [], subscribe: [] }
teams:
  platform:
    alert_types: ["system_failure"]
    schedule: { layers: [{ rotate: [olga] }] }
    escalation: { steps: [{ notify: [oncall], wait: 5m }, { notify: [team] }] }
channels:
  email: { mode: both, smtp_url: "${smtpUrl}", from: "Alerts <alerts@example.org>" }
  sms: { mode: captured }
`

interface Example {
  readonly topic: string
  readonly payload: string
}

interface OutboxEntry {
  readonly channel: string
  readonly user_id: string
  readonly address: string
  readonly text: string
  readonly alert_id?: string
}

describe('The usage examples of the RouteMQ document (R29)', function () {
  this.timeout(60_000)
  const mailbox = new Mailbox()
  let installation: Installation
  let program: Program
  let browser: MqttPerson
  const listeners = new Map<string, MqttPerson>()
  const api = new HttpApi(() => program, 'monitor-token')
  const operator = new HttpApi(() => program, 'console-token')

  before(async () => {
    installation = new Installation(config(await mailbox.open()))
    program = await installation.start()
    const monitor = { username: 'monitor', password: 'monitor-token' }
    browser = await MqttPerson.connect(program, { ...monitor, overWebSocket: true })
    await browser.subscribe('receipts/monitor/#')
    for (const user of ['user123', 'olga', 'ada']) {
      const person = await MqttPerson.connect(program, { username: user, password: `${user}-password` })
      await person.subscribe(`users/${user}/#`)
      listeners.set(user, person)
    }
  })

  after(async () => {
    await Promise.all([browser, ...listeners.values()].map((person) => person.close()))
    await installation.remove()
    await mailbox.close()
  })

  const listener = (user: string) => {
    const found = listeners.get(user)
    if (!found) throw new Error(`nobody listens as ${user}`)
    return found
  }

  const withMosquitto = async ({ topic, payload }: Example, qos: 1 | 2) => {
    const who = ['-V', 'mqttv311', '-u', 'monitor', '-P', 'monitor-token']
    const ended = await mosquitto('pub', program.mqttPort, [
      ...who,
      '-q',
      String(qos),
      '-t',
      topic,
      '-m',
      payload,
    ])
    expect(ended).to.deep.equal({ code: 0, out: '', errors: '' })
  }
  const doors = [
    {
      name: 'mosquitto_pub with QoS 1',
      installed: hasMosquitto,
      send: (example: Example) => withMosquitto(example, 1),
    },
    {
      name: 'mosquitto_pub with QoS 2',
      installed: hasMosquitto,
      send: (example: Example) => withMosquitto(example, 2),
    },
    {
      name: 'mqtt.js over WebSocket',
      installed: true,
      send: ({ topic, payload }: Example) => browser.publish(topic, payload, 1),
    },
    {
      name: 'POST /v1/publish',
      installed: true,
      async send({ topic, payload }: Example) {
        expect((await api.publish(topic, payload)).status).to.equal(202)
      },
    },
  ]

  for (const door of doors) {
    const promise = door.installed ? it : it.skip

    promise(
      `shows the notification to user123 with the fields of R17 when it comes by ${door.name}`,
      async () => {
        const person = listener('user123')
        const before = person.on('users/user123/notifications').length
        const startAt = Date.now() / 1000
        await door.send(USER_NOTIFICATION)
        const message = await eventually(
          'the notification',
          () => person.on('users/user123/notifications')[before],
        )
        const { id, seq, timestamp, created_at: createdAt, ...rest } = message.json
        expect(seq, 'its place').to.be.a('number')
        expect(rest).to.deep.equal({
          user_id: 'user123',
          title: 'New Message',
          message: 'You have received a new message from John',
          type: 'message',
          priority: 'normal',
          data: { message_id: 'msg_456', sender: 'john_doe' },
          read: false,
          read_at: null,
          channels: ['realtime'],
        })
        expect(id).to.match(/^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
        expect(timestamp).to.be.within(startAt - 1, Date.now() / 1000 + 1)
        expect(Date.parse(String(createdAt))).to.equal(Math.round(Number(timestamp) * 1000))
        // What another publish brings behind it shows that nothing came in between.
        await api.publish(USER_NOTIFICATION.topic, '{"message":"behind"}')
        await eventually('the one behind', () => person.on('users/user123/notifications')[before + 1])
        expect(person.on('users/user123/notifications')[before + 1]?.json['message']).to.equal('behind')
      },
    )

    promise(
      `pages the person on call and the admin everywhere at once when it comes by ${door.name} (R23)`,
      async () => {
        const pagesBefore = listener('olga').on('users/olga/alerts').length
        await door.send(CRITICAL_ALERT)
        const frame = await eventually(
          'the page',
          () => listener('olga').on('users/olga/alerts')[pagesBefore],
        )
        const { alert, ...around } = frame.json as { alert: Record<string, unknown> }
        expect(around).to.deep.equal({ type: 'critical_alert', requires_acknowledgment: true })
        expect(alert).to.include({
          type: 'system_failure',
          message: 'Database connection failed',
          source: 'database_monitor',
          severity: 'critical',
          acknowledged: false,
          status: 'firing',
          team: 'platform',
        })
        expect(alert['affected_systems']).to.deep.equal(['user_service', 'order_service'])
        const alertId = String(alert['id'])
        await listener('ada').hear(
          'the page of the admin',
          ({ topic, json }) =>
            topic === 'users/ada/alerts' && (json['alert'] as { id?: string }).id === alertId,
        )

        const about = await eventually('the captured pages', async () => {
          const { items } = await operator.get<{ items: OutboxEntry[] }>('/v1/outbox')
          const mine = items.filter((item) => item.alert_id === alertId)
          return mine.length >= 4 ? mine : undefined
        })
        const sms = about
          .filter((item) => item.channel === 'sms')
          .map(({ user_id, address, text }) => [user_id, address, text.split('\n')[0]])
        expect(sms).to.have.deep.members([
          ['ada', '+4915312345678', 'CRITICAL: system_failure - Database connection failed'],
          ['olga', '+4915212345678', 'CRITICAL: system_failure - Database connection failed'],
        ])
        for (const address of ['olga@example.org', 'ada@example.org']) {
          await mailbox.receive(
            `the mail to ${address}`,
            (mail) => mail.to.includes(address) && mail.headers['message-id']?.includes(alertId) === true,
          )
          const mails = mailbox.to(address).filter((mail) => mail.headers['message-id']?.includes(alertId))
          expect(mails.map((mail) => mail.headers['subject'])).to.deep.equal([
            'CRITICAL ALERT: system_failure',
          ])
        }
        expect(listener('user123').on('users/user123/alerts')).to.deep.equal([])
        expect((await operator.post(`/v1/alerts/${alertId}/resolve`)).status).to.equal(200)
      },
    )
  }

  it('answers the notification and the alert with the results of R20 and R23', async () => {
    const sent = await api.publish(USER_NOTIFICATION.topic, USER_NOTIFICATION.payload)
    expect(Object.keys(sent.body)).to.have.members(['id', 'result'])
    expect(sent.body.result).to.include({ status: 'sent' })
    expect(Object.keys(sent.body.result)).to.have.members(['status', 'notification_id', 'channels'])
    const raised = await api.publish(CRITICAL_ALERT.topic, CRITICAL_ALERT.payload)
    expect(raised.body.result).to.deep.equal({
      status: 'critical_alert_sent',
      alert_id: raised.body.result['alert_id'],
      notified_users: 2,
    })
    await operator.post(`/v1/alerts/${String(raised.body.result['alert_id'])}/resolve`)
  })

  it('keeps the e-mail whose printed address is none as a dead letter that names the field, and tells its publisher', async () => {
    const admin = await MqttPerson.connect(program, { username: 'ada', password: 'ada-password' })
    expect(await admin.subscribe('dlq/#')).to.equal(1)
    const heardBefore = browser.heard.length
    await browser.publish(EMAIL.topic, EMAIL.payload, 2)
    const receipt = await eventually('the receipt', () =>
      browser.heard
        .slice(heardBefore)
        .find(({ topic, json }) => topic.startsWith('receipts/monitor/') && json['status'] === 'rejected'),
    )
    expect(receipt.json).to.include({
      topic: EMAIL.topic,
      status: 'rejected',
      code: 'publish.invalid_address',
    })
    expect(receipt.json['error']).to.match(/\bto\b/)
    expect(receipt.topic).to.equal(`receipts/monitor/${String(receipt.json['id'])}`)
    const told = await admin.hear('the dead letter over MQTT', ({ topic }) => topic.startsWith('dlq/'))
    expect(told.json).to.include({
      topic: EMAIL.topic,
      payload: EMAIL.payload,
      principal: 'monitor',
      code: 'publish.invalid_address',
    })
    const { items } = await operator.get<{ items: Record<string, unknown>[] }>('/v1/dead-letters')
    expect(items).to.have.length(1)
    expect(items[0]).to.include({
      id: told.json['id'],
      payload: EMAIL.payload,
      code: 'publish.invalid_address',
    })
    expect(items[0]?.['reason']).to.match(/\bto\b/)
    // Mails about the alerts of before may still be on their way.
    const sent = mailbox.mails.filter(({ headers }) => headers['subject'] === 'Account Security Alert')
    expect(sent).to.deep.equal([])
    await admin.close()
  })

  it('mails the same with a real address once, with its subject, its body and a Message-ID that a resend keeps', async () => {
    const payload = EMAIL.payload.replace('[email protected]', 'john@example.org')
    const accepted = await api.publish(EMAIL.topic, payload, { 'idempotency-key': 'mail-1' })
    expect(accepted.status).to.equal(202)
    expect(accepted.body.result).to.include({ status: 'email_queued' })
    const again = await api.publish(EMAIL.topic, payload, { 'idempotency-key': 'mail-1' })
    expect(again.body).to.deep.equal(accepted.body)
    const mail = await mailbox.receive('the mail', ({ to }) => to.includes('john@example.org'))
    expect(mail.headers['subject']).to.equal('Account Security Alert')
    expect(mail.headers['from']).to.contain('alerts@example.org')
    expect(mail.body).to.contain('Your account was accessed from a new device')
    expect(mail.headers['message-id']).to.match(
      new RegExp(`^<${String(accepted.body.result['email_id'])}\\.\\d+@`),
    )
    // A second mail leaves behind it: had there been two of the first, both would be here.
    await api.publish(EMAIL.topic, payload.replace('john@', 'jane@'))
    await mailbox.receive('the mail behind', ({ to }) => to.includes('jane@example.org'))
    expect(mailbox.to('john@example.org')).to.have.length(1)
  })
})
