import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '../clock.ts'

/** Where a WebSocket may be asked for; who serves it claims the socket by writing to it. */
const PATHS = ['/mqtt', '/ws']
/** Security row 15. */
const UPGRADE_MS = 5000

/**
 * Ends upgrade requests that nobody takes: Node gives such a socket away and sets no time limit on it, so it would
 * stay open for ever. Other paths are refused at once, these after five seconds without an answer.
 */
export function refuseUnclaimedUpgrades(server: Server, clock: Clock): void {
  server.on('upgrade', (request: IncomingMessage, socket: Socket) => {
    if (!PATHS.includes(request.url?.split('?', 1)[0] ?? '')) {
      refuse(socket)
      return
    }
    const written = socket.bytesWritten
    const cancel = clock.at(clock.now() + UPGRADE_MS, () => {
      if (socket.bytesWritten === written) refuse(socket)
    })
    socket.once('close', cancel)
  })
}

function refuse(socket: Socket): void {
  const body = JSON.stringify({ error: { code: 'request.not_found', message: 'No WebSocket is here' } })
  socket.on('error', () => {})
  // Whoever does not take the answer is not waited for.
  socket.end(
    `HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  )
}
