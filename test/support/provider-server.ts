import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Asked {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly fields: Readonly<Record<string, string>>
}

export interface Given {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly stalls?: boolean
}

export interface ProviderServer {
  readonly url: string
  readonly asked: Asked[]
  /**
   * What the next requests get; `hang` says nothing, `cut` closes the connection after the request was read. A given
   * answer that `stalls` never ends its body.
   */
  answer: (asked: Asked, count: number) => Given | 'hang' | 'cut'
  /** Resets every connection before anything was read from it. */
  resets: boolean
  /** Requests that were read and wait in vain for an answer. */
  readonly hanging: number
  /** Cuts those off. */
  release(): void
  close(): Promise<void>
}

/** A provider on a port of this machine: keeps what it is asked and answers as told, at first as Twilio does. */
export async function providerServer(): Promise<ProviderServer> {
  const asked: Asked[] = []
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString()
      const fields = Object.fromEntries(new URLSearchParams(body))
      const { method = '', url = '', headers } = request
      asked.push({ method, path: url, headers, body, fields })
      const given = self.answer(asked.at(-1)!, asked.length)
      if (given === 'hang') {
        waiting.add(response)
        response.on('close', () => waiting.delete(response))
      } else {
        if (given !== 'cut' && given.stalls === true) {
          waiting.add(response)
          response.on('close', () => waiting.delete(response))
        }
        give(response, given)
      }
    })
  })
  const waiting = new Set<ServerResponse>()
  server.on('connection', (socket) => {
    if (self.resets) socket.resetAndDestroy()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const self: ProviderServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    resets: false,
    get hanging() {
      return waiting.size
    },
    release() {
      for (const response of waiting) response.destroy()
    },
    answer: (_asked, count) => created(`SM${count}`),
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
  return self
}

/** Twilio's answer to a message or call that it took. */
export function created(sid: string): Given {
  return { status: 201, body: { sid, status: 'queued' } }
}

/** Twilio's answer to one that it did not. */
export function twilioError(status: number, code: number, headers: Given['headers'] = {}): Given {
  return { status, headers, body: { code, message: `No: ${code}`, status } }
}

function give(response: ServerResponse, given: Given | 'cut'): void {
  if (given === 'cut') return void response.destroy()
  const { status, headers = {}, body = '', stalls = false } = given
  const json = typeof body === 'string' ? body : JSON.stringify(body)
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  if (stalls) response.write(json || ' ')
  else response.end(json)
}
