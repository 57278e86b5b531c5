import { isPremium, parseMailbox, parsePhone } from '../delivery/address.ts'
import type { FixedContent } from '../delivery/delivery.ts'
import { parsePushToken } from '../devices/device.ts'
import { fault } from '../errors.ts'
import type { Compile } from '../template/template-cache.ts'
import type { TemplateFormat } from '../template/liquid-engines.ts'
import { formatTemplateFault, type Template, type TemplateData } from '../template/template.ts'
import type { EventChannels } from './events.ts'
import { plainText } from './plain-text.ts'

export const SERVICE_CHANNELS = ['email', 'sms', 'push'] as const satisfies readonly (keyof EventChannels)[]
/** What a service can send over. */
export type ServiceChannel = (typeof SERVICE_CHANNELS)[number]

/** What one channel is asked to send, as it came (checklist N08). */
export interface ChannelRequest {
  readonly to_email?: readonly string[] | string
  readonly to_phone_number?: readonly string[] | string
  /** Registration tokens of FCM. */
  readonly to_token?: readonly string[] | string
  readonly metadata?: TemplateData
  /** For the app, beside title and text. */
  readonly data?: Readonly<Record<string, unknown>>
  readonly attachments?: readonly string[]
}

/** One notification to be: the same text to every address. */
export interface PlannedSend {
  readonly channel: ServiceChannel
  readonly addresses: readonly string[]
  readonly fixed: FixedContent
}

export interface SendRules {
  readonly compile: Compile
  /** Whether numbers that charge whoever sends to them are taken (security row 21). */
  readonly premium: boolean
}

const MOST_ADDRESSES = 100

/**
 * Checks what a service asks for and puts the metadata into the event's texts. Throws `notipy.invalid` with the
 * sentences of checklist N09, in their order, before anything is sent. Pure.
 */
export function planSend(
  channels: EventChannels,
  channel: ServiceChannel,
  request: ChannelRequest,
  { compile, premium }: SendRules,
): PlannedSend {
  if (channel === 'email' && channels.email) return planEmail(channels.email, request, compile)
  if (channel === 'sms' && channels.sms) {
    const send = planSms(channels.sms, request, compile)
    if (!premium && send.addresses.some(isPremium)) throw fault('publish.premium_number')
    return send
  }
  if (channel === 'push' && channels.push) return planPush(channels.push, request, compile)
  throw invalid(`The event has no channel ${channel}`, channel)
}

function planEmail(
  email: NonNullable<EventChannels['email']>,
  request: ChannelRequest,
  compile: Compile,
): PlannedSend {
  const to = listOf(request.to_email)
  if (to.length === 0) throw invalid('to_email is required', 'email.to_email')
  const attachments = request.attachments ?? []
  if (attachments.length !== email.no_of_attachments) {
    throw invalid('Number of attachments mismatch', 'email.attachments')
  }
  const subject = compiled(email.subject, 'text', compile, 'email.subject')
  const content = compiled(email.content, email.is_html ? 'html' : 'text', compile, 'email.content')
  const metadata = metadataFor([subject, content], request, 'email')
  for (const url of attachments) {
    if (!isFetchable(url)) {
      throw invalid('attachments must be http or https URLs without user and password', 'email.attachments')
    }
  }
  const addresses = addressesOf(to, parseMailbox, 'email.to_email', 'mailbox such as anna@example.org')
  const text = rendered(content, metadata, 'email.content')
  return {
    channel: 'email',
    addresses,
    fixed: {
      subject: rendered(subject, metadata, 'email.subject'),
      text: email.is_html ? plainText(text) : text,
      ...(email.is_html && { html: text }),
      ...(attachments.length > 0 && { attachments }),
    },
  }
}

