import { expect } from 'chai'
import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'
import { Installation, type Program } from '../support/program.ts'
import { call, login, servesTheGood } from './attacked.ts'
import { publishPacket, RawMqtt } from './raw-mqtt.ts'

const HOSTILE: Readonly<Record<string, string>> = {
  HTML: '<script>alert(1)</script><img src=x onerror=alert(1)>"\'><a href="javascript:alert(1)">x</a>',
  'line breaks': 'Fire\r\nBcc: everybody@example.org\r\nX-Injected: yes\r\n\r\n<b>body</b>',
  'a lone line feed': 'Fire\nBcc: everybody@example.org',
  'other line separators': 'Fire\u2028Bcc: everybody@example.org\u2029X-Injected: yes\u0085X-Injected: yes',
  'bidi overrides': '\u202egnp.exe\u202c \u2066x\u2069',
  NUL: 'a\0b\u0001\u001b[31m\u0007',
  'half a surrogate pair': 'a\ud800b\udc00',
  'an encoded word': '=?utf-8?B?DQpCY2M6IGV2ZXJ5Ym9keUBleGFtcGxlLm9yZw==?=',
  'template syntax': '{{constructor.constructor("return process")()}} ${7*7} <%= 7*7 %> #{7*7}',
  'a dot on its line': 'a\r\n.\r\nMAIL FROM:<x@example.org>\r\n',
  'an evil repetition': `${'a '.repeat(20_000)}!`,
}

