import { OWN_LANGUAGE } from './speech-language.ts'

/** The document goes in one field of at most 4000 characters; the frame around the text takes the rest. */
const LONGEST_SPEECH = 3000

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }

const NO_XML = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu

/**
 * What a called person hears (https://www.twilio.com/docs/voice/twiml/gather), in a voice of that language. With
 * `action`, a key pressed while or after the text is read, twice, is sent there.
 */
export function pageTwiml(text: string, language: string, action: string | null): string {
  const say = `<Say language="${attribute(language)}" loop="2">${xml(text, LONGEST_SPEECH)}</Say>`
  return response(
    action === null
      ? say
      : `<Gather numDigits="1" timeout="10" method="POST" action="${attribute(action)}">${say}</Gather>`,
  )
}

/** The end of a call. */
export function sayTwiml(text: string): string {
  return response(`<Say language="${OWN_LANGUAGE}">${xml(text, LONGEST_SPEECH)}</Say><Hangup/>`)
}

/** An answer by text message (https://www.twilio.com/docs/messaging/twiml), or none. */
export function messageTwiml(text: string | null): string {
  return response(text === null ? '' : `<Message>${xml(text)}</Message>`)
}

function response(content: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?><Response>${content}</Response>`
}

function attribute(value: string): string {
  return xml(value).replaceAll('"', '&quot;').replaceAll("'", '&apos;')
}

/** Escaped for content, without the characters that XML 1.0 has no place for; at most `longest` after that. */
function xml(text: string, longest = Infinity): string {
  let out = ''
  for (const character of text.replaceAll(NO_XML, '')) {
    const escaped = ENTITIES[character] ?? character
    if (out.length + escaped.length > longest) break
    out += escaped
  }
  return out
}
