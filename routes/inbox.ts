import type { Router } from '#engine'
import { InboxBody, markAllRead, markOne } from '../controllers/inbox-controller.ts'
import { ownGuards } from './guards.ts'

export function inboxRoutes(router: Router): void {
  router.group('users/{userId}/notifications', ownGuards, (inbox) => {
    inbox.on('read-all', { qos: 1, body: InboxBody, summary: 'Mark everything read' }, markAllRead)
    inbox.on('{id}/read', { qos: 1, body: InboxBody, summary: 'Mark one read' }, markOne('read'))
    inbox.on('{id}/unread', { qos: 1, body: InboxBody, summary: 'Mark one unread' }, markOne('unread'))
    inbox.on('{id}/delete', { qos: 1, body: InboxBody, summary: 'Delete one' }, markOne('deleted'))
  })
}
