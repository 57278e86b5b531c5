import type { Router } from '#engine'
import {
  AlertBody,
  AlertCommandBody,
  commandAlert,
  handleCriticalAlert,
  handleInfoAlert,
  handleWarningAlert,
} from '../controllers/alert-controller.ts'
import { bodyText } from '../middleware/body-text.ts'
import { guards } from './guards.ts'

/** Both spellings of the requirement documents are the same routes. */
const PREFIXES = ['notifications/alerts', 'alerts'] as const

export function alertRoutes(router: Router): void {
  router.group(PREFIXES, [...guards, bodyText()], (alerts) => {
    const firing = { body: AlertBody, invalid: 'Message is required' } as const
    alerts.on(
      'critical/{alertType}',
      { ...firing, qos: 2, summary: 'Page people until one acknowledges [R22] [R23]' },
      handleCriticalAlert,
    )
    alerts.on(
      'warning/{alertType}',
      { ...firing, qos: 1, summary: 'Tell who is on call, without SMS [R32]' },
      handleWarningAlert,
    )
    alerts.on('info/{alertType}', { ...firing, qos: 0, summary: 'Tell, wake nobody [R33]' }, handleInfoAlert)
  })
  router.group('alerts/{alertId}', guards, (alert) => {
    for (const verb of ['ack', 'unack', 'escalate', 'snooze', 'resolve', 'note', 'reassign'] as const) {
      alert.on(
        verb,
        { qos: 1, body: AlertCommandBody, summary: `Act on an alert: ${verb}` },
        commandAlert(verb),
      )
    }
  })
}
