import { expect } from 'chai'
import { httpEndpoint } from '../support/http-endpoint.ts'
import { harness, type Harness } from '../support/harness.ts'
import { mailServer, type MailServer } from '../support/mail-server.ts'
import { Installation } from '../support/program.ts'
import { eventually } from '../support/eventually.ts'
import { call } from './attacked.ts'

const COMMENTS = 50_000

const HOSTILE_MAILBOXES: Readonly<Record<string, unknown>> = {
  'an SMTP command behind a line break': 'a@b\r\nRCPT TO:<x@y.example>',
  'a header behind a line break': 'a@b.example\nBcc: x@y.example',
  'a header in the name': 'A\r\nBcc: x@y.example <a@b.example>',
  'an object': { address: 'a@b.example', name: 'x' },
  'a list': ['a@b.example', 'x@y.example'],
  'a number': 7,
  'two mailboxes': 'a@b.example, x@y.example',
  'two mailboxes behind a semicolon': 'a@b.example;x@y.example',
  'a group': 'friends: a@b.example, x@y.example;',
  'an empty group': 'undisclosed-recipients:;',
  '100 KB of comments': `a${'('.repeat(COMMENTS)}${')'.repeat(COMMENTS)}@b.example`,
  'a comment': 'a(x@y.example)@b.example',
  'a quoted local part': '"a@y.example"@b.example',
  'a source route': '@y.example:a@b.example',
  'a percent route': 'a%y.example@b.example\t',
  'angle brackets in angle brackets': '<<a@b.example>x@y.example>',
  'an address literal': 'root@[127.0.0.1]',
  'more than 254 characters': `a@${'d'.repeat(60)}.${'d'.repeat(60)}.${'d'.repeat(60)}.${'d'.repeat(60)}.${'d'.repeat(20)}`,
  'a local part of 65 characters': `${'l'.repeat(65)}@b.example`,
  'a full-width at sign': 'a＠b.example',
  'a line separator': 'a@b.example\u2028x@y.example',
  'a domain that hides a slash': 'a@b.example\uff0fy.example',
  nothing: '',
}

const HOSTILE_NUMBERS: Readonly<Record<string, readonly [number: unknown, code: string]>> = {
  'a premium number of the United States': ['+1 900 555 1234', 'publish.premium_number'],
  'an unassigned one of that range': ['+1 900 000 0000', 'publish.premium_number'],
  'a premium number of the United Kingdom': ['+44 9098 790000', 'publish.premium_number'],
  'an unassigned one of that range too': ['+44 92 1234 5678', 'publish.premium_number'],
  'a premium number of Germany': ['+49 900 1234567', 'publish.premium_number'],
  'a premium number of France': ['+33 899 123 456', 'publish.premium_number'],
  'an international premium number': ['+979 1 2345 6789', 'publish.premium_number'],
  'a shared-cost number': ['+49 180 1234567', 'publish.premium_number'],
  'a short code': ['+112', 'publish.invalid_address'],
  'a national short code': ['72404', 'publish.invalid_address'],
  'a national number': ['0151 12345678', 'publish.invalid_address'],
  letters: ['+1800FLOWERS', 'publish.invalid_address'],
  'a number that is too long': ['+44 1234567890123456', 'publish.invalid_address'],
  'a number that is too short': ['+4915', 'publish.invalid_address'],
  'a country that is none': ['+999 123 456 78', 'publish.invalid_address'],
  'a second number behind a line break': ['+4915112345678\n+4915112345679', 'publish.invalid_address'],
  'a second number behind a comma': ['+4915112345678,+4915112345679', 'publish.invalid_address'],
  'an extension': ['+4915112345678;ext=5', 'publish.invalid_address'],
  'a dial string with a pause': ['+4915112345678p123#', 'publish.invalid_address'],
  'full-width digits': ['+４９１５１１２３４５６７８', 'publish.invalid_address'],
  'an object': [{ number: '+4915112345678' }, 'publish.invalid_body'],
  'a number that is no text': [4915112345678, 'publish.invalid_body'],
  '65 characters': [`+49151${' '.repeat(52)}12345678`, 'publish.invalid_body'],
}

