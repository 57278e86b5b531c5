import { createHmac, timingSafeEqual } from 'node:crypto'

/** What a signed link stands for: one page, which has one recipient. */
export interface LinkClaims {
  readonly alertId: string
  /** Of the page's delivery. */
  readonly ordinal: number
  /** Instant after which the link opens nothing; whole seconds count. */
  readonly expiresAt: number
}

/** The secrets that sign links, by a number from 0 to 15, and which of them signs new ones. The others still open theirs. */
export interface LinkKeys {
  readonly current: number
  readonly secrets: ReadonlyMap<number, Uint8Array>
}

export type LinkReading =
  | { readonly kind: 'valid'; readonly claims: LinkClaims }
  | { readonly kind: 'expired'; readonly claims: LinkClaims }
  | { readonly kind: 'forged' }

const VERSION = 1
/** Version and key, alert, ordinal, expiry in seconds. */
const CLAIM_BYTES = 1 + 16 + 3 + 4
/** 128 bits are as far from being guessed as any secret here, and fit into a text message. */
const MAC_BYTES = 16
const TOKEN = /^[A-Za-z0-9_-]{54}$/
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const MOST_ORDINAL = 0xff_ffff
const MOST_SECONDS = 0xffff_ffff

/**
 * The token of a link (security row 24): 54 characters of base64url, signed with HMAC-SHA256. Null for what it has no
 * room for, an alert whose id is no UUID above all.
 */
export function signLink({ alertId, ordinal, expiresAt }: LinkClaims, keys: LinkKeys): string | null {
  const secret = keys.secrets.get(keys.current)
  const seconds = Math.floor(expiresAt / 1000)
  if (secret === undefined || !UUID.test(alertId)) return null
  if (ordinal < 0 || ordinal > MOST_ORDINAL || seconds < 0 || seconds > MOST_SECONDS) return null
  const claims = Buffer.alloc(CLAIM_BYTES)
  claims.writeUInt8((VERSION << 4) | keys.current, 0)
  claims.write(alertId.replaceAll('-', ''), 1, 'hex')
  claims.writeUIntBE(ordinal, 17, 3)
  claims.writeUInt32BE(seconds, 20)
  return Buffer.concat([claims, macOf(claims, secret)]).toString('base64url')
}

/** What a token says, if it is one of ours. Pure; the signature is compared in constant time. */
export function readLink(token: string, keys: LinkKeys, now: number): LinkReading {
  if (!TOKEN.test(token)) return { kind: 'forged' }
  const bytes = Buffer.from(token, 'base64url')
  // The last character has bits to spare: one token has one spelling.
  if (bytes.toString('base64url') !== token) return { kind: 'forged' }
  const claims = bytes.subarray(0, CLAIM_BYTES)
  const head = claims.readUInt8(0)
  const secret = keys.secrets.get(head & 0x0f)
  if (head >> 4 !== VERSION || secret === undefined) return { kind: 'forged' }
  if (!timingSafeEqual(bytes.subarray(CLAIM_BYTES), macOf(claims, secret))) return { kind: 'forged' }
  const hex = claims.toString('hex', 1, 17)
  const alertId = [8, 12, 16, 20, 32].map((end, index) => hex.slice([0, 8, 12, 16, 20][index], end)).join('-')
  const expiresAt = claims.readUInt32BE(20) * 1000
  const read = { alertId, ordinal: claims.readUIntBE(17, 3), expiresAt }
  return { kind: now < expiresAt ? 'valid' : 'expired', claims: read }
}

function macOf(claims: Uint8Array, secret: Uint8Array): Buffer {
  return createHmac('sha256', secret).update('carillon link').update(claims).digest().subarray(0, MAC_BYTES)
}
