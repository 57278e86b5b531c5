import { frameOf, type Frame } from './frame.ts'
import type { Requests } from '../requests.ts'
import type { SocketLike, Surroundings } from '../surroundings.ts'

export type TransportName = 'mqtt' | 'ws' | 'sse' | 'poll'

/** What a transport tells its connection. After `ended` it tells nothing more. */
export interface Listener {
  readonly frame: (frame: Frame) => void
  /** Something came, if only a sign of life. */
  readonly alive: () => void
  /** It is over. */
  readonly ended: () => void
}

/** One connection over one transport. */
export interface Open {
  /** Ends it without telling. */
  close(): void
  /** Asks the other end for a sign of life, where it does not give one by itself. */
  ping?(): void
}

export type Transport = (
  requests: Requests,
  surroundings: Surroundings,
  since: string,
  listener: Listener,
) => Open

/** JSON frames over a WebSocket at `/ws`. */
export const overSocket: Transport = (requests, { webSocket: Socket }, since, listener) => {
  let socket: SocketLike | null = null
  let closed = false
  const end = () => {
    if (closed) return
    closed = true
    listener.ended()
  }
  const open = (ticket: string | null) => {
    if (closed || !Socket) return
    const query = new URLSearchParams({ since, ...(ticket !== null && { ticket }) })
    socket = new Socket(`${requests.url.replace(/^http/, 'ws')}/ws?${query.toString()}`)
    socket.onmessage = ({ data }: { data: unknown }) => {
      if (closed) return
      listener.alive()
      const frame = frameOf(parse(String(data)))
      if (frame) listener.frame(frame)
    }
    socket.onerror = () => {}
    socket.onclose = end
  }
  requests.ticket().then(open).catch(end)
  return {
    close() {
      closed = true
      socket?.close()
    },
    ping() {
      // A socket that is not open yet has its own time limit.
      try {
        socket?.send('{"type":"heartbeat"}')
      } catch {
        // It is about to tell that it has ended.
      }
    },
  }
}

/** Server-sent events at `/v1/events`, by fetch: EventSource can neither send a token nor name all its events. */
export const overEventStream: Transport = (requests, _surroundings, since, listener) => {
  const abort = new AbortController()
  const run = async () => {
    const path = `/v1/events?${new URLSearchParams({ since }).toString()}`
    const response = await requests.raw(path, {
      headers: { accept: 'text/event-stream' },
      signal: abort.signal,
    })
    if (!response.ok || response.body === null) return
    const read = eventReader(listener.frame)
    const text = new TextDecoder()
    const reader = response.body.getReader()
    for (;;) {
      const { done, value } = await reader.read()
      if (done || abort.signal.aborted) return
      listener.alive()
      read(text.decode(value, { stream: true }))
    }
  }
  untilOver(run, abort.signal, listener)
  return { close: () => abort.abort() }
}

/** Long polling at `/v1/events/poll`. */
export const overPolling: Transport = (requests, _surroundings, since, listener) => {
  const abort = new AbortController()
  const run = async () => {
    let session = ''
    let cursor = 0
    let last = since
    for (;;) {
      const query = new URLSearchParams({ since: last, session, cursor: String(cursor) })
      const response = await requests.raw(`/v1/events/poll?${query.toString()}`, { signal: abort.signal })
      if (!response.ok) return
      const answer = (await response.json()) as {
        readonly session: string
        readonly cursor: number
        readonly items: readonly unknown[]
      }
      if (abort.signal.aborted) return
      listener.alive()
      ;({ session, cursor } = answer)
      for (const item of answer.items) {
        const frame = frameOf(item)
        if (!frame) continue
        last = frame.id
        listener.frame(frame)
      }
    }
  }
  untilOver(run, abort.signal, listener)
  return { close: () => abort.abort() }
}

/** However it ends, the connection begins another; why is of no use to it. */
function untilOver(run: () => Promise<void>, signal: AbortSignal, listener: Listener): void {
  const over = () => {
    if (!signal.aborted) listener.ended()
  }
  run().then(over, over)
}

/** Takes the text of an event stream piece by piece (WHATWG HTML, 9.2.6), and tells each frame once it is whole. */
export function eventReader(tell: (frame: Frame) => void): (text: string) => void {
  let rest = ''
  let fields: Record<string, string> = {}
  const line = (text: string) => {
    if (text === '') {
      const { event = 'message', id = '', data, source, timestamp } = fields
      fields = {}
      const value = data === undefined ? undefined : parse(data)
      if (value === undefined) return
      const more = {
        ...(source !== undefined && { source }),
        ...(timestamp !== undefined && { timestamp: Number(timestamp) }),
      }
      tell({ type: event, id, data: value, ...more })
      return
    }
    const colon = text.indexOf(':')
    if (colon === 0) return
    const name = colon < 0 ? text : text.slice(0, colon)
    const value = colon < 0 ? '' : text.slice(colon + 1).replace(/^ /, '')
    fields[name] = name === 'data' && fields['data'] !== undefined ? `${fields['data']}\n${value}` : value
  }
  return (text) => {
    const lines = (rest + text).split(/\r\n|\n|\r(?!$)/)
    rest = lines.pop() ?? ''
    for (const each of lines) line(each)
  }
}

/** Undefined for what is no JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
