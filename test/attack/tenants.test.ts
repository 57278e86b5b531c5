import { expect } from 'chai'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Installation, type Program } from '../support/program.ts'
import { call, login, published } from './attacked.ts'
import { publishPacket, RawMqtt, subscribePacket } from './raw-mqtt.ts'

const config = (
  device = '{ token: device-token, publish: ["notifications/#", "alerts/#", "sensors/#", "events/#"], subscribe: ["sensors/#"] }',
) => `
tenants: { acme: { admins: [boss] } }
users:
  anna: { password: anna-password, email: anna@example.org, roles: [admin], groups: [ops] }
  boss: { tenant: acme, password: boss-password, email: boss@acme.org, roles: [admin], groups: [ops] }
clients:
  device: ${device}
  panel: { token: panel-token, subscribe: ["sensors/#"] }
  foreign: { tenant: acme, token: foreign-token, publish: ["notifications/#", "alerts/#", "sensors/#"], subscribe: ["#"] }
teams:
  platform: { alert_types: ["*"], schedule: { layers: [{ rotate: [anna] }] }, escalation: { steps: [{ notify: ["user:anna"], wait: 1h }] } }
  theirs: { tenant: acme, alert_types: ["*"], escalation: { steps: [{ notify: ["user:boss"], wait: 1h }] } }
`

async function client(
  program: Program,
  username: string,
  password = `${username}-token`,
  clientId = `${username}-1`,
): Promise<RawMqtt> {
  const raw = await RawMqtt.open(program.mqttPort)
  expect(await raw.connect({ clientId, username, password }), username).to.equal(0)
  return raw
}

async function subscribe(raw: RawMqtt, ...filters: readonly string[]): Promise<number[]> {
  raw.send(subscribePacket(filters.map((filter) => [filter, 1] as const)))
  return [...((await raw.next(9))?.subarray(4) ?? [])]
}

async function publish(raw: RawMqtt, topic: string, payload: string, retain = false): Promise<void> {
  raw.send(publishPacket(topic, payload, 1, 1, retain))
  expect(await raw.next(4), `PUBACK of ${topic}`).not.to.equal(null)
}

/** Everything that was written to this connection before has come when this has. */
async function settled(raw: RawMqtt): Promise<void> {
  raw.send(Buffer.from([0xc0, 0]))
  await raw.next(13)
}

