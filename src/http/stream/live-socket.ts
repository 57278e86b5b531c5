import type { IncomingMessage, Server } from 'node:http'
import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type WebSocket } from 'ws'
import type { Authenticator } from '../../access/authenticate.ts'
import type { Principal } from '../../access/principal.ts'
import type { Clock } from '../../clock.ts'
import type { Config } from '../../config/schema/schema.ts'
import { ERRORS, fault, type Fault } from '../../errors.ts'
import type { Ids } from '../../ids.ts'
import type { Presence } from '../../live/presence.ts'
import type { Place, StreamEnd, Streams } from '../../live/stream/streams.ts'
import type { StreamFrame } from '../../live/stream/stream.ts'
import { faultOf } from '../error-reply.ts'
import { isForeignPage } from '../origin.ts'

export const LIVE_SOCKET_PATH = '/ws'
/** Nothing but heartbeats comes in. */
const MESSAGE_BYTES = 8 * 1024
/** Bytes on their way to a socket beyond which it gets no more. */
const ROOM_BYTES = 64 * 1024
const PING_MS = 30_000

/** RFC 6455 section 7.4: what the client is told, and whether it had better come back. */
const CLOSE_CODES: Readonly<Record<StreamEnd, number>> = {
  slow: 1013,
  expired: 1008,
  revoked: 1008,
  stopping: 1001,
}

export interface LiveSocketOptions {
  readonly authenticator: Authenticator
  readonly config: () => Pick<Config, 'server'>
  readonly streams: Streams
  readonly presence: Presence
  readonly clock: Clock
  readonly ids: Ids
}

/**
 * JSON frames over WebSocket at `/ws` (contract section 5): `{"type", "id", "data"}` out, `{"type":"heartbeat"}` in. A
 * connection is a session of its person: R26 when it opens, R38 with each heartbeat, R27 when it ends. `?since=` resumes.
 */
export function listenLiveSocket(server: Server, options: LiveSocketOptions): void {
  const sockets = new WebSocketServer({
    noServer: true,
    // Compression would cost a quarter of a megabyte for each connection.
    perMessageDeflate: false,
    maxPayload: MESSAGE_BYTES,
    clientTracking: false,
  })
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (request.url?.split('?', 1)[0] !== LIVE_SOCKET_PATH) return
    const query = new URL(request.url, 'http://localhost').searchParams
    admit(options, request, query).then(
      ({ principal, place }) => {
        socket.once('close', () => place.leave())
        if (socket.destroyed) place.leave()
        else
          sockets.handleUpgrade(request, socket, head, (ws) =>
            converse(options, { ws, principal, place, query }),
          )
      },
      (error: unknown) => refuse(socket, faultOf(error)),
    )
  })
}

async function admit(
  { authenticator, config, streams }: LiveSocketOptions,
  { headers }: IncomingMessage,
  query: URLSearchParams,
): Promise<{ principal: Principal; place: Place }> {
  const identity = await authenticator.http({ headers, ticket: query.get('ticket') ?? undefined })
  if (identity === null) throw fault('auth.missing')
  const { public_url: publicUrl, allowed_origins: allowed } = config().server
  // A WebSocket is not held to the rules of CORS: what a foreign page opens with a cookie, it could read.
  if (
    (identity.via === 'cookie' || identity.via === 'anonymous') &&
    isForeignPage(headers, identity.via, { publicUrl, allowed })
  )
    throw fault('auth.forbidden', 'This request came from a page of another origin')
  return { principal: identity.principal, place: streams.admit(identity.principal, 'ws') }
}

interface Conversation {
  readonly ws: WebSocket
  readonly principal: Principal
  readonly place: Place
  readonly query: URLSearchParams
}

function converse(
  { presence, clock, ids }: LiveSocketOptions,
  { ws, principal, place, query }: Conversation,
): void {
  const sessionId = query.get('session_id')?.slice(0, 200) || ids.next(clock.now())
  const tell = (verb: 'connect' | 'heartbeat' | 'disconnect') =>
    presence.apply({ kind: 'presence', verb, userId: principal.id, sessionId, deviceInfo: {} })
  let full = false
  let roomy = () => {}
  const end = (reason: StreamEnd) => {
    ws.close(CLOSE_CODES[reason], reason)
    // Whoever does not take what there is does not take the farewell either.
    if (reason === 'slow') ws.terminate()
  }
  const write = (frame: StreamFrame, flushed: () => void) => {
    if (ws.bufferedAmount > ROOM_BYTES) {
      full = true
      return false
    }
    ws.send(jsonFrame(frame), (error) => {
      if (error) return
      flushed()
      if (!full || ws.bufferedAmount > ROOM_BYTES / 2) return
      full = false
      roomy()
    })
    return true
  }

  tell('connect')
  const stopBeating = keepAlive(ws, clock)
  ws.on('error', () => ws.terminate())
  ws.on('message', (raw: Buffer) => {
    if (typeOf(raw) !== 'heartbeat' || ws.bufferedAmount > ROOM_BYTES) return
    ws.send(JSON.stringify({ type: 'heartbeat', data: tell('heartbeat') }))
  })
  ws.once('close', () => {
    stopBeating()
    place.leave()
    tell('disconnect')
  })
  place
    .open({ since: query.get('since') ?? undefined, greeting: { session_id: sessionId }, write, end })
    .then(
      (stream) => (roomy = () => stream.roomy()),
      (error: unknown) => ws.close(faultOf(error).entry.http < 500 ? 1008 : 1011, faultOf(error).code),
    )
}

function jsonFrame({ type, id, data, source, timestamp }: StreamFrame): string {
  const more =
    (source === undefined ? '' : `,"source":${JSON.stringify(source)}`) +
    (timestamp === undefined ? '' : `,"timestamp":${timestamp}`)
  return `{"type":${JSON.stringify(type)},"id":"${id}"${more},"data":${data}}`
}

/** A socket whose other end is gone without a word is noticed within two pings. */
function keepAlive(ws: WebSocket, clock: Clock): () => void {
  let answered = true
  let cancel = () => {}
  const beat = () => {
    if (!answered) return ws.terminate()
    answered = false
    ws.ping()
    cancel = clock.at(clock.now() + PING_MS, beat)
  }
  ws.on('pong', () => (answered = true))
  cancel = clock.at(clock.now() + PING_MS, beat)
  return () => cancel()
}

function typeOf(raw: Buffer): unknown {
  try {
    return (JSON.parse(raw.toString()) as { readonly type?: unknown } | null)?.type
  } catch {
    return undefined
  }
}

function refuse(socket: Duplex, { code, message }: Fault): void {
  const { http } = ERRORS[code]
  const body = JSON.stringify({ error: { code, message } })
  socket.on('error', () => {})
  socket.end(
    `HTTP/1.1 ${http} ${STATUS_CODES[http]}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n${http === 429 || http === 503 ? 'Retry-After: 5\r\n' : ''}Connection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  )
}
