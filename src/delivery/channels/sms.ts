import type { Config } from '../../config/schema/schema.ts'
import { parsePhone } from '../address.ts'
import {
  oneAddress,
  type Channel,
  type Finding,
  type Sought,
  type Rendered,
  type RenderInput,
} from '../channel.ts'
import { alertTitle, contentOf, type Content } from '../message/content.ts'
import { failOver, serves, type FailOver, type Provider } from '../providers/fail-over.ts'
import { httpCaller, unasked, type HttpCaller } from '../providers/http-call.ts'
import { sendThroughGateway } from '../providers/http-gateway.ts'
import { createAtTwilio, findAtTwilio, twilioCallback, type TwilioAccount } from '../providers/twilio.ts'
import type { HealthOf } from '../worker/target-health.ts'
import { oneLine } from '../message/text.ts'
import { notConfigured } from './not-configured.ts'

/** Security row 21: a page that needs more was written by a machine for machines. */
const MOST_SEGMENTS = 3

/** The basic table of 3GPP TS 23.038; a character of the extension table costs two places. */
const GSM_BASIC = new Set(
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà',
)
const GSM_EXTENSION = new Set('^{}\\[~]|€')

/** Places in a message that fits into one part, and in each part of a longer one. */
const ROOM = { gsm: { one: 160, part: 153 }, ucs2: { one: 70, part: 67 } }

type SmsConfig = Config['channels']['sms']
type ProviderConfig = Omit<SmsConfig, 'mode' | 'on_ambiguous' | 'providers' | 'allow_premium'>

export interface SmsSettings {
  readonly sms: SmsConfig
  /** Where the provider reports to; absent, it does not. */
  readonly publicUrl: string | undefined
  readonly clock: FailOver['clock']
  readonly healthOf: HealthOf
}

/** Text messages through Twilio or any HTTP gateway, several of them in their order. Without settings only rendered. */
export function smsChannel(settings?: SmsSettings): Channel {
  const caller = httpCaller()
  const providers = settings === undefined ? [] : providersOf(settings, caller)
  const send = settings && failOver(overOf(settings, providers))
  return {
    name: 'sms',
    provider: providers.length === 1 ? providers[0]?.name : undefined,
    targets: circlesOf(providers),
    target: (address) => circleOf(providers, address),
    addresses: ({ phone }) => oneAddress(phone === undefined ? null : parsePhone(phone)),
    render: renderSms,
    async send(message, signal) {
      if (!send || providers.length === 0) return notConfigured('sms')
      const address = parsePhone(message.address, { premium: settings.sms.allow_premium })
      if (address === null) return unasked('invalid_number', 'The address is no phone number')
      return send({ ...message, address }, signal)
    },
    async find(sought, signal) {
      const address = parsePhone(sought.message.address, { premium: settings?.sms.allow_premium ?? false })
      if (address === null) return { kind: 'not_taken' }
      return findAt(providers, { ...sought, message: { ...sought.message, address } }, signal)
    },
    close: () => caller.close(),
  }
}

/** What the first provider says that may have it; a lost attempt does not say which one was asked. */
async function findAt(
  providers: readonly SmsProvider[],
  sought: Sought,
  signal: AbortSignal,
): Promise<Finding> {
  let answer: Finding = { kind: 'not_taken' }
  for (const { countries, find } of providers) {
    if (!find || !serves(countries, sought.message.address)) continue
    const said = await find(sought, signal)
    if (said.kind === 'taken') return said
    if (said.kind === 'unanswered') answer = said
  }
  return answer
}

/**
 * The providers that serve a number, by their names: what can stand in for each other is one target, which is in trouble
 * when all of them are. Null for a lone provider, which is the channel itself, and where nobody serves.
 */
function circleOf(providers: readonly Provider[], address: string): string | null {
  if (providers.length < 2) return null
  const names = providers.filter(({ countries }) => serves(countries, address)).map(({ name }) => name)
  return names.length === 0 ? null : names.join('+')
}

/** A number is served by whoever serves the longest of the given beginnings that it has. */
function circlesOf(providers: readonly Provider[]): readonly string[] {
  const beginnings = ['', ...providers.flatMap(({ countries }) => countries)]
  const circles = beginnings.map((beginning) => circleOf(providers, beginning))
  return [...new Set(circles)].filter((circle) => circle !== null)
}

function overOf({ sms, clock, healthOf }: SmsSettings, providers: readonly Provider[]): FailOver {
  return {
    providers,
    allowed: sms.countries,
    // Numbers that it serves alone have a lane of that name, which notices the same trouble.
    healthOf: (name) => healthOf(`sms/${name}`, { patience: 1, alarmAs: `sms:${name}` }),
    clock,
  }
}

