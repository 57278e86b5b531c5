import { expect } from 'chai'
import { harness, type Harness } from '../support/harness.ts'

const JSON_TYPE = { 'content-type': 'application/json' }
const basic = (user: string, password: string) =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`

describe('hooks of other alerting programs (contract section 8, behaviour E28)', () => {
  let program: Harness
  beforeEach(async () => {
    program = await harness({
      config: { clients: { narrow: { token: 'narrow-token', publish: ['alerts/info/#'] } } },
    })
  })
  afterEach(() => program.close())

  const post = async (
    path: string,
    body: unknown,
    headers: Readonly<Record<string, string>> = { authorization: 'Bearer device-token' },
  ) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const response = await fetch(`${program.app.httpUrl}/hooks/${path}`, {
      method: 'POST',
      headers: { ...JSON_TYPE, ...headers },
      body: text,
    })
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }
  const open = async () =>
    (await program.openAlerts()).map(({ type, severity, count }) => `${severity} ${type} ${count}`)
  const prometheus = (status: string, ...names: readonly string[]) => ({
    status,
    alerts: names.map((alertname) => ({
      status,
      labels: { alertname, severity: 'critical', job: 'node' },
      annotations: { summary: `${alertname} is wrong` },
      fingerprint: `f-${alertname}`,
    })),
  })

  it('take each alert of a group by itself, count what is sent again, and resolve', async () => {
    const first = await post('alertmanager', prometheus('firing', 'Disk', 'Load'))
    expect(first.status).to.equal(200)
    const items = first.body['items'] as readonly Record<string, unknown>[]
    expect(items.map(({ status }) => status)).to.deep.equal(['critical_alert_sent', 'critical_alert_sent'])
    await post('alertmanager', prometheus('firing', 'Load'))
    expect(await open()).to.have.members(['critical Disk 1', 'critical Load 2'])
    expect((await program.openAlerts())[0]).to.include({ message: 'Disk is wrong', source: 'node' })
    await post('alertmanager', prometheus('resolved', 'Disk'))
    expect(await open()).to.deep.equal(['critical Load 2'])
  })

  it('take a group with more fields than a publish may have', async () => {
    const names = Array.from({ length: 300 }, (_, index) => `A${index}`)
    expect((await post('grafana', prometheus('firing', ...names))).status).to.equal(200)
    expect(await open()).to.have.length(300)
  })

  it('answer PagerDuty senders as its service does, whose key is the token', async () => {
    const event = (event_action: string, routing_key: string, dedup_key?: string) => ({
      routing_key,
      event_action,
      ...(dedup_key !== undefined && { dedup_key }),
      ...(event_action === 'trigger' && {
        payload: { summary: 'Down', source: 's1', severity: 'critical', class: 'web' },
      }),
    })
    const { status, body } = await post('pagerduty/v2/enqueue', event('trigger', 'device-token'), {})
    expect([status, body['status'], body['message']]).to.deep.equal([202, 'success', 'Event processed'])
    const key = String(body['dedup_key'])
    await post('pagerduty', event('acknowledge', 'device-token', key), {})
    expect((await program.openAlerts())[0]).to.include({ status: 'acknowledged', acknowledgedBy: 'device' })
    await post('pagerduty', event('resolve', 'device-token', key), {})
    expect(await open()).to.deep.equal([])
    expect((await post('pagerduty', event('trigger', 'wrong'), {})).status).to.equal(401)
    expect((await post('pagerduty', event('resolve', 'device-token'), {})).status).to.equal(400)
  })

  it('answer Opsgenie senders as its service does', async () => {
    const genie = { authorization: 'GenieKey device-token' }
    const created = await post(
      'opsgenie/v2/alerts',
      { message: 'Full', alias: 'a/1', priority: 'P1', entity: 'q' },
      genie,
    )
    expect([created.status, created.body['result']]).to.deep.equal([202, 'Request will be processed'])
    expect(created.body['requestId']).to.be.a('string')
    expect(await open()).to.deep.equal(['critical q 1'])
    await post('opsgenie/v2/alerts/a%2F1/close?identifierType=alias', { note: 'done' }, genie)
    expect(await open()).to.deep.equal([])
  })

  it('answer ntfy and Gotify senders with the message', async () => {
    const auth = { authorization: basic('', 'device-token') }
    const text = await post('ntfy/backups', 'Disk full', {
      ...auth,
      'content-type': 'text/plain',
      title: 'Backup',
      priority: '5',
    })
    expect(text.status).to.equal(200)
    expect(text.body).to.include({
      event: 'message',
      topic: 'backups',
      title: 'Backup',
      message: 'Disk full',
      priority: 5,
    })
    expect((await post('ntfy', { topic: 'backups', message: 'x', priority: 3 }, auth)).status).to.equal(200)
    const gotify = await post(
      'gotify/message',
      { message: 'Hot', title: 'NAS', priority: 9 },
      { 'x-gotify-key': 'device-token' },
    )
    expect(gotify.body).to.include({ message: 'Hot', title: 'NAS', priority: 9 })
    expect(gotify.body['id']).to.be.a('number')
    expect(await open()).to.have.members(['critical backups 1', 'info backups 1', 'critical NAS 1'])
  })

  it('let the operator say type and level in the URL, and a resend harmless by its key', async () => {
    const headers = { authorization: 'Bearer device-token', 'idempotency-key': 'k1' }
    for (let time = 0; time < 2; time++)
      await post('generic?type=temp_pump&severity=critical', { message: 'Hot', status: 'x' }, headers)
    expect(await open()).to.deep.equal(['critical temp_pump 1'])
    expect((await program.openAlerts())[0]?.team).to.equal('platform')
    expect((await post('generic?type=a/b', { message: 'x' })).status).to.equal(400)
  })

  it('refuse who has no token, a wrong one, one in the URL, or no grant for the level', async () => {
    const body = { message: 'x', severity: 'critical' }
    expect((await post('generic', body, {})).status).to.equal(401)
    expect((await post('generic?token=device-token', body, {})).status).to.equal(401)
    expect((await post('gotify/message?token=device-token', { message: 'x' }, {})).status).to.equal(401)
    expect((await post('generic', body, { authorization: basic('device', 'wrong') })).status).to.equal(401)
    expect((await post('generic', body, { authorization: basic('anna', 'anna-password') })).status).to.equal(
      401,
    )
    const narrow = { 'x-api-key': 'narrow-token' }
    expect((await post('generic', body, narrow)).status).to.equal(403)
    expect((await post('generic', { message: 'x', severity: 'info' }, narrow)).status).to.equal(200)
  })

  it('say what is wrong with a body, and take nothing of it', async () => {
    for (const [path, body] of [
      ['alertmanager', { alerts: [{ status: 'firing' }] }],
      ['alertmanager', '{"alerts":'],
      ['generic', {}],
      ['opsgenie', {}],
      ['ntfy', { message: 'x' }],
      ['gotify', { title: 'x' }],
    ] as const) {
      const answer = await post(path, body)
      expect(answer.status, path).to.equal(400)
      expect((answer.body['error'] as { code: string }).code, path).to.equal('request.invalid')
    }
    expect(await open()).to.deep.equal([])
  })
})
