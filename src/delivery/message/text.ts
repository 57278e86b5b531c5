/** Characters that turn the reading direction of what follows, hide, or split words: how a text is made to lie. */
const INVISIBLE = /[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]/g
const LONE_SURROGATE = /\p{Surrogate}/gu
const CONTROL = /[\p{Cc}\u2028\u2029]/gu

/** One line without control and direction characters, runs of blanks as one (security row 21). */
export function oneLine(text: string): string {
  return strip(text).replaceAll(CONTROL, ' ').replaceAll(/\s+/g, ' ').trim()
}

/** The same with its line breaks and tabs kept. */
export function multiLine(text: string): string {
  return strip(text)
    .replaceAll(/\r\n?|[\u2028\u2029]/g, '\n')
    .replaceAll(/[^\P{Cc}\n\t]/gu, ' ')
    .trim()
}

/** At most `length` UTF-16 units, shortened texts ending in `…`; never half a character. */
export function cut(text: string, length: number): string {
  if (text.length <= length) return text
  const end = length - 1
  const half = /[\ud800-\udbff]/.test(text.charAt(end - 1)) ? 1 : 0
  return `${text.slice(0, end - half).trimEnd()}…`
}

/** The text with a replacement for every half of a character, which strict readers of JSON refuse whole messages for. */
export function wellFormed(text: string): string {
  return text.replaceAll(LONE_SURROGATE, '\ufffd')
}

function strip(text: string): string {
  return wellFormed(text.replaceAll(INVISIBLE, ''))
}
