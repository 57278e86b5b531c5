import type { Alert } from '../../alert/alert.ts'
import type { Channel, Rendered, RenderInput } from '../channel.ts'
import { contentOf } from '../content.ts'
import { notConfigured } from './not-configured.ts'

/**
 * Requests to other systems: the text is the JSON body. People have no such address; targets such as `webhook:ops`
 * get theirs where the step is planned.
 */
export function webhookChannel(): Channel {
  return {
    name: 'webhook',
    address: () => null,
    render: renderWebhook,
    send: () => Promise.resolve(notConfigured('webhook')),
    close: () => Promise.resolve(),
  }
}

function renderWebhook(input: RenderInput): Rendered {
  const { delivery } = input
  const content = contentOf(input)
  const body = {
    id: delivery.id,
    type: `${delivery.subjectKind}.${delivery.purpose}`,
    title: content.title,
    message: content.text,
    ...(content.link && { url: content.link.url }),
    ...(content.alert && { alert: alertBody(content.alert) }),
    ...(content.notification && { notification_id: content.notification.id }),
  }
  return {
    subject: content.title,
    text: JSON.stringify(body),
    actions: content.actions,
  }
}

function alertBody(alert: Alert) {
  return {
    id: alert.id,
    type: alert.type,
    severity: alert.severity,
    status: alert.status,
    message: alert.message,
    source: alert.source,
    affected_systems: alert.affectedSystems,
    dedup_key: alert.dedupKey,
    team: alert.team,
    step: alert.step,
    created_at: alert.createdAt,
  }
}
