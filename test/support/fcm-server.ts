import { generateKeyPairSync, verify } from 'node:crypto'
import { parseServiceAccount, type ServiceAccount } from '../../src/delivery/push/service-account.ts'
import { providerServer, type Asked, type Given, type ProviderServer } from './provider-server.ts'

const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })

/** The file that the Firebase console makes, for tests; its key is made anew in every process. */
export function serviceAccountJson(tokenUrl = 'https://oauth2.googleapis.com/token'): string {
  return JSON.stringify({
    type: 'service_account',
    project_id: 'carillon-test',
    private_key_id: 'key-1',
    private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    client_email: 'push@carillon-test.iam.gserviceaccount.com',
    token_uri: tokenUrl,
  })
}

/** The same, read. */
export function serviceAccountOf(tokenUrl: string): ServiceAccount {
  const account = parseServiceAccount(serviceAccountJson(tokenUrl))
  if (typeof account === 'string') throw new Error(account)
  return account
}

export interface FcmMessage {
  readonly token?: string
  readonly topic?: string
  readonly notification: { readonly title?: string; readonly body: string }
  readonly data: Readonly<Record<string, string>>
  readonly android: {
    readonly collapse_key: string
    readonly priority: string
    readonly ttl: string
    readonly notification: Readonly<Record<string, unknown>>
  }
  readonly apns: {
    readonly headers: Readonly<Record<string, string>>
    readonly payload: { readonly aps: Readonly<Record<string, unknown>> }
  }
  readonly webpush: Readonly<Record<string, unknown>>
}

export interface FcmServer {
  readonly url: string
  readonly tokenUrl: string
  readonly account: ServiceAccount
  /** Messages that were asked for with a valid access token and in a form that FCM takes. */
  readonly messages: FcmMessage[]
  /** How often an access token was asked for. */
  readonly grants: number
  /** What was wrong with requests; they were answered 400. */
  readonly faults: string[]
  /** What the next valid message is answered with; FCM's success unless set. */
  answer: (message: FcmMessage, count: number) => Given | 'hang' | 'cut'
  /** The next grants are answered with this instead. */
  refuseGrants: Given | null
  /** Access tokens given so far are not taken any more. */
  revoke(): void
  close(): Promise<void>
}

/**
 * A server of FCM's HTTP v1 interface and of the JWT bearer grant on this machine, as strict as the real one: the
 * assertion's signature, audience and times, the access token, the fields of the message and its size are checked.
 */
export async function fcmServer(now: () => number): Promise<FcmServer> {
  const valid = new Set<string>()
  let grants = 0
  const server: ProviderServer = await providerServer()
  const tokenUrl = `${server.url}/token`
  const account = serviceAccountOf(tokenUrl)
  const self: FcmServer = {
    url: server.url,
    tokenUrl,
    account,
    messages: [],
    get grants() {
      return grants
    },
    faults: [],
    answer: (_message, count) => ({
      status: 200,
      body: { name: `projects/carillon-test/messages/${count}` },
    }),
    refuseGrants: null,
    revoke: () => valid.clear(),
    close: () => server.close(),
  }
  server.answer = (asked) => {
    if (asked.path === '/token') return grant(asked)
    const bearer = /^Bearer (.+)$/.exec(asked.headers.authorization ?? '')?.[1]
    if (bearer === undefined || !valid.has(bearer)) return fcmError(401, 'UNAUTHENTICATED')
    const fault = faultOf(asked)
    if (fault !== null) {
      self.faults.push(fault)
      return fcmError(400, 'INVALID_ARGUMENT')
    }
    const { message } = JSON.parse(asked.body) as { message: FcmMessage }
    self.messages.push(message)
    return self.answer(message, self.messages.length)
  }
  function grant(asked: Asked): Given {
    grants++
    if (self.refuseGrants) return self.refuseGrants
    const token = `access-${grants}`
    const fault = grantFault(asked, tokenUrl, now())
    if (fault !== null) {
      self.faults.push(fault)
      return { status: 400, body: { error: 'invalid_grant', error_description: fault } }
    }
    valid.add(token)
    return { status: 200, body: { access_token: token, expires_in: 3599, token_type: 'Bearer' } }
  }
  return self
}

