import { Agent, request } from 'node:http'

export interface Sent {
  readonly method: string
  /** Path and query as they stand on the wire. */
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | null
}

export interface Received {
  readonly status: number
  /** Media type without parameters; empty when there is none. */
  readonly type: string
  /** Of a stream only what came with its beginning. */
  readonly text: string
}

const agent = new Agent({ keepAlive: true, maxSockets: 8 })
const STREAM = 'text/event-stream'

/**
 * One exchange, byte for byte: `fetch` would straighten paths. Null when nothing had come within `patienceMs`; the
 * connection is given up then. A stream is left as soon as it has begun.
 */
export function exchange(port: number, sent: Sent, patienceMs: number): Promise<Received | null> {
  return new Promise((resolve, reject) => {
    const bytes = sent.body === null ? null : Buffer.from(sent.body)
    const outgoing = request(
      {
        agent,
        host: '127.0.0.1',
        port,
        method: sent.method,
        path: sent.target,
        headers: { ...sent.headers, ...(bytes && { 'content-length': String(bytes.length) }) },
      },
      (incoming) => {
        const status = incoming.statusCode ?? 0
        const type = (incoming.headers['content-type'] ?? '').split(';', 1)[0] ?? ''
        if (type === STREAM) {
          resolve({ status, type, text: '' })
          outgoing.destroy()
          return
        }
        let text = ''
        incoming.setEncoding('utf8')
        incoming.on('data', (chunk: string) => (text += chunk))
        incoming.on('end', () => resolve({ status, type, text }))
        incoming.on('error', reject)
      },
    )
    outgoing.setTimeout(patienceMs, () => {
      resolve(null)
      outgoing.destroy()
    })
    outgoing.on('error', reject)
    outgoing.end(bytes ?? undefined)
  })
}

/** Closes what is kept open for the next exchange. */
export function endExchanges(): void {
  agent.destroy()
}