function planSms(
  sms: NonNullable<EventChannels['sms']>,
  request: ChannelRequest,
  compile: Compile,
): PlannedSend {
  const to = listOf(request.to_phone_number)
  if (to.length === 0) throw invalid('to_phone_number is required', 'sms.to_phone_number')
  const content = compiled(sms.content, 'text', compile, 'sms.content')
  const metadata = metadataFor([content], request, 'sms')
  const parse = (text: string) => parsePhone(text, { premium: true })
  const addresses = addressesOf(to, parse, 'sms.to_phone_number', 'phone number such as +4915112345678')
  return { channel: 'sms', addresses, fixed: { text: rendered(content, metadata, 'sms.content') } }
}

function planPush(
  push: NonNullable<EventChannels['push']>,
  request: ChannelRequest,
  compile: Compile,
): PlannedSend {
  const to = listOf(request.to_token)
  if (to.length === 0) throw invalid('to_token is required', 'push.to_token')
  const title = compiled(push.title, 'text', compile, 'push.title')
  const content = compiled(push.content, 'text', compile, 'push.content')
  const metadata = metadataFor([title, content], request, 'push')
  const addresses = addressesOf(to, parsePushToken, 'push.to_token', 'registration token of FCM')
  return {
    channel: 'push',
    addresses,
    fixed: {
      subject: rendered(title, metadata, 'push.title'),
      text: rendered(content, metadata, 'push.content'),
      push: { ...(request.data !== undefined && { data: request.data }) },
    },
  }
}

/** Throws `notipy.invalid` where a text of the channels is no template. */
export function checkTemplates({ email, sms, push }: EventChannels, compile: Compile): void {
  if (email) {
    compiled(email.subject, 'text', compile, 'channels.email.subject')
    compiled(email.content, email.is_html ? 'html' : 'text', compile, 'channels.email.content')
  }
  if (sms) compiled(sms.content, 'text', compile, 'channels.sms.content')
  if (push) {
    compiled(push.title, 'text', compile, 'channels.push.title')
    compiled(push.content, 'text', compile, 'channels.push.content')
  }
}

function compiled(source: string, format: TemplateFormat, compile: Compile, field: string): Template {
  const compilation = compile(source, format)
  if (!compilation.ok) throw invalid(`${field}: ${formatTemplateFault(compilation.fault)}`, field)
  return compilation.template
}

function rendered(template: Template, metadata: TemplateData, field: string): string {
  const rendering = template.render(metadata, 'whole')
  if (!rendering.ok) throw invalid(`${field}: ${formatTemplateFault(rendering.fault)}`, field)
  return rendering.text
}

function metadataFor(templates: readonly Template[], request: ChannelRequest, channel: string): TemplateData {
  const { metadata = {} } = request
  const missing = new Set(
    templates.flatMap((template) => {
      const rendering = template.render(metadata, 'whole')
      return rendering.ok ? [] : rendering.missing
    }),
  )
  if (missing.size > 0 && request.metadata === undefined)
    throw invalid('metadata is required', `${channel}.metadata`)
  if (missing.size > 0)
    throw invalid(`Missing fields in metadata: ${[...missing].join(', ')}`, `${channel}.metadata`)
  return metadata
}

function listOf(given: readonly string[] | string | undefined): readonly string[] {
  return (typeof given === 'string' ? [given] : (given ?? [])).filter((address) => address.trim() !== '')
}

/** Each address once, in the form in which it is sent to. */
function addressesOf(
  given: readonly string[],
  parse: (text: string) => string | null,
  field: string,
  what: string,
): readonly string[] {
  if (given.length > MOST_ADDRESSES) throw invalid(`At most ${MOST_ADDRESSES} addresses at once`, field)
  const parsed = given.map((text) => {
    const address = parse(text)
    if (address === null) throw invalid(`"${text}" is no ${what}`, field)
    return address
  })
  return [...new Set(parsed)]
}

function isFetchable(text: string): boolean {
  if (!/^https?:\/\/[^\s\p{Cc}]+$/iu.test(text) || !URL.canParse(text)) return false
  const { username, password } = new URL(text)
  return username === '' && password === ''
}

function invalid(message: string, field: string) {
  return fault('notipy.invalid', message, { field, in: 'body' })
}