/** What is wrong with a request for an access token (RFC 7523); null when nothing is. */
function grantFault({ fields }: Asked, tokenUrl: string, now: number): string | null {
  if (fields['grant_type'] !== 'urn:ietf:params:oauth:grant-type:jwt-bearer') return 'grant_type'
  const [header = '', payload = '', signature = ''] = (fields['assertion'] ?? '').split('.')
  const read = (part: string) =>
    JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>
  const holds = verify(
    'RSA-SHA256',
    Buffer.from(`${header}.${payload}`),
    publicKey,
    Buffer.from(signature, 'base64url'),
  )
  if (!holds) return 'the signature does not hold'
  if (read(header)['alg'] !== 'RS256' || read(header)['kid'] !== 'key-1') return 'header'
  const { iss, aud, scope, iat, exp } = read(payload)
  if (iss !== 'push@carillon-test.iam.gserviceaccount.com') return 'iss'
  if (aud !== tokenUrl) return 'aud'
  if (scope !== 'https://www.googleapis.com/auth/firebase.messaging') return 'scope'
  if (iat !== Math.floor(now / 1000)) return 'iat'
  return typeof exp === 'number' && exp > now / 1000 && exp <= now / 1000 + 3600 ? null : 'exp'
}

/** An error as FCM writes it; `errorCode` is its own, where it has one. */
export function fcmError(
  status: number,
  canonical: string,
  errorCode?: string,
  more: { readonly details?: readonly object[]; readonly headers?: Given['headers'] } = {},
): Given {
  const own = { '@type': 'type.googleapis.com/google.firebase.fcm.v1.FcmError', errorCode }
  const details = [...(errorCode === undefined ? [] : [own]), ...(more.details ?? [])]
  const error = { code: status, message: `No: ${errorCode ?? canonical}`, status: canonical, details }
  return { status, body: { error }, ...(more.headers && { headers: more.headers }) }
}

const FIELDS = new Set(['token', 'topic', 'notification', 'data', 'android', 'apns', 'webpush'])

/** What FCM would refuse. */
function faultOf({ method, path, body, headers }: Asked): string | null {
  if (method !== 'POST' || path !== '/v1/projects/carillon-test/messages:send') return `${method} ${path}`
  if (!headers['content-type']?.startsWith('application/json')) return 'no JSON'
  const { message, ...rest } = JSON.parse(body) as { message: Record<string, unknown> }
  if (Object.keys(rest).length > 0) return 'unknown fields beside message'
  const unknown = Object.keys(message).filter((key) => !FIELDS.has(key))
  if (unknown.length > 0) return `unknown fields ${unknown.join()}`
  if ((message['token'] === undefined) === (message['topic'] === undefined)) return 'not one target'
  const size = Buffer.byteLength(
    JSON.stringify({ notification: message['notification'], data: message['data'] }),
  )
  if (size > (message['topic'] === undefined ? 4096 : 2048)) return `message too big: ${size}`
  for (const [key, value] of Object.entries(message['data'] ?? {})) {
    if (typeof value !== 'string') return `data.${key} is no string`
    if (/^(from|message_type|google.*|gcm.*)$/.test(key)) return `data.${key} is reserved`
  }
  const { android, apns } = message as unknown as FcmMessage
  if (!/^(HIGH|NORMAL)$/.test(android.priority)) return 'android.priority'
  const seconds = /^(\d+)s$/.exec(android.ttl)?.[1]
  if (seconds === undefined || Number(seconds) > 2_419_200) return 'android.ttl'
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(apns.headers['apns-id'] ?? '')) return 'apns-id'
  if (Buffer.byteLength(apns.headers['apns-collapse-id'] ?? '') > 64) return 'apns-collapse-id'
  for (const value of Object.values(apns.headers))
    if (typeof value !== 'string') return 'an APNs header is no string'
  return null
}
