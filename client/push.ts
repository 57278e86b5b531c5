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
}

export function createPush(requests: Requests): Push {
  return {
    async subscribe(registration) {
      const worker = registration ?? (await ownWorker(requests.url))
      const { public_key: applicationServerKey } = await requests.json<{ public_key: string }>(
        'GET',
        '/v1/push/vapid-public-key',
      )
      const held = await worker.pushManager.getSubscription()
      const subscription =
        held ?? (await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey }))
      return requests.json('POST', '/v1/users/me/devices', {
        platform: 'web',
        subscription: subscription.toJSON(),
      })
    },
  }
}

async function ownWorker(url: string): Promise<WorkerRegistration> {
  const { navigator } = globalThis as unknown as { readonly navigator?: { readonly serviceWorker?: Worker } }
  const { serviceWorker } = navigator ?? {}
  if (!serviceWorker) throw new CarillonError(0, 'push.unsupported', 'This browser has no web push here')
  return serviceWorker.register(`${url}/client/push-worker.js`)
}
