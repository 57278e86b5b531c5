import type { Core } from '../core.ts'
import { fault } from '../errors.ts'
import { SlidingWindow } from '../router/sliding-window.ts'
import type { Compile } from '../template/template-cache.ts'
import { createServiceEvents, type EventChannels, type ServiceEvents } from './events.ts'
import { checkTemplates } from './plan-send.ts'
import { createSending, type Sending } from './sending.ts'
import { createServices, type Service, type ServiceCredentials, type Services } from './services.ts'

/** Everything behind the NotiPy API (checklist N01 to N13). */
export interface NotiPy {
  readonly services: Services
  readonly events: ServiceEvents
  readonly sending: Sending
  register(): Promise<ServiceCredentials>
  /** Throws `rate_limit_exceeded` for an address that registers more than ten services in a minute. */
  admitRegistration(address: string): void
  /** Ends a service, and its events with it. What it has sent stays. */
  revoke(service: Service): Promise<void>
  /** Throws `notipy.invalid` where a text is no template. */
  checkTemplates(channels: EventChannels): void
  now(): number
  nextId(): string
}

const REGISTRATIONS = { maxRequests: 10, windowMs: 60_000 }

export function createNotiPy(core: Core, compile: Compile): NotiPy {
  const services = createServices(core.registry)
  const events = createServiceEvents(core.registry)
  const registrations = new SlidingWindow({ maxKeys: 10_000 })
  const now = () => core.clock.now()
  const nextId = () => core.ids.next(now())
  return {
    services,
    events,
    sending: createSending(core, compile),
    register: () => services.register(nextId()),
    admitRegistration(address) {
      if (!registrations.take(address, REGISTRATIONS, now())) {
        throw fault('rate_limit_exceeded', 'Too many registrations', {
          retry_after_ms: REGISTRATIONS.windowMs,
        })
      }
    },
    async revoke(service) {
      // First, so that nothing is made while its events go.
      await services.revoke(service)
      await events.clear({ tenant: service.principal.tenant, owner: service.owner })
    },
    checkTemplates: (channels) => checkTemplates(channels, compile),
    now,
    nextId,
  }
}
