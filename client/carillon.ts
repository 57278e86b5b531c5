import { createAlerts, type Alerts } from './alerts.ts'
import { Handlers, type Handler } from './events.ts'
import { createInbox, type Inbox } from './inbox.ts'
import { createLiveSide, type LiveSide } from './live/live-side.ts'
import type { ConnectionState } from './live/connection.ts'
import { createPreferences, type PreferenceSettings } from './preferences.ts'
import { createPush, type Push } from './push.ts'
import { createRequests, type Credentials } from './requests.ts'
import { ownSurroundings, type Surroundings } from './surroundings.ts'
import type { TransportName } from './live/transport.ts'

export type { Alert, AlertFilter, AlertPage, Alerts } from './alerts.ts'
export type { ConnectionState } from './live/connection.ts'
export type { Handler, StreamEvent } from './events.ts'
export type { AppNotification, Inbox, InboxChange, InboxFilter, Severity, Summary } from './inbox.ts'
export type { PreferenceRow, PreferenceSet, PreferenceSettings } from './preferences.ts'
export type { Push, PushDevice, WorkerRegistration } from './push.ts'
export { CarillonError } from './requests.ts'
export type { ChannelLike, LocksLike, SocketLike, Surroundings } from './surroundings.ts'
export type { TransportName } from './live/transport.ts'

export interface ClientOptions extends Credentials {
  /** Of the server; the page's own origin unless given. */
  readonly url?: string
  /** `ws` unless given; where it does not get through, event streams and then long polling are used. */
  readonly transport?: TransportName
  /** Whether tabs of one person share one connection; true unless given. */
  readonly share?: boolean
  /** What stands in for parts of the browser, such as a WebSocket for a runtime that has none. */
  readonly surroundings?: Partial<Surroundings>
}

/** A signed-in person's notifications, live, and what they do with them. */
export interface Client {
  readonly notifications: Inbox
  readonly events: {
    /**
     * Calls the handler for events of a type (`order.completed`) or pattern (`order.*`, `*`), each once; answers with how
     * to stop. Among them: `notification.created`, `unread`, `critical_alert`, `alert_outcome`, and `inbox.changed` when
     * this tab or another one did something to the inbox.
     */
    on<Data = unknown>(pattern: string, handler: Handler<Data>): () => void
  }
  readonly alerts: Alerts
  readonly preferences: PreferenceSettings
  readonly push: Push
  readonly state: ConnectionState
  /** Which transport is in use; null while another tab has the connection. */
  readonly transport: TransportName | null
  /** Calls back with each new state; answers with how to stop. */
  onState(tell: (state: ConnectionState) => void): () => void
  /** Signs in; from then on everything is in the name of that person. Rejects with a `CarillonError`. */
  login(user: string, password: string): Promise<void>
  /** Ends the connection for good. */
  close(): void
}

const ORDER: readonly TransportName[] = ['ws', 'sse', 'poll']

/** Connects, and stays connected until `close`. */
export function createClient(options: ClientOptions = {}): Client {
  const surroundings: Surroundings = { ...ownSurroundings(), ...options.surroundings }
  const requests = createRequests(options.url ?? '', options, surroundings)
  const handlers = new Handlers()
  const watchers = new Set<(state: ConnectionState) => void>()
  let live: LiveSide
  const begin = () =>
    createLiveSide({
      requests,
      surroundings,
      transports: transportsFrom(options.transport ?? 'ws', surroundings),
      share: options.share ?? true,
      frame: (frame) => handlers.tell(frame),
      state: (state) => watchers.forEach((tell) => tell(state)),
    })
  live = begin()
  return {
    notifications: createInbox(requests, (change) => live.announce('inbox.changed', change)),
    events: {
      // What an event of a type holds is known to whoever asks for it.
      on: (pattern, handler) => handlers.on(pattern, handler as Handler),
    },
    alerts: createAlerts(requests),
    preferences: createPreferences(requests),
    push: createPush(requests),
    get state() {
      return live.state
    },
    get transport() {
      return live.transport
    },
    onState(tell) {
      watchers.add(tell)
      return () => void watchers.delete(tell)
    },
    async login(user, password) {
      const { token } = await requests.json<{ token: string }>('POST', '/v1/login', { user, password })
      requests.signedIn(token)
      live.restart()
      // Tabs share in the name of one person, and that is another one now.
      live.close()
      live = begin()
    },
    close: () => live.close(),
  }
}

function transportsFrom(first: TransportName, { webSocket }: Surroundings): readonly TransportName[] {
  if (!ORDER.includes(first))
    throw new TypeError(`transport is one of ${ORDER.join(', ')}; there is no ${JSON.stringify(first)}`)
  const order = ORDER.slice(ORDER.indexOf(first))
  return webSocket ? order : order.filter((name) => name !== 'ws')
}