describe('a hostile direct message', () => {
  let program: Harness
  let mail: MailServer
  const sent: string[] = []
  let gateway: Awaited<ReturnType<typeof httpEndpoint>>

  const run = async (sms: object = {}) => {
    mail = await mailServer()
    gateway = await httpEndpoint(({ body }, response) => {
      sent.push(body)
      response.end('{}')
    })
    program = await harness({
      config: {
        channels: {
          email: { mode: 'live', smtp_url: mail.url, attachments: { allow: ['127.0.0.1'] } },
          sms: { mode: 'live', provider: 'http', url: gateway.url, ...sms },
        },
      },
    })
  }
  afterEach(async () => {
    await program.close()
    await mail.close()
    await gateway.close()
    sent.length = 0
  })

  it('is a dead letter with its reason where the mailbox is none, and nobody gets a mail (R24, row 20)', async () => {
    await run()
    for (const [what, to] of Object.entries(HOSTILE_MAILBOXES)) {
      const outcome = await program.publish('notifications/email/send', { to, subject: 'S', body: 'B' })
      expect(outcome, what).to.include({ kind: 'dead' })
      if (outcome.kind !== 'dead') continue
      expect(outcome.code, what).to.be.oneOf(['publish.invalid_address', 'publish.invalid_body'])
      expect(outcome.message.length, what).to.be.within(10, 2500)
    }
    await program.quiet()
    expect(await program.deadLetters()).to.have.length(Object.keys(HOSTILE_MAILBOXES).length)
    expect(mail.asked.size).to.equal(0)
  })

  it('does not sink the batch it stands in: everybody else gets the mail (R36, row 20)', async () => {
    await run()
    const hostile = Object.values(HOSTILE_MAILBOXES).filter((to) => String(to).length < 1000)
    const { items } = await program.accepted('notifications/email/batch', {
      subject: 'S',
      body: 'B',
      recipients: [{ to: 'first@b.example' }, ...hostile.map((to) => ({ to })), { to: 'last@b.example' }],
    })
    const states = (items as readonly { readonly status: string }[]).map(({ status }) => status)
    expect(states).to.deep.equal(['queued', ...hostile.map(() => 'failed'), 'queued'])
    await program.quiet()
    expect([...mail.asked.keys()].toSorted()).to.deep.equal(['first@b.example', 'last@b.example'])
  })

  it('takes an international domain in its ASCII form (R24)', async () => {
    await run()
    const { email_id: id } = await program.accepted('notifications/email/send', {
      to: 'anna@müller.example',
      subject: 'S',
      body: 'B',
    })
    await program.quiet()
    expect((await program.deliveries(String(id)))[0]).to.include({
      address: 'anna@xn--mller-kva.example',
      state: 'sent',
    })
  })

  it('loses what cannot be seen in its address before anybody looks at it (rows 20 and 21)', async () => {
    await run()
    for (const to of ['a@b.example\0', 'a\u202e@b.example', 'a@b\ud800.example'])
      await program.accepted('notifications/email/send', { to, subject: 'S', body: 'B' })
    await program.accepted('notifications/sms/send', { phone: '+49\u202e15112345678', message: 'M' })
    await program.quiet()
    expect([...mail.asked]).to.deep.equal([['a@b.example', 3]])
    expect(sent).to.have.length(1)
    expect(sent[0]).to.include('"+4915112345678"')
  })

  it('adds no header and no recipient through subject, values of a batch or the name of a file (row 20)', async () => {
    await run()
    const evil = 'x\r\nBcc: x@y.example\r\n\r\n<b>body</b>'
    const host = await httpEndpoint((_request, response) => {
      response.setHeader('content-disposition', `attachment; filename*=UTF-8''${encodeURIComponent(evil)}`)
      response.setHeader('content-type', 'text/plain')
      response.end('content')
    })
    await program.accepted('notifications/email/send', {
      to: 'a@b.example',
      subject: `Hello ${evil}`,
      body: 'B',
      attachments: [host.url],
    })
    await program.accepted('notifications/email/batch', {
      subject: 'Hello {{name}}',
      body: 'B',
      recipients: [{ to: 'c@b.example', data: { name: evil } }],
    })
    await program.quiet()
    expect(mail.taken.map(({ to }) => to).toSorted()).to.deep.equal(['a@b.example', 'c@b.example'])
    for (const { raw } of mail.taken) {
      expect(raw).to.match(/^Subject: Hello x Bcc: x@y\.example <b>body<\/b>\r$/m)
      expect(raw.replaceAll(/\r\n[ \t]+/g, ' ')).not.to.match(/^Bcc:/im)
    }
    await host.close()
  })

  const oversized: readonly [string, object][] = [
    ['a body over 100,000 characters', { body: 'x'.repeat(100_001) }],
    ['HTML over 100,000 characters', { body: 'B', html_body: 'x'.repeat(100_001) }],
    ['a subject over 998 characters', { body: 'B', subject: 'x'.repeat(999) }],
    ['a payload over 128 KB', { body: 'x'.repeat(99_000), html_body: 'x'.repeat(99_000) }],
  ]
  for (const [what, fields] of oversized)
    it(`is a dead letter with its reason for ${what} (R24)`, async () => {
      await run()
      const outcome = await program.publish('notifications/email/send', {
        to: 'a@b.example',
        subject: 'S',
        ...fields,
      })
      expect(outcome.kind === 'dead' && outcome.code).to.be.oneOf([
        'publish.invalid_body',
        'publish.too_large',
      ])
      expect(mail.asked.size).to.equal(0)
    })

  it('is a dead letter with its reason where the number is none or charges its sender; nothing is sent (R25, row 21)', async () => {
    await run()
    for (const [what, [phone, code]] of Object.entries(HOSTILE_NUMBERS))
      expect(await program.publish('notifications/sms/send', { phone, message: 'M' }), what).to.include({
        kind: 'dead',
        code,
      })
    await program.quiet()
    expect(await program.deadLetters()).to.have.length(Object.keys(HOSTILE_NUMBERS).length)
    expect(sent).to.deep.equal([])
  })

  it('to a premium number is sent where the operator allows it, and only there (R25, row 21)', async () => {
    await run({ allow_premium: true })
    await program.accepted('notifications/sms/send', { phone: '+1 900 555 1234', message: 'M' })
    await program.quiet()
    expect(sent).to.have.length(1)
    expect(sent[0]).to.include('+19005551234')
  })
})

