import { createECDH, createHash } from 'node:crypto'
import type { Config } from '../../config/schema/schema.ts'

/** Who we are to the push services of browsers (RFC 8292); keys in base64url as the Push API has them. */
export interface Vapid {
  readonly subject: string
  readonly publicKey: string
  readonly privateKey: string
}

/** The sender of the configuration, with the keys of the store where it names none. */
export function vapidOf(
  { subject, vapid_public_key: publicKey, vapid_private_key: privateKey }: Config['channels']['web_push'],
  secret: Uint8Array,
  publicUrl: string | undefined,
): Vapid {
  const keys =
    publicKey !== undefined && privateKey !== undefined ? { publicKey, privateKey } : vapidKeysOf(secret)
  const reachable = publicUrl !== undefined && /^https:\/\/(?!localhost\b)/.test(publicUrl)
  const ours = reachable ? publicUrl : 'mailto:carillon@localhost'
  return { subject: subject ?? ours, ...keys }
}

/** Keys of their own when the configuration names none: the same for the same secret, so that subscriptions last. */
function vapidKeysOf(secret: Uint8Array): Pick<Vapid, 'publicKey' | 'privateKey'> {
  for (let count = 0; ; count++) {
    const scalar = createHash('sha256').update(secret).update(String(count)).digest()
    const publicKey = publicKeyOf(scalar)
    // One of four thousand million numbers lies beyond the order of the curve.
    if (publicKey !== null) return { publicKey, privateKey: scalar.toString('base64url') }
  }
}

/** The public key of a private one on P-256, uncompressed; null for what is no private key. */
export function publicKeyOf(privateKey: Uint8Array): string | null {
  try {
    const curve = createECDH('prime256v1')
    curve.setPrivateKey(privateKey)
    return curve.getPublicKey('base64url', 'uncompressed')
  } catch {
    return null
  }
}

/** Whether these are 65 bytes of a point on P-256 and 16 of a secret: what a browser makes (RFC 8291 section 2). */
export function areSubscriptionKeys(keys: { readonly p256dh: string; readonly auth: string }): boolean {
  const point = Buffer.from(keys.p256dh, 'base64url')
  if (point.length !== 65 || Buffer.from(keys.auth, 'base64url').length !== 16) return false
  const curve = createECDH('prime256v1')
  curve.generateKeys()
  try {
    curve.computeSecret(point)
    return true
  } catch {
    return false
  }
}
