import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'
import { eventually } from './eventually.ts'

export interface Mail {
  readonly to: readonly string[]
  /** Header fields by their names in lower case, unfolded. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly at: number
}

/** A real SMTP server that takes every mail. */
export class Mailbox {
  readonly mails: Mail[] = []
  readonly #server: SMTPServer

  constructor() {
    this.#server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      onData: (stream, session, done) => {
        const chunks: Buffer[] = []
        stream.on('data', (chunk: Buffer) => chunks.push(chunk))
        stream.on('end', () => {
          const to = session.envelope.rcptTo.map(({ address }) => address)
          this.mails.push({ to, ...split(Buffer.concat(chunks).toString()), at: Date.now() })
          done()
        })
      },
    })
  }

  /** Starts it; resolves with its URL. */
  async open(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server.server, 'listening')
    return `smtp://127.0.0.1:${(this.#server.server.address() as AddressInfo).port}`
  }

  to(address: string): Mail[] {
    return this.mails.filter((mail) => mail.to.includes(address))
  }

  /** The first mail that fits, whether it is here already or still comes. */
  receive(what: string, fits: (mail: Mail) => boolean): Promise<Mail> {
    return eventually(what, () => this.mails.find(fits))
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }
}

function split(text: string): Pick<Mail, 'headers' | 'body'> {
  const end = text.indexOf('\r\n\r\n')
  const fields = text
    .slice(0, end)
    .replaceAll(/\r\n[ \t]+/g, ' ')
    .split('\r\n')
  const headers = fields.map((field) => {
    const colon = field.indexOf(':')
    return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()] as const
  })
  return { headers: Object.fromEntries(headers), body: text.slice(end + 4) }
}
