import { expect } from 'chai'
import { noAlarm } from '../../../../src/alert/operator-alarm.ts'
import { randomBytes } from 'node:crypto'
import type { Channel, RenderInput } from '../../../../src/delivery/channel.ts'
import { pushChannel } from '../../../../src/delivery/channels/push.ts'
import { webPushChannel } from '../../../../src/delivery/channels/web-push.ts'
import type { PushParticulars } from '../../../../src/delivery/delivery.ts'
import { createOutgoing } from '../../../../src/delivery/outgoing/outgoing.ts'
import { createFcm } from '../../../../src/delivery/push/fcm.ts'
import { vapidOf } from '../../../../src/delivery/push/vapid.ts'
import { browser } from '../../../support/browser.ts'
import { fakeClock } from '../../../support/fake-clock.ts'
import { addressOf, device, fakeDevices } from '../../../support/fake-devices.ts'
import { serviceAccountOf } from '../../../support/fcm-server.ts'
import { httpEndpoint } from '../../../support/http-endpoint.ts'
import { NOON } from '../../../support/messages.ts'
import { providerServer } from '../../../support/provider-server.ts'
import { contents } from './contents.ts'
import { FCM } from './fcm.ts'
import { faultsOf } from './request-facts.ts'
import { webPushFaults } from './web-push.ts'

/** What a publisher may say about a push (checklist R37), at its bounds. */
const PARTICULARS: readonly (PushParticulars | null)[] = [
  null,
  { badge: 99_999, sound: 'bell.caf', collapseKey: 'k'.repeat(64), expiresAt: NOON + 90_000 },
  { data: { half: '\ud800', ['\udc00']: 'x', none: null, deep: [{ a: '\ud800' }] }, urgent: true },
  { expiresAt: NOON - 1, badge: 0 },
  { expiresAt: 8.64e15 },
]

async function send(channel: Channel, address: string, input: RenderInput): Promise<void> {
  const { delivery } = input
  const message = {
    idempotencyKey: delivery.id,
    address,
    rendered: channel.render(input),
    critical: delivery.critical,
  }
  expect(await channel.send(message, new AbortController().signal)).to.include({ ok: true })
}

function* inputs(): Iterable<{ readonly title: string; readonly input: RenderInput }> {
  for (const publicUrl of ['https://bell.example.org', 'http://localhost:8080'])
    for (const { title, input } of contents(publicUrl))
      for (const [index, push] of PARTICULARS.entries())
        yield {
          title: `${title}, particulars ${index}, ${publicUrl}`,
          input: push === null ? input : { ...input, fixed: { ...(input.fixed ?? { text: 'x' }), push } },
        }
}

describe('requests to push services', function () {
  this.timeout(60_000)

  it(`are what ${FCM.pages[0]} takes, whatever they say, to tokens and to topics (R37)`, async () => {
    const server = await providerServer()
    server.answer = ({ path }) =>
      path === '/token'
        ? { status: 200, body: { access_token: 'a', expires_in: 3599, token_type: 'Bearer' } }
        : { status: 200, body: { name: 'projects/x/messages/1' } }
    const devices = fakeDevices([device('anna', { channel: 'push', token: 'fGh3k:APA91b' }, 'ios')])
    const account = serviceAccountOf(`${server.url}/token`)
    const fcm = createFcm({ account, baseUrl: server.url, tokenUrl: undefined }, fakeClock(NOON))
    const channel = pushChannel({ fcm, devices })
    const faults: string[] = []
    try {
      for (const { title, input } of inputs())
        for (const address of [addressOf(devices, 'anna'), 'topic:news']) {
          await send(channel, address, input)
          const request = server.asked.at(-1)
          if (request) faults.push(...faultsOf(request, FCM).map((what) => `${title}: ${what}`))
        }
      expect(faults).to.deep.equal([])
    } finally {
      await channel.close()
      await server.close()
    }
  })

  it('of browsers are what RFC 8030, 8291 and 8292 say, whatever they carry (X06)', async () => {
    const server = await httpEndpoint((_request, response) => void response.writeHead(201).end())
    const reader = browser(`${server.url}/push/1`)
    const devices = fakeDevices([device('anna', { channel: 'web_push', subscription: reader.subscription })])
    const allow = ['127.0.0.1']
    const settings = { mode: 'live', allow, subject: 'mailto:ops@example.org' } as const
    const channel = webPushChannel({
      vapid: vapidOf(settings, randomBytes(32), undefined),
      allow,
      devices,
      outgoing: createOutgoing({ allow }),
      alarm: noAlarm,
      clock: fakeClock(NOON),
    })
    const faults: string[] = []
    try {
      for (const { title, input } of inputs()) {
        await send(channel, addressOf(devices, 'anna'), input)
        const request = server.received.at(-1)
        // The token's times are those of the library, which knows no other clock.
        const nowS = Date.now() / 1000
        if (request) faults.push(...webPushFaults(request, reader, nowS).map((what) => `${title}: ${what}`))
      }
      expect(faults).to.deep.equal([])
    } finally {
      await channel.close()
      await server.close()
    }
  })
})
