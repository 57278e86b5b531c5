import webPush from 'web-push'
import type { WebPushSubscription } from '../../devices/device.ts'
import type { OutgoingMessage } from '../channel.ts'
import { fit, type Parts } from './fit.ts'
import { timeToLive } from './push-content.ts'
import { stableKey } from './stable-key.ts'
import type { Vapid } from './vapid.ts'

/** Push services need take no more than 4096 bytes (RFC 8030 section 7.2), of which encryption takes a hundred. */
const MOST_BYTES = 3900

/** What the service worker of a page gets to read: JSON. */
export function webPushPayload({ rendered, idempotencyKey }: OutgoingMessage): string {
  const { subject, text, push } = rendered
  const { actions: _, url, delivery_id: __, kind: ___, ...about } = push?.own ?? {}
  const tag = about['alert_id'] ?? about['notification_id'] ?? idempotencyKey
  const whole = (parts: Parts) =>
    JSON.stringify({
      title: subject ?? '',
      body: parts.text,
      tag,
      ...(url !== undefined && { url }),
      actions: rendered.actions
        .filter((action) => action.url === undefined)
        .map(({ id, label }) => ({ id, label })),
      ...about,
      data: parts.data,
    })
  return whole(fit({ text, data: push?.data ?? {} }, MOST_BYTES, (parts) => Buffer.byteLength(whole(parts))))
}

export interface WebPushRequest {
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/**
 * The request to a push service: encrypted for the one browser (RFC 8291), signed by us (RFC 8292), replacing what an
 * earlier attempt brought (`Topic`, promise P8). Throws when the subscription's keys are none.
 */
export function webPushRequest(
  subscription: WebPushSubscription,
  message: OutgoingMessage,
  vapid: Vapid,
  now: number,
): WebPushRequest {
  const { push } = message.rendered
  const key = push?.collapseKey === undefined ? message.idempotencyKey : `collapse:${push.collapseKey}`
  const details = webPush.generateRequestDetails(subscription, webPushPayload(message), {
    vapidDetails: { ...vapid },
    contentEncoding: 'aes128gcm',
    TTL: push === undefined ? 0 : timeToLive(push, message.critical, now),
    urgency: message.critical || push?.urgent ? 'high' : 'normal',
    topic: stableKey(key),
  })
  const headers = Object.entries(details.headers).map(
    ([name, value]) => [name.toLowerCase(), String(value)] as const,
  )
  return {
    // The length is counted by whoever sends it.
    headers: Object.fromEntries(headers.filter(([name]) => name !== 'content-length')),
    body: details.body,
  }
}