describe('two tenants in one program', function () {
  this.timeout(30_000)
  const installation = new Installation(config())
  let program: Program
  let device: RawMqtt
  let boss: RawMqtt
  let foreign: RawMqtt
  const tokens: Record<string, string> = {}

  before(async () => {
    program = await installation.start()
    for (const user of ['anna', 'boss']) tokens[user] = await login(program, user)
    boss = await client(program, 'boss', 'boss-password')
    foreign = await client(program, 'foreign')
    await subscribe(boss, 'dlq/#', 'state/#', 'users/boss/#')
    await subscribe(foreign, '#')
    device = await client(program, 'device')
    await publish(device, 'sensors/temperature', 'ours', true)
    await publish(device, 'notifications/nowhere', 'a bad message of ours')
    await publish(device, 'notifications/realtime/user/anna', '{"message":"for anna"}')
    await publish(device, 'alerts/critical/disk_full', '{"message":"fire"}')
    await publish(device, 'notifications/system/status', '{"component":"db","status":"down"}')
    await publish(device, 'events/order/completed', '{"order":1}')
    expect(
      (await call(program, 'device-token', 'POST', '/v1/publish/sensors/over-http', { ours: true })).status,
    ).to.equal(202)
  })

  after(async () => {
    for (const raw of [device, boss, foreign]) raw.end()
    await installation.remove()
  })

  it('see nothing of each other over MQTT: dead letters, states, events, plain topics (row 18)', async () => {
    for (const raw of [boss, foreign]) {
      await settled(raw)
      const ours = published(raw).filter(
        ({ topic, payload }) =>
          !/^(state\/oncall\/theirs|users\/boss\/)/.test(topic) || payload.includes('ours'),
      )
      expect(ours).to.deep.equal([])
    }
  })

  it('have retained messages of their own, which the other neither sees, replaces nor clears (rows 10 and 18)', async () => {
    const late = await client(program, 'foreign', 'foreign-token', 'late')
    await subscribe(late, 'sensors/temperature')
    await settled(late)
    expect(published(late)).to.deep.equal([])
    await publish(late, 'sensors/temperature', 'theirs', true)
    await publish(late, 'sensors/temperature', '', true)
    const panel = await client(program, 'panel')
    await subscribe(panel, 'sensors/#')
    await settled(panel)
    expect(published(panel)).to.deep.include({ topic: 'sensors/temperature', payload: 'ours' })
    late.end()
    panel.end()
  })

  it('find nothing under the other’s ids on any route of the HTTP API: 404, never 403 or 500 (row 18)', async () => {
    const items = async <T>(path: string, key = 'items') =>
      (JSON.parse((await call(program, tokens['anna'] ?? '', 'GET', path)).text) as Record<string, T[]>)[
        key
      ] ?? []
    const [alert] = await items<{ id: string }>('/v1/alerts')
    const [notification] = await items<{ id: string }>('/v1/notifications', 'notifications')
    const [letter] = await items<{ id: string }>('/v1/dead-letters')
    const [captured] = await items<{ id: string }>('/v1/outbox')
    const [delivery] = await items<{ id: string }>('/v1/deliveries')
    const routes: [string, string, unknown?][] = [
      ['GET', `/v1/alerts/${alert?.id}`],
      ...['ack', 'unack', 'escalate', 'resolve', 'note'].map((verb): [string, string, unknown] => [
        'POST',
        `/v1/alerts/${alert?.id}/${verb}`,
        {},
      ]),
      ['POST', `/v1/alerts/${alert?.id}/snooze`, { for: '1m' }],
      ['POST', `/v1/alerts/${alert?.id}/reassign`, { user: 'boss' }],
      ['GET', `/v1/notifications/${notification?.id}`],
      ['PATCH', `/v1/notifications/${notification?.id}/read`, {}],
      ['DELETE', `/v1/notifications/${notification?.id}`],
      ['GET', `/v1/dead-letters/${letter?.id}`],
      ['DELETE', `/v1/dead-letters/${letter?.id}`],
      ['POST', `/v1/dead-letters/${letter?.id}/replay`],
      ['POST', `/v1/outbox/${captured?.id}/reply`, { text: 'ack' }],
      ['POST', `/v1/deliveries/${delivery?.id}/resend`],
      ['GET', '/v1/oncall/platform'],
      ['POST', `/v1/publish/alerts/${alert?.id}/ack`, {}],
      ['POST', '/v1/publish/notifications/realtime/user/anna', { message: 'x' }],
    ]
    for (const id of [alert?.id, notification?.id, letter?.id, captured?.id, delivery?.id])
      expect(id).to.be.a('string')
    for (const [method, path, body] of routes) {
      const answer = await call(program, tokens['boss'] ?? '', method, path, body)
      expect(answer.status, `${method} ${path}`).to.equal(404)
    }
    for (const path of [
      '/v1/alerts',
      '/v1/outbox',
      '/v1/deliveries',
      `/v1/deliveries?alert_id=${alert?.id}`,
      '/v1/deliveries?user=anna',
    ])
      expect((await call(program, tokens['boss'] ?? '', 'GET', path)).text, path).not.to.include('anna')
    const alertNow = JSON.parse(
      (await call(program, tokens['anna'] ?? '', 'GET', `/v1/alerts/${alert?.id}`)).text,
    ) as { status: string }
    expect(alertNow.status).to.equal('firing')
  })

  it('reach only their own people by group and broadcast (row 18)', async () => {
    const before = (await call(program, tokens['anna'] ?? '', 'GET', '/v1/notifications')).text
    for (const topic of ['notifications/realtime/group/ops', 'notifications/realtime/broadcast'])
      expect(
        (await call(program, tokens['boss'] ?? '', 'POST', `/v1/publish/${topic}`, { message: 'from acme' }))
          .status,
      ).to.equal(202)
    expect((await call(program, tokens['anna'] ?? '', 'GET', '/v1/notifications')).text).to.equal(before)
  })

  it('cut the live connection of a client whose token was replaced, once the configuration is read again (rows 3 and 8)', async () => {
    const panel = await client(program, 'panel')
    writeFileSync(
      join(installation.folder, 'carillon.yaml'),
      config('{ token: another-token, publish: ["sensors/#"] }'),
    )
    process.kill(program.pid, 'SIGHUP')
    await device.closed
    const again = await RawMqtt.open(program.mqttPort)
    expect(
      await again.connect({ clientId: 'device-1', username: 'device', password: 'device-token' }),
    ).to.equal(4)
    again.end()
    // Whoever lost nothing is not disturbed.
    await settled(panel)
    expect(panel.socket.destroyed).to.equal(false)
    panel.end()
  })
})
