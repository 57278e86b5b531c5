import { randomUUID } from 'node:crypto'
import { errors, jwtVerify, SignJWT } from 'jose'
import { fault } from '../errors.ts'

/** What a valid token proves. Instants in milliseconds. */
export interface JwtClaims {
  readonly subject: string
  /** Names this token; empty when its issuer gave it no name. */
  readonly id: string
  readonly expiresAt: number
}

export interface Jwt {
  /** A token for this subject, good for `lifetimeMs` from `now`. */
  issue(subject: string, now: number, lifetimeMs: number): Promise<{ token: string; expiresAt: number }>
  /** Throws `auth.expired` for a token that was good once, `auth.invalid` for everything else. */
  verify(token: string, now: number): Promise<JwtClaims>
}

export interface JwtOptions {
  readonly secret: Uint8Array
  readonly issuer: string
  readonly audience: string
  /** How far in the future a token may expire; tokens of other issuers are held to it too. */
  readonly longestMs: number
}

const LONGEST_TOKEN_BYTES = 8 * 1024
const SHORTEST_SECRET_BYTES = 32
/** Clocks of two machines may differ by this much. */
const TOLERANCE_S = 5
/** Where a header would point to a key of the sender's choice. There is one key here and none of these is asked. */
const KEY_POINTERS = ['kid', 'jku', 'jwk', 'x5u', 'x5c']

/**
 * HS256 with one secret: the algorithm comes from here, never from a token's header (security row 4). Issuer,
 * audience, subject, `exp` and `nbf` are required. Throws a RangeError for a secret under 32 bytes.
 */
export function createJwt(options: JwtOptions): Jwt {
  if (options.secret.length < SHORTEST_SECRET_BYTES) {
    throw new RangeError(
      `The JWT secret has ${options.secret.length} bytes; it needs ${SHORTEST_SECRET_BYTES}`,
    )
  }
  const { secret, issuer, audience } = options
  return {
    async issue(subject, now, lifetimeMs) {
      const from = Math.floor(now / 1000)
      const until = Math.floor((now + lifetimeMs) / 1000)
      const token = await new SignJWT()
        .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject(subject)
        .setJti(randomUUID())
        .setIssuedAt(from)
        .setNotBefore(from)
        .setExpirationTime(until)
        .sign(secret)
      return { token, expiresAt: until * 1000 }
    },
    async verify(token, now) {
      if (token.length > LONGEST_TOKEN_BYTES) throw fault('auth.invalid')
      try {
        const { payload, protectedHeader } = await jwtVerify(token, secret, {
          algorithms: ['HS256'],
          issuer,
          audience,
          currentDate: new Date(now),
          clockTolerance: TOLERANCE_S,
          requiredClaims: ['sub', 'exp', 'nbf'],
        })
        const expiresAt = (payload.exp ?? 0) * 1000
        if (KEY_POINTERS.some((name) => name in protectedHeader)) throw fault('auth.invalid')
        if (expiresAt > now + options.longestMs + TOLERANCE_S * 1000) throw fault('auth.invalid')
        if (typeof payload.sub !== 'string' || payload.sub === '') throw fault('auth.invalid')
        return { subject: payload.sub, id: payload.jti ?? '', expiresAt }
      } catch (error) {
        if (error instanceof errors.JWTExpired) throw fault('auth.expired')
        throw fault('auth.invalid')
      }
    },
  }
}
