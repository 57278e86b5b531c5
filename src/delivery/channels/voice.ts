import type { Config } from '../../config/schema/schema.ts'
import { parsePhone } from '../address.ts'
import {
  oneAddress,
  type Channel,
  type OutgoingMessage,
  type Rendered,
  type RenderInput,
} from '../channel.ts'
import { contentOf } from '../message/content.ts'
import { serves } from '../providers/fail-over.ts'
import { httpCaller, unasked } from '../providers/http-call.ts'
import { createAtTwilio, findAtTwilio, twilioCallback } from '../providers/twilio.ts'
import { OWN_LANGUAGE, speechLanguage } from '../providers/speech-language.ts'
import { pageTwiml } from '../providers/twiml.ts'
import { cut, oneLine } from '../message/text.ts'
import { notConfigured } from './not-configured.ts'

/** About a minute of speech. */
const LONGEST_TEXT = 900

/** What the keys mean, by language; a voice without its own sentence reads the English one. */
const KEYS: Readonly<Record<string, string>> = {
  de: 'Drücken Sie 4 zum Quittieren, 6 zum Eskalieren, 5 zum Schließen.',
  en: 'Press 4 to acknowledge, 6 to escalate, 5 to resolve.',
  es: 'Pulse 4 para confirmar, 6 para escalar, 5 para resolver.',
  fr: 'Tapez 4 pour confirmer, 6 pour escalader, 5 pour résoudre.',
  it: 'Premere 4 per confermare, 6 per inoltrare, 5 per risolvere.',
}

export interface VoiceSettings {
  readonly voice: Config['channels']['voice']
  /** Where the provider asks what a pressed key means. */
  readonly publicUrl: string | undefined
}

/** Phone calls through Twilio: the text is spoken, keys answer it. Without settings only rendered. */
export function voiceChannel(settings?: VoiceSettings): Channel {
  const caller = httpCaller()
  const line = settings === undefined ? null : lineOf(settings)
  return {
    name: 'voice',
    provider: 'twilio',
    addresses: ({ phone }) => oneAddress(phone === undefined ? null : parsePhone(phone)),
    render: renderVoice,
    async send(message, signal) {
      if (line === null) return notConfigured('voice')
      const address = parsePhone(message.address)
      if (address === null) return unasked('invalid_number', 'The address is no phone number')
      if (!serves(line.countries, address))
        return unasked('country_not_allowed', 'Calls to this country are not allowed')
      const fields = {
        From: line.from,
        Twiml: twimlOf(message, line.publicUrl),
        StatusCallback: twilioCallback(line.publicUrl, 'status', message.idempotencyKey),
      }
      const create = { what: 'Calls', message: { ...message, address }, fields } as const
      return createAtTwilio(caller, line, create, signal)
    },
    async find(sought, signal) {
      const address = parsePhone(sought.message.address)
      if (line === null || address === null) return { kind: 'not_taken' }
      const message = { ...sought.message, address }
      return findAtTwilio(caller, line, { what: 'Calls', sought: { ...sought, message } }, signal)
    },
    close: () => caller.close(),
  }
}

function lineOf({ voice, publicUrl }: VoiceSettings) {
  const { account_sid: accountSid, auth_token: authToken, from, base_url: baseUrl, countries } = voice
  if (accountSid === undefined || authToken === undefined || from === undefined || publicUrl === undefined)
    return null
  return { accountSid, authToken, from, baseUrl, countries, publicUrl }
}

/** The whole dialogue goes with the call, so that nobody waits in silence while we are asked for it. */
function twimlOf({ rendered, idempotencyKey }: OutgoingMessage, publicUrl: string): string {
  const asks = rendered.actions.some(({ id }) => id === 'ack')
  return pageTwiml(
    rendered.text,
    rendered.language ?? OWN_LANGUAGE,
    asks ? twilioCallback(publicUrl, 'voice', idempotencyKey) : null,
  )
}

function renderVoice(input: RenderInput): Rendered {
  const content = contentOf(input)
  // A voice reads `disk_full` letter by letter, or swallows it.
  const opening =
    content.alert && content.kind !== 'outcome' ? content.title.replaceAll('_', ' ') : content.title
  const said = cut(
    speakable(content.kind === 'fixed' ? content.text : (content.said ?? `${opening}. ${content.text}`)),
    LONGEST_TEXT,
  )
  const sentence = said || content.title
  const language = speechLanguage(input.recipient?.locale ?? '')
  const keys = KEYS[language.slice(0, 2)] ?? KEYS['en']
  return {
    text: content.kind === 'page' ? `${sentence.replace(/[.\s]*$/, '.')} ${keys}` : sentence,
    actions: content.actions,
    language,
  }
}

/** Runs of markup are no speech, and would take the room of the keys, which come last. */
function speakable(text: string): string {
  return oneLine(text.replaceAll(/[<>&]{2,}/g, ' '))
}
