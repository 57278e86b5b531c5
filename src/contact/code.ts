import { randomBytes, randomInt } from 'node:crypto'
import { sameDigest, tokenDigest } from '../access/tokens.ts'

/** How long a code is good, how often it may be guessed at, and how many are sent (security row 21). */
export const CODE_MS = 10 * 60_000
const MOST_TRIES = 5
const MOST_CODES = 3
const CODES_WINDOW_MS = 15 * 60_000

/** A code that was sent and not used yet. Only its digest is kept. */
export interface PendingCode {
  /** Hexadecimal SHA-256. */
  readonly digest: string
  readonly expiresAt: number
  /** Wrong ones that were given so far. */
  readonly tries: number
  /** The subject of the delivery that carries it; null for a link, which nothing carries. */
  readonly messageId: string | null
}

/** What a given code came to. `none`: there is no code that could be given, it has expired or was guessed at too often. */
export type Tried =
  | { readonly kind: 'right' }
  | { readonly kind: 'wrong'; readonly pending: PendingCode; readonly triesLeft: number }
  | { readonly kind: 'none' }

/** Compares a given code in a time that does not depend on where it differs. */
export function tryCode(pending: PendingCode | null, given: string, now: number): Tried {
  const right = sameDigest(Buffer.from(pending?.digest ?? '', 'hex'), tokenDigest(given))
  if (pending === null || pending.expiresAt <= now || pending.tries >= MOST_TRIES) return { kind: 'none' }
  if (right) return { kind: 'right' }
  const tries = pending.tries + 1
  return { kind: 'wrong', pending: { ...pending, tries }, triesLeft: MOST_TRIES - tries }
}

/** A code that went out: when, and the digest of where to. */
export interface SentCode {
  readonly at: number
  readonly to: string | null
}

/** Those of the window that counts. */
export function recentCodes(sent: readonly SentCode[], now: number): readonly SentCode[] {
  return sent.filter(({ at }) => at > now - CODES_WINDOW_MS)
}

/** Milliseconds until one more code may follow these; 0 when it may now. At most three in 15 minutes. */
export function waitForCode(sent: readonly SentCode[], now: number): number {
  const earliest = recentCodes(sent, now)
    .map(({ at }) => at)
    .toSorted((a, b) => b - a)
    .at(MOST_CODES - 1)
  return earliest === undefined ? 0 : earliest + CODES_WINDOW_MS - now
}

/** Six digits, each equally likely. */
export function newCode(): string {
  return String(randomInt(1_000_000)).padStart(6, '0')
}

/** What a link carries: nobody types it, so that it may be too long to guess; fits Telegram's `start` parameter. */
export function newLinkCode(): string {
  return randomBytes(24).toString('base64url')
}

/** How a code or an address is kept. */
export function digestOf(text: string): string {
  return Buffer.from(tokenDigest(text)).toString('hex')
}

/** What goes to an address that is to be verified. The subject tells nothing: lists of mails show it. */
export function codeMessage(
  channel: string,
  code: string,
): { readonly subject: string; readonly text: string } {
  const subject = 'Your code for Carillon'
  if (channel === 'voice') {
    const digits = code.split('').join(', ')
    return { subject, text: `Your code for Carillon is ${digits}. Once more: ${digits}.` }
  }
  return {
    subject,
    text: `${code} is your code for Carillon, for ten minutes. If you have not asked for it, do nothing.`,
  }
}
