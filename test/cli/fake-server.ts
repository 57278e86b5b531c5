import fastify from 'fastify'
import type { FastifyInstance } from 'fastify'

export interface Call {
  readonly method: string
  readonly path: string
  readonly query: Readonly<Record<string, unknown>>
  readonly body: unknown
  readonly authorization: string | undefined
  readonly key: string | undefined
}

export type Answer = (call: Call) => { readonly status?: number; readonly body: unknown } | undefined

export interface FakeServer {
  readonly url: string
  readonly calls: Call[]
  close(): Promise<void>
}

/** A server on a free port that answers as it is told, and 404 as the contract says to everything else. */
export async function fakeServer(answer: Answer): Promise<FakeServer> {
  const server: FastifyInstance = fastify()
  const calls: Call[] = []
  server.all('/*', async (request, reply) => {
    const { pathname, searchParams } = new URL(request.url, 'http://localhost')
    const call: Call = {
      method: request.method,
      path: decodeURIComponent(pathname),
      query: Object.fromEntries(searchParams),
      body: request.body,
      authorization: request.headers.authorization,
      key: request.headers['idempotency-key']?.toString(),
    }
    calls.push(call)
    const given = answer(call)
    const missing = { error: { code: 'request.not_found', message: 'There is nothing here' } }
    return reply.code(given ? (given.status ?? 200) : 404).send(given ? given.body : missing)
  })
  const url = await server.listen({ host: '127.0.0.1', port: 0 })
  return { url, calls, close: () => server.close() }
}
