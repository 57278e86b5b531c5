import { expect } from 'chai'
import { httpEndpoint, type HttpEndpoint } from '../support/http-endpoint.ts'
import { harness, type Harness } from '../support/harness.ts'
import { mailServer, type MailServer } from '../support/mail-server.ts'
import { attachmentsIn } from '../support/mime.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const CLIENTS = {
  device: {
    token: 'device-token',
    publish: ['notifications/#', 'alerts/#'],
  },
  stranger: { token: 'stranger-token', publish: ['notifications/#'] },
}

interface Counts {
  readonly total: number
  readonly queued: number
  readonly sent: number
  readonly failed: number
  readonly cancelled: number
  readonly done: boolean
  readonly items_url: string
}

describe('messages to addresses', () => {
  let program: Harness
  let mail: MailServer | null = null
  let host: HttpEndpoint | null = null

  afterEach(async () => {
    await program.close()
    await mail?.close()
    await host?.close()
    mail = host = null
  })

  const captured = async (more: NonNullable<Parameters<typeof harness>[0]>['config'] = {}) => {
    program = await harness({ config: { clients: CLIENTS, ...(typeof more === 'object' && more) } })
  }
  const live = async (refuse?: Parameters<typeof mailServer>[0], email: object = {}) => {
    mail = await mailServer(refuse)
    const attachments = { allow: ['127.0.0.1'] }
    await captured({ channels: { email: { mode: 'live', smtp_url: mail.url, attachments, ...email } } })
  }
  const send = async (body: object) =>
    String(
      (
        await program.accepted('notifications/email/send', {
          to: 'kunde@example.org',
          subject: 'S',
          body: 'B',
          ...body,
        })
      )['email_id'],
    )
  const call = async (token: string, method: string, path: string) => {
    const response = await fetch(`${program.app.httpUrl}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}` },
    })
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }
  const login = async (user: string) => {
    const response = await fetch(`${program.app.httpUrl}/v1/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ user, password: `${user}-password` }),
    })
    return (await response.json()) as { readonly token: string }
  }
  const progress = async (batchId: string) =>
    (await call('device-token', 'GET', `/v1/batches/${batchId}`)).body as unknown as Counts

  describe('files that go with a mail', () => {
    const FILES: Readonly<Record<string, Buffer>> = {
      '/report.pdf': Buffer.from(
        Array.from({ length: 200_000 }, (_, index) => (index * 31 + (index >> 8)) % 256),
      ),
      '/list.csv': Buffer.from('a;b\r\n.\r\n1;ä\r\n'),
    }

    it('arrive byte by byte in a real mail server, two in one mail (N08, N12)', async () => {
      host = await httpEndpoint(({ path }, response) => {
        if (path === '/list.csv')
          response.setHeader('content-disposition', `attachment; filename*=UTF-8''M%C3%A4rz.csv`)
        response.setHeader(
          'content-type',
          path === '/list.csv' ? 'text/csv; charset=utf-8' : 'application/pdf',
        )
        response.end(FILES[path])
      })
      await live()
      const id = await send({
        html_body: '<b>B</b>',
        attachments: Object.keys(FILES).map((path) => `${host?.url}${path}`),
      })
      await program.quiet()
      expect((await program.deliveries(id))[0]).to.include({ state: 'sent', attempts: 1 })
      expect(mail?.taken).to.have.length(1)
      expect(attachmentsIn(mail?.taken[0]?.raw ?? '')).to.deep.equal([
        { name: 'report.pdf', type: 'application/pdf', content: FILES['/report.pdf'] },
        { name: 'März.csv', type: 'text/csv', content: FILES['/list.csv'] },
      ])
    })

    it('are what a batch sends too, its own or those of all (N08, R36)', async () => {
      host = await httpEndpoint(({ path }, response) => void response.end(`content of ${path}`))
      await live()
      const { batch_id: id } = await program.accepted('notifications/email/batch', {
        attachments: [`${host.url}/all.txt`],
        messages: [
          { to: 'a@example.org', subject: 'S', body: 'B' },
          { to: 'b@example.org', subject: 'S', body: 'B', attachments: [`${host.url}/own.txt`] },
          { to: 'c@example.org', subject: 'S', body: 'B', attachments: ['file:///etc/passwd'] },
          {
            to: 'd@example.org',
            subject: 'S',
            body: 'B',
            attachments: Array.from({ length: 11 }, () => host?.url),
          },
        ],
      })
      await program.quiet()
      expect(await progress(String(id))).to.include({ total: 4, sent: 2, failed: 2, done: true })
      const contents = new Map(
        mail?.taken.map(({ to, raw }) => [to, attachmentsIn(raw).map(({ content }) => content.toString())]),
      )
      expect([...contents]).to.have.deep.members([
        ['a@example.org', ['content of /all.txt']],
        ['b@example.org', ['content of /own.txt']],
      ])
    })

    it('are tried three times while their host is down, end with their reason, and leave the mail server alone (N08, R48, P24)', async () => {
      host = await httpEndpoint((_request, response) => void response.writeHead(503).end())
      await live()
      const ids: string[] = []
      for (let count = 0; count < 10; count++)
        ids.push(await send({ attachments: [`${host.url}/a${count}`] }))
      await program.quiet()
      const plain = await send({})
      await program.quiet()
      expect((await program.deliveries(plain))[0], 'the breaker is closed').to.include({ state: 'sent' })
      await program.pass(HOUR)
      for (const id of ids)
        expect((await program.deliveries(id))[0]).to.include({
          state: 'dead',
          reason: 'attempts_exhausted',
          error: 'attachment_unavailable: Attachment 1: the host answered 503',
          attempts: 3,
        })
      expect(host.received).to.have.length(30)
      expect(mail?.taken).to.have.length(1)
    })

    it('that are gone, too large or on this machine’s own network end the mail at once, with a code (N08, row 22)', async () => {
      host = await httpEndpoint(({ path }, response) => {
        if (path === '/gone') response.writeHead(404).end()
        else response.end(Buffer.alloc(2000))
      })
      await live(undefined, { attachments: { allow: ['127.0.0.1'], max_bytes: 1999 } })
      const gone = await send({ attachments: [`${host.url}/gone`] })
      const large = await send({ attachments: [`${host.url}/large`] })
      const metadata = await send({ attachments: ['http://169.254.169.254/latest/meta-data/'] })
      await program.quiet()
      const ends = async (id: string) => {
        const [row] = await program.deliveries(id)
        return [row?.state, row?.reason, row?.attempts]
      }
      expect(await ends(gone)).to.deep.equal(['dead', 'attachment_not_found', 1])
      expect(await ends(large)).to.deep.equal(['dead', 'attachment_too_large', 1])
      expect(await ends(metadata)).to.deep.equal(['dead', 'attachment_blocked', 1])
      expect(mail?.taken).to.deep.equal([])
    })

    it('are named in the outbox while mails are captured, and nobody is called (N08)', async () => {
      host = await httpEndpoint()
      await captured()
      await send({ attachments: [`${host.url}/a%20b.pdf?sig=1`] })
      await program.quiet()
      const admin = await program.app.engine.store.outbox({
        tenant: program.app.engine.directory.tenants()[0]!,
      })
      expect(admin.map(({ attachments }) => attachments)).to.deep.equal([
        [{ name: 'a b.pdf', url: `${host.url}/a%20b.pdf?sig=1` }],
      ])
      const { body } = await call('console-token', 'GET', '/v1/outbox')
      expect((body['items'] as object[])[0]).to.have.property('attachments')
      expect(host.received).to.deep.equal([])
    })

    const refused: readonly [string, unknown][] = [
      ['a text', 'https://a.example/x'],
      ['a path', ['/etc/passwd']],
      ['a file URL', ['file:///etc/passwd']],
      ['a data URL', ['data:text/plain,x']],
      ['an object', [{ path: '/etc/passwd' }]],
      ['a user name', ['https://user:password@a.example/x']],
      ['a line break', ['https://a.example/x\r\nHost: b']],
      ['11 of them', Array.from({ length: 11 }, () => 'https://a.example/x')],
      ['2049 characters', [`https://a.example/${'x'.repeat(2031)}`]],
    ]
    it('are refused at the door when they are no http(s) URLs, by the name of the field (N08, row 20)', async () => {
      await captured()
      const body = { to: 'a@example.org', subject: 'S', body: 'B' }
      for (const [what, attachments] of refused) {
        const outcome = await program.publish('notifications/email/send', { ...body, attachments })
        expect(outcome, what).to.include({ kind: 'dead', code: 'publish.invalid_body' })
        expect(JSON.stringify(outcome), what)
          .to.match(/attachments/)
          .and.not.match(/passwd|user:/)
      }
    })
  })

  describe('many at once (R36)', () => {
    const template = { subject: 'Hello {{name}}', body: 'Dear {{name}}' }

    it('fail one by one: a missing value, no address, no subject, an address that is an object', async () => {
      await captured()
      const { items, batch_id: id } = await program.accepted('notifications/email/batch', {
        ...template,
        recipients: [
          { to: 'a@example.org', data: { name: 'A' } },
          { to: 'b@example.org', data: { first_name: 'B' } },
          { to: 'c@example.org' },
          { to: { address: 'd@example.org' }, data: { name: 'D' } },
          { data: { name: 'E' } },
          { to: 'f@example.org', data: { name: 'x'.repeat(1000) } },
          { to: 'G <g@example.org>', data: { name: 'G' } },
        ],
      })
      expect(items).to.deep.equal([
        { to: 'a@example.org', status: 'queued' },
        ...['b@example.org', 'c@example.org'].map((to) => ({
          to,
          status: 'failed',
          error: 'publish.missing_value',
          reason: 'data.name, which subject needs, is missing',
        })),
        { to: '{"address":"d@example.org"}', status: 'failed', error: 'publish.invalid_address' },
        { to: '', status: 'failed', error: 'publish.invalid_address' },
        {
          to: 'f@example.org',
          status: 'failed',
          error: 'publish.too_large',
          reason: 'subject has more than 998 characters',
        },
        { to: 'G <g@example.org>', status: 'queued' },
      ])
      await program.quiet()
      const { created_at: _, ...counts } = (await call('device-token', 'GET', `/v1/batches/${String(id)}`))
        .body
      expect(counts).to.deep.equal({
        batch_id: id,
        total: 7,
        queued: 0,
        sent: 2,
        delivered: 0,
        failed: 5,
        cancelled: 0,
        done: true,
        items_url: `/v1/deliveries?batch_id=${String(id)}`,
      })
      const rows = await program.deliveries(String(id))
      expect(rows.filter(({ state }) => state === 'sent').map(({ address }) => address)).to.deep.equal([
        'a@example.org',
        'g@example.org',
      ])
      expect(rows[1]).to.include({
        reason: 'missing_value',
        error: 'data.name, which subject needs, is missing',
      })
    })

    it('send the same to the same address once', async () => {
      await captured()
      const { items, batch_id: id } = await program.accepted('notifications/email/batch', {
        ...template,
        recipients: [
          { to: 'a@example.org', data: { name: 'A' } },
          { to: 'A <a@example.org>', data: { name: 'A' } },
          { to: 'a@example.org', data: { name: 'B' } },
        ],
      })
      expect((items as { status: string }[]).map(({ status }) => status)).to.deep.equal([
        'queued',
        'duplicate',
        'queued',
      ])
      await program.quiet()
      expect(await progress(String(id))).to.include({ total: 2, sent: 2, done: true })
    })

    it('stand as they are without values, and are filled with them', async () => {
      await captured()
      const { batch_id: id } = await program.accepted('notifications/email/batch', {
        messages: [
          { to: 'a@example.org', subject: '{{name}}', body: '{{ x }}' },
          { to: 'a@example.org', subject: '{{name}}', body: 'B', data: { name: 'A' } },
        ],
      })
      expect((await program.deliveries(String(id))).map(({ fixed }) => fixed)).to.deep.equal([
        { subject: '{{name}}', text: '{{ x }}' },
        { subject: 'A', text: 'B' },
      ])
    })

    it('are a thousand at most, and a few megabytes; more is refused as a whole, in words', async () => {
      await captured()
      const recipients = (count: number) =>
        Array.from({ length: count }, (_, index) => ({
          to: `u${index}@example.org`,
          data: { name: index, a: 1, b: 2 },
        }))
      const { items, batch_id: id } = await program.accepted('notifications/email/batch', {
        ...template,
        recipients: recipients(1000),
      })
      expect(items).to.have.length(1000)
      await program.quiet()
      expect(await progress(String(id))).to.include({ total: 1000, sent: 1000, done: true })
      expect(
        await program.publish('notifications/email/batch', { ...template, recipients: recipients(1001) }),
      ).to.deep.include({
        kind: 'dead',
        code: 'publish.invalid_body',
        message: 'recipients must not have more than 1000 items',
      })
      expect(
        await program.publish('notifications/email/batch', {
          subject: 'S',
          body: 'x'.repeat(50_000),
          recipients: recipients(900),
        }),
      ).to.include({ kind: 'dead', code: 'publish.too_large' })
    })

    it('tell how far they are to their publisher and operators, and to nobody else', async () => {
      await captured()
      const { batch_id: id } = await program.accepted('notifications/email/batch', {
        ...template,
        recipients: [{ to: 'a@example.org', data: { name: 'A' } }],
      })
      await program.quiet()
      for (const [token, status] of [
        ['device-token', 200],
        ['console-token', 200],
        ['stranger-token', 404],
      ] as const)
        expect((await call(token, 'GET', `/v1/batches/${String(id)}`)).status, token).to.equal(status)
      expect((await call('device-token', 'GET', '/v1/batches/nothing')).status).to.equal(404)
      const single = await send({})
      expect((await call('device-token', 'GET', `/v1/batches/${single}`)).status).to.equal(404)
      const { items_url: url } = await progress(String(id))
      const { body } = await call('device-token', 'GET', url)
      expect((body['items'] as object[])[0]).to.include({
        batch_id: id,
        address: 'a…@example.org',
        state: 'sent',
      })
      const { token: bob } = await login('bob')
      expect((await call(bob, 'GET', `/v1/batches/${String(id)}`)).status).to.equal(404)
      expect((await call(bob, 'GET', url)).body['items']).to.deep.equal([])
      const own = await call('device-token', 'GET', `/v1/deliveries?message_id=${single}`)
      expect(own.body['items']).to.have.length(1)
    })

    it('count what fails later, and tell their end once, after the last one, even when one is sent again', async () => {
      await live((address, attempt) => (address === 'b@example.org' && attempt < 3 ? 451 : null))
      const publisher = await program.client('device')
      await publisher.subscribe('receipts/device/#')
      await program.accepted('notifications/email/batch', {
        id: 'batch-1',
        ...template,
        recipients: ['a', 'b', 'c'].map((name) => ({ to: `${name}@example.org`, data: { name } })),
      })
      await program.quiet()
      const ends = () => publisher.received.filter(({ body }) => body?.['status'] === 'batch_done')
      await publisher.caughtUp()
      expect(ends()).to.deep.equal([])
      await program.pass(10_000)
      await publisher.caughtUp()
      expect(ends()).to.have.length(1)
      expect(ends()[0]?.topic).to.equal('receipts/device/batch-1')
      expect(ends()[0]?.body).to.deep.include({
        id: 'batch-1',
        status: 'batch_done',
        total: 3,
        sent: 3,
        delivered: 0,
        failed: 0,
        cancelled: 0,
      })
      const batchId = String(ends()[0]?.body?.['batch_id'])
      expect((await call('console-token', 'POST', `/v1/deliveries/${batchId}.0/resend`)).status).to.equal(202)
      await program.quiet()
      await publisher.caughtUp()
      expect(mail?.taken).to.have.length(4)
      expect(ends()).to.have.length(1)
      expect(await progress(batchId), 'what was sent again is no message of the batch').to.include({
        total: 3,
        sent: 3,
      })
    })

    it('tell their end even when none could be sent, and when the last that waited is cancelled', async () => {
      await captured()
      const publisher = await program.client('device')
      await publisher.subscribe('receipts/device/#')
      const status = async (id: string) => {
        await program.quiet()
        await publisher.caughtUp()
        return publisher.received
          .filter(({ topic }) => topic === `receipts/device/${id}`)
          .map(({ body }) => body?.['status'])
      }
      await program.accepted('notifications/email/batch', {
        id: 'none',
        ...template,
        recipients: [{ to: 'x' }],
      })
      expect(await status('none')).to.deep.equal(['accepted', 'batch_done'])
      const { batch_id: id } = await program.accepted('notifications/email/batch', {
        id: 'later',
        send_at: program.now / 1000 + 3600,
        messages: [{ to: 'a@example.org', subject: 'S', body: 'B' }],
      })
      expect(await status('later')).to.deep.equal(['accepted'])
      expect((await call('device-token', 'POST', `/v1/deliveries/${String(id)}.0/cancel`)).status).to.equal(
        200,
      )
      expect(await status('later')).to.deep.equal(['accepted', 'batch_done'])
      expect(await progress(String(id))).to.include({ total: 1, queued: 0, cancelled: 1, done: true })
    })
  })

  describe('for later', () => {
    it('wait visibly, e-mails and SMS, and are sent at their time over a restart (R24, R25)', async () => {
      await live()
      const sendAt = program.now / 1000 + 3600
      const iso = new Date(sendAt * 1000).toISOString()
      const mailId = await send({ send_at: iso })
      const { result } = await program.accepted('notifications/sms/send', {
        phone: '+4915112345678',
        message: 'Later',
        send_at: sendAt,
      })
      const smsId = (result as { readonly sms_id: string }).sms_id
      await program.quiet()
      const listed = (await call('console-token', 'GET', '/v1/deliveries?state=pending')).body['items']
      expect(
        (listed as Record<string, unknown>[]).map((row) => [row['channel'], row['next_attempt_at']]),
      ).to.have.deep.members([
        ['email', iso],
        ['sms', iso],
      ])
      await program.restart(30 * MINUTE)
      await program.pass(30 * MINUTE - 1)
      expect(mail?.taken).to.deep.equal([])
      await program.pass(1)
      expect(mail?.taken).to.have.length(1)
      for (const id of [mailId, smsId])
        expect((await program.deliveries(id))[0]).to.include({ state: 'sent', sentAt: sendAt * 1000 })
    })

    it('can be cancelled by their publisher and operators until they are sent, and by nobody else (R24)', async () => {
      await live()
      const sendAt = program.now / 1000 + 3600
      const [first, second, third] = [
        await send({ send_at: sendAt }),
        await send({ send_at: sendAt }),
        await send({ send_at: sendAt }),
      ]
      const cancel = (token: string, id: string) => call(token, 'POST', `/v1/deliveries/${id}.0/cancel`)
      expect((await cancel('stranger-token', first)).status).to.equal(404)
      const { status, body } = await cancel('device-token', first)
      expect(status).to.equal(200)
      expect(body).to.include({ state: 'cancelled', reason: 'cancelled_by_user', next_attempt_at: null })
      expect((await cancel('device-token', first)).status, 'again').to.equal(200)
      expect((await cancel('console-token', second)).status).to.equal(200)
      await program.restart(MINUTE)
      await program.pass(2 * HOUR)
      expect(mail?.taken).to.have.length(1)
      const late = await cancel('device-token', third)
      expect(late.status).to.equal(409)
      expect(late.body['error']).to.include({ code: 'delivery.not_pending' })
      expect((await cancel('device-token', 'nothing')).status).to.equal(404)
      expect((await program.app.engine.store.conservation()).broken).to.equal(0)
    })

    it('are a page of an alert never: that ends with its alert (P15)', async () => {
      await captured()
      const alert = await program.raise('alerts/critical/system_failure')
      const [page] = await program.deliveries(alert)
      const { status, body } = await call('console-token', 'POST', `/v1/deliveries/${page?.id}/cancel`)
      expect(status).to.equal(400)
      expect(body['error']).to.include({ code: 'request.invalid' })
    })

    it('say what is wrong with a time that is none, and send what has just passed at once (R24)', async () => {
      await live()
      for (const [sendAt, message] of [
        [program.now + HOUR, 'send_at is more than a year ahead; a number counts seconds'],
        ['tomorrow', 'send_at is neither seconds since 1970 nor an RFC 3339 time'],
        ['NaN', 'send_at is neither seconds since 1970 nor an RFC 3339 time'],
        [1, 'send_at is more than a day ago'],
      ] as const)
        for (const [topic, body] of [
          ['notifications/email/send', { to: 'a@example.org', subject: 'S', body: 'B' }],
          ['notifications/sms/send', { phone: '+4915112345678', message: 'M' }],
          ['notifications/realtime/user/bob', { message: 'M' }],
        ] as const)
          expect(await program.publish(topic, { ...body, send_at: sendAt }), `${topic} ${sendAt}`).to.include(
            {
              kind: 'dead',
              code: 'publish.invalid_body',
              message,
            },
          )
      await send({ send_at: program.now / 1000 - 3600 })
      await program.quiet()
      expect(mail?.taken).to.have.length(1)
    })
  })

  describe('whose time is over (ttl)', () => {
    it('end expired, on realtime as well, over a restart too; the inbox keeps the entry', async () => {
      await captured({ channels: { sms: { mode: 'captured' } } })
      const { notification_id: id } = await program.accepted('notifications/realtime/user/bob', {
        message: 'Lunch is ready',
        ttl: '10m',
      })
      const kept = await program.accepted('notifications/realtime/user/bob', { message: 'No end' })
      const realtime = async (subject: unknown) =>
        (await program.deliveries(String(subject))).find(({ channel }) => channel === 'realtime')
      await program.pass(10 * MINUTE - 1)
      expect(await realtime(id)).to.include({ state: 'pending', nextAttemptAt: null })
      await program.restart(0)
      await program.pass(1)
      expect(await realtime(id)).to.include({ state: 'expired', reason: 'ttl' })
      await program.pass(DAY)
      expect(await realtime(kept['notification_id'])).to.include({ state: 'pending' })
      expect((await program.inbox('bob')).map(({ content }) => content.message)).to.deep.equal([
        'Lunch is ready',
        'No end',
      ])
      expect((await program.app.engine.store.conservation()).broken).to.equal(0)
    })

    it('are not touched when the person had them in time, or has deleted them meanwhile', async () => {
      await captured()
      const bob = await program.client('bob')
      await bob.subscribe('users/bob/notifications')
      const { notification_id: taken } = await program.accepted('notifications/realtime/user/bob', {
        message: 'Here',
        ttl: 60,
      })
      const { notification_id: deleted } = await program.accepted('notifications/realtime/user/cem', {
        message: 'Gone',
        ttl: 60,
      })
      await program.quiet()
      await program.publish(`users/cem/notifications/${String(deleted)}/delete`, {}, { as: 'cem' })
      await program.pass(HOUR)
      const state = async (subject: unknown) =>
        (await program.deliveries(String(subject))).find(({ channel }) => channel === 'realtime')?.state
      expect(await state(taken)).to.be.oneOf(['sent', 'delivered'])
      expect(await state(deleted)).to.equal('expired')
      expect((await program.app.engine.store.conservation()).broken).to.equal(0)
    })
  })

  describe('that were given up (R48)', () => {
    it('were tried three times, are listed as dead with their reason, and go out when they are sent again', async () => {
      let away = true
      await live(() => (away ? 451 : null))
      const id = await send({})
      await program.pass(HOUR)
      const listed = (await call('console-token', 'GET', '/v1/deliveries?state=dead')).body[
        'items'
      ] as object[]
      expect(listed).to.have.length(1)
      expect(listed[0]).to.include({
        id: `${id}.0`,
        message_id: id,
        reason: 'attempts_exhausted',
        attempts: 3,
        max_attempts: 3,
      })
      away = false
      expect((await call('device-token', 'POST', `/v1/deliveries/${id}.0/resend`)).status).to.equal(403)
      const again = await call('console-token', 'POST', `/v1/deliveries/${id}.0/resend`)
      expect(again).to.deep.equal({ status: 202, body: { id: `${id}.1` } })
      await program.pass(MINUTE)
      expect((await program.deliveries(id)).map(({ state }) => state)).to.deep.equal(['dead', 'sent'])
      expect(mail?.taken).to.have.length(1)
    })

    it('because they were none are dead letters, which a replay answers the same until they are mended', async () => {
      await captured()
      await program.publish('notifications/email/send', { id: 'm-1', to: 'nobody', subject: 'S', body: 'B' })
      const letters = (await call('console-token', 'GET', '/v1/dead-letters')).body['items'] as {
        readonly id: string
      }[]
      expect(letters[0]).to.include({ code: 'publish.invalid_address', reason: 'to: "nobody" is no mailbox' })
      const replay = await call('console-token', 'POST', `/v1/dead-letters/${letters[0]?.id}/replay`)
      expect(replay.status).to.equal(400)
      expect(await program.deadLetters()).to.have.length(1)
    })

    it('as recipients of a batch have nothing that could be sent again, and say so', async () => {
      await captured()
      const { batch_id: id } = await program.accepted('notifications/email/batch', {
        messages: [{ to: 'nobody', subject: 'S', body: 'B' }],
      })
      const { status, body } = await call('console-token', 'POST', `/v1/deliveries/${String(id)}.0/resend`)
      expect(status).to.equal(400)
      expect(body['error']).to.include({ code: 'request.invalid' })
    })
  })
})
