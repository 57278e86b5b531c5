import { backOffMs } from './back-off.ts'
import type { Frame } from './frame.ts'
import type { Requests } from '../requests.ts'
import type { Surroundings } from '../surroundings.ts'
import type { Open, Transport, TransportName } from './transport.ts'

/** `offline`: the last try failed, and the next one waits; what is shown may be out of date. */
export type ConnectionState = 'connecting' | 'live' | 'offline'

/** Until the first frame. */
const OPEN_MS = 10_000
/** The server gives a sign of life every 15 s, or when asked. After so long without one it is asked once more. */
const SILENT_MS = 35_000
const PING_MS = 20_000
/** For the answer. Timed anew, because browsers let the timers of hidden tabs run late and all at once. */
const LAST_CHANCE_MS = 10_000
/** A transport that could not be opened so often in a row gives way to the next one. */
const TRIES = 2

/** A transport, and what it is called. */
export interface NamedTransport {
  readonly name: TransportName
  readonly open: Transport
}

export interface ConnectionOptions {
  readonly requests: Requests
  readonly surroundings: Surroundings
  /** The first one is used unless it cannot be; then the next, and after the last the first again. */
  readonly transports: readonly NamedTransport[]
  /** What to resume from, asked before each try. */
  readonly since: () => string
  readonly frame: (frame: Frame) => void
  readonly state: (state: ConnectionState) => void
}

/** Keeps one connection open: tries again for ever, after ever longer random waits, from where the last one ended. */
export class Connection {
  readonly #options: ConnectionOptions
  #open: Open | null = null
  #transport = 0
  /** In a row: of any kind, and of this transport before it was ever live. */
  #failures = 0
  #unopened = 0
  #cancelTimer = () => {}
  #cancelPing = () => {}
  #cancelRetry: (() => void) | null = null
  readonly #stopListening: () => void
  #state: ConnectionState | null = null
  #closed = false

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.#stopListening = options.surroundings.onNetwork((online) => {
      if (online) this.#now()
      else this.#lose(false)
    })
    this.#try()
  }

  /** Which one is in use. */
  get transport(): TransportName {
    return this.#named.name
  }

  get #named(): NamedTransport {
    const { transports } = this.#options
    const named = transports[this.#transport % transports.length]
    if (!named) throw new TypeError('there is no transport')
    return named
  }

  /** Ends what is open and begins anew, for example in another name. */
  restart(): void {
    this.#drop()
    this.#failures = 0
    this.#now()
  }

  close(): void {
    this.#closed = true
    this.#stopListening()
    this.#cancelRetry?.()
    this.#drop()
  }

  #now(): void {
    if (this.#closed || this.#open) return
    this.#cancelRetry?.()
    this.#try()
  }

  #try(): void {
    this.#cancelRetry = null
    const { requests, surroundings, since } = this.#options
    if (this.#failures === 0) this.#tell('connecting')
    let live = false
    const listener = {
      frame: (frame: Frame) => {
        if (!live) {
          live = true
          this.#failures = 0
          this.#unopened = 0
          this.#tell('live')
          this.#ping()
        }
        this.#options.frame(frame)
      },
      alive: () =>
        this.#expect(SILENT_MS, () => {
          this.#open?.ping?.()
          this.#expect(LAST_CHANCE_MS, () => this.#lose(false))
        }),
      ended: () => {
        this.#open = null
        this.#lose(!live)
      },
    }
    this.#expect(OPEN_MS, () => this.#lose(true))
    this.#open = this.#named.open(requests, surroundings, since(), listener)
  }

  /** The connection is gone; the next try follows. */
  #lose(unopened: boolean): void {
    if (this.#closed) return
    this.#drop()
    this.#failures += 1
    if (unopened) this.#unopened += 1
    if (this.#unopened >= TRIES) {
      this.#unopened = 0
      this.#transport = (this.#transport + 1) % this.#options.transports.length
    }
    this.#tell('offline')
    const { random, after } = this.#options.surroundings
    this.#cancelRetry?.()
    this.#cancelRetry = after(backOffMs(this.#failures, random()), () => this.#try())
  }

  #drop(): void {
    this.#cancelTimer()
    this.#cancelPing()
    this.#open?.close()
    this.#open = null
  }

  #expect(ms: number, otherwise: () => void): void {
    this.#cancelTimer()
    this.#cancelTimer = this.#options.surroundings.after(ms, otherwise)
  }

  #ping(): void {
    this.#cancelPing()
    this.#cancelPing = this.#options.surroundings.after(PING_MS, () => {
      this.#open?.ping?.()
      this.#ping()
    })
  }

  #tell(state: ConnectionState): void {
    if (state === this.#state) return
    this.#state = state
    this.#options.state(state)
  }
}
