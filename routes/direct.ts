import type { Router } from '#engine'
import { EmailBatchBody, EmailBody, queueEmail, sendBatchEmail } from '../controllers/email-controller.ts'
import { PushBody, sendPushNotification } from '../controllers/push-controller.ts'
import { sendSms, SmsBody } from '../controllers/sms-controller.ts'
import { guards } from './guards.ts'

export function directRoutes(router: Router): void {
  router.group('notifications', guards, (notifications) => {
    notifications.on(
      'email/send',
      {
        qos: 2,
        shared: true,
        workerCount: 3,
        body: EmailBody,
        invalid: 'To email, subject, and body are required',
        summary: 'Send one e-mail to an address [R24]',
      },
      queueEmail,
    )
    notifications.on(
      'email/batch',
      {
        qos: 2,
        shared: true,
        workerCount: 1,
        // An address and a few values for each of a thousand recipients.
        keys: 20_000,
        body: EmailBatchBody,
        summary: 'Send many e-mails, each with a result of its own [R36]',
      },
      sendBatchEmail,
    )
    notifications.on(
      'sms/send',
      {
        qos: 2,
        shared: true,
        workerCount: 1,
        body: SmsBody,
        invalid: 'Phone number and message are required',
        summary: 'Send one SMS to a number [R25]',
      },
      sendSms,
    )
    notifications.on(
      'push/mobile/{platform}',
      {
        qos: 1,
        body: PushBody,
        summary: 'Push to the devices of a person by platform, to tokens, or to a topic [R37]',
      },
      sendPushNotification,
    )
  })
}
