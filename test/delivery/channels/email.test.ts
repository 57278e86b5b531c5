import { expect } from 'chai'
import type { AddressInfo } from 'node:net'
import { connect, createServer, type Socket } from 'node:net'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import type { OutgoingMessage } from '../../../src/delivery/channel.ts'
import { emailChannel } from '../../../src/delivery/channels/email.ts'

interface Mail {
  readonly from: string
  readonly to: readonly string[]
  readonly raw: string
  readonly headers: string
}

/** An SMTP server that keeps what it takes. */
async function smtpServer(options: SMTPServerOptions = {}) {
  const mails: Mail[] = []
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    closeTimeout: 100,
    onData(stream, session, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const raw = Buffer.concat(chunks).toString('utf8')
        const { mailFrom, rcptTo } = session.envelope
        const headers = raw.slice(0, raw.indexOf('\r\n\r\n')).replaceAll(/\r\n[ \t]+/g, ' ')
        mails.push({
          from: mailFrom ? mailFrom.address : '',
          to: rcptTo.map((to) => to.address),
          raw,
          headers,
        })
        done()
      })
    },
    ...options,
  })
  server.on('error', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.server.address() as AddressInfo
  return {
    mails,
    url: `smtp://127.0.0.1:${port}`,
    port,
    close: () => new Promise<void>((resolve) => server.close(resolve)),
  }
}

const closing: (() => Promise<void>)[] = []

async function setUp(options: SMTPServerOptions = {}, credentials = '') {
  const server = await smtpServer(options)
  const url = server.url.replace('://', `://${credentials}`)
  const email = emailChannel({ smtpUrl: url, from: 'Alerts <alerts@example.org>' })
  closing.push(() => email.close(), server.close)
  return { ...server, email }
}

function message(
  changes: Partial<OutgoingMessage> = {},
  rendered: Partial<OutgoingMessage['rendered']> = {},
) {
  return {
    idempotencyKey: 'a1.3',
    address: 'anna@example.org',
    rendered: { subject: 'CRITICAL ALERT: disk_full', text: 'Disk is full', actions: [], ...rendered },
    critical: true,
    ...changes,
  }
}

const never = () => new AbortController().signal

function smtpError(responseCode: number, text: string): Error {
  return Object.assign(new Error(text), { responseCode })
}

/** A header as a mail program shows it (RFC 2047): blanks between encoded words are none. */
function decodedHeader(headers: string, name: string): string {
  const line = new RegExp(`^${name}: (.*)$`, 'm').exec(headers)?.[1] ?? ''
  return line
    .replaceAll(/\?=\s+=\?/g, '?==?')
    .replaceAll(/(?:=\?utf-8\?[bq]\?[^?]*\?=)+/gi, (words) =>
      Buffer.concat(
        [...words.matchAll(/=\?utf-8\?([bq])\?([^?]*)\?=/gi)].map(([, how = '', text = '']) =>
          how.toLowerCase() === 'b' ? Buffer.from(text, 'base64') : quoted(text),
        ),
      ).toString('utf8'),
    )
    .replaceAll('"', '')
}

