import { endpointFault, pushAllowance } from '../delivery/push/push-services.ts'
import { areSubscriptionKeys } from '../delivery/push/vapid.ts'
import { parsePushToken, type Platform, type PushTarget, type WebPushSubscription } from './device.ts'

/**
 * The target that a registration names: a token of FCM, or a browser's subscription whose endpoint is one of a push
 * service or allowed (security row 23). Else what is wrong, and with which field.
 */
export function pushTargetOf(
  given: {
    readonly platform: Platform
    readonly token?: string | undefined
    readonly subscription?:
      | (Omit<WebPushSubscription, 'expirationTime'> & {
          readonly expirationTime?: number | null | undefined
        })
      | undefined
  },
  allow: readonly string[],
): PushTarget | { readonly field: string; readonly wrong: string } {
  const { platform, token, subscription } = given
  if (token !== undefined && subscription !== undefined)
    return { field: 'subscription', wrong: 'stands beside token; give only one of them' }
  if (token !== undefined) {
    const parsed = parsePushToken(token)
    return parsed === null
      ? { field: 'token', wrong: 'is no registration token of FCM' }
      : { channel: 'push', token: parsed }
  }
  if (subscription === undefined)
    return { field: 'token', wrong: platform === 'web' ? 'is missing, or subscription' : 'is missing' }
  if (platform !== 'web') return { field: 'subscription', wrong: 'belongs to platform web' }
  const { endpoint, keys, expirationTime } = subscription
  const refused = endpointFault(endpoint, pushAllowance(allow))
  if (refused !== null) return { field: 'subscription.endpoint', wrong: refused }
  if (!areSubscriptionKeys(keys))
    return { field: 'subscription.keys', wrong: 'are no keys of a push subscription' }
  const { p256dh, auth } = keys
  const ends = typeof expirationTime === 'number' && { expirationTime }
  return { channel: 'web_push', subscription: { endpoint, keys: { p256dh, auth }, ...ends } }
}
