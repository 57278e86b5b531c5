import type { FastifyReply, FastifyRequest } from 'fastify'
import Type from 'typebox'
import type { Clock } from '../../clock.ts'
import type { StreamFrame } from '../../live/stream/stream.ts'
import type { Streams, StreamTransport } from '../../live/stream/streams.ts'
import { parsePosition } from '../../live/stream/position.ts'
import { FAILURES, type App } from '../app.ts'
import { caller } from '../guard.ts'

/** Bytes on their way to a connection beyond which it gets no more. */
const ROOM_BYTES = 64 * 1024
/** Proxies close what is silent for half a minute. */
const KEEP_ALIVE_MS = 15_000

export const SinceQuery = {
  since: Type.Optional(
    Type.String({
      maxLength: 64,
      description:
        'The `id` of a frame, an instant (RFC 3339 or epoch seconds) or a duration such as `10m`: what came after it; `latest`: only what comes from now on',
    }),
  ),
  ticket: Type.Optional(Type.String({ maxLength: 200, description: 'See POST /v1/ticket' })),
}

export interface EventStreamDeps {
  readonly streams: Streams
  readonly clock: Clock
}

/**
 * `GET /v1/events`: everything that is for the signed-in person as server-sent events (contract section 5), until they
 * leave. `GET /v1/notifications/sse`: notifications alone, in the words of the CoreBanq document (C07 to C10).
 */
export function eventStreams(app: App, deps: EventStreamDeps): void {
  app.get(
    '/events',
    {
      config: { access: 'user', errors: ['stream.too_many'] },
      exposeHeadRoute: false,
      schema: {
        summary: 'Live: notifications, pages, unread count and domain events, as server-sent events',
        tags: ['live'],
        querystring: Type.Object(SinceQuery),
        response: {
          200: Type.String({ description: 'Frames of `event`, `id` and `data`; `Last-Event-ID` resumes' }),
          ...FAILURES,
        },
        produces: ['text/event-stream'],
      },
    },
    async (request, reply) => {
      await stream(deps, { request, reply, transport: 'sse', render: eventFrame })
    },
  )

  app.get(
    '/notifications/sse',
    {
      config: { access: 'user', errors: ['stream.too_many'] },
      exposeHeadRoute: false,
      schema: {
        summary: 'Live: notifications, as server-sent events (C07 to C10)',
        tags: ['notifications'],
        querystring: Type.Object(SinceQuery),
        response: {
          200: Type.String({ description: 'One notification per `data`; `Last-Event-ID` resumes' }),
          ...FAILURES,
        },
        produces: ['text/event-stream'],
      },
    },
    async (request, reply) => {
      await stream(deps, { request, reply, transport: 'corebanq_sse', render: coreBanqFrame })
    },
  )
}

interface Opened {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly transport: StreamTransport
  /** Null passes a frame by. */
  readonly render: (frame: StreamFrame) => string | null
}

/** Answers with a stream that lasts until either side ends it; refusals are thrown before anything is written. */
async function stream(
  { streams, clock }: EventStreamDeps,
  { request, reply, transport, render }: Opened,
): Promise<void> {
  const place = streams.admit(caller(request), transport)
  const { raw } = reply
  let full = false
  let roomy = () => {}
  const send = (text: string, flushed: () => void) =>
    raw.write(text, (error) => {
      if (error) return
      flushed()
      if (!full || raw.writableLength > ROOM_BYTES / 2) return
      full = false
      roomy()
    })
  let cancel = () => {}
  const beat = () => {
    if (raw.writableLength === 0) raw.write(': keep-alive\n\n')
    cancel = clock.at(clock.now() + KEEP_ALIVE_MS, beat)
  }
  raw.once('close', () => {
    cancel()
    place.leave()
  })
  const begin = () => {
    reply.hijack()
    raw.writeHead(200, {
      // What CORS and the guards have set.
      ...(reply.getHeaders() as Record<string, string>),
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      connection: 'keep-alive',
      'x-accel-buffering': 'no',
    })
    raw.write(': open\n\n')
    beat()
  }
  const write = (frame: StreamFrame, flushed: () => void) => {
    if (!raw.headersSent) begin()
    if (raw.writableLength > ROOM_BYTES) {
      full = true
      return false
    }
    const text = render(frame)
    if (text === null) queueMicrotask(flushed)
    else send(text, flushed)
    return true
  }
  try {
    const opened = await place.open({
      since: sinceOf(request),
      write,
      // Whoever is too slow would not take the end of the stream either.
      end: (reason) => (reason === 'slow' || !raw.headersSent ? raw.destroy() : raw.end()),
    })
    roomy = () => opened.roomy()
  } catch (error) {
    place.leave()
    throw error
  }
}

/** What a browser brings by itself is no fault of the page: an id of long ago is as good as none. */
function sinceOf(request: FastifyRequest): string | undefined {
  const { since } = request.query as { readonly since?: string }
  const last = request.headers['last-event-id']
  if (typeof last !== 'string') return since
  return parsePosition(last) === null ? since : last
}

/** Fields that an event stream does not know are passed over by browsers (WHATWG HTML, 9.2.6). */
function eventFrame({ type, id, data, source, timestamp }: StreamFrame): string {
  const more =
    (source === undefined ? '' : `source: ${oneLine(source)}\n`) +
    (timestamp === undefined ? '' : `timestamp: ${timestamp}\n`)
  return `event: ${oneLine(type)}\nid: ${id}\n${more}data: ${data}\n\n`
}

/** C09: the notification's own names beside ours, and nothing but `data`, which reaches `onmessage`. */
function coreBanqFrame({ type, id, data }: StreamFrame): string | null {
  if (type !== 'notification.created') return null
  const notification = JSON.parse(data) as {
    readonly message?: unknown
    readonly action_url?: unknown
    readonly data?: { readonly link_text?: unknown }
  }
  const body = {
    ...notification,
    content: notification.message,
    link_url: notification.action_url,
    link_text: notification.data?.link_text,
  }
  return `id: ${id}\ndata: ${JSON.stringify(body)}\n\n`
}

function oneLine(text: string): string {
  return text.replaceAll(/[\r\n]+/g, ' ')
}
