import { createServer, type Server } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Log } from '../../log.ts'
import { BACKLOG } from './connection-limits.ts'
import type { Peer } from './connection.ts'

/** Finds out after a minute that a peer is gone which sends nothing while it is not being read. */
const TCP_KEEPALIVE_MS = 60_000

export interface TcpListener {
  readonly port: number
  /** Accepts nobody any more; open connections stay. */
  stop(): void
}

/** Listens for MQTT over TCP. Rejects when the address cannot be had; later faults are logged and end nothing. */
export function listenTcp(
  address: { readonly host: string; readonly port: number },
  log: Log,
  accept: (conn: Duplex, peer: Peer) => void,
): Promise<TcpListener> {
  const server = createServer(
    { noDelay: true, keepAlive: true, keepAliveInitialDelay: TCP_KEEPALIVE_MS },
    (socket) => {
      // Gone again before it was looked at.
      if (socket.remoteAddress === undefined) socket.destroy()
      else
        accept(socket, {
          transport: 'mqtt',
          remoteAddress: socket.remoteAddress,
          ticket: null,
          cookie: null,
        })
    },
  )
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port: address.port, host: address.host, backlog: BACKLOG }, () => {
      server.off('error', reject)
      // Such as EMFILE while accepting: that connection is lost, the server is not (security row 16).
      server.on('error', (error) => log.error({ err: error }, 'mqtt connection could not be accepted'))
      resolve({ port: portOf(server, address.port), stop: () => server.close() })
    })
  })
}

function portOf(server: Server, asked: number): number {
  const bound = server.address()
  return typeof bound === 'object' && bound !== null ? bound.port : asked
}
