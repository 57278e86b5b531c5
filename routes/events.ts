import type { Router } from '#engine'
import { emitEvent, EventBody } from '../controllers/event-controller.ts'
import { guards } from './guards.ts'

/** An event type has at most this many parts; the topic `events/order/completed` is the type `order.completed`. */
const DEEPEST = 8

export function eventRoutes(router: Router): void {
  router.group('events', guards, (events) => {
    for (let depth = 1; depth <= DEEPEST; depth++) {
      const pattern = Array.from({ length: depth }, (_, level) => `{part${level + 1}}`).join('/')
      events.on(pattern, { qos: 1, body: EventBody, summary: 'Emit a domain event [X18]' }, emitEvent)
    }
  })
}
