import type { Finding, OutgoingMessage, SendResult, Sought } from '../channel.ts'
import { PROVIDER_DOWN } from '../attempt/retry.ts'
import {
  fieldsIn,
  permanent,
  refusal,
  type Failed,
  type HttpCaller,
  type ProviderAnswer,
} from './http-call.ts'

const TWILIO_URL = 'https://api.twilio.com'
const API_VERSION = '2010-04-01'

export interface TwilioAccount {
  readonly accountSid: string
  readonly authToken: string
  /** A gateway that speaks the same interface; Twilio itself unless set. */
  readonly baseUrl: string | undefined
}

/** The address that Twilio calls about one delivery. */
export function twilioCallback(publicUrl: string, kind: 'status' | 'voice', deliveryId: string): string {
  const root = publicUrl.replace(/\/+$/, '')
  return `${root}/v1/callbacks/twilio/${kind}?delivery=${encodeURIComponent(deliveryId)}`
}

/**
 * Creates a message or a call (https://www.twilio.com/docs/messaging/api/message-resource,
 * https://www.twilio.com/docs/voice/api/call-resource); the provider's id is its sid.
 */
export async function createAtTwilio(
  caller: HttpCaller,
  account: TwilioAccount,
  create: {
    readonly what: 'Messages' | 'Calls'
    readonly message: OutgoingMessage
    readonly fields: Readonly<Record<string, string>>
  },
  signal: AbortSignal,
): Promise<SendResult> {
  const answer = await caller.ask(
    {
      url: resourceUrl(account, create.what),
      method: 'POST',
      headers: { ...headersOf(account), 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ To: create.message.address, ...create.fields }).toString(),
    },
    signal,
  )
  if ('ok' in answer) return answer
  const body = fieldsIn(answer.body) ?? {}
  if (answer.status >= 200 && answer.status < 300) {
    const sid = body['sid']
    return { ok: true, status: answer.status, ...(typeof sid === 'string' && { providerId: sid }) }
  }
  return twilioRefusal(answer, body)
}

/** Their clock and ours, and what is cut off the instants that it gives in whole seconds. */
const CLOCKS_APART_MS = 10_000
/** As many as fit into an answer that is read: a row has about a kilobyte and its text. */
const ROWS_LOOKED_AT = 40
/** What Twilio took and then gave up, before anybody had it. */
const NOT_SENT: ReadonlySet<unknown> = new Set(['failed', 'undelivered', 'canceled'])

/**
 * Asks for a message or call to this number that was created since then (list of the same resources, newest first):
 * with the same text, where it has one, and an id that no other delivery has. One that failed at Twilio was not taken.
 */
export async function findAtTwilio(
  caller: HttpCaller,
  account: TwilioAccount,
  { what, sought }: { readonly what: 'Messages' | 'Calls'; readonly sought: Sought },
  signal: AbortSignal,
): Promise<Finding> {
  const { message, since, others } = sought
  const query = new URLSearchParams({ To: message.address, PageSize: String(ROWS_LOOKED_AT) })
  const url = `${resourceUrl(account, what)}?${query.toString()}`
  const answer = await caller.ask({ url, method: 'GET', headers: headersOf(account) }, signal)
  if ('ok' in answer) return { kind: 'unanswered', failed: answer }
  const body = fieldsIn(answer.body) ?? {}
  const rows = body[what.toLowerCase()]
  if (answer.status !== 200) return { kind: 'unanswered', failed: twilioRefusal(answer, body) }
  if (!Array.isArray(rows)) return { kind: 'unanswered', failed: refusal(answer, 'No list of what was sent') }
  const found = rows
    .map((row: unknown) => (typeof row === 'object' && row !== null ? { ...row } : {}) as Row)
    .find(
      (row) =>
        typeof row['sid'] === 'string' &&
        !others.has(row['sid']) &&
        !NOT_SENT.has(row['status']) &&
        row['direction'] !== 'inbound' &&
        Date.parse(String(row['date_created'])) >= since - CLOCKS_APART_MS &&
        (what === 'Calls' || row['body'] === message.rendered.text),
    )
  return found ? { kind: 'taken', providerId: String(found['sid']) } : { kind: 'not_taken' }
}

