import { createHash } from 'node:crypto'

/**
 * A delivery's id in 32 characters of base64url: what FCM, APNs and web push (RFC 8030 section 5.4) take as the key
 * under which a later message replaces an earlier one (promise P8).
 */
export function stableKey(id: string): string {
  return createHash('sha256').update(id).digest('base64url').slice(0, 32)
}

/** The same in the form that APNs wants for `apns-id`: a UUID, version 8 (RFC 9562 section 5.8). */
export function stableUuid(id: string): string {
  const hex = createHash('sha256').update(id).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
