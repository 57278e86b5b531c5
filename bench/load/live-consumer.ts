import { connect, type Socket } from 'node:net'

export type LiveKind = 'sse' | 'ws'

export interface LiveConsumerOptions {
  readonly kind: LiveKind
  readonly port: number
  /** Of the person. */
  readonly token: string
}

/** What a consumer has found wrong with what it heard. */
export interface Faults {
  doubled: number
  /** Numbers that were passed over; one that comes later after all stays counted. */
  missing: number
}

const POSITION = /(?:^id: |"id":")(-?\d+\.[0-9a-z]+\.\d+)/m
const NUMBER = /"sequence":"(\d+)"/
const RETRY_MS = 25
/** The largest frame of these loads and more; what is longer is no frame. */
const LONGEST_FRAME = 64 * 1024

/** One device on a raw socket: counts what it hears, and resumes where its last connection ended. */
export class LiveConsumer {
  /** Notifications so far, the last one's number included. */
  received = 0
  /** Tries that found no room, also because the server had not yet noticed the end of the last connection (429). */
  refused = 0
  readonly faults: Faults = { doubled: 0, missing: 0 }
  onFailed: (error: Error) => void = () => {}
  readonly #options: LiveConsumerOptions
  #socket: Socket | null = null
  #text = ''
  #since = 'latest'
  #live = false
  #onLive: () => void = () => {}

  constructor(options: LiveConsumerOptions) {
    this.#options = options
  }

  get live(): boolean {
    return this.#live
  }

  /** Resolves once the server has said that the stream stands. */
  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#onLive = resolve
      this.onFailed = reject
      this.#connect()
    })
  }

  /** Cuts the connection without a farewell, and comes back. */
  drop(): void {
    this.#live = false
    this.#socket?.resetAndDestroy()
    this.#connect()
  }

  close(): void {
    this.onFailed = () => {}
    this.#live = false
    this.#socket?.destroy()
    this.#socket = null
  }

  #connect(): void {
    const socket = connect({ port: this.#options.port, host: '127.0.0.1', noDelay: true })
    this.#socket = socket
    this.#text = ''
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => {
      // What still came over a connection that was cut is lost, as on a real network.
      if (this.#socket === socket) this.#read(chunk)
    })
    socket.on('error', (error) => {
      if (this.#socket !== socket) return
      // The machine had no room for another connection that moment; one that stands is not to be cut by the server.
      if (this.#live) this.onFailed(new Error(`a live ${this.#options.kind} stream: ${error.message}`))
      else this.#again()
    })
    socket.on('end', () => {
      if (this.#socket !== socket) return
      if (this.#live) this.onFailed(new Error('the server ended a live stream'))
      else this.#again()
    })
    socket.write(requestOf(this.#options, this.#since))
  }

  #read(chunk: string): void {
    this.#text += chunk
    if (!this.#live && this.#text.startsWith('HTTP/1.1 429')) return this.#again()
    if (!this.#live && /^HTTP\/1\.1 [45]/.test(this.#text))
      return this.onFailed(new Error(`refused: ${this.#text.slice(0, 500)}`))
    for (;;) {
      const frame = this.#cut()
      if (frame === null) break
      this.#take(frame)
    }
    if (this.#text.length > LONGEST_FRAME) this.onFailed(new Error('no end of a frame is in sight'))
  }

  #again(): void {
    this.refused += 1
    this.#socket?.destroy()
    this.#socket = null
    setTimeout(() => {
      if (this.#socket === null) this.#connect()
    }, RETRY_MS)
  }

  /** The text of the next whole frame; null while there is none. */
  #cut(): string | null {
    const text = this.#text
    if (this.#options.kind === 'ws' && !text.startsWith('HTTP')) return this.#cutWebSocket()
    const end = text.indexOf(text.startsWith('HTTP') ? '\r\n\r\n' : '\n\n')
    if (end < 0) return null
    this.#text = text.slice(text.startsWith('HTTP') ? end + 4 : end + 2)
    return text.slice(0, end)
  }

  /** RFC 6455 section 5.2; what a server sends is not masked. */
  #cutWebSocket(): string | null {
    const text = this.#text
    if (text.length < 2) return null
    const short = text.charCodeAt(1)
    const header = short < 126 ? 2 : 4
    if (text.length < header) return null
    const length = short < 126 ? short : text.charCodeAt(2) * 256 + text.charCodeAt(3)
    if (short === 127) throw new Error('a frame of more than 64 KB')
    if (text.length < header + length) return null
    this.#text = text.slice(header + length)
    return text.slice(header, header + length)
  }

  #take(frame: string): void {
    const position = POSITION.exec(frame)?.[1]
    if (position === undefined) return
    this.#since = position
    if (!this.#live) {
      this.#live = true
      this.#onLive()
    }
    const number = NUMBER.exec(frame)?.[1]
    if (number === undefined) return
    const given = Number(number)
    if (given < this.received) this.faults.doubled += 1
    else {
      this.faults.missing += given - this.received
      this.received = given + 1
    }
  }
}

function requestOf({ kind, token }: LiveConsumerOptions, since: string): string {
  const path = kind === 'ws' ? '/ws' : '/v1/events'
  const upgrade =
    kind === 'ws'
      ? 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
        'Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n'
      : 'Accept: text/event-stream\r\n'
  return `GET ${path}?since=${since} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n${upgrade}\r\n`
}
