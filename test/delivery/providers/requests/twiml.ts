interface ElementFacts {
  readonly inside: readonly string[]
  readonly attributes: Readonly<Record<string, RegExp>>
  /** Of its text; absent where there is none. */
  readonly longest?: number
}

/** https://www.twilio.com/docs/voice/twiml and its pages on <Gather>, <Say> and <Hangup>. */
const CALL: Readonly<Record<string, ElementFacts>> = {
  Response: { inside: [''], attributes: {} },
  Gather: {
    inside: ['Response'],
    attributes: {
      numDigits: /^[1-9][0-9]?$/,
      timeout: /^[1-9][0-9]{0,2}$/,
      method: /^(GET|POST)$/,
      action: /^https?:\/\/[^\s/]+\/\S*$/,
    },
  },
  Say: {
    inside: ['Response', 'Gather'],
    attributes: { language: /^[a-z]{2}-[A-Z]{2}$/, loop: /^[0-9]+$/ },
    longest: 4096,
  },
  Hangup: { inside: ['Response'], attributes: {} },
}

/** https://www.twilio.com/docs/messaging/twiml and its page on <Message>. */
const MESSAGE: Readonly<Record<string, ElementFacts>> = {
  Response: { inside: [''], attributes: {} },
  Message: { inside: ['Response'], attributes: {}, longest: 1600 },
}

const TOKEN = /<(\/?)([A-Za-z]+)((?: [A-Za-z]+="[^"<]*")*)(\/?)>|([^<]+)/y
/** What XML 1.0 (fifth edition, section 2.2) has no place for. */
const NO_XML = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u
const BARE_AMPERSAND = /&(?!(?:amp|lt|gt|quot|apos);)/

/** In what a document is no TwiML of that kind: malformed, unknown elements or attributes, texts that are too long. */
export function twimlFaults(document: string, kind: 'call' | 'message'): string[] {
  const elements = kind === 'call' ? CALL : MESSAGE
  const declaration = /^<\?xml version="1\.0" encoding="UTF-8"\?>/.exec(document)?.[0]
  if (declaration === undefined) return ['TwiML: no declaration']
  const faults: string[] = []
  const open: string[] = []
  TOKEN.lastIndex = declaration.length
  while (TOKEN.lastIndex < document.length) {
    const token = TOKEN.exec(document)
    if (token === null) return [...faults, 'TwiML: is not well-formed']
    const [, closing, name = '', attributes = '', empty, content] = token
    const parent = open.at(-1) ?? ''
    if (content !== undefined) faults.push(...textFaults(content, parent, elements[parent]))
    else if (closing === '/')
      faults.push(...(open.pop() === name ? [] : [`TwiML: </${name}> closes nothing`]))
    else {
      faults.push(...elementFaults({ name, attributes, parent }, elements[name]))
      if (empty === '') open.push(name)
    }
  }
  return open.length === 0 ? faults : [...faults, 'TwiML: ends too early']
}

function textFaults(content: string, parent: string, facts: ElementFacts | undefined): string[] {
  const length = facts?.longest === undefined ? 0 : facts.longest
  return [
    ...(content.length > length ? [`TwiML: <${parent}> has ${content.length} of ${length} characters`] : []),
    ...(NO_XML.test(content) ? ['TwiML: a character that XML does not know'] : []),
    ...(BARE_AMPERSAND.test(content) ? ['TwiML: a bare ampersand'] : []),
  ]
}

function elementFaults(
  { name, attributes, parent }: { name: string; attributes: string; parent: string },
  facts: ElementFacts | undefined,
): string[] {
  if (facts === undefined) return [`TwiML: <${name}> is unknown`]
  const given = [...attributes.matchAll(/ ([A-Za-z]+)="([^"]*)"/g)].map(
    ([, key = '', value = '']) => [key, value] as const,
  )
  return [
    ...(facts.inside.includes(parent) ? [] : [`TwiML: <${name}> in <${parent}>`]),
    ...given
      .filter(([key, value]) => BARE_AMPERSAND.test(value) || !facts.attributes[key]?.test(value))
      .map(([key, value]) => `TwiML: ${name} ${key}="${value}"`),
  ]
}
