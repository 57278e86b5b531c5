import type { Clock } from '../../clock.ts'
import type { OutgoingMessage, SendResult } from '../channel.ts'
import { httpCaller, permanent, refusal, type Failed, type ProviderAnswer } from '../providers/http-call.ts'
import { DEFERRED, PROVIDER_DOWN } from '../attempt/retry.ts'
import { createAccessTokens } from './access-token.ts'
import { fcmMessage, type FcmTarget } from './fcm-message.ts'
import type { ServiceAccount } from './service-account.ts'

const FCM_URL = 'https://fcm.googleapis.com'

/** The code of a {@link SendResult} that says: no device has this token or subscription any more, and none ever will. */
export const UNREGISTERED = 'unregistered'

export interface FcmSettings {
  readonly account: ServiceAccount
  /** Another server of FCM's interface; FCM itself unless set. */
  readonly baseUrl: string | undefined
  /** Where access tokens come from; what the service account says unless set. */
  readonly tokenUrl: string | undefined
}

export interface Fcm {
  /** One attempt, which is one request, and before it one for an access token when there is none. Never rejects. */
  send(target: FcmTarget, message: OutgoingMessage, signal: AbortSignal): Promise<SendResult>
  close(): Promise<void>
}

/** Firebase Cloud Messaging over its HTTP v1 API. */
export function createFcm({ account, baseUrl, tokenUrl }: FcmSettings, clock: Pick<Clock, 'now'>): Fcm {
  const caller = httpCaller()
  const tokens = createAccessTokens({ account, tokenUrl: tokenUrl ?? account.tokenUrl, caller, clock })
  const root = (baseUrl ?? FCM_URL).replace(/\/+$/, '')
  const url = `${root}/v1/projects/${encodeURIComponent(account.projectId)}/messages:send`
  return {
    async send(target, message, signal) {
      const access = await tokens.get(signal)
      if ('ok' in access) return access
      const answer = await caller.ask(
        {
          url,
          method: 'POST',
          headers: {
            authorization: `Bearer ${access.token}`,
            'content-type': 'application/json; charset=utf-8',
            accept: 'application/json',
          },
          body: JSON.stringify({ message: fcmMessage(target, message, clock.now()) }),
        },
        signal,
      )
      if ('ok' in answer) return answer
      if (answer.status >= 200 && answer.status < 300) {
        const name = fieldsOf(parsed(answer.body))['name']
        return { ok: true, status: answer.status, ...(typeof name === 'string' && { providerId: name }) }
      }
      const error = errorOf(answer)
      if (answer.status === 401 && error.code !== KEY_OF_APNS) tokens.drop(access.token)
      const failed = { ...refused(answer, error, access.fresh), status: answer.status }
      return 'token' in target
        ? { ...failed, reason: failed.reason.replaceAll(target.token, 'the token') }
        : failed
    },
    close: () => caller.close(),
  }
}

/** Status 401 too, but about the key that FCM has for APNs or web push, not about ours. */
const KEY_OF_APNS = 'THIRD_PARTY_AUTH_ERROR'

interface FcmError {
  /** FCM's own code, else the canonical one of Google's interfaces. */
  readonly code: unknown
  readonly said: string
  readonly details: readonly Fields[]
}

function errorOf(answer: ProviderAnswer): FcmError {
  const error = fieldsOf(fieldsOf(parsed(answer.body))['error'])
  const details = Array.isArray(error['details']) ? error['details'].map(fieldsOf) : []
  const own = details.map((detail) => detail['errorCode']).find((code) => typeof code === 'string')
  const said = typeof error['message'] === 'string' ? error['message'] : `HTTP ${answer.status}`
  return { code: own ?? error['status'], said, details }
}

/** What FCM's own codes mean (https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode; promise P7). */
function refused(answer: ProviderAnswer, { code, said, details }: FcmError, fresh: boolean): Failed {
  const wait = answer.retryAfterMs !== undefined && { retryAfterMs: answer.retryAfterMs }
  if (code === 'UNREGISTERED' || (code === 'NOT_FOUND' && answer.status === 404) || answer.status === 410)
    return permanent(UNREGISTERED, 'The app is not on the device any more')
  if (code === 'INVALID_ARGUMENT' && isAboutToken(said, details))
    return permanent(UNREGISTERED, 'FCM does not know such a token')
  if (code === 'SENDER_ID_MISMATCH')
    return permanent('sender_id_mismatch', 'The token belongs to another Firebase project')
  if (code === KEY_OF_APNS)
    return later('FCM has no valid key for APNs or web push: see the settings of the Firebase project')
  // Only the token had ended: nobody has to mend anything.
  if (answer.status === 401 && !fresh) return later('The access token had ended')
  if (answer.status === 401 || answer.status === 403)
    return { ok: false, retry: true, code: PROVIDER_DOWN, reason: 'FCM refuses the service account' }
  if (code === 'QUOTA_EXCEEDED' && isAboutDevice(details))
    return { ...later('Too much for this device or topic'), ...wait }
  return refusal(answer, said)
}

/** It concerns some devices, while others can be sent to. */
function later(reason: string): Failed {
  return { ok: false, retry: true, code: DEFERRED, reason }
}

type Fields = Readonly<Record<string, unknown>>

function isAboutToken(said: string, details: readonly Fields[]): boolean {
  const named = violations(details, 'fieldViolations').some(({ field }) => field === 'message.token')
  return named || /registration token is not a valid/i.test(said)
}

/** FCM has one code for the quota of the project, of a device and of a topic; google.rpc.QuotaFailure tells which. */
function isAboutDevice(details: readonly Fields[]): boolean {
  return violations(details, 'violations').some(({ subject, description }) =>
    /device|topic/i.test(
      `${typeof subject === 'string' ? subject : ''} ${typeof description === 'string' ? description : ''}`,
    ),
  )
}

function violations(details: readonly Fields[], name: string): Fields[] {
  return details.flatMap((detail) => {
    const list = detail[name]
    return Array.isArray(list) ? list.map(fieldsOf) : []
  })
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return null
  }
}

/** The fields of something that came from outside; none of what is no object. */
function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