describe('a scheduled direct mail', function () {
  this.timeout(60_000)

  it('survives kill -9, waits visibly after the start, and is sent once (R24, P1)', async () => {
    const mail = await mailServer()
    const installation = new Installation(`
clients: { device: { token: device-token, publish: ["notifications/#"] } }
channels: { email: { mode: live, smtp_url: "${mail.url}" } }
`)
    let program = await installation.start()
    const sendAt = Date.now() / 1000 + 6
    const publish = (to: string) =>
      call(program, 'device-token', 'POST', '/v1/publish/notifications/email/send', {
        to,
        subject: 'S',
        body: 'B',
        send_at: sendAt,
      })
    const answers = [await publish('a@b.example'), await publish('c@b.example')]
    expect(answers.map(({ status }) => status)).to.deep.equal([202, 202])
    await program.end('SIGKILL')
    program = await installation.start()
    const listed = JSON.parse((await call(program, 'device-token', 'GET', '/v1/deliveries')).text) as {
      readonly items: readonly Record<string, unknown>[]
    }
    expect(listed.items.map(({ state, attempts }) => [state, attempts])).to.deep.equal([
      ['pending', 0],
      ['pending', 0],
    ])
    for (const { next_attempt_at: at } of listed.items)
      expect(Date.parse(String(at))).to.equal(Math.round(sendAt * 1000))
    const { result } = JSON.parse(answers[1]?.text ?? '') as {
      readonly result: { readonly email_id: string }
    }
    const cancelled = await call(
      program,
      'device-token',
      'POST',
      `/v1/deliveries/${result.email_id}.0/cancel`,
    )
    expect(cancelled.status).to.equal(200)
    await program.end('SIGKILL')
    program = await installation.start()
    await eventually('the mail', () => mail.taken[0])
    expect(Date.now() / 1000).to.be.at.least(sendAt)
    await program.end('SIGTERM')
    expect(mail.taken.map(({ to }) => to)).to.deep.equal(['a@b.example'])
    await installation.remove()
    await mail.close()
  })
})
