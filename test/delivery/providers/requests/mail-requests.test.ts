import { expect } from 'chai'
import type { Channel, RenderInput } from '../../../../src/delivery/channel.ts'
import { emailChannel } from '../../../../src/delivery/channels/email.ts'
import { mailServer } from '../../../support/mail-server.ts'
import { providerServer } from '../../../support/provider-server.ts'
import { contents } from './contents.ts'
import { mailFaults } from './mail.ts'
import { mailgunFaults } from './mailgun.ts'

const FROM = 'Alerts <alerts@example.org>'
const PUBLIC_URL = 'https://bell.example.org'

async function send(channel: Channel, input: RenderInput): Promise<void> {
  const { delivery } = input
  const message = {
    idempotencyKey: delivery.id,
    address: 'anna@example.org',
    rendered: channel.render(input),
    critical: delivery.critical,
  }
  expect(await channel.send(message, new AbortController().signal)).to.include({ ok: true })
}

describe('mails as they are handed over', function () {
  this.timeout(30_000)

  it('are what RFC 5322, 2045 and 3834 say, whatever they carry (R24, security row 20)', async () => {
    const server = await mailServer()
    const channel = emailChannel({ smtpUrl: server.url, from: FROM })
    const faults: string[] = []
    try {
      for (const { title, input } of contents(PUBLIC_URL)) {
        await send(channel, input)
        faults.push(...mailFaults(server.taken.at(-1)?.raw ?? '').map((what) => `${title}: ${what}`))
      }
      expect(faults).to.deep.equal([])
    } finally {
      await channel.close()
      await server.close()
    }
  })

  it('are what Mailgun takes over HTTP, whatever they carry (N12)', async () => {
    const server = await providerServer()
    server.answer = () => ({ status: 200, body: { id: '<m1@mg.example.org>', message: 'Queued.' } })
    const mailgun = { domain: 'mg.example.org', apiKey: 'key', baseUrl: server.url }
    const channel = emailChannel({ smtpUrl: undefined, mailgun, from: FROM })
    const faults: string[] = []
    try {
      for (const { title, input } of contents(PUBLIC_URL)) {
        await send(channel, input)
        const request = server.asked.at(-1)
        if (request) faults.push(...(await mailgunFaults(request)).map((what) => `${title}: ${what}`))
      }
      expect(faults).to.deep.equal([])
    } finally {
      await channel.close()
      await server.close()
    }
  })

  for (const status of [302, 400, 401, 404, 429, 500])
    it(`leave no trace of key, address or text where Mailgun answers ${status} and repeats them (security row 26)`, async () => {
      const server = await providerServer()
      server.answer = (asked) => ({
        status,
        headers: { location: '/elsewhere' },
        body: { message: JSON.stringify(asked.headers) + asked.body },
      })
      const mailgun = { domain: 'mg.example.org', apiKey: 'canary-key', baseUrl: server.url }
      const channel = emailChannel({ smtpUrl: undefined, mailgun, from: FROM })
      const rendered = { subject: 'Fire', text: 'canary-text', actions: [] }
      const message = { idempotencyKey: 'd1.0', address: 'anna@example.org', rendered, critical: true }
      try {
        const result = JSON.stringify(await channel.send(message, new AbortController().signal))
        expect(JSON.parse(result)).to.include({ ok: false })
        for (const told of ['canary-key', btoa('api:canary-key'), 'canary-text', 'anna@example.org'])
          expect(result).to.not.include(told)
        expect(server.asked).to.have.length(1)
      } finally {
        await channel.close()
        await server.close()
      }
    })

  it('carry their files over Mailgun too (N08, N12)', async () => {
    const server = await providerServer()
    server.answer = () => ({ status: 200, body: { id: '<m1@mg.example.org>' } })
    const file = { filename: 'ä "b".txt', content: Buffer.from('Hello'), contentType: 'text/plain' }
    const channel = emailChannel({
      smtpUrl: undefined,
      mailgun: { domain: 'mg.example.org', apiKey: 'key', baseUrl: server.url },
      from: FROM,
      attachments: { fetch: () => Promise.resolve([file]) },
    })
    const rendered = {
      subject: 'Files',
      text: 'Here',
      attachments: [{ name: 'x', url: 'https://files.example.org/x' }],
      actions: [],
    }
    const message = { idempotencyKey: 'd1.0', address: 'anna@example.org', rendered, critical: false }
    try {
      const result = await channel.send(message, new AbortController().signal)
      expect(result).to.deep.equal({ ok: true, status: 200, providerId: '<m1@mg.example.org>' })
      const [asked] = server.asked
      const form = await new Response(asked?.body, {
        headers: { 'content-type': asked?.headers['content-type'] ?? '' },
      }).formData()
      const sent = form.get('attachment')
      expect(sent).to.include({ name: file.filename })
      expect(sent instanceof Blob && (await sent.text())).to.equal('Hello')
    } finally {
      await channel.close()
      await server.close()
    }
  })
})
