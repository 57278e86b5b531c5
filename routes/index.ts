import { createRouter, type Router } from '#engine'
import { alertRoutes } from './alerts.ts'
import { directRoutes } from './direct.ts'
import { eventRoutes } from './events.ts'
import { guards } from './guards.ts'
import { inboxRoutes } from './inbox.ts'
import { notificationRoutes } from './notifications.ts'
import { presenceRoutes } from './presence.ts'

/** The application's table of contents: every topic that is routed. Duplicates fail here, at start. */
export function routes(): Router {
  const router = createRouter()
  for (const add of [notificationRoutes, alertRoutes, directRoutes, presenceRoutes, inboxRoutes, eventRoutes])
    add(router)
  router.otherwise(guards)
  return router
}
