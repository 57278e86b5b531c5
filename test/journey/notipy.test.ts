import { expect } from 'chai'
import { harness, type Harness } from '../support/harness.ts'
import { ServiceApi } from '../support/service-api.ts'

interface Refused {
  readonly error: { readonly code: string; readonly message: string }
}
interface EventBody {
  readonly event: {
    readonly id: string
    readonly version: number
    readonly name: string
    readonly channels: object
  }
  readonly message: string
}
interface Sent {
  readonly message: string
  readonly notification_ids: readonly string[]
}
interface Notification {
  readonly id: string
  readonly event_id: string
  readonly channel_type: string
  readonly dynamic_data: object
  readonly status: string
  readonly created_at: string
  readonly deliveries?: readonly { readonly state: string; readonly max_attempts: number }[]
}
interface Listed {
  readonly total: number
  readonly notifications: readonly Notification[]
}

const EVENT = {
  name: 'Order shipped',
  description: 'Tells the customer',
  channels: {
    email: {
      subject: 'Order {{ number }}',
      is_html: true,
      content: '<p>Dear {{ name }}</p>',
      no_of_attachments: 0,
    },
    sms: { content: 'Order {{ number }} is on its way' },
  },
}
const EMAIL = { to_email: ['anna@example.org', 'bob@example.org'], metadata: { number: 7, name: '<Anna>' } }
const SMS = { to_phone_number: ['+4915112345671'], metadata: { number: 7 } }
const QUEUED = 'notification has been queued successfully for delivery'

