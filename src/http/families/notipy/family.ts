import { ServiceEventSchema, ServiceNotificationSchema } from '../../../wire/service-notification.ts'
import type { App } from '../../app.ts'
import { serviceOf, type NotiPyDeps } from './calling-service.ts'
import { events } from './events.ts'
import { notifications } from './notifications.ts'
import { registration } from './registration.ts'

/** The NotiPy API on `/api/v1` (checklist N04 to N13): events of services, and what they send about them. */
export function notiPyFamily(app: App, deps: NotiPyDeps): void {
  app.addSchema(ServiceEventSchema)
  app.addSchema(ServiceNotificationSchema)
  app.decorateRequest('service', null)
  app.addHook('onSend', async (_request, reply) => {
    // Seconds, as upstream counts (N12).
    void reply.header('x-process-time', (reply.elapsedTime / 1000).toFixed(6))
  })
  app.addHook('onRequest', async (request) => {
    if (request.routeOptions.config.withoutService === true || request.method === 'OPTIONS') return
    request.service = await serviceOf(request, deps)
  })
  app.addHook('onRoute', (route) => {
    route.config = { proof: 'service', ...route.config }
  })
  registration(app, deps)
  events(app, deps.notiPy)
  notifications(app, deps.notiPy)
}
