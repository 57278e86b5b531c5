import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { createWebSocketStream, WebSocketServer, type WebSocket } from 'ws'
import type { Peer } from './connection.ts'
import { PACKET_BYTES } from './packet-gate.ts'

export const WEBSOCKET_PATH = '/mqtt'
const SUBPROTOCOLS = ['mqtt', 'mqttv3.1']
/** The largest message before the CONNACK, and after it: a packet with its fixed header. */
const HELD_MESSAGE_BYTES = 64 * 1024
const MESSAGE_BYTES = PACKET_BYTES + 5

export interface WebSocketOptions {
  /** Asked when the request carries a cookie (security row 32). */
  readonly originAllowed: (origin: string | undefined, request: IncomingMessage) => boolean
  readonly addressOf: (request: IncomingMessage) => string
  /** False when there is no room for another connection from this address. */
  readonly hasRoom: (remoteAddress: string) => boolean
  readonly accept: (conn: Duplex, peer: Peer) => void
}

/** Takes a server's upgrade requests for `/mqtt`, and leaves the others alone. Returns a function that stops it. */
export function listenWebSocket(server: Server, options: WebSocketOptions): () => void {
  const sockets = new WebSocketServer({
    noServer: true,
    // Compression would cost a quarter of a megabyte for each connection.
    perMessageDeflate: false,
    maxPayload: HELD_MESSAGE_BYTES,
    clientTracking: false,
    handleProtocols: (offered) => SUBPROTOCOLS.find((name) => offered.has(name)) ?? false,
  })
  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const url = urlOf(request)
    if (url?.pathname !== WEBSOCKET_PATH) return
    const remoteAddress = options.addressOf(request)
    const refusal = refusalOf(request, options, remoteAddress)
    if (refusal !== null) {
      refuse(socket, refusal)
      return
    }
    sockets.handleUpgrade(request, socket, head, (ws) => {
      options.accept(createWebSocketStream(ws), {
        transport: 'mqtt_ws',
        remoteAddress,
        ticket: url.searchParams.get('ticket'),
        cookie: request.headers.cookie ?? null,
        onAccepted: () => raiseMessageLimit(ws),
      })
    })
  }
  server.on('upgrade', onUpgrade)
  return () => void server.off('upgrade', onUpgrade)
}

function refusalOf(request: IncomingMessage, options: WebSocketOptions, remoteAddress: string) {
  const { cookie, origin } = request.headers
  if (cookie !== undefined && !options.originAllowed(origin, request))
    return { status: '403 Forbidden', text: 'This origin may not use the session cookie here' }
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim())
  if (!offered.some((name) => SUBPROTOCOLS.includes(name)))
    return { status: '400 Bad Request', text: 'The subprotocol has to be mqtt' }
  if (!options.hasRoom(remoteAddress))
    return { status: '503 Service Unavailable', text: 'Too many connections' }
  return null
}

function refuse(socket: Duplex, { status, text }: { status: string; text: string }): void {
  socket.on('error', () => {})
  socket.end(
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
  )
}

function urlOf(request: IncomingMessage): URL | null {
  try {
    return new URL(request.url ?? '', 'http://localhost')
  } catch {
    return null
  }
}

/** `ws` has no way to change the limit of an open socket but its receiver's own field. */
function raiseMessageLimit(ws: WebSocket): void {
  const { _receiver: receiver } = ws as unknown as { _receiver?: { _maxPayload: number } }
  if (receiver) receiver._maxPayload = MESSAGE_BYTES
}