describe('the NotiPy API', () => {
  let h: Harness
  let service: ServiceApi
  let eventId: string
  const url = () => h.app.httpUrl
  before(async () => {
    h = await harness()
    service = await ServiceApi.registered(url)
  })
  beforeEach(async () => {
    const { body } = await service.ask<EventBody>('POST', '/events', EVENT)
    eventId = body.event.id
  })
  after(() => h.close())

  const send = (body: object, headers = {}, from = service, event = eventId) =>
    from.ask<Sent & Refused>('POST', `/events/${event}/send_notifications`, body, headers)
  const list = async (query = '', event = eventId) =>
    (await service.ask<Listed>('GET', `/events/${event}/get_notifications${query}`)).body
  const outbox = () => h.app.engine.store.outbox({ tenant: h.app.engine.directory.tenants()[0]! })

  describe('registering (N04)', () => {
    it('gives five letters and a token of 26, which nobody else gets', async () => {
      const { body } = await new ServiceApi(url).ask('POST', '/register')
      expect(body['service_id']).to.match(/^[a-zA-Z]{5}$/)
      expect(body['service_token']).to.match(/^[a-zA-Z]{26}$/)
      expect(body).not.to.deep.equal(service.credentials)
    })

    const wrong: readonly (readonly [why: string, headers: Record<string, string>])[] = [
      ['without credentials', {}],
      ['with an id alone', { 'x-service-id': 'abcde' }],
      ['with a wrong id', { 'x-service-id': 'abcde', 'x-service-token': 'x'.repeat(26) }],
      ['with the token of a client', { authorization: 'Bearer console-token' }],
      ['with the wrong token of a client', { 'x-service-id': 'console', 'x-service-token': 'device-token' }],
    ]
    for (const [why, headers] of wrong) {
      it(`lets nobody in ${why}, in the words of upstream`, async () => {
        for (const [method, path] of [
          ['GET', '/events'],
          ['POST', '/register/rotate'],
          ['GET', `/notifications/${eventId}`],
        ] as const) {
          const { status, body } = await new ServiceApi(url).ask<Refused>(method, path, undefined, headers)
          expect([status, body.error.message]).to.deep.equal([401, 'Invalid service_id or service_token'])
        }
      })
    }

    it('keeps of a token no more than its digest', async () => {
      const { items } = await h.app.engine.store.records(1000)
      expect(JSON.stringify(items))
        .to.contain(service.credentials?.service_id)
        .and.not.contain(service.credentials?.service_token)
    })

    it('opens nothing else: its credentials count on this API only', async () => {
      for (const path of ['/v1/deliveries', '/v1/alerts', '/v1/outbox', '/v1/dead-letters']) {
        const { service_id: id, service_token: token } = service.credentials!
        const answer = await fetch(url() + path, {
          headers: { 'x-service-id': id, 'x-service-token': token },
        })
        expect(answer.status, path).to.equal(401)
      }
    })

    it('takes ten registrations a minute from one address', async () => {
      const own = await harness()
      try {
        const api = new ServiceApi(() => own.app.httpUrl)
        const statuses = []
        for (let time = 0; time < 11; time++) statuses.push((await api.ask('POST', '/register')).status)
        expect(statuses).to.deep.equal([...Array.from({ length: 10 }, () => 200), 429])
      } finally {
        await own.close()
      }
    })
  })

  describe('events', () => {
    it('are made, with what they say on each channel (N05)', async () => {
      const { status, body } = await service.ask<EventBody>('POST', '/events', EVENT)
      expect([status, body.message]).to.deep.equal([200, 'event created successfully'])
      expect(body.event).to.deep.include({ ...EVENT, version: 1 })
    })

    it('are refused when a text is no template, with its place (N05)', async () => {
      const channels = { sms: { content: 'a\n{% for %}' } }
      const { status, body } = await service.ask<Refused>('POST', '/events', { ...EVENT, channels })
      expect([status, body.error.code]).to.deep.equal([400, 'notipy.invalid'])
      expect(body.error.message).to.match(/^channels\.sms\.content: .*\(line 2, column 1\)$/)
    })

    it('are listed in pages and searched, deleted ones hidden (N06, N07)', async () => {
      const own = await ServiceApi.registered(url)
      for (const name of ['First order', 'second ORDER', 'refund']) {
        await own.ask('POST', '/events', {
          ...EVENT,
          name,
          description: name === 'refund' ? 'of an order' : '',
        })
      }
      const found = async (query: string) => {
        const { body } = await own.ask<{ total_count: number; events: { id: string; name: string }[] }>(
          'GET',
          `/events${query}`,
        )
        return {
          total: body.total_count,
          names: body.events.map(({ name }) => name),
          ids: body.events.map(({ id }) => id),
        }
      }
      expect(await found('')).to.deep.include({ total: 3, names: ['First order', 'second ORDER', 'refund'] })
      expect(await found('?limit=1&offset=1')).to.deep.include({ total: 3, names: ['second ORDER'] })
      expect(await found('?query=order')).to.deep.include({ total: 3 })
      expect(await found('?query=%5Esecond')).to.deep.include({ names: ['second ORDER'] })
      const [id] = (await found('?query=refund')).ids
      const { body } = await own.ask('DELETE', `/events/${id}`)
      expect(body).to.deep.equal({ message: 'event deleted successfully' })
      expect(await found('')).to.deep.include({ total: 2 })
      const gone = await own.ask<Refused>('GET', `/events/${id}`)
      expect([gone.status, gone.body.error.message]).to.deep.equal([404, 'event not found'])
    })

    it('are read and changed, and are 404 to every other service (N07)', async () => {
      const changed = await service.ask<EventBody>('PUT', `/events/${eventId}`, { name: 'Order sent' })
      expect(changed.body.event).to.deep.include({ name: 'Order sent', channels: EVENT.channels, version: 2 })
      expect((await service.ask<EventBody>('GET', `/events/${eventId}`)).body.event.name).to.equal(
        'Order sent',
      )
      const other = await ServiceApi.registered(url)
      for (const [method, body] of [['GET'], ['PUT', { name: 'x' }], ['DELETE']] as const) {
        const answer = await other.ask<Refused>(method, `/events/${eventId}`, body)
        expect([answer.status, answer.body.error.message]).to.deep.equal([404, 'event not found'])
      }
      expect((await send({ sms: SMS }, {}, other)).status).to.equal(404)
    })
  })

  describe('sending', () => {
    it('takes one notification per channel and sends it with its data (N01, N02, N08)', async () => {
      const { status, body } = await send({ email: EMAIL, sms: SMS })
      expect([status, body.message]).to.deep.equal([200, QUEUED])
      expect(body.notification_ids).to.have.length(2)
      expect((await list('?status=initiated')).total).to.be.within(0, 2)
      await h.quiet()
      const sent = (await outbox()).slice(-3)
      expect(sent.map(({ channel, address }) => `${channel} ${address}`)).to.have.members([
        'email anna@example.org',
        'email bob@example.org',
        'sms +4915112345671',
      ])
      const mail = sent.find(({ channel }) => channel === 'email')
      expect(mail).to.include({ subject: 'Order 7', html: '<p>Dear &lt;Anna&gt;</p>', text: 'Dear <Anna>' })
      expect(sent.find(({ channel }) => channel === 'sms')?.text).to.equal('Order 7 is on its way')
    })

    it('goes to phones and browsers as to addresses (N01, N13)', async () => {
      const push = { title: 'Order {{ number }}', content: 'Dear {{ name }}, it is on its way' }
      const { body } = await service.ask<EventBody>('POST', '/events', { ...EVENT, channels: { push } })
      expect(body.event.channels).to.deep.equal({ push })
      const request = {
        to_token: ['fGh3k:APA91b-1', 'fGh3k:APA91b-2'],
        metadata: EMAIL.metadata,
        data: { order: 7 },
      }
      const sent = await send({ push: request }, {}, service, body.event.id)
      expect([sent.status, sent.body.message]).to.deep.equal([200, QUEUED])
      await h.quiet()
      const caught = (await outbox()).slice(-2)
      expect(caught.map(({ channel, address }) => `${channel} ${address}`)).to.have.members(
        request.to_token.map((token) => `push ${token}`),
      )
      for (const item of caught)
        expect(item).to.include({ subject: 'Order 7', text: 'Dear <Anna>, it is on its way' })
      const id = sent.body.notification_ids[0]
      const { body: shown } = await service.ask<Notification>('GET', `/notifications/${id}`)
      expect(shown).to.deep.include({ channel_type: 'push', status: 'success', dynamic_data: request })
      expect((await service.ask('POST', `/notifications/${id}/resend?force=true`)).status).to.equal(200)
    })

    it('waits for the channels of an event that was made without any (N05)', async () => {
      const { name, description } = EVENT
      const { status, body } = await service.ask<EventBody>('POST', '/events', { name, description })
      expect([status, body.event.channels]).to.deep.equal([200, {}])
      const refused = await send({ sms: SMS }, {}, service, body.event.id)
      expect([refused.status, refused.body.error.message]).to.deep.equal([
        400,
        'The event has no channel sms',
      ])
    })

    it('names the files that go along (N08)', async () => {
      const email = { ...EVENT.channels.email, no_of_attachments: 1 }
      const { body } = await service.ask<EventBody>('POST', '/events', { ...EVENT, channels: { email } })
      const url = 'https://files.example.org/invoice.pdf'
      await send({ email: { ...EMAIL, attachments: [url] } }, {}, service, body.event.id)
      await h.quiet()
      expect((await outbox()).at(-1)).to.deep.include({ attachments: [{ name: 'invoice.pdf', url }] })
    })

    it('keeps line breaks of the data out of the subject (security row 20)', async () => {
      await send({ email: { ...EMAIL, metadata: { number: '7\r\nBcc: eve@example.org', name: 'A' } } })
      await h.quiet()
      expect((await outbox()).at(-1)?.subject).to.equal('Order 7 Bcc: eve@example.org')
    })

    it('tells what is missing, word for word, and sends nothing (N09)', async () => {
      const before = (await list()).total
      const message = async (body: object) => {
        const answer = await send(body)
        expect(answer.status).to.equal(400)
        return answer.body.error.message
      }
      expect(await message({ email: { metadata: {} } })).to.equal('to_email is required')
      expect(await message({ email: { ...EMAIL, attachments: ['https://a.example/x'] } })).to.equal(
        'Number of attachments mismatch',
      )
      expect(await message({ email: { to_email: EMAIL.to_email } })).to.equal('metadata is required')
      expect(await message({ email: EMAIL, sms: { ...SMS, metadata: {} } })).to.equal(
        'Missing fields in metadata: number',
      )
      expect(await message({})).to.equal('Name a channel of the event: email, sms')
      expect((await list()).total).to.equal(before)
    })

    it('sends a request with the same Idempotency-Key once [P3]', async () => {
      const first = await send({ sms: SMS }, { 'idempotency-key': 'order-7' })
      const again = await send({ sms: SMS }, { 'idempotency-key': 'order-7' })
      expect(again.body).to.deep.equal(first.body)
      expect((await list()).total).to.equal(1)
    })

    it('is listed newest first with its status, and shown one by one (N10, N11)', async () => {
      await send({ email: EMAIL })
      await send({ sms: SMS })
      await h.quiet()
      const all = await list()
      expect(all.total).to.equal(2)
      expect(all.notifications.map(({ channel_type: type, status }) => [type, status])).to.deep.equal([
        ['sms', 'success'],
        ['email', 'success'],
      ])
      const [newest] = all.notifications
      expect(newest).to.deep.include({ event_id: eventId, event_version: 1, dynamic_data: SMS })
      expect(newest?.created_at).to.equal(new Date(h.now).toISOString())
      expect(
        (await list('?limit=1&offset=1')).notifications.map(({ channel_type: type }) => type),
      ).to.deep.equal(['email'])
      expect((await list('?status=failed')).total).to.equal(0)
      const { body } = await service.ask<Notification>('GET', `/notifications/${newest?.id}`)
      expect(body).to.deep.include({ id: newest?.id, status: 'success' })
      expect(body.deliveries?.map(({ state, max_attempts: most }) => [state, most])).to.deep.equal([
        ['sent', 3],
      ])
    })

    it('answers 404 for what another service sent and 422 for what is no id (N10)', async () => {
      const { body } = await send({ sms: SMS })
      const other = await ServiceApi.registered(url)
      const foreign = await other.ask<Refused>('GET', `/notifications/${body.notification_ids[0]}`)
      expect([foreign.status, foreign.body.error.message]).to.deep.equal([404, 'notification not found'])
      expect((await service.ask('GET', '/notifications/nonsense')).status).to.equal(422)
      expect(
        (await other.ask('POST', `/notifications/${body.notification_ids[0]}/resend?force=true`)).status,
      ).to.equal(404)
      expect((await service.ask('POST', '/notifications/nonsense/resend')).status).to.equal(422)
    })

    it('tells how long a request took, and lets any page read it (N12)', async () => {
      const { headers } = await service.ask('GET', '/events', undefined, { origin: 'https://shop.example' })
      expect(Number(headers.get('x-process-time'))).to.be.within(0, 60)
      expect(headers.get('access-control-allow-origin')).to.equal('*')
      expect((await new ServiceApi(url).ask('GET', '/events')).headers.get('x-process-time')).to.match(
        /^\d+\.\d+$/,
      )
    })
  })

  it('is told to be tried again later by a service that sends too much (R40)', async () => {
    const own = await ServiceApi.registered(url)
    const { body } = await own.ask<EventBody>('POST', '/events', EVENT)
    const to = Array.from({ length: 100 }, (_, index) => `${index}@example.org`)
    const statuses: number[] = []
    for (let time = 0; time < 11; time++) {
      const answer = await send({ email: { ...EMAIL, to_email: to } }, {}, own, body.event.id)
      statuses.push(answer.status)
      if (answer.status === 429) expect(Number(answer.headers.get('retry-after'))).to.be.within(1, 60)
    }
    expect(statuses).to.deep.equal([...Array.from({ length: 10 }, () => 200), 429])
  })

  it('is described in the OpenAPI document', async () => {
    const document = (await (await fetch(`${url()}/openapi.json`)).json()) as {
      paths: object
      openapi: string
    }
    expect(Object.keys(document.paths)).to.include.members([
      '/api/v1/register',
      '/api/v1/events/{event_id}/send_notifications',
      '/api/v1/notifications/{notification_id}/resend',
      '/v1/templates/preview',
    ])
  })

  it('changes and ends its credentials on request (N13)', async () => {
    const old = await ServiceApi.registered(url)
    const made = await old.ask<EventBody>('POST', '/events', EVENT)
    const { body } = await old.ask<{ service_id: string; service_token: string }>('POST', '/register/rotate')
    expect(body.service_id).to.equal(old.credentials?.service_id)
    expect((await old.ask('GET', '/events')).status).to.equal(401)
    const renewed = new ServiceApi(url, body)
    expect((await renewed.ask('GET', `/events/${made.body.event.id}`)).status).to.equal(200)
    expect((await renewed.ask('DELETE', '/register')).body).to.deep.equal({
      message: 'service deleted successfully',
    })
    expect((await renewed.ask('GET', '/events')).status).to.equal(401)
  })

  it('is there after a restart: services, events and what was sent (N02)', async () => {
    await send({ sms: SMS })
    await h.quiet()
    await h.restart()
    expect((await list()).notifications.map(({ status }) => status)).to.deep.equal(['success'])
  })

  it('keeps the keys of sends apart from the ids of publishes, which the same client chose', async () => {
    const device = new ServiceApi(url, { service_id: 'device', service_token: 'device-token' })
    const { body } = await device.ask<EventBody>('POST', '/events', EVENT)
    await h.accepted('notifications/realtime/user/anna', { message: 'Hi', message_id: 'k1', id: 'k1' })
    const sent = await send({ sms: SMS }, { 'idempotency-key': 'k1' }, device, body.event.id)
    expect(sent.status).to.equal(200)
    const other = await device.ask<EventBody>('POST', '/events', EVENT)
    const again = await send({ sms: SMS }, { 'idempotency-key': 'k1' }, device, other.body.event.id)
    expect(again.status).to.equal(200)
    expect(again.body.notification_ids).not.to.deep.equal(sent.body.notification_ids)
  })

  it('lets clients of the configuration send what they are granted, and keep their credentials', async () => {
    const device = new ServiceApi(url, { service_id: 'device', service_token: 'device-token' })
    const { body } = await device.ask<EventBody>('POST', '/events', EVENT)
    expect((await send({ sms: SMS }, {}, device, body.event.id)).status).to.equal(200)
    expect((await device.ask('POST', '/register/rotate')).status).to.equal(403)
    const silent = new ServiceApi(url, { service_id: 'console', service_token: 'console-token' })
    const own = await silent.ask<EventBody>('POST', '/events', EVENT)
    const refused = await send({ sms: SMS }, {}, silent, own.body.event.id)
    expect([refused.status, refused.body.error.code]).to.deep.equal([403, 'publish.forbidden'])
  })
})

