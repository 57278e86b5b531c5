import { Connection, type ConnectionState, type NamedTransport } from './connection.ts'
import { frameOf, Seen, type Frame } from './frame.ts'
import type { Requests } from '../requests.ts'
import type { Surroundings } from '../surroundings.ts'
import { createTabs, type Tabs } from './tabs.ts'
import type { TransportName } from './transport.ts'

/** What tabs tell each other. */
type Message =
  | { readonly kind: 'frame'; readonly frame: Frame }
  | { readonly kind: 'state'; readonly state: ConnectionState; readonly position: string | null }
  /** A tab has come, and asks how things are. */
  | { readonly kind: 'hello' }
  /** Somebody signed in or out: the connection has to be begun anew. */
  | { readonly kind: 'restart' }
  /** The person has signed out. */
  | { readonly kind: 'signed_out' }
  /** Something that only tabs know, such as what this person has just read. */
  | { readonly kind: 'local'; readonly frame: Frame }

/** The live side of a client: frames, each once, whichever tab they came through. */
export interface LiveSide {
  readonly state: ConnectionState
  /** The transport this tab uses; null while another tab has the connection. */
  readonly transport: TransportName | null
  /** To this tab's handlers and those of all others. */
  announce(type: string, data: unknown): void
  restart(): void
  /** Tells the other tabs that the person has signed out, and closes. */
  signOut(): void
  close(): void
}

export interface LiveSideOptions {
  readonly requests: Requests
  readonly surroundings: Surroundings
  readonly transports: readonly NamedTransport[]
  /** Whether tabs share one connection. */
  readonly share: boolean
  readonly frame: (frame: Frame) => void
  readonly state: (state: ConnectionState) => void
  /** The person has signed out in another tab; this side is closed by then. */
  readonly signedOut: () => void
}

export function createLiveSide(options: LiveSideOptions): LiveSide {
  const { requests, surroundings, transports, share } = options
  const seen = new Seen()
  let state: ConnectionState | null = null
  let connection: Connection | null = null
  let tabs: Tabs<Message> | null = null
  let closed = false

  const take = (frame: Frame) => {
    if (seen.take(frame)) options.frame(frame)
  }
  const become = (next: ConnectionState) => {
    if (next === state) return
    state = next
    options.state(next)
  }
  const tellState = () => tabs?.say({ kind: 'state', state: state ?? 'connecting', position: seen.position })

  const lead = () => {
    connection = new Connection({
      requests,
      surroundings,
      transports,
      since: () => seen.position ?? 'latest',
      frame(frame) {
        take(frame)
        tabs?.say({ kind: 'frame', frame })
      },
      state(next) {
        become(next)
        tellState()
      },
    })
    const leading = connection
    return () => {
      leading.close()
      if (connection === leading) connection = null
    }
  }

  const heard = (message: Message) => {
    switch (message.kind) {
      case 'frame': {
        const frame = frameOf(message.frame)
        if (frame) take(frame)
        return
      }
      case 'state':
        if (connection) return
        // A tab that came later has nothing to catch up on, but may have to lead from here.
        if (seen.position === null && message.position !== null) seen.skipTo(message.position)
        become(message.state)
        return
      case 'hello':
        if (connection) tellState()
        return
      case 'restart':
        connection?.restart()
        return
      case 'signed_out':
        close()
        options.signedOut()
        return
      case 'local':
        options.frame(message.frame)
    }
  }

  const close = () => {
    closed = true
    tabs?.close()
    // What `tabs` stops later, at its turn, must not open again.
    connection?.close()
    connection = null
  }

  const start = (name: string | null) => {
    if (closed) return
    const means = name === null ? {} : surroundings
    tabs = createTabs<Message>(`carillon ${requests.url} ${name ?? ''}`, means, heard, lead)
    tabs.say({ kind: 'hello' })
  }
  // Whoever cannot be named does not share; the connection itself finds out what is wrong.
  if (share)
    requests
      .identity()
      .then(start, () => start(null))
      .catch(() => {})
  else start(null)

  return {
    get state() {
      return state ?? 'connecting'
    },
    get transport() {
      return connection?.transport ?? null
    },
    announce(type, data) {
      const frame = { type, id: '', data }
      options.frame(frame)
      tabs?.say({ kind: 'local', frame })
    },
    restart() {
      connection?.restart()
      tabs?.say({ kind: 'restart' })
    },
    signOut() {
      tabs?.say({ kind: 'signed_out' })
      close()
    },
    close,
  }
}
