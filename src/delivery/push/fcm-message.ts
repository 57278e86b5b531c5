import type { OutgoingMessage } from '../channel.ts'
import { fit, type Parts } from './fit.ts'
import { timeToLive, type PushContent } from './push-content.ts'
import { stableKey, stableUuid } from './stable-key.ts'

/** FCM stops at 4096 bytes, at 2048 to topics (reference of ErrorCode, "message too big"); behaviour N11. */
const MOST_BYTES = { token: 4000, topic: 2000 }

export type FcmTarget = { readonly token: string } | { readonly topic: string }

/** What an iOS app registers its buttons under (UNNotificationCategory). */
const PAGE_CATEGORY = 'carillon_page'

const NOTHING: PushContent = { own: {}, data: {}, urgent: false, sound: 'default' }

/**
 * The `message` of FCM's HTTP v1 API (https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages), for
 * phones and browsers alike: FCM takes the part of whichever the token belongs to. What a repeated attempt brings
 * replaces what an earlier one brought (promise P8).
 */
export function fcmMessage(target: FcmTarget, message: OutgoingMessage, now: number) {
  const { rendered, critical, idempotencyKey } = message
  const push = rendered.push ?? NOTHING
  const ttl = timeToLive(push, critical, now)
  const key = stableKey(push.collapseKey === undefined ? idempotencyKey : `collapse:${push.collapseKey}`)
  const whole = ({ text, data }: Parts) => ({
    ...target,
    notification: { ...(rendered.subject !== undefined && { title: rendered.subject }), body: text },
    data: { ...data, ...push.own },
    android: androidConfig(push, { ttl, key }),
    apns: {
      headers: {
        'apns-id': stableUuid(idempotencyKey),
        'apns-collapse-id': push.collapseKey ?? key,
        'apns-priority': push.urgent ? '10' : '5',
        'apns-expiration': String(ttl === 0 ? 0 : Math.floor(now / 1000) + ttl),
      },
      payload: { aps: aps(push, critical) },
    },
    webpush: webpushConfig(push, { ttl, key }),
  })
  const limit = 'topic' in target ? MOST_BYTES.topic : MOST_BYTES.token
  const parts = { text: rendered.text, data: push.data }
  return whole(fit(parts, limit, (given) => Buffer.byteLength(JSON.stringify(whole(given)))))
}

interface Kept {
  readonly ttl: number
  readonly key: string
}

function androidConfig(push: PushContent, { ttl, key }: Kept) {
  const { urgent, sound, badge } = push
  return {
    collapse_key: push.collapseKey ?? key,
    priority: urgent ? 'HIGH' : 'NORMAL',
    ttl: `${ttl}s`,
    notification: {
      // Collapsing ends when the device has the message; the tag replaces it on the screen as well.
      tag: key,
      ...(sound !== null && { sound }),
      ...(badge !== undefined && { notification_count: badge }),
    },
  }
}

/** Title and body come from `notification`, which FCM puts into `alert`. */
function aps(push: PushContent, critical: boolean) {
  return {
    ...(push.sound !== null && { sound: push.sound }),
    ...(push.badge !== undefined && { badge: push.badge }),
    ...(push.own['actions'] !== undefined && { category: PAGE_CATEGORY }),
    ...(critical && { 'interruption-level': 'time-sensitive' }),
  }
}

function webpushConfig({ urgent, url }: PushContent, { ttl, key }: Kept) {
  return {
    headers: { TTL: String(ttl), Urgency: urgent ? 'high' : 'normal', Topic: key },
    notification: { tag: key },
    // FCM refuses a message whose link is not https.
    ...(url?.startsWith('https:') && { fcm_options: { link: url } }),
  }
}