describe('a notification of a service that failed', () => {
  let h: Harness
  let service: ServiceApi
  let id: string
  const url = () => h.app.httpUrl
  before(async () => {
    h = await harness({ failing: ['sms'], config: { notipy: { open_registration: true } } })
    service = await ServiceApi.registered(url)
    const { body } = await service.ask<EventBody>('POST', '/events', EVENT)
    const path = `/events/${body.event.id}/send_notifications`
    const sent = await service.ask<Sent>('POST', path, { sms: SMS })
    id = sent.body.notification_ids[0] ?? ''
    await h.quiet()
  })
  after(() => h.close())

  const shown = async () => (await service.ask<Notification>('GET', `/notifications/${id}`)).body
  const resend = (query = '') => service.ask<Sent & Refused>('POST', `/notifications/${id}/resend${query}`)

  it('says so, and is sent again as a further delivery of the same one (N02, N13)', async () => {
    expect((await shown()).status).to.equal('failed')
    const { status, body } = await resend()
    expect([status, body.message]).to.deep.equal([200, QUEUED])
    await h.quiet()
    const { status: became, deliveries } = await shown()
    expect([became, deliveries?.length]).to.deep.equal(['failed', 2])
  })

  it('is not sent again by two at the same time (N13)', async () => {
    const before = (await shown()).deliveries?.length ?? 0
    const statuses = (await Promise.all([resend(), resend()])).map(({ status }) => status)
    await h.quiet()
    // The second one finds it being sent, or failed again meanwhile.
    expect(statuses[0]).to.equal(200)
    expect(statuses[1]).to.be.oneOf([200, 409])
    const accepted = statuses.filter((status) => status === 200).length
    expect((await shown()).deliveries?.length).to.equal(before + accepted)
  })
})