function quoted(text: string): Buffer {
  const bytes = text
    .replaceAll('_', ' ')
    .replaceAll(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1')
}

describe('email over SMTP', () => {
  afterEach(async () => {
    for (const close of closing.splice(0)) await close()
  })

  it('sends text and HTML twins from the fixed sender to one mailbox', async () => {
    const { email, mails } = await setUp()
    const result = await email.send(message({}, { html: '<p>Disk is full</p>' }), never())
    expect(result).to.deep.equal({ ok: true, providerId: '<a1.3@example.org>' })
    expect(mails).to.have.length(1)
    expect(mails[0]).to.deep.include({ from: 'alerts@example.org', to: ['anna@example.org'] })
    expect(mails[0]?.headers).to.match(/^From: Alerts <alerts@example.org>$/m)
    expect(mails[0]?.headers).to.match(/^To: anna@example.org$/m)
    expect(mails[0]?.headers).to.match(/^Subject: CRITICAL ALERT: disk_full$/m)
    expect(mails[0]?.headers).to.match(/^Auto-Submitted: auto-generated$/m)
    expect(mails[0]?.headers).to.match(/^X-Carillon-Delivery: a1\.3$/m)
    expect(mails[0]?.headers).to.match(/^Content-Type: multipart\/alternative/m)
    expect(mails[0]?.raw).to.include('<p>Disk is full</p>')
  })

  it('keeps its Message-ID over attempts, also over a refused one (P8)', async () => {
    let refusals = 1
    const { email, mails } = await setUp({
      onRcptTo: (_address, _session, done) => done(refusals-- > 0 ? smtpError(451, 'Greylisted') : null),
    })
    expect(await email.send(message(), never())).to.include({ ok: false, retry: true, code: 'deferred' })
    expect(await email.send(message(), never())).to.include({ ok: true })
    expect(await email.send(message(), never())).to.include({ ok: true })
    const ids = mails.map((mail) => /^Message-ID: (.*)$/m.exec(mail.headers)?.[1])
    expect(ids).to.deep.equal(['<a1.3@example.org>', '<a1.3@example.org>'])
  })

  it('makes different Message-IDs of different deliveries, whatever ids publishers choose', async () => {
    const { email, mails } = await setUp()
    const ids = [
      'a b.1',
      'a_b.1',
      'ä.1',
      '<x>@y.1',
      'a\r\nBcc: x.1',
      `${'l'.repeat(300)}.1`,
      `${'l'.repeat(300)}.2`,
    ]
    for (const idempotencyKey of ids) await email.send(message({ idempotencyKey }), never())
    const seen = mails.map(
      (mail) => /^Message-ID: (<[A-Za-z0-9._-]+@example\.org>)$/m.exec(mail.headers)?.[1],
    )
    expect(seen).to.not.include(undefined)
    expect(new Set(seen).size).to.equal(ids.length)
  })

  it('does not try again what the server refuses for good (P7, E18)', async () => {
    const { email } = await setUp({
      onRcptTo: (_address, _session, done) => done(smtpError(550, 'No such user')),
    })
    const result = await email.send(message(), never())
    expect(result).to.include({ ok: false, retry: false, code: 'smtp_550' })
    expect(result).to.have.property('reason').that.includes('No such user')
  })

  it('tells a server that is busy from a recipient that is (P7)', async () => {
    const { email } = await setUp({
      onMailFrom: (_address, _session, done) => done(smtpError(421, 'Too busy')),
    })
    expect(await email.send(message(), never())).to.include({ ok: false, retry: true, code: 'smtp_421' })
  })

  it('takes refused credentials for the provider’s pause, and repeats nothing of them (P7, security 26)', async () => {
    const { email } = await setUp(
      {
        authOptional: false,
        allowInsecureAuth: true,
        onAuth: (auth, _session, done) => done(new Error(`no ${auth.username} ${auth.password}`)),
      },
      'robot:canary-secret@',
    )
    const result = await email.send(message(), never())
    expect(result).to.include({ ok: false, retry: true, code: 'provider_down' })
    expect(JSON.stringify(result)).to.not.match(/canary|robot/)
  })

  it('tries again when nobody listens', async () => {
    const { url, close } = await smtpServer()
    await close()
    const email = emailChannel({ smtpUrl: url, from: 'alerts@example.org' })
    const result = await email.send(message(), never())
    expect(result).to.include({ ok: false, retry: true, code: 'connection_failed' })
    expect(result).to.not.have.property('ambiguous')
    await email.close()
  })

  it('gives up when its signal aborts while the server says nothing, without doubt about the effect', async () => {
    const sockets: Socket[] = []
    const mute = createServer((socket) => sockets.push(socket))
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve))
    const { port } = mute.address() as AddressInfo
    const email = emailChannel({ smtpUrl: `smtp://127.0.0.1:${port}`, from: 'alerts@example.org' })
    const abort = new AbortController()
    mute.once('connection', () => abort.abort())
    const result = await email.send(message(), abort.signal)
    expect(result).to.include({ ok: false, retry: true, code: 'timeout' })
    expect(result).to.not.have.property('ambiguous')
    await email.close()
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => mute.close(resolve))
  })

  it('is in doubt when the whole message had left before the signal aborted (P9)', async () => {
    const abort = new AbortController()
    const { email } = await setUp({
      onData(stream) {
        stream.resume()
        // Never answered: the server may have kept it.
        stream.on('end', () => abort.abort())
      },
    })
    const result = await email.send(message(), abort.signal)
    expect(result).to.include({ ok: false, retry: true, code: 'timeout', ambiguous: true })
  })

  it('is in doubt when the connection ends after the whole message had left (P9)', async () => {
    const sockets: Socket[] = []
    const { url } = await setUp({
      onData(stream) {
        stream.resume()
        stream.on('end', () => sockets.forEach((socket) => socket.destroy()))
      },
    })
    const proxy = createServer((socket) => {
      const server = connect(Number(new URL(url).port), '127.0.0.1')
      sockets.push(socket, server)
      socket.pipe(server).pipe(socket)
    })
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
    const { port } = proxy.address() as AddressInfo
    const email = emailChannel({ smtpUrl: `smtp://127.0.0.1:${port}`, from: 'alerts@example.org' })
    const result = await email.send(message(), never())
    await email.close()
    await new Promise((resolve) => proxy.close(resolve))
    expect(result).to.include({ ok: false, retry: true, ambiguous: true })
  })

  it('sends the next message after one that was given up', async () => {
    let silent = true
    const abort = new AbortController()
    const { email } = await setUp({
      onMailFrom(_address, _session, done) {
        if (!silent) return done()
        silent = false
        abort.abort()
      },
    })
    const givenUp = await email.send(message(), abort.signal)
    expect(givenUp).to.include({ ok: false, retry: true }).and.not.have.property('ambiguous')
    expect(await email.send(message(), never())).to.include({ ok: true })
  })

  const attacks: readonly [string, Partial<OutgoingMessage>, Partial<OutgoingMessage['rendered']>][] = [
    ['the subject', {}, { subject: 'Hi\r\nBcc: victim@example.net\r\n\r\nbody' }],
    ['the delivery id', { idempotencyKey: 'a\r\nBcc: victim@example.net' }, {}],
    [
      'the text',
      {},
      { text: 'x\r\n.\r\nMAIL FROM:<victim@example.net>\r\nRCPT TO:<victim@example.net>\r\n' },
    ],
    ['the HTML', {}, { html: 'x\r\n.\r\nRCPT TO:<victim@example.net>\r\n' }],
  ]
  for (const [title, changes, rendered] of attacks) {
    it(`cannot be made to write to others through ${title} (security row 20)`, async () => {
      const { email, mails } = await setUp()
      expect(await email.send(message(changes, rendered), never())).to.include({ ok: true })
      expect(mails.map((mail) => mail.to)).to.deep.equal([['anna@example.org']])
      expect(mails[0]?.headers).to.not.match(/^Bcc/im)
    })
  }

  it('refuses an address that is no single mailbox without asking the server (security row 20)', async () => {
    const { email, mails } = await setUp()
    for (const address of [
      'a@b.example\r\nRCPT TO:<x@y.example>',
      'a@b.example, x@y.example',
      '',
      'g:a@b.example;',
    ]) {
      const result = await email.send(message({ address }), never())
      expect(result).to.include({ ok: false, retry: false, code: 'invalid_address' })
    }
    expect(mails).to.deep.equal([])
  })

  it('carries letters beyond ASCII, long lines and lines of one dot unharmed', async () => {
    const { email, mails } = await setUp()
    const text = ['Füße – Ωμέγα 🔥', '.', '..', 'x'.repeat(5000)].join('\n')
    await email.send(message({}, { text, subject: 'Füße 🔥' }), never())
    const raw = mails[0]?.raw ?? ''
    expect(Math.max(...raw.split('\r\n').map((line) => line.length))).to.be.at.most(998)
    const body = raw.slice(raw.indexOf('\r\n\r\n') + 4)
    const encoding = /^Content-Transfer-Encoding: (.*)$/m.exec(mails[0]?.headers ?? '')?.[1]
    const decoded =
      encoding === 'base64'
        ? Buffer.from(body, 'base64').toString('utf8')
        : Buffer.from(
            body
              .replaceAll('=\r\n', '')
              .replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
            'latin1',
          ).toString('utf8')
    expect(decoded.replaceAll('\r\n', '\n').trimEnd()).to.equal(text)
  })

  it('writes letters beyond ASCII in names and subjects as encoded words, and line breaks as blanks (N9)', async () => {
    const server = await smtpServer()
    const email = emailChannel({ smtpUrl: server.url, from: 'Störungsdienst Füßen <alerts@example.org>' })
    closing.push(() => email.close(), server.close)
    const subject = 'Störung 冷蔵庫 – ⚠️ '.repeat(6).trim()
    for (const lineBreak of ['\r\n', '\n', '\r', '\u2028', '\u0085'])
      await email.send(message({}, { subject: `${subject}${lineBreak}Bcc: eve@example.org` }), never())
    expect(server.mails).to.have.length(5)
    for (const { raw, headers, to } of server.mails) {
      const head = raw.slice(0, raw.indexOf('\r\n\r\n'))
      // RFC 2047 section 2: ASCII only, 75 characters to an encoded word, 76 to a line that has one.
      expect(head).to.match(/^[\x20-\x7e\r\n]*$/)
      for (const word of head.match(/=\?[^?]+\?[BQ]\?[^?]*\?=/gi) ?? []) expect(word.length).to.be.at.most(75)
      expect(to).to.deep.equal(['anna@example.org'])
      expect(headers).to.not.match(/^bcc:/im)
      expect(decodedHeader(headers, 'Subject')).to.equal(`${subject} Bcc: eve@example.org`)
      expect(decodedHeader(headers, 'From')).to.equal('Störungsdienst Füßen <alerts@example.org>')
    }
  })

  it('uses its connections again, and leaves none open after closing', async () => {
    let connections = 0
    let closed = () => {}
    const ended = new Promise<void>((resolve) => (closed = resolve))
    const { email } = await setUp({
      onConnect(_session, done) {
        connections++
        done()
      },
      onClose: () => closed(),
    })
    for (let count = 0; count < 3; count++) await email.send(message(), never())
    expect(connections).to.equal(1)
    await email.close()
    await ended
    expect(await email.send(message(), never())).to.include({ ok: false, retry: true })
  })
})
