import { createHash } from 'node:crypto'

export const PLATFORMS = ['ios', 'android', 'web'] as const
/** Where an app runs (checklist R37). */
export type Platform = (typeof PLATFORMS)[number]

/** What the person's push service knows the device by; whoever holds it may send to the device. */
export type PushTarget =
  | { readonly channel: 'push'; readonly token: string }
  | { readonly channel: 'web_push'; readonly subscription: WebPushSubscription }

/** A PushSubscription of the Push API as its `toJSON` gives it; the keys are base64url. */
export interface WebPushSubscription {
  readonly endpoint: string
  readonly keys: { readonly p256dh: string; readonly auth: string }
  /** Instant at which the browser ends it; absent for most, which do not say. */
  readonly expirationTime?: number
}

/** A phone or browser that a person has registered (contract section 7), or that the configuration gives them. */
export interface Device {
  /** The same for the same person and target, and another one as soon as either is: nothing meant for one owner reaches the next. */
  readonly id: string
  readonly userId: string
  readonly platform: Platform
  readonly name: string | null
  readonly target: PushTarget
  /** Null for those of the configuration, which the API cannot change. */
  readonly registered: { readonly createdAt: number; readonly seenAt: number } | null
}

/** The one text by which a target is told from every other: the token, or the endpoint. */
export function targetKey(target: PushTarget): string {
  return target.channel === 'push' ? target.token : target.subscription.endpoint
}

export function deviceId(userId: string, target: PushTarget): string {
  return createHash('sha256')
    .update(JSON.stringify([userId, targetKey(target)]))
    .digest('hex')
    .slice(0, 32)
}

const DEVICE = 'device:'
const TOPIC = 'topic:'

/** Where deliveries to a device go: its id instead of its token, which is read when the attempt is made. */
export function deviceAddress({ id }: Pick<Device, 'id'>): string {
  return DEVICE + id
}

/** Where deliveries to everybody who follows an FCM topic go (checklist R37). */
export function topicAddress(topic: string): string {
  return TOPIC + topic
}

/** The two kinds of address that are no token; a token itself is neither. */
export function parsePushAddress(
  address: string,
): { readonly device: string } | { readonly topic: string } | { readonly token: string } {
  if (address.startsWith(DEVICE)) return { device: address.slice(DEVICE.length) }
  if (address.startsWith(TOPIC)) return { topic: address.slice(TOPIC.length) }
  return { token: address }
}

/** A registration token of FCM as far as its text tells, or null. What would read as another kind of address is none. */
export function parsePushToken(text: string): string | null {
  return /^[\x21-\x7e]{1,4096}$/.test(text) && 'token' in parsePushAddress(text) ? text : null
}

/** The name of a topic by FCM's rule, with or without its prefix `/topics/`, or null. */
export function parsePushTopic(text: string): string | null {
  return /^(?:\/topics\/)?([A-Za-z0-9_.~%-]{1,900})$/.exec(text)?.[1] ?? null
}
