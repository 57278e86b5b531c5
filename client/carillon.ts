import { createAlerts, type Alerts } from './alerts.ts'
import { Handlers, type Handler } from './events.ts'
import { createInbox, type Inbox } from './inbox.ts'
import { createLiveSide, type LiveSide } from './live/live-side.ts'
import type { ConnectionState } from './live/connection.ts'
import type { MqttLike } from './live/over-mqtt.ts'
import { createPreferences, type PreferenceSettings } from './preferences.ts'
import { createPush, type Push } from './push.ts'
import { CarillonError, createRequests, type Credentials, type Requests } from './requests.ts'
import { ownSurroundings, type Surroundings } from './surroundings.ts'
import { transportsFrom } from './live/transports.ts'
import type { TransportName } from './live/transport.ts'

export type { Alert, AlertFilter, AlertPage, Alerts } from './alerts.ts'
export type { ConnectionState } from './live/connection.ts'
export type { MqttClientLike, MqttLike } from './live/over-mqtt.ts'
export type { Handler, StreamEvent } from './events.ts'
export type { AppNotification, Inbox, InboxChange, InboxFilter, Severity, Summary } from './inbox.ts'
export type { PreferenceRow, PreferenceSet, PreferenceSettings } from './preferences.ts'
export type { Push, PushDevice, WorkerRegistration } from './push.ts'
export { CarillonError }
export type { ChannelLike, LocksLike, SocketLike, Surroundings } from './surroundings.ts'
export type { TransportName } from './live/transport.ts'

export interface ClientOptions extends Credentials {
  /** Of the server; the page's own origin unless given. */
  readonly url?: string
  /**
   * `ws` unless given; where it does not get through, event streams and then long polling are used. `mqtt` needs the
   * package of that name, and gives way to `ws` without it.
   */
  readonly transport?: TransportName
  /** For `mqtt`: its package, or how to get it, where it is not to be imported by name. */
  readonly mqtt?: MqttLike | (() => Promise<MqttLike>)
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
  /**
   * Signs out: ends the connection of all tabs of the person, forgets the token here and there, and the session at the
   * server. `forgetDevice`: push messages do not come here any more either. Until `login` everything rejects with
   * `auth.missing`. Rejects with a `CarillonError` when the server could not be told; this browser is signed out then too.
   */
  logout(options?: { readonly forgetDevice?: boolean }): Promise<void>
  /** Ends the connection for good. */
  close(): void
}

/** Connects, and stays connected until `close`. */
export function createClient(options: ClientOptions = {}): Client {
  const surroundings: Surroundings = { ...ownSurroundings(), ...options.surroundings }
  const transports = transportsFrom(options.transport ?? 'ws', options.mqtt, surroundings)
  const requests = createRequests(options.url ?? '', options, surroundings)
  const handlers = new Handlers()
  const watchers = new Set<(state: ConnectionState) => void>()
  const tellState = (state: ConnectionState) => watchers.forEach((tell) => tell(state))
  let signedOut = false
  let live: LiveSide
  const hangUp = () => {
    signedOut = true
    tellState('offline')
  }
  const forget = () => {
    requests.signedOut()
    notifications.forget()
    handlers.tell({ type: 'signed_out', data: null })
  }
  const begin = () =>
    createLiveSide({
      requests,
      surroundings,
      transports,
      share: options.share ?? true,
      frame: (frame) => handlers.tell(frame),
      state: tellState,
      signedOut() {
        hangUp()
        forget()
      },
    })
  const notifications = createInbox(requests, (change) => live.announce('inbox.changed', change))
  const push = createPush(requests)
  live = begin()
  return {
    notifications,
    events: {
      // What an event of a type holds is known to whoever asks for it.
      on: (pattern, handler) => handlers.on(pattern, handler as Handler),
    },
    alerts: createAlerts(requests),
    preferences: createPreferences(requests),
    push,
    get state() {
      return signedOut ? 'offline' : live.state
    },
    get transport() {
      return live.transport
    },
    onState(tell) {
      watchers.add(tell)
      return () => void watchers.delete(tell)
    },
    async login(user, password) {
      await requests.signIn(user, password)
      live.restart()
      // Tabs share in the name of one person, and that is another one now.
      live.close()
      signedOut = false
      live = begin()
    },
    async logout({ forgetDevice = false } = {}) {
      if (signedOut) return
      live.signOut()
      hangUp()
      try {
        if (forgetDevice) await push.unsubscribe()
      } finally {
        await endSession(requests).finally(forget)
      }
    },
    close: () => live.close(),
  }
}

/** Harmless where the session has ended already. */
async function endSession(requests: Requests): Promise<void> {
  try {
    await requests.json('POST', '/v1/logout')
  } catch (error) {
    if (!(error instanceof CarillonError && error.status === 401)) throw error
  }
}
