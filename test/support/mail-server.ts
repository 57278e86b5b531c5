import { SMTPServer } from 'smtp-server'

export interface MailServer {
  readonly url: string
  /** Who got a mail, in the order of arrival. */
  readonly taken: readonly { readonly to: string; readonly raw: string }[]
  /** How often each recipient was asked for. */
  readonly asked: ReadonlyMap<string, number>
  close(): Promise<void>
}

/** A real SMTP server. `refuse` answers with a reply code, or null to take the mail; attempts are counted from 1. */
export async function mailServer(
  refuse: (address: string, attempt: number) => number | null = () => null,
): Promise<MailServer> {
  const taken: { to: string; raw: string }[] = []
  const asked = new Map<string, number>()
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    closeTimeout: 100,
    onRcptTo({ address }, _session, done) {
      const attempt = (asked.get(address) ?? 0) + 1
      asked.set(address, attempt)
      const responseCode = refuse(address, attempt)
      done(responseCode === null ? null : Object.assign(new Error('Not now'), { responseCode }))
    },
    onData(stream, session, done) {
      let raw = ''
      stream.on('data', (chunk: Buffer) => (raw += chunk.toString()))
      stream.on('end', () => {
        for (const { address } of session.envelope.rcptTo) taken.push({ to: address, raw })
        done()
      })
    },
  })
  server.on('error', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.server.address()
  const port = typeof address === 'object' ? address?.port : 0
  return {
    url: `smtp://127.0.0.1:${port}`,
    taken,
    asked,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}
