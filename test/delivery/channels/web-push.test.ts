import { expect } from 'chai'
import { randomBytes } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { noAlarm } from '../../../src/alert/operator-alarm.ts'
import type { OutgoingMessage, RenderInput } from '../../../src/delivery/channel.ts'
import { webPushChannel } from '../../../src/delivery/channels/web-push.ts'
import { createOutgoing } from '../../../src/delivery/outgoing/outgoing.ts'
import { vapidOf } from '../../../src/delivery/push/vapid.ts'
import { browser, vapidClaims, type Browser } from '../../support/browser.ts'
import { channelConformance } from '../../support/channel-conformance.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { addressOf, device, fakeDevices } from '../../support/fake-devices.ts'
import { httpEndpoint, type HttpEndpoint } from '../../support/http-endpoint.ts'
import { alert, notification, NOON, person, planned } from '../../support/messages.ts'

const vapid = vapidOf(
  { mode: 'live', allow: [], subject: 'mailto:ops@example.org' },
  randomBytes(32),
  undefined,
)

describe('a push to a browser', () => {
  let server: HttpEndpoint
  let reader: Browser
  let devices = fakeDevices([])
  let alarms: string[] = []
  const alarm = Object.assign((cause: string) => void alarms.push(cause), {
    over: (cause: string) => void alarms.push(`${cause} over`),
    found() {},
  })
  beforeEach(() => {
    alarms = []
  })
  afterEach(() => server.close())

  const send = async (
    options: {
      readonly answer?: (response: ServerResponse) => void
      readonly input?: Partial<RenderInput>
      readonly allow?: readonly string[]
      readonly times?: number
    } = {},
  ) => {
    const { answer = (response) => void response.writeHead(201).end(), allow = ['127.0.0.1'] } = options
    server = await httpEndpoint((_request, response) => answer(response))
    reader = browser(`${server.url}/push/geheim`)
    devices = fakeDevices([device('anna', { channel: 'web_push', subscription: reader.subscription })])
    const outgoing = createOutgoing({ allow })
    const channel = webPushChannel({ vapid, allow, devices, outgoing, clock: fakeClock(NOON), alarm })
    const input: RenderInput = {
      delivery: planned({ channel: 'web_push', ordinal: 3 }).delivery,
      subject: { kind: 'alert', alert: alert() },
      recipient: person(),
      fixed: null,
      publicUrl: 'https://bell.example.org',
      ...options.input,
    }
    const message: OutgoingMessage = {
      idempotencyKey: input.delivery.id,
      address: addressOf(devices, 'anna'),
      rendered: channel.render(input),
      critical: input.delivery.critical,
    }
    for (let time = 1; time < (options.times ?? 1); time++)
      await channel.send(message, new AbortController().signal)
    return channel.send(message, new AbortController().signal)
  }
  const status =
    (code: number, headers = {}) =>
    (response: ServerResponse) =>
      void response.writeHead(code, headers).end()

  for (const code of [401, 403])
    it(`that is refused with ${code} tells the operator, and the next success that it is over (P7)`, async () => {
      let asked = 0
      const answer = (response: ServerResponse) => void response.writeHead(++asked === 1 ? code : 201).end()
      expect(await send({ answer, times: 2 })).to.include({ ok: true })
      expect(alarms).to.deep.equal(['vapid_refused:others', 'vapid_refused:others over'])
    })

  it('can be read by that browser alone, and says what a service worker needs (X06)', async () => {
    expect(await send()).to.deep.equal({ ok: true, status: 201 })
    const [received] = server.received
    expect(received).to.include({ method: 'POST', path: '/push/geheim' })
    expect(received?.headers).to.include({ 'content-encoding': 'aes128gcm', ttl: '3600', urgency: 'high' })
    expect(received?.headers['content-length']).to.equal(String(received?.bytes.length))
    expect(reader.read(received?.bytes ?? Buffer.of())).to.deep.include({
      title: 'CRITICAL ALERT: disk_full',
      body: 'Disk is full',
      tag: 'a1',
      alert_id: 'a1',
      severity: 'critical',
      url: 'https://bell.example.org/alerts/a1',
      actions: [
        { id: 'ack', label: 'Acknowledge' },
        { id: 'escalate', label: 'Escalate' },
        { id: 'resolve', label: 'Resolve' },
      ],
    })
    expect(() => browser('https://other.example').read(received?.bytes ?? Buffer.of())).to.throw()
  })

  it('is signed with the key that the browser subscribed with (RFC 8292)', async () => {
    await send()
    const { publicKey, claims } = vapidClaims(server.received[0]?.headers ?? {})
    expect(publicKey).to.equal(vapid.publicKey)
    expect(claims).to.include({ aud: server.url, sub: 'mailto:ops@example.org' })
  })

  it('replaces what an earlier attempt brought, by a topic of at most 32 url-safe characters (P8)', async () => {
    await send({ times: 2 })
    const topics = server.received.map(({ headers }) => headers['topic'])
    expect(topics[0]).to.match(/^[A-Za-z0-9_-]{1,32}$/)
    expect(topics[1]).to.equal(topics[0])
  })

  it('of a notification is kept for a day, or as long as it is worth something', async () => {
    const delivery = planned({
      channel: 'web_push',
      subjectKind: 'notification',
      purpose: 'message',
      critical: false,
    }).delivery
    const of = (content: object) => ({
      delivery,
      subject: {
        kind: 'notification',
        notification: notification({ priority: 'normal', ...content }),
      } as const,
    })
    await send({ input: of({}) })
    expect(server.received[0]?.headers).to.include({ ttl: '86400', urgency: 'normal' })
    await server.close()
    await send({ input: of({ expiresAt: NOON + 90_000, data: { order: 7 } }) })
    const [received] = server.received
    expect(received?.headers).to.include({ ttl: '90' })
    expect(reader.read(received?.bytes ?? Buffer.of())).to.deep.include({
      notification_id: 'n1',
      tag: 'n1',
      data: { order: '7' },
      actions: [],
    })
  })

  it('never takes more than a push service has to take (RFC 8030 section 7.2, N11)', async () => {
    const data = { small: 'kept', large: '€'.repeat(3000) }
    const subject = {
      kind: 'notification',
      notification: notification({ message: '€'.repeat(9000), data }),
    } as const
    const delivery = planned({
      channel: 'web_push',
      subjectKind: 'notification',
      purpose: 'message',
    }).delivery
    await send({ input: { subject, delivery } })
    const [received] = server.received
    expect(received?.bytes.length).to.be.within(1000, 4096)
    expect(reader.read(received?.bytes ?? Buffer.of())['data']).to.deep.equal({
      small: 'kept',
      truncated: 'true',
    })
  })

  const answers: readonly [code: number, headers: object, expected: object, prunes: boolean][] = [
    [404, {}, { retry: false, code: 'unregistered' }, true],
    [410, {}, { retry: false, code: 'unregistered' }, true],
    [400, {}, { retry: false, code: 'http_400' }, false],
    [413, {}, { retry: false, code: 'http_413' }, false],
    [403, {}, { retry: true, code: 'deferred' }, false],
    [429, { 'retry-after': '9' }, { retry: true, code: 'deferred', retryAfterMs: 9000 }, false],
    [503, {}, { retry: true, code: 'deferred' }, false],
    [302, { location: 'http://127.0.0.1:6379/' }, { retry: false, code: 'http_302' }, false],
  ]
  for (const [code, headers, expected, prunes] of answers) {
    it(`that is answered ${code} is ${JSON.stringify(expected)}${prunes ? ', and the subscription is forgotten' : ''} (P7, N10)`, async () => {
      const result = await send({ answer: status(code, headers) })
      expect(result).to.include({ ok: false, ...expected })
      expect(JSON.stringify(result)).to.not.include('geheim')
      expect(devices.ended).to.deep.equal(prunes ? [addressOf(devices, 'anna')] : [])
    })
  }

  it('never goes to an endpoint that is no push service and not allowed (security row 23)', async () => {
    const result = await send({ allow: [] })
    expect(result).to.include({ ok: false, retry: false, code: 'address_refused' })
    expect(server.received).to.deep.equal([])
  })
})

channelConformance('live web push', () =>
  webPushChannel({
    vapid,
    allow: [],
    devices: fakeDevices([]),
    outgoing: createOutgoing({ allow: [] }),
    clock: fakeClock(NOON),
    alarm: noAlarm,
  }),
)
