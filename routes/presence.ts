import type { Router } from '#engine'
import {
  PresenceBody,
  websocketConnect,
  websocketDisconnect,
  websocketHeartbeat,
} from '../controllers/presence-controller.ts'
import { ownGuards } from './guards.ts'

export function presenceRoutes(router: Router): void {
  router.group('websocket', ownGuards, (websocket) => {
    websocket.on(
      'connect/{userId}',
      { qos: 1, body: PresenceBody, summary: 'A session of a person begins [R26]' },
      websocketConnect,
    )
    websocket.on(
      'disconnect/{userId}',
      { qos: 1, body: PresenceBody, summary: 'A session ends [R27]' },
      websocketDisconnect,
    )
    websocket.on(
      'heartbeat/{userId}',
      { qos: 0, body: PresenceBody, summary: 'A session lives on [R38]' },
      websocketHeartbeat,
    )
  })
}
