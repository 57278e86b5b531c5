import type { RequestFacts } from './request-facts.ts'
import { link, oneOf, text, type Shape } from './shape.ts'

const object = (optional: Readonly<Record<string, Shape>>, required = {}): Shape => ({
  kind: 'object',
  required,
  optional,
})
/** A text may be empty here. */
const any: Shape = { kind: 'text', longest: 4096 }
const KEY: Shape = { kind: 'text', longest: 64, shortest: 1, longestBytes: 64 }

const ANDROID = object({
  collapse_key: KEY,
  priority: oneOf('NORMAL', 'HIGH'),
  ttl: text(12, { form: /^\d{1,7}(\.\d{1,9})?s$/ }),
  notification: object({
    tag: any,
    sound: text(100),
    notification_count: { kind: 'whole', least: 0, most: 2 ** 31 - 1 },
  }),
})

const APNS = object({
  headers: object({
    'apns-id': text(36, { form: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/ }),
    'apns-collapse-id': KEY,
    'apns-priority': oneOf('1', '5', '10'),
    'apns-expiration': text(12, { form: /^\d+$/ }),
  }),
  payload: object({
    aps: object({
      sound: text(100),
      badge: { kind: 'whole', least: 0, most: 2 ** 31 - 1 },
      category: text(100),
      'interruption-level': oneOf('passive', 'active', 'time-sensitive', 'critical'),
    }),
  }),
})

const WEBPUSH = object({
  headers: object({
    TTL: text(10, { form: /^\d+$/ }),
    Urgency: oneOf('very-low', 'low', 'normal', 'high'),
    Topic: text(32, { form: /^[A-Za-z0-9_-]{1,32}$/ }),
  }),
  notification: object({ tag: any }),
  fcm_options: object({ link: text(2048, { form: /^https:\/\// }), analytics_label: any }),
})

export const FCM: RequestFacts = {
  title: 'a message of FCM',
  pages: [
    'https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages',
    'https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages/send',
    'https://fcm.googleapis.com/$discovery/rest?version=v1 (SendMessageRequest)',
    'https://developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns',
  ],
  method: 'POST',
  path: /^\/v1\/projects\/[a-z][a-z0-9-]{4,28}[a-z0-9]\/messages:send$/,
  headers: { authorization: /^Bearer \S+$/, 'content-type': /^application\/json\b/ },
  encoding: 'json',
  mostBytes: 4096,
  body: object(
    {},
    {
      message: object({
        token: text(4096),
        topic: text(900, { form: /^[a-zA-Z0-9-_.~%]+$/ }),
        notification: object({ title: any, body: text(4096), image: link(2048) }),
        data: {
          kind: 'map',
          of: any,
          names: /^(?!(?:from|message_type)$|google|gcm)/,
        },
        android: ANDROID,
        apns: APNS,
        webpush: WEBPUSH,
      }),
    },
  ),
  rules(body) {
    const message = { ...(body['message'] as object) }
    const targets = ['token', 'topic', 'condition'].filter((name) => name in message)
    return targets.length === 1 ? [] : [`message: has ${targets.length} targets`]
  },
}
