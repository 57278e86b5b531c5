import { SignJWT } from 'jose'
import type { Clock } from '../../clock.ts'
import { classify, PROVIDER_DOWN } from '../attempt/retry.ts'
import { refusal, type Failed, type HttpCaller } from '../providers/http-call.ts'
import type { ServiceAccount } from './service-account.ts'

const SCOPE = 'https://www.googleapis.com/auth/firebase.messaging'
const ASSERTION_S = 60 * 60
/** Before it ends, so that a request with it arrives in time; a short one is used for half its life. */
const RENEW_MS = 5 * 60_000
const UNKNOWN_LIFE_MS = 60_000

/** A token, and whether it was made for the one who asked. */
export interface AccessToken {
  readonly token: string
  readonly fresh: boolean
}

/** Bearer tokens for a service account, one at a time and used until shortly before its end. */
export interface AccessTokens {
  /** Never rejects. What went wrong never means that a message was sent. */
  get(signal: AbortSignal): Promise<AccessToken | Failed>
  /** The next one asks for a new token, if this is still the one that is used. */
  drop(token: string): void
}

/** Tokens by the JWT bearer grant (RFC 7523), the way of Google for service accounts. */
export function createAccessTokens(deps: {
  readonly account: ServiceAccount
  readonly tokenUrl: string
  readonly caller: HttpCaller
  readonly clock: Pick<Clock, 'now'>
}): AccessTokens {
  const { clock } = deps
  let kept: { readonly token: string; readonly until: number } | null = null
  let underWay: Promise<AccessToken | Failed> | null = null

  const fetchOne = async (signal: AbortSignal): Promise<AccessToken | Failed> => {
    const now = clock.now()
    const answer = await grant(deps, now, signal)
    if ('ok' in answer) return answer
    const { token, lifeMs } = answer
    kept = { token, until: now + lifeMs - Math.min(RENEW_MS, lifeMs / 2) }
    return { token, fresh: true }
  }
  return {
    get(signal) {
      if (kept !== null && kept.until > clock.now())
        return Promise.resolve({ token: kept.token, fresh: false })
      underWay ??= fetchOne(signal).finally(() => (underWay = null))
      return underWay
    },
    drop(token) {
      if (kept?.token === token) kept = null
    },
  }
}

async function grant(
  { account, tokenUrl, caller }: Parameters<typeof createAccessTokens>[0],
  now: number,
  signal: AbortSignal,
): Promise<{ readonly token: string; readonly lifeMs: number } | Failed> {
  const issuedAt = Math.floor(now / 1000)
  const assertion = await new SignJWT({ scope: SCOPE })
    .setProtectedHeader({
      alg: 'RS256',
      typ: 'JWT',
      ...(account.privateKeyId !== undefined && { kid: account.privateKeyId }),
    })
    .setIssuer(account.clientEmail)
    .setAudience(tokenUrl)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + ASSERTION_S)
    .sign(account.privateKey)
  const answer = await caller.ask(
    {
      url: tokenUrl,
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: new URLSearchParams({
        grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
        assertion,
      }).toString(),
    },
    signal,
  )
  if ('ok' in answer) {
    const { code, reason } = answer
    return { ok: false, retry: true, code, reason: `${reason}; it was asked for an access token` }
  }
  if (answer.status === 200) {
    const life = tokenOf(answer.body)
    if (life !== null) return life
  }
  const { kind } = classify({ status: answer.status })
  if (kind === 'retry') return refusal(answer, `No access token (HTTP ${answer.status})`)
  // Such as invalid_grant: the key was revoked, or this machine's clock is wrong. No message is at fault.
  return { ok: false, retry: true, code: PROVIDER_DOWN, reason: 'Google refuses the service account' }
}

function tokenOf(body: string): { readonly token: string; readonly lifeMs: number } | null {
  try {
    const { access_token: token, expires_in: seconds } = JSON.parse(body) as Record<string, unknown>
    if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) return null
    return { token, lifeMs: typeof seconds === 'number' && seconds > 0 ? seconds * 1000 : UNKNOWN_LIFE_MS }
  } catch {
    return null
  }
}
