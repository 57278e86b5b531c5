import type { Router } from '#engine'
import { emitEvent, EventBody } from '../controllers/event-controller.ts'
import { openGuards } from './guards.ts'

export function eventRoutes(router: Router): void {
  router.group('events', openGuards, (events) => {
    events.on(
      '{type...}',
      {
        qos: 1,
        foreign: true,
        body: EventBody,
        summary: 'Emit a domain event: `events/order/completed` is `order.completed` [X18]',
      },
      emitEvent,
    )
  })
}
