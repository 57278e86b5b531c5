import type { RenderInput } from '../channel.ts'
import type { Content } from '../message/content.ts'
import { cut, wellFormed } from '../message/text.ts'

/** What a push carries beside title and text. */
export interface PushContent {
  /** Ours: what the message is about, and its buttons. Never left out. */
  readonly own: Readonly<Record<string, string>>
  /** The publisher's; gives way when there is no room (behaviour N11). */
  readonly data: Readonly<Record<string, string>>
  readonly url?: string
  /** Whether it may wake a device that saves power. */
  readonly urgent: boolean
  /** Null makes no noise. */
  readonly sound: string | null
  readonly badge?: number
  /** Chosen by the publisher; else every delivery replaces only itself (promise P8). */
  readonly collapseKey?: string
  /** Instant after which it is worthless; else a day after it is sent, an hour when critical. */
  readonly expiresAt?: number
}

/** A longer link costs more of the 4 KB than it is worth. */
const LONGEST_URL = 500
/** Of a name that a publisher chose. */
const LONGEST_NAME = 200

/** Pure, and total. What an app needs for buttons is in `own`: `alert_id` and `actions`, answered over HTTP or MQTT. */
export function pushContentOf({ delivery, fixed }: RenderInput, content: Content): PushContent {
  const { alert, notification, actions, link } = content
  const push = fixed?.push
  const url = link !== null && link.url.length <= LONGEST_URL ? link.url : undefined
  const expiresAt = push?.expiresAt ?? notification?.content.expiresAt
  const priority = notification?.content.priority
  const buttons = actions.filter((action) => action.url === undefined)
  return {
    own: {
      delivery_id: delivery.id,
      kind: delivery.subjectKind,
      ...(alert && {
        alert_id: alert.id,
        alert_type: cut(wellFormed(alert.type), LONGEST_NAME),
        severity: alert.severity,
        purpose: delivery.purpose,
      }),
      ...(notification && {
        notification_id: notification.id,
        type: cut(wellFormed(notification.content.type), LONGEST_NAME),
        priority: notification.content.priority,
        ...(notification.content.severity !== undefined && { severity: notification.content.severity }),
      }),
      ...(buttons.length > 0 && { actions: JSON.stringify(buttons.map(({ id, label }) => ({ id, label }))) }),
      ...(url !== undefined && { url }),
    },
    data: texts({ ...notification?.content.data, ...push?.data }),
    ...(url !== undefined && { url }),
    urgent:
      delivery.critical ||
      delivery.purpose === 'page' ||
      delivery.purpose === 'reminder' ||
      push?.urgent === true ||
      priority === 'high' ||
      priority === 'critical',
    sound: push?.sound ?? (priority === 'low' || delivery.purpose === 'outcome' ? null : 'default'),
    ...(push?.badge !== undefined && { badge: push.badge }),
    ...(push?.collapseKey !== undefined && { collapseKey: push.collapseKey }),
    ...(expiresAt !== undefined && { expiresAt }),
  }
}

/** FCM takes texts only, and none of its own words as a key (reference of projects.messages, `data`). */
function texts(data: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(data).flatMap(([key, value]) => {
      if (/^(?:from|message_type|__proto__|(?:google|gcm).*)$/.test(key) || value === undefined) return []
      return [[wellFormed(key), typeof value === 'string' ? wellFormed(value) : JSON.stringify(value)]]
    }),
  )
}

const DAY_S = 24 * 60 * 60
const HOUR_S = 60 * 60
/** The longest that FCM and the push services of browsers keep a message. */
const LONGEST_TTL_S = 28 * DAY_S

/** For how many seconds the push service keeps the message for a device that is away. */
export function timeToLive(push: PushContent, critical: boolean, now: number): number {
  if (push.expiresAt === undefined) return critical ? HOUR_S : DAY_S
  return Math.min(Math.max(Math.ceil((push.expiresAt - now) / 1000), 0), LONGEST_TTL_S)
}
