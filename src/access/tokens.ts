import { createHash, timingSafeEqual } from 'node:crypto'

/** SHA-256 of a token: what is kept of it, and what is compared (security rows 3 and 33). */
export function tokenDigest(token: string): Uint8Array {
  return createHash('sha256').update(token, 'utf8').digest()
}

/** Compares digests in a time that does not depend on where they differ. Unequal lengths are unequal. */
export function sameDigest(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}

/** Compares secrets of any length in a time that tells nothing about either. */
export function sameSecret(a: string, b: string): boolean {
  return sameDigest(tokenDigest(a), tokenDigest(b))
}