interface SmsProvider extends Provider {
  /** Absent where it cannot be asked. */
  readonly find?: (sought: Sought, signal: AbortSignal) => Promise<Finding>
}

function providersOf({ sms, publicUrl }: SmsSettings, caller: HttpCaller): SmsProvider[] {
  // The countries at the top are what is allowed at all, not what the one provider there serves.
  const listed = sms.providers.length > 0 ? sms.providers : [{ ...sms, name: sms.provider, countries: [] }]
  return listed.flatMap((given) => {
    const send = senderOf(given, publicUrl, caller)
    const account = twilioAccount(given)
    if (send === null) return []
    const find: SmsProvider['find'] =
      account && ((sought, signal) => findAtTwilio(caller, account, { what: 'Messages', sought }, signal))
    return [{ name: given.name, countries: given.countries, send, ...(find && { find }) }]
  })
}

function senderOf(
  given: ProviderConfig,
  publicUrl: string | undefined,
  caller: HttpCaller,
): Provider['send'] | null {
  if (given.provider === 'http') {
    const { url, method, headers, body, from = '', id_path: idPath } = given
    if (url === undefined) return null
    const gateway = { url, method, headers, body, from, idPath }
    return (message, signal) => sendThroughGateway(caller, gateway, message, signal)
  }
  const account = twilioAccount(given)
  const sender = senderFields(given)
  if (account === undefined || sender === null) return null
  return (message, signal) => {
    const fields = {
      ...sender,
      Body: message.rendered.text,
      ...(publicUrl !== undefined && {
        StatusCallback: twilioCallback(publicUrl, 'status', message.idempotencyKey),
      }),
    }
    const create = { what: 'Messages', message, fields } as const
    return createAtTwilio(caller, account, create, signal)
  }
}

function twilioAccount(given: ProviderConfig): TwilioAccount | undefined {
  const { provider, account_sid: accountSid, auth_token: authToken, base_url: baseUrl } = given
  if (provider !== 'twilio' || accountSid === undefined || authToken === undefined) return undefined
  return { accountSid, authToken, baseUrl }
}

function senderFields({ from, messaging_service_sid: service }: ProviderConfig) {
  if (service !== undefined) return { MessagingServiceSid: service }
  return from === undefined ? null : { From: from }
}

function renderSms(input: RenderInput): Rendered {
  const content = contentOf(input)
  const text = withLink(fitSms(oneLine(smsText(content)) || 'Notification'), input.answerUrl)
  return { text, actions: content.actions, segments: smsSegments(text) }
}

/** A link goes along where it costs no further part, and where a phone can follow it. */
function withLink(text: string, url: string | null | undefined): string {
  if (!url || text.includes(url) || isLoopback(url)) return text
  const linked = `${text} ${url}`
  return smsSegments(linked) > smsSegments(text) ? text : linked
}

function isLoopback(url: string): boolean {
  return !URL.canParse(url) || /^(localhost|127(\.\d+){3}|\[::1\])$/.test(new URL(url).hostname)
}

/** `CRITICAL: disk_full - Disk is full` (checklist R23); `Title: message` for everything that is no alert. */
function smsText({ kind, alert, title, text, said }: Content): string {
  if (kind === 'fixed') return text
  if (said !== null) return said
  if (alert && kind !== 'outcome' && title === alertTitle(alert))
    return `${alert.severity.toUpperCase()}: ${alert.type} - ${text}`
  return text === '' ? title : `${title}: ${text}`
}

/** How many parts a text is sent and charged as: GSM-7 where every character allows it, else UCS-2. */
export function smsSegments(text: string): number {
  return parts(text).length
}

/** The text itself, or as much of it as fits into three parts, ending in three dots. */
export function fitSms(text: string): string {
  const all = parts(text)
  if (all.length <= MOST_SEGMENTS) return text
  // The dots belong to both alphabets, so that shortening never changes the count of what is kept.
  const kept = Array.from(all.slice(0, MOST_SEGMENTS).join(''))
  return `${kept.slice(0, -3).join('').trimEnd()}...`
}

function parts(text: string): string[] {
  const characters = Array.from(text)
  const gsm = characters.every((character) => GSM_BASIC.has(character) || GSM_EXTENSION.has(character))
  const cost = (character: string) => (gsm ? (GSM_EXTENSION.has(character) ? 2 : 1) : character.length)
  const room = gsm ? ROOM.gsm : ROOM.ucs2
  if (characters.reduce((sum, character) => sum + cost(character), 0) <= room.one) return [text]
  const result: string[] = []
  let part = ''
  let used = 0
  for (const character of characters) {
    // Neither an escape sequence nor a surrogate pair may be torn apart.
    if (used + cost(character) > room.part) {
      result.push(part)
      part = ''
      used = 0
    }
    part += character
    used += cost(character)
  }
  result.push(part)
  return result
}
