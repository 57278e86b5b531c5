import { expect } from 'chai'
import type { OutgoingMessage, RenderInput, SendResult } from '../../../src/delivery/channel.ts'
import { pushChannel } from '../../../src/delivery/channels/push.ts'
import { createFcm } from '../../../src/delivery/push/fcm.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { channelConformance, HOSTILE } from '../../support/channel-conformance.ts'
import { addressOf, device, fakeDevices } from '../../support/fake-devices.ts'
import { fcmError, fcmServer, type FcmServer } from '../../support/fcm-server.ts'
import { alert, notification, NOON, person, planned } from '../../support/messages.ts'
import type { Given } from '../../support/provider-server.ts'

const TOKEN = 'fGh3k:APA91b-geheim'
const MINUTE = 60_000

describe('a push over FCM', () => {
  let server: FcmServer
  let clock = fakeClock(NOON)
  let devices = fakeDevices([])
  beforeEach(async () => {
    clock = fakeClock(NOON)
    devices = fakeDevices([device('anna', { channel: 'push', token: TOKEN }, 'android')])
    server = await fcmServer(() => clock.now())
  })
  afterEach(() => server.close())

  const open = () => {
    const { account, url } = server
    return pushChannel({ fcm: createFcm({ account, baseUrl: url, tokenUrl: undefined }, clock), devices })
  }
  const input = (more: Partial<RenderInput> = {}): RenderInput => ({
    delivery: planned({ channel: 'push', ordinal: 3 }).delivery,
    subject: { kind: 'alert', alert: alert() },
    recipient: person(),
    fixed: null,
    publicUrl: 'https://bell.example.org',
    ...more,
  })
  const messageOf = (given: RenderInput, address = addressOf(devices, 'anna')): OutgoingMessage => ({
    idempotencyKey: given.delivery.id,
    address,
    rendered: open().render(given),
    critical: given.delivery.critical,
  })
  const send = (message = messageOf(input()), channel = open()): Promise<SendResult> =>
    channel.send(message, new AbortController().signal)
  const answering = async (given: Given) => {
    server.answer = () => given
    return send()
  }

  it('is one request in the name of the service account, to the device of the person (R37)', async () => {
    expect(await send()).to.deep.equal({
      ok: true,
      status: 200,
      providerId: 'projects/carillon-test/messages/1',
    })
    expect(server.faults).to.deep.equal([])
    expect(server.messages).to.have.length(1)
    expect(server.messages[0]).to.deep.include({
      token: TOKEN,
      notification: { title: 'CRITICAL ALERT: disk_full', body: 'Disk is full' },
    })
  })

  it('tells the app what the buttons of a page do, and the phone to wake up for an hour', async () => {
    await send()
    const [message] = server.messages
    expect(message?.data).to.include({
      alert_id: 'a1',
      severity: 'critical',
      url: 'https://bell.example.org/alerts/a1',
    })
    expect(JSON.parse(message?.data['actions'] ?? '')).to.deep.equal([
      { id: 'ack', label: 'Acknowledge' },
      { id: 'escalate', label: 'Escalate' },
      { id: 'resolve', label: 'Resolve' },
    ])
    expect(message?.android).to.deep.include({ priority: 'HIGH', ttl: '3600s' })
    expect(message?.apns.headers).to.include({
      'apns-priority': '10',
      'apns-expiration': String(NOON / 1000 + 3600),
    })
    expect(message?.apns.payload.aps).to.include({ sound: 'default', category: 'carillon_page' })
    expect(message?.webpush).to.deep.include({ fcm_options: { link: 'https://bell.example.org/alerts/a1' } })
  })

  it("carries the data of a notification as texts, without FCM's own words, its badge, sound and TTL (R37)", async () => {
    const data = { order: 7, deep: { a: 1 }, note: 'x', from: 'me', 'google.x': '1', alert_id: 'forged' }
    const subject = {
      kind: 'notification',
      notification: notification({ data, priority: 'normal' }),
    } as const
    const delivery = planned({
      channel: 'push',
      subjectKind: 'notification',
      purpose: 'message',
      critical: false,
    })
    const push = { badge: 4, sound: 'bell.caf', collapseKey: 'orders', expiresAt: NOON + 90_000 }
    const fixed = { subject: 'Shipped', text: 'Tomorrow', push }
    await send(messageOf(input({ delivery: delivery.delivery, subject, fixed })))
    const [message] = server.messages
    expect(server.faults).to.deep.equal([])
    expect(message?.notification).to.deep.equal({ title: 'Shipped', body: 'Tomorrow' })
    expect(message?.data).to.include({ order: '7', deep: '{"a":1}', note: 'x', notification_id: 'n1' })
    expect(message?.data).to.not.have.any.keys('from', 'google.x', 'actions')
    expect(message?.android).to.deep.include({ priority: 'NORMAL', ttl: '90s', collapse_key: 'orders' })
    expect(message?.android.notification).to.include({ sound: 'bell.caf', notification_count: 4 })
    expect(message?.apns.headers).to.include({ 'apns-priority': '5', 'apns-collapse-id': 'orders' })
    expect(message?.apns.payload.aps).to.include({ sound: 'bell.caf', badge: 4 })
  })

  it('has the same keys on every attempt, and others for every other delivery (P8)', async () => {
    const keys = () =>
      server.messages.map(({ android, apns }) => [android.collapse_key, apns.headers['apns-id']].join(' '))
    await send()
    await send()
    await send(messageOf(input({ delivery: planned({ channel: 'push', ordinal: 4 }).delivery })))
    const [first, second, third] = keys()
    expect(first).to.equal(second)
    expect(third).to.not.equal(first)
  })

  it('over 4000 bytes loses text first and then data, never what the buttons need (N11)', async () => {
    const data = { small: 'kept', large: 'x'.repeat(5000) }
    const subject = {
      kind: 'notification',
      notification: notification({ message: '€'.repeat(3000), data }),
    } as const
    const delivery = planned({ channel: 'push', subjectKind: 'notification', purpose: 'message' }).delivery
    await send(messageOf(input({ delivery, subject })))
    const [message] = server.messages
    expect(server.faults).to.deep.equal([])
    expect(message?.data).to.include({ small: 'kept', truncated: 'true', notification_id: 'n1' })
    expect(message?.data).to.not.have.property('large')
    expect(message?.notification.body).to.match(/^€{100,}…$/)
    const rendered = { ...messageOf(input()).rendered, text: '€'.repeat(1000) }
    await send({ ...messageOf(input()), rendered })
    expect(server.messages[1]?.data).to.include.all.keys('alert_id', 'actions')
    expect(Buffer.byteLength(JSON.stringify(server.messages[1]))).to.be.at.most(4000)
  })

  it('fits, whatever the content is (N11)', async () => {
    for (const text of HOSTILE) {
      const subjects = [
        { kind: 'alert', alert: alert({ type: text, message: text, source: text }) },
        {
          kind: 'notification',
          notification: notification({
            title: text,
            message: text,
            type: text,
            data: { [text]: text, text },
          }),
        },
      ] as const
      for (const subject of subjects) await send(messageOf(input({ subject })))
    }
    expect(server.faults).to.deep.equal([])
    expect(server.messages).to.have.length(2 * HOSTILE.length)
  })

  it('to a topic has its own smaller limit (R37)', async () => {
    const rendered = { ...messageOf(input()).rendered, text: '€'.repeat(1000) }
    await send({ ...messageOf(input(), 'topic:news'), rendered })
    expect(server.faults).to.deep.equal([])
    expect(server.messages[0]).to.include({ topic: 'news' })
  })

  it('uses an access token until shortly before its end', async () => {
    const channel = open()
    const again = () => send(messageOf(input()), channel)
    await Promise.all([again(), again(), again()])
    expect(server.grants).to.equal(1)
    await clock.pass(50 * MINUTE)
    await again()
    expect(server.grants).to.equal(1)
    await clock.pass(6 * MINUTE)
    expect(await again()).to.have.property('ok', true)
    expect(server.grants).to.equal(2)
    expect(server.faults).to.deep.equal([])
  })

  it('asks for another token after 401, and blames nobody when only the token had ended', async () => {
    const channel = open()
    const again = () => send(messageOf(input()), channel)
    await again()
    server.revoke()
    expect(await again()).to.include({ ok: false, retry: true, code: 'deferred' })
    expect(await again()).to.have.property('ok', true)
    server.answer = () => fcmError(401, 'UNAUTHENTICATED')
    await again()
    expect(await again()).to.include({ ok: false, retry: true, code: 'provider_down' })
  })

  it('keeps its access token when FCM has no key for APNs, which others need to mend', async () => {
    const channel = open()
    server.answer = () => fcmError(401, 'UNAUTHENTICATED', 'THIRD_PARTY_AUTH_ERROR')
    for (let count = 0; count < 3; count++)
      expect(await send(messageOf(input()), channel)).to.include({ retry: true, code: 'deferred' })
    expect(server.grants).to.equal(1)
  })

  it('waits for the operator when Google refuses the service account, and never says that it was sent (P7)', async () => {
    server.refuseGrants = { status: 400, body: { error: 'invalid_grant' } }
    expect(await send()).to.include({ ok: false, retry: true, code: 'provider_down' })
    server.refuseGrants = { status: 503, headers: { 'retry-after': '7' }, body: '' }
    expect(await send()).to.include({ ok: false, retry: true, code: 'http_503', retryAfterMs: 7000 })
    expect(server.messages).to.deep.equal([])
  })

  const quota = (subject: string) => ({
    details: [{ '@type': 'type.googleapis.com/google.rpc.QuotaFailure', violations: [{ subject }] }],
    headers: { 'retry-after': '30' },
  })
  const badToken = { details: [{ fieldViolations: [{ field: 'message.token', description: 'Invalid' }] }] }
  const badData = { details: [{ fieldViolations: [{ field: 'message.data', description: 'Invalid' }] }] }
  const answers: readonly [title: string, given: Given, expected: object, prunes: boolean][] = [
    [
      'UNREGISTERED',
      fcmError(404, 'NOT_FOUND', 'UNREGISTERED'),
      { retry: false, code: 'unregistered' },
      true,
    ],
    ['404', fcmError(404, 'NOT_FOUND'), { retry: false, code: 'unregistered' }, true],
    ['404 of something else', { status: 404, body: '<html>' }, { retry: false, code: 'http_404' }, false],
    [
      'INVALID_ARGUMENT of the token',
      fcmError(400, 'INVALID_ARGUMENT', 'INVALID_ARGUMENT', badToken),
      { retry: false, code: 'unregistered' },
      true,
    ],
    [
      'INVALID_ARGUMENT of something else',
      fcmError(400, 'INVALID_ARGUMENT', 'INVALID_ARGUMENT', badData),
      { retry: false, code: 'http_400' },
      false,
    ],
    [
      'SENDER_ID_MISMATCH',
      fcmError(403, 'PERMISSION_DENIED', 'SENDER_ID_MISMATCH'),
      { retry: false, code: 'sender_id_mismatch' },
      false,
    ],
    ['403', fcmError(403, 'PERMISSION_DENIED'), { retry: true, code: 'provider_down' }, false],
    [
      'THIRD_PARTY_AUTH_ERROR',
      fcmError(401, 'UNAUTHENTICATED', 'THIRD_PARTY_AUTH_ERROR'),
      { retry: true, code: 'deferred' },
      false,
    ],
    [
      'QUOTA_EXCEEDED of the project',
      fcmError(429, 'RESOURCE_EXHAUSTED', 'QUOTA_EXCEEDED', quota('project:1')),
      { retry: true, code: 'http_429', retryAfterMs: 30_000 },
      false,
    ],
    [
      'QUOTA_EXCEEDED of the device (N11)',
      fcmError(429, 'RESOURCE_EXHAUSTED', 'QUOTA_EXCEEDED', quota('device:1')),
      { retry: true, code: 'deferred', retryAfterMs: 30_000 },
      false,
    ],
    [
      'UNAVAILABLE',
      fcmError(503, 'UNAVAILABLE', 'UNAVAILABLE', { headers: { 'retry-after': '10' } }),
      { retry: true, code: 'http_503', retryAfterMs: 10_000 },
      false,
    ],
    ['INTERNAL', fcmError(500, 'INTERNAL', 'INTERNAL'), { retry: true, code: 'http_500' }, false],
  ]
  for (const [title, given, expected, prunes] of answers) {
    it(`that is answered ${title} is ${JSON.stringify(expected)}${prunes ? ', and the device is forgotten' : ''} (P7, R28)`, async () => {
      const result = await answering(given)
      expect(result).to.include({ ok: false, ...expected })
      expect(JSON.stringify(result)).to.not.include('geheim')
      expect(devices.ended).to.deep.equal(prunes ? [addressOf(devices, 'anna')] : [])
    })
  }

  it('whose answer was lost may have arrived (P9)', async () => {
    server.answer = () => 'cut'
    expect(await send()).to.include({ ok: false, retry: true, ambiguous: true })
  })

  it('to a device that is not registered any more is final, and nobody is asked', async () => {
    expect(await send(messageOf(input(), 'device:gone'))).to.include({
      ok: false,
      retry: false,
      code: 'no_device',
    })
    expect(server.grants).to.equal(0)
  })

  it('has an address for each device with a token, and none for browsers', () => {
    const phones = ['one', 'two'].map((token) => device('anna', { channel: 'push', token }))
    const keys = { p256dh: 'x', auth: 'y' }
    const laptop = device('anna', { channel: 'web_push', subscription: { endpoint: 'https://x', keys } })
    const channel = pushChannel({ fcm: null, devices: fakeDevices([...phones, laptop]) })
    expect(channel.addresses(person())).to.deep.equal(phones.map(({ id }) => `device:${id}`))
    expect(channel.addresses(person({ id: 'bob' }))).to.deep.equal([])
  })

  channelConformance('live push', () => {
    const { account, url } = server
    const fcm = createFcm({ account, baseUrl: url, tokenUrl: undefined }, clock)
    return pushChannel({ fcm, devices: fakeDevices([]) })
  })
})
