// A service worker that shows what web push brings, and leads to it (contract section 10, `push.subscribe`). It neither
// imports nor exports, because not every browser takes modules as service workers; the block keeps its names to itself.
{
  interface Waiting {
    waitUntil(work: Promise<unknown>): void
  }

  interface Pushed extends Waiting {
    readonly data: { json(): unknown } | null
  }

  interface Clicked extends Waiting {
    readonly notification: { readonly data: { readonly url?: string } | null; close(): void }
  }

  /** The parts of `ServiceWorkerGlobalScope` that are used. */
  interface Scope {
    readonly registration: { showNotification(title: string, options: object): Promise<void> }
    readonly clients: { openWindow(url: string): Promise<unknown> }
    readonly location: { readonly origin: string }
    addEventListener(type: 'push', listener: (event: Pushed) => void): void
    addEventListener(type: 'notificationclick', listener: (event: Clicked) => void): void
  }

  /** What the server puts into a push. */
  interface Payload {
    readonly title?: string
    readonly body?: string
    readonly tag?: string
    readonly url?: string
  }

  const worker = globalThis as unknown as Scope

  /** A link of any other kind is nothing to open. Not `URL.parse`, which browsers that have web push may lack. */
  const linkOf = (given = '/'): string | null => {
    try {
      const { protocol, href } = new URL(given, worker.location.origin)
      return protocol === 'https:' || protocol === 'http:' ? href : null
    } catch {
      return null
    }
  }

  worker.addEventListener('push', (event) => {
    const { title = '', body = '', tag, url } = (event.data?.json() ?? {}) as Payload
    const options = { body, ...(tag !== undefined && { tag, renotify: true }), data: { url } }
    event.waitUntil(worker.registration.showNotification(title, options))
  })

  worker.addEventListener('notificationclick', (event) => {
    event.notification.close()
    const url = linkOf(event.notification.data?.url)
    if (url !== null) event.waitUntil(worker.clients.openWindow(url))
  })
}