describe('a notification of a service that arrived', () => {
  it('is sent again only by force (N13)', async () => {
    const h = await harness()
    try {
      const service = await ServiceApi.registered(() => h.app.httpUrl)
      const { body } = await service.ask<EventBody>('POST', '/events', EVENT)
      const sent = await service.ask<Sent>('POST', `/events/${body.event.id}/send_notifications`, {
        email: EMAIL,
      })
      await h.quiet()
      const path = `/notifications/${sent.body.notification_ids[0]}/resend`
      const refused = await service.ask<Refused>('POST', path)
      expect([refused.status, refused.body.error.code]).to.deep.equal([409, 'notipy.not_failed'])
      expect((await service.ask('POST', `${path}?force=true`)).status).to.equal(200)
      await h.quiet()
      const { body: shown } = await service.ask<Notification>('GET', path.replace('/resend', ''))
      expect([shown.status, shown.deliveries?.length]).to.deep.equal(['success', 4])
    } finally {
      await h.close()
    }
  })
})

describe('registering where messages leave the machine', () => {
  it('is for operators only unless the configuration opens it (N04)', async () => {
    const h = await harness({ failing: ['sms'] })
    try {
      const nobody = new ServiceApi(() => h.app.httpUrl)
      expect((await nobody.ask('POST', '/register')).status).to.equal(401)
      const device = await nobody.ask<Refused>('POST', '/register', undefined, {
        'x-api-key': 'device-token',
      })
      expect([device.status, device.body.error.code]).to.deep.equal([403, 'notipy.registration_closed'])
      const console = await nobody.ask('POST', '/register', undefined, {
        authorization: 'Bearer console-token',
      })
      expect([console.status, Object.keys(console.body)]).to.deep.equal([
        200,
        ['service_id', 'service_token'],
      ])
    } finally {
      await h.close()
    }
  })

  it('is closed by the configuration on this machine too', async () => {
    const h = await harness({ config: { notipy: { open_registration: false } } })
    try {
      expect((await new ServiceApi(() => h.app.httpUrl).ask('POST', '/register')).status).to.equal(401)
    } finally {
      await h.close()
    }
  })
})
