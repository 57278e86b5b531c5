import type { Router } from '#engine'
import {
  broadcastNotification,
  BroadcastBody,
  NotificationBody,
  sendGroupNotification,
  sendUserNotification,
} from '../controllers/notification-controller.ts'
import {
  MaintenanceBody,
  maintenanceNotification,
  StatusBody,
  systemStatusUpdate,
} from '../controllers/system-controller.ts'
import { bodyText } from '../middleware/body-text.ts'
import { guards } from './guards.ts'

export function notificationRoutes(router: Router): void {
  router.group('notifications', guards, (notifications) => {
    notifications.group('realtime', [bodyText()], (realtime) => {
      realtime.on(
        'user/{userId}',
        {
          qos: 1,
          body: NotificationBody,
          invalid: 'Message is required',
          summary: 'Notify one person [R17]',
        },
        sendUserNotification,
      )
      realtime.on(
        'group/{groupId}',
        {
          qos: 1,
          body: NotificationBody,
          invalid: 'Message is required',
          summary: 'Notify every member of a group [R31]',
        },
        sendGroupNotification,
      )
      realtime.on(
        'broadcast',
        {
          qos: 1,
          body: BroadcastBody,
          invalid: 'Message is required',
          summary: 'Notify everybody, or some groups [R21]',
        },
        broadcastNotification,
      )
    })
    notifications.on(
      'system/status',
      {
        qos: 1,
        body: StatusBody,
        summary: 'State of a component, retained on state/system/{component} [R34]',
      },
      systemStatusUpdate,
    )
    notifications.on(
      'system/maintenance',
      { qos: 2, body: MaintenanceBody, summary: 'Announce a maintenance window [R35]' },
      maintenanceNotification,
    )
  })
}
