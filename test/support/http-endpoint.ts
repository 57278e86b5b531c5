import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Received {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly bytes: Uint8Array
}

export interface HttpEndpoint {
  readonly received: readonly Received[]
  readonly port: number
  readonly url: string
  close(): Promise<void>
}

/** A real HTTP server on this machine that keeps what it is sent; `answer` decides what it says, 200 unless set. */
export async function httpEndpoint(
  answer: (request: Received, response: ServerResponse, count: number) => void = (_request, response) =>
    void response.end('ok'),
): Promise<HttpEndpoint> {
  const received: Received[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { method = '', url = '', headers } = request
      const bytes = Buffer.concat(chunks)
      const entry = { method, path: url, headers, body: bytes.toString('utf8'), bytes }
      received.push(entry)
      answer(entry, response, received.length)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    received,
    port,
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
