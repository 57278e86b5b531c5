import { CarillonError, type Requests } from './requests.ts'

interface Subscription {
  toJSON(): unknown
  unsubscribe(): Promise<boolean>
}

/** The parts of a `ServiceWorkerRegistration` that are used. */
export interface WorkerRegistration {
  readonly pushManager: {
    getSubscription(): Promise<Subscription | null>
    subscribe(options: {
      readonly userVisibleOnly: true
      readonly applicationServerKey: string
    }): Promise<Subscription>
  }
}

interface Worker {
  register(url: string): Promise<WorkerRegistration>
  getRegistration(url: string): Promise<WorkerRegistration | undefined>
}

export interface PushDevice {
  readonly id: string
}

export interface Push {
  /**
   * Asks the browser for leave and registers it as a device of the signed-in person; again is harmless. A page of
   * another origin than the server's gives its own service worker. Rejects with a `CarillonError` of code
   * `push.unsupported`, or with the browser's own error when the person says no.
   */
  subscribe(registration?: WorkerRegistration): Promise<PushDevice>
  /**
   * Forgets this browser as a device of the signed-in person, and ends its subscription; false where there is none. Of
   * the service worker that `subscribe` used unless another is given. Rejects with a `CarillonError`.
   */
  unsubscribe(registration?: WorkerRegistration): Promise<boolean>
}

const WORKER = '/client/push-worker.js'

export function createPush(requests: Requests): Push {
  let used: WorkerRegistration | undefined
  const register = (subscription: Subscription) =>
    requests.json<PushDevice>('POST', '/v1/users/me/devices', {
      platform: 'web',
      subscription: subscription.toJSON(),
    })
  return {
    async subscribe(registration) {
      const worker = registration ?? (await workers().register(requests.url + WORKER))
      used = worker
      const { public_key: applicationServerKey } = await requests.json<{ public_key: string }>(
        'GET',
        '/v1/push/vapid-public-key',
      )
      const held = await worker.pushManager.getSubscription()
      const subscription =
        held ?? (await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey }))
      return register(subscription)
    },
    async unsubscribe(registration) {
      const worker =
        registration ??
        used ??
        (await browser()
          .serviceWorker?.getRegistration(requests.url + WORKER)
          // Of another origin's worker the browser says nothing.
          .catch(() => undefined))
      const subscription = await worker?.pushManager.getSubscription()
      if (!subscription) return false
      // The same subscription again is the same device, and the answer names it.
      const { id } = await register(subscription)
      await requests.json('DELETE', `/v1/users/me/devices/${encodeURIComponent(id)}`)
      await subscription.unsubscribe()
      return true
    },
  }
}

function browser(): { readonly serviceWorker?: Worker } {
  const { navigator = {} } = globalThis as unknown as {
    readonly navigator?: { readonly serviceWorker?: Worker }
  }
  return navigator
}

function workers(): Worker {
  const { serviceWorker } = browser()
  if (!serviceWorker) throw new CarillonError(0, 'push.unsupported', 'This browser has no web push here')
  return serviceWorker
}
