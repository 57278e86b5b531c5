/** The parts of a browser's `WebSocket` that are used. */
export interface SocketLike {
  onopen: ((event: never) => void) | null
  onmessage: ((event: never) => void) | null
  onclose: ((event: never) => void) | null
  onerror: ((event: never) => void) | null
  send(text: string): void
  close(code?: number, reason?: string): void
}

/** The parts of `BroadcastChannel` that are used. */
export interface ChannelLike {
  onmessage: ((event: never) => void) | null
  postMessage(message: unknown): void
  close(): void
}

/** The parts of `navigator.locks` that are used. */
export interface LocksLike {
  request(
    name: string,
    options: { readonly signal: AbortSignal },
    holding: () => Promise<void>,
  ): Promise<unknown>
}

/** What the client needs of where it runs. Each part may be replaced in the options of `createClient`. */
export interface Surroundings {
  readonly fetch: typeof fetch
  /** Absent: event streams and long polling. */
  readonly webSocket?: new (url: string) => SocketLike
  /** Absent, or without `locks`: every tab has a connection of its own. */
  readonly channel?: new (name: string) => ChannelLike
  readonly locks?: LocksLike
  readonly random: () => number
  /** Calls back once after so many milliseconds, unless it is cancelled first. */
  readonly after: (ms: number, task: () => void) => () => void
  /** Tells when the device gets and loses its network; answers with how to stop. */
  readonly onNetwork: (tell: (online: boolean) => void) => () => void
}

interface Globals {
  readonly WebSocket?: Surroundings['webSocket']
  readonly BroadcastChannel?: Surroundings['channel']
  readonly navigator?: { readonly locks?: LocksLike }
  readonly addEventListener?: (type: string, listener: () => void) => void
  readonly removeEventListener?: (type: string, listener: () => void) => void
}

/** A browser's own, or what Node has of it. */
export function ownSurroundings(): Surroundings {
  // Asked for by name, because no two runtimes have all of them.
  const found = globalThis as unknown as Globals
  return {
    fetch: (...request) => fetch(...request),
    ...(found.WebSocket && { webSocket: found.WebSocket }),
    ...(found.BroadcastChannel && { channel: found.BroadcastChannel }),
    ...(found.navigator?.locks && { locks: found.navigator.locks }),
    random: () => Math.random(),
    after(ms, task) {
      const timer = setTimeout(task, ms)
      return () => clearTimeout(timer)
    },
    onNetwork(tell) {
      const came = () => tell(true)
      const went = () => tell(false)
      found.addEventListener?.('online', came)
      found.addEventListener?.('offline', went)
      return () => {
        found.removeEventListener?.('online', came)
        found.removeEventListener?.('offline', went)
      }
    },
  }
}