type Row = Readonly<Record<string, unknown>>

function resourceUrl({ accountSid, baseUrl }: TwilioAccount, what: 'Messages' | 'Calls'): string {
  const root = (baseUrl ?? TWILIO_URL).replace(/\/+$/, '')
  return `${root}/${API_VERSION}/Accounts/${encodeURIComponent(accountSid)}/${what}.json`
}

function headersOf({ accountSid, authToken }: TwilioAccount): Readonly<Record<string, string>> {
  const credentials = Buffer.from(`${accountSid}:${authToken}`).toString('base64')
  return { authorization: `Basic ${credentials}`, accept: 'application/json' }
}

interface Meaning {
  readonly kind: 'permanent' | 'provider-down' | 'retry'
  readonly code: string
  readonly reason: string
}

const INVALID = { kind: 'permanent', code: 'invalid_number' } as const
const OURS = { kind: 'provider-down', code: PROVIDER_DOWN } as const
const BUSY = { kind: 'retry', code: 'http_429' } as const

/** Twilio's own codes, where they say more than the HTTP status (https://www.twilio.com/docs/api/errors). */
const MEANINGS: Readonly<Record<number, Meaning>> = {
  13223: { ...INVALID, reason: 'The number cannot be called' },
  13224: { ...INVALID, reason: 'The number is not valid' },
  21211: { ...INVALID, reason: 'The number is not valid' },
  21217: { ...INVALID, reason: 'The number is not valid' },
  21614: { ...INVALID, reason: 'The number is no mobile phone' },
  21610: { kind: 'permanent', code: 'unsubscribed', reason: 'The person answered STOP' },
  13227: { kind: 'permanent', code: 'country_not_allowed', reason: 'The account may not call this country' },
  21215: { kind: 'permanent', code: 'country_not_allowed', reason: 'The account may not call this country' },
  21408: { kind: 'permanent', code: 'country_not_allowed', reason: 'The account may not text this country' },
  21612: { kind: 'permanent', code: 'unreachable_number', reason: 'No way from the sender to the number' },
  20003: { ...OURS, reason: 'The provider refuses the credentials' },
  20005: { ...OURS, reason: 'The account is not active' },
  20404: { ...OURS, reason: 'The provider does not know the account' },
  21210: { ...OURS, reason: 'The provider does not accept the sender' },
  21212: { ...OURS, reason: 'The provider does not accept the sender' },
  21603: { ...OURS, reason: 'The provider misses the sender' },
  21606: { ...OURS, reason: 'The provider does not accept the sender' },
  21659: { ...OURS, reason: 'The provider does not accept the sender' },
  21660: { ...OURS, reason: 'The sender belongs to another account' },
  20429: { ...BUSY, reason: 'Too many requests' },
  21611: { ...BUSY, reason: 'The queue of the sender is full' },
}

/** Never in the provider's own words, which may repeat the number, the text or the credentials (security row 26). */
function twilioRefusal(answer: ProviderAnswer, body: Readonly<Record<string, unknown>>): Failed {
  const code = typeof body['code'] === 'number' ? body['code'] : null
  const meaning = code === null ? undefined : MEANINGS[code]
  if (meaning === undefined) {
    const refused = answer.status === 401 || answer.status === 403
    const number = code === null ? '' : ` (Twilio ${code})`
    return refusal(
      answer,
      `${refused ? 'The provider refuses the credentials' : `HTTP ${answer.status}`}${number}`,
    )
  }
  const reason = `${meaning.reason} (Twilio ${String(code)})`
  const { retryAfterMs, status } = answer
  if (meaning.kind === 'permanent') return { ...permanent(meaning.code, reason), status }
  return {
    ok: false,
    retry: true,
    code: meaning.code,
    reason,
    status,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  }
}
