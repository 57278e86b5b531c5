import type { RenderInput } from '../delivery/channel.ts'
import { messageUrl } from '../delivery/message/content.ts'
import { namesOf } from '../preferences/names.ts'
import { renderAlert } from '../wire/alert.ts'
import { renderNotification } from '../wire/notification.ts'
import type { TemplateData } from './template.ts'

/** What a message is called where templates are looked for: a notification as preferences call it, an alert by its type. */
export function templateNames({ subject }: RenderInput): readonly string[] {
  if (subject.kind === 'alert') return [`alert.${subject.alert.type}`]
  return subject.kind === 'notification' ? namesOf(subject.notification.content) : []
}

/**
 * What a template may show: the notification or alert as every interface names its fields, its `data`, the `user` it
 * is for and the `url` it leads to, else that of the console. Of the person only what they would tell a stranger: no address, no secret.
 */
export function messageData(input: RenderInput): TemplateData {
  const { subject, recipient } = input
  const url = messageUrl(input) ?? `${input.publicUrl.replace(/\/+$/, '')}/`
  const user = recipient && {
    id: recipient.id,
    name: recipient.name,
    locale: recipient.locale,
    timezone: recipient.timezone,
  }
  const about = { ...(user && { user }), url }
  if (subject.kind === 'alert') {
    return {
      alert: { ...renderAlert(subject.alert), step: input.delivery.step },
      data: subject.alert.data,
      ...about,
    }
  }
  if (subject.kind === 'direct') return about
  const { notification } = subject
  return {
    notification: renderNotification(notification, recipient?.id ?? null),
    data: notification.content.data,
    ...about,
  }
}
