import { BroadcastChannel } from 'node:worker_threads'
import { WebSocket } from 'ws'
import type { ChannelLike, LocksLike, SocketLike, Surroundings } from '../../client/carillon.ts'

type Channel = NonNullable<Surroundings['channel']>

/** What a browser has and Node 20 has not: a WebSocket by the same API, and no waits before a new connection. */
export const BROWSER: Partial<Surroundings> = {
  // The events of `ws` have the fields of those of a browser.
  webSocket: WebSocket as unknown as new (url: string) => SocketLike,
  random: () => 0,
}

/** Several tabs of one browser: real channels, and locks as the Web Locks API describes them. */
export function tabs(): Partial<Surroundings> {
  const queues = new Map<string, (() => void)[]>()
  const locks: LocksLike = {
    async request(name, { signal }, holding) {
      const queue = queues.get(name) ?? []
      queues.set(name, queue)
      const turn = new Promise<void>((resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('aborted')))
        queue.push(resolve)
      })
      if (queue.length === 1) queue[0]?.()
      try {
        await turn
        await holding()
      } finally {
        queue.shift()
        queue[0]?.()
      }
    },
  }
  const channel = class {
    readonly #channel: InstanceType<typeof BroadcastChannel>
    constructor(name: string) {
      this.#channel = new BroadcastChannel(name)
      this.#channel.unref()
    }
    set onmessage(listener: ChannelLike['onmessage']) {
      this.#channel.onmessage = listener as (message: unknown) => void
    }
    get onmessage() {
      return this.#channel.onmessage as ChannelLike['onmessage']
    }
    postMessage(message: unknown) {
      this.#channel.postMessage(message)
    }
    close() {
      this.#channel.close()
    }
  } satisfies Channel
  return { ...BROWSER, locks, channel }
}