describe('hostile content', function () {
  this.timeout(60_000)
  const mails: { readonly raw: string; readonly to: readonly string[] }[] = []
  let heard = () => {}
  let server: SMTPServer
  let installation: Installation
  let program: Program
  let admin: string

  before(async () => {
    server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      closeTimeout: 100,
      onData(stream, session, done) {
        const chunks: Buffer[] = []
        stream.on('data', (chunk: Buffer) => chunks.push(chunk))
        stream.on('end', () => {
          mails.push({
            raw: Buffer.concat(chunks).toString(),
            to: session.envelope.rcptTo.map(({ address }) => address),
          })
          done()
          heard()
        })
      },
    })
    server.on('error', () => {})
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    installation = new Installation(`
users: { anna: { password: anna-password, email: anna@example.org, phone: "+4915112345678", roles: [admin], preferences: { sms: true } } }
clients: { device: { token: device-token, publish: ["notifications/#", "alerts/#"] } }
channels: { email: { mode: both, smtp_url: "smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}", from: "Alerts <alerts@example.org>" } }
`)
    program = await installation.start()
    admin = await login(program, 'anna')
  })

  after(async () => {
    await installation.remove()
    await new Promise<void>((resolve) => server.close(() => resolve()))
  })

  async function mailAfter(
    act: () => Promise<unknown>,
  ): Promise<{ readonly raw: string; readonly to: readonly string[] }> {
    const count = mails.length
    await act()
    while (mails.length === count) await new Promise<void>((resolve) => (heard = resolve))
    const mail = mails[count]
    if (!mail) throw new Error('no mail')
    return mail
  }

  function expectHarmless({ raw, to }: { readonly raw: string; readonly to: readonly string[] }): void {
    expect(to).to.deep.equal(['anna@example.org'])
    const head = raw.slice(0, raw.indexOf('\r\n\r\n')).replaceAll(/\r\n[ \t]+/g, ' ')
    const names = head.split('\r\n').map((line) => line.slice(0, line.indexOf(':')).toLowerCase())
    expect(names).not.to.include.oneOf(['bcc', 'cc', 'x-injected'])
    expect(new Set(names).size, 'every header once').to.equal(names.length)
    expect(head.match(/^from: (.*)$/im)?.[1]).to.equal('Alerts <alerts@example.org>')
    // eslint-disable-next-line no-control-regex -- the very thing that may not be there
    expect(head).not.to.match(/[\0-\x08\x0b\x0c\x0e-\x1f\x7f]|(?<!\r)\n/)
    const html = quotedPrintable(raw.slice(raw.toLowerCase().indexOf('content-type: text/html')))
    expect(html).not.to.match(/<script|<img|onerror=alert\(1\)>|<a [^>]*javascript:|<b>body/i)
  }

  for (const [what, text] of Object.entries(HOSTILE)) {
    it(`stays content in the mail, the inbox and the outbox of a page: ${what} (rows 19, 20, 29)`, async () => {
      const body = {
        message: text,
        source: text.slice(0, 200),
        affected_systems: [text.slice(0, 200)],
        data: { value: text.slice(0, 200) },
      }
      const mail = await mailAfter(async () => {
        const answer = await call(
          program,
          'device-token',
          'POST',
          `/v1/publish/alerts/critical/${encodeURIComponent('<b>fire')}`,
          body,
        )
        expect(answer.status).to.equal(202)
      })
      expectHarmless(mail)
      for (const path of ['/v1/alerts', '/v1/outbox', '/v1/deliveries']) {
        const answer = await call(program, admin, 'GET', path)
        expect(answer.status, path).to.equal(200)
        expect(answer.headers.get('content-type')).to.match(/^application\/json/)
        expect(answer.headers.get('x-content-type-options')).to.equal('nosniff')
        JSON.parse(answer.text)
      }
    })

    it(`stays content in a direct mail and a notification: ${what} (rows 20 and 29)`, async () => {
      const noted = await call(
        program,
        'device-token',
        'POST',
        '/v1/publish/notifications/realtime/user/anna',
        { title: text.slice(0, 200), message: text, type: 'x', action_url: 'javascript:alert(1)' },
      )
      expect(noted.status).to.be.oneOf([202, 400])
      const mail = await mailAfter(async () => {
        const answer = await call(program, 'device-token', 'POST', '/v1/publish/notifications/email/send', {
          to: 'anna@example.org',
          subject: text.slice(0, 900),
          body: text,
        })
        expect(answer.status).to.equal(202)
      })
      expectHarmless(mail)
      const inbox = await call(program, admin, 'GET', '/v1/notifications?limit=1')
      expect(inbox.status).to.equal(200)
      JSON.parse(inbox.text)
    })
  }

  const addresses = [
    'a@example.org\r\nRCPT TO:<x@example.org>',
    'a@example.org,b@example.org',
    'group: a@example.org, b@example.org;',
    '"a\r\nBcc: b"@example.org',
    '(comment)a@example.org',
    `${'a'.repeat(300)}@example.org`,
    '<a@example.org> <b@example.org>',
    'a@[127.0.0.1]\n',
    ' ',
    '@',
    'a@b@c',
  ]
  for (const to of addresses)
    it(`mails nobody at ${JSON.stringify(to.slice(0, 45))}, and keeps a dead letter (row 20)`, async () => {
      const count = mails.length
      const answer = await call(program, 'device-token', 'POST', '/v1/publish/notifications/email/send', {
        to,
        subject: 'x',
        body: 'x',
      })
      expect(answer.status).to.equal(400)
      expect(answer.text).to.include('dead_letter_id')
      expect(mails.length).to.equal(count)
    })

  it('mails nobody at an object, and takes no option of the mailer from a payload (row 20)', async () => {
    const rejected = await call(program, 'device-token', 'POST', '/v1/publish/notifications/email/send', {
      to: { address: 'b@example.org', name: 'x' },
      subject: 'x',
      body: 'x',
    })
    expect(rejected.status).to.equal(400)
    const withFile = await call(program, 'device-token', 'POST', '/v1/publish/notifications/email/send', {
      to: 'anna@example.org',
      subject: 'x',
      body: 'x',
      attachments: [{ path: '/etc/passwd' }],
    })
    expect(withFile.status).to.equal(400)
    const mail = await mailAfter(() =>
      call(program, 'device-token', 'POST', '/v1/publish/notifications/email/send', {
        to: 'anna@example.org',
        subject: 'x',
        body: 'plain',
        bcc: 'b@example.org',
        raw: 'X-Injected: yes',
        envelope: { to: ['b@example.org'] },
        headers: { 'X-Injected': 'yes' },
        from: 'boss@example.org',
      }),
    )
    expectHarmless(mail)
    expect(mail.raw).not.to.include('root:')
  })

  it('of 100 KB is taken, of 129 KB is a dead letter, of no JSON at all too, and nobody is worse off (row 13, P10)', async () => {
    const raw = await RawMqtt.open(program.mqttPort)
    await raw.connect({ username: 'device', password: 'device-token', clientId: 'big' })
    const payloads = [
      JSON.stringify({ message: 'x'.repeat(60_000), data: { pad: 'y'.repeat(40_000) } }),
      JSON.stringify({ message: 'x'.repeat(129 * 1024) }),
      '\ufeff{"message":"x"}',
      '[]',
      'null',
      '"text"',
      '1e999',
      '{"message":',
      '{"message":{"toString":1}}',
      '{"message":["x"]}',
      `{"message":"x","id":"${'i'.repeat(300)}"}`,
      '{"message":"x","id":{"$gt":""}}',
      '{"message":"x","send_at":1e300}',
      '{"message":"x","ttl":-1}',
      '{"message":"x","priority":"__proto__"}',
    ]
    for (const [index, payload] of payloads.entries()) {
      raw.send(publishPacket('notifications/realtime/user/anna', payload, 1, index + 1))
      expect(await raw.next(4), payload.slice(0, 40)).not.to.equal(null)
    }
    raw.end()
    const letters = await call(program, admin, 'GET', '/v1/dead-letters?limit=500')
    expect(letters.text)
      .to.include('publish.too_large')
      .and.to.include('publish.invalid_json')
      .and.to.include('publish.invalid_body')
    expect(letters.text).not.to.include('handler_failed')
  })

  it('names no instant and no span that dates or columns cannot hold, so that lists and the next start still work (P10)', async () => {
    const raised = await call(program, 'device-token', 'POST', '/v1/publish/alerts/warning/late', {
      message: 'x',
    })
    const { alert_id: id } = (JSON.parse(raised.text) as { result: { alert_id: string } }).result
    const mqtt = await RawMqtt.open(program.mqttPort)
    await mqtt.connect({ username: 'device', password: 'device-token', clientId: 'late' })
    for (const value of ['1e300', '9e15', '9e13', '1e13', '"+275760-09-13T00:00:00Z"', '"9999999w"']) {
      for (const [topic, field] of [
        ['realtime/user/anna', 'send_at'],
        ['realtime/user/anna', 'ttl'],
        ['email/send', 'send_at'],
        ['system/maintenance', 'start'],
      ]) {
        const payload = `{"message":"x","to":"anna@example.org","subject":"x","body":"x","component":"x","${field}":${value}}`
        expect(
          (await call(program, 'device-token', 'POST', `/v1/publish/notifications/${topic}`, payload)).status,
          `${field} ${value}`,
        ).to.equal(400)
        mqtt.send(publishPacket(`notifications/${topic}`, payload, 1))
        expect(await mqtt.next(4), `PUBACK of ${field} ${value}`).not.to.equal(null)
      }
      expect(
        (await call(program, admin, 'POST', `/v1/alerts/${id}/snooze`, `{"for":${value}}`)).status,
      ).to.equal(400)
      expect(
        (await call(program, admin, 'POST', `/v1/publish/alerts/${id}/snooze`, `{"for":${value}}`)).status,
      ).to.equal(400)
    }
    expect(
      (await call(program, admin, 'POST', `/v1/alerts/${id}/snooze`, { for: '5218w' })).status,
      'almost a hundred years',
    ).to.equal(400)
    expect(
      (await call(program, admin, 'POST', `/v1/alerts/${id}/snooze`, { for: '5217w' })).status,
      'a hundred years',
    ).to.equal(200)
    mqtt.end()
    expect(await program.end('SIGTERM')).to.equal(0)
    program = await installation.start()
    admin = await login(program, 'anna')
    for (const path of [
      '/v1/alerts',
      `/v1/alerts/${id}`,
      '/v1/deliveries',
      '/v1/notifications',
      '/v1/dead-letters',
      '/v1/outbox',
    ])
      expect((await call(program, admin, 'GET', path)).status, path).to.equal(200)
  })

  it('has made no handler fail and harmed nobody (P10)', async () => {
    expect(program.lines.filter((line) => Number(line['level']) >= 50)).to.deep.equal([])
    expect(await servesTheGood(program)).to.equal(true)
  })
})

/** The text of a quoted-printable part, near enough to look for markup. */
function quotedPrintable(text: string): string {
  return text
    .replaceAll('=\r\n', '')
    .replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}
